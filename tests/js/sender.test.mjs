// The sender against a server and a store that the test plays: nothing may be lost,
// nothing may be sent before it is kept, an unknown outcome is repeated with its id.
import assert from "node:assert/strict";
import test from "node:test";
import { Sender, SILENCE_MS } from "/scan/js/sender.js";

const settle = () => new Promise((done) => setImmediate(done));

function bench(t, replies) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const told = [];
  const kept = new Map();
  const sent = [];
  const store = {
    scans: async () => [...kept.values()],
    putScan: async (scan) => void kept.set(scan.id, scan),
    dropScan: async (id) => void kept.delete(id),
  };
  const post = async (path, body) => {
    sent.push({ path, body, keptThen: [...kept.keys()] });
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    return typeof reply === "function" ? reply(body) : reply;
  };
  const tell = Object.fromEntries(
    ["answered", "refused", "silent", "link"].map((name) => [name, (...args) => told.push([name, ...args])]),
  );
  const timers = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  const sender = new Sender({ store, post, tell, now: Date.now, timers, random: () => 0.5 });
  const names = () => told.map(([name]) => name);
  return { sender, told, kept, sent, names, store };
}

const scan = (id = "s1", code = "A") => ({ id, path: "/scans", body: { id, code, direction: "in" } });
const ok = { status: 200, data: { verdict: "admitted" } };
const none = { status: 0, data: null };

test("a scan is on disk before it is sent, and gone from disk after its answer", async (t) => {
  const { sender, sent, kept, names } = bench(t, [ok]);
  await sender.submit(scan());
  await settle();
  assert.deepEqual(sent[0].keptThen, ["s1"]);
  assert.deepEqual(names(), ["answered", "link"]);
  assert.equal(kept.size, 0);
});

test("a scan that cannot be kept is not sent", async (t) => {
  const { sender, sent, store } = bench(t, [ok]);
  store.putScan = async () => {
    throw new Error("disk full");
  };
  await assert.rejects(sender.submit(scan()));
  assert.equal(sent.length, 0);
});

test("no answer is said at once, repeated with the same id, and never becomes a refusal", async (t) => {
  const { sender, sent, names, kept } = bench(t, [none, none, { status: 503, data: {} }, ok]);
  await sender.submit(scan());
  await settle();
  assert.deepEqual(names(), ["link", "silent"]);
  assert.equal(kept.size, 1);
  for (let i = 0; i < 20; i += 1) {
    t.mock.timers.tick(1_000);
    await settle();
  }
  assert.deepEqual(sent.map(({ body }) => body.id), ["s1", "s1", "s1", "s1"]);
  assert.equal(names().filter((name) => name === "answered").length, 1);
  assert.equal(names().filter((name) => name === "silent").length, 1);
  assert.ok(!names().includes("refused"));
});

test("a slow answer: amber after 800 ms, then the verdict", async (t) => {
  let answer;
  const slow = new Promise((done) => {
    answer = () => done(ok);
  });
  const { sender, names } = bench(t, [() => slow]);
  await sender.submit(scan());
  t.mock.timers.tick(SILENCE_MS - 1);
  assert.deepEqual(names(), []);
  t.mock.timers.tick(1);
  assert.deepEqual(names(), ["silent"]);
  answer();
  await settle();
  assert.deepEqual(names(), ["silent", "answered", "link"]);
});

test("what an earlier page left is sent again after a reload", async (t) => {
  const { sender, sent, kept, names } = bench(t, [ok]);
  kept.set("old", scan("old", "B"));
  await sender.resume();
  await settle();
  assert.equal(sent[0].body.id, "old");
  assert.deepEqual(names(), ["answered", "link"]);
});

test("a scan that waits is found by its code, so that it keeps its id", async (t) => {
  const { sender } = bench(t, [none]);
  await sender.submit(scan());
  await settle();
  assert.equal(sender.find("A", "in").id, "s1");
  assert.equal(sender.find("A", "out"), null);
});

test("a refusal to read the scan is final; a revoked token keeps the scan", async (t) => {
  const final = bench(t, [{ status: 409, data: { code: "scan_id_reused" } }]);
  await final.sender.submit(scan());
  await settle();
  assert.ok(final.names().includes("refused"));
  assert.equal(final.kept.size, 0);
});

test("a revoked token keeps what waits", async (t) => {
  const { sender, kept, told } = bench(t, [{ status: 401, data: {} }]);
  await sender.submit(scan());
  await settle();
  assert.equal(kept.size, 1);
  assert.deepEqual(told[0], ["link", "revoked"]);
});

test("a confirmation that failed goes with the next scan, once", async (t) => {
  const { sender, sent } = bench(t, [none, ok]);
  await sender.confirm("/scans/confirm", "before");
  await sender.submit(scan());
  await settle();
  assert.deepEqual(sent[1].body.shown, ["before"]);
  await sender.submit(scan("s2", "B"));
  await settle();
  assert.equal(sent[2].body.shown, undefined);
});

test("the person at the door goes before the backlog", async (t) => {
  const { sender, sent, kept } = bench(t, [none]);
  for (let i = 0; i < 30; i += 1) kept.set(`old${i}`, scan(`old${i}`, `B${i}`));
  await sender.resume();
  await settle();
  const before = sent.length;
  await sender.submit(scan("new", "NEW"));
  await settle();
  t.mock.timers.tick(1);
  await settle();
  assert.ok(sent.slice(before, before + 4).some(({ body }) => body.id === "new"));
});

// What a device decided alone, and is kept with its word.
async function alone(bench, id, code, direction = "in") {
  const made = { ...scan(id, code), body: { id, code, direction } };
  await bench.store.putScan(made);
  await bench.sender.decided(made, { verdict: direction === "in" ? "admitted" : "exited" });
}

const results = (body) => ({ status: 200, data: { results: body.scans.map(() => ({ verdict: "admitted" })) } });

test("the backlog goes together and in its order, one upload at a time", async (t) => {
  const made = bench(t, [none, results]);
  await alone(made, "1", "A");
  await alone(made, "2", "A", "out");
  await alone(made, "3", "A");
  await settle();
  t.mock.timers.tick(30_000);
  await settle();
  const uploads = made.sent.filter(({ path }) => path === "/scans/batch").map(({ body }) => body.scans.map(({ id }) => id));
  assert.deepEqual(uploads[0], ["1"], "nothing else waited then");
  assert.deepEqual(uploads.at(-1), ["1", "2", "3"]);
  assert.equal(made.kept.size, 0);
});

test("a guest at the door does not wait for the backlog", async (t) => {
  let answer = null;
  const slow = () => new Promise((done) => (answer = done));
  const made = bench(t, [slow, ok]);
  await alone(made, "1", "A");
  await made.sender.submit(scan("2", "B"));
  await settle();
  assert.deepEqual(made.sent.map(({ path }) => path), ["/scans/batch", "/scans"]);
  assert.deepEqual(made.told.filter(([name]) => name === "answered").map(([, one]) => one.id), ["2"]);
  answer(results(made.sent[0].body));
  await settle();
  assert.equal(made.kept.size, 0);
});

test("each record of the backlog has its own answer; one that cannot be read holds no other", async (t) => {
  const busy = (body) => ({
    status: 200,
    data: { results: body.scans.map(({ id }) => (id === "2" ? { error: { status: 503 } } : { verdict: "admitted" })) },
  });
  const unreadable = { status: 400, data: { code: "malformed_body" } };
  const byOne = (body) => (body.scans[0].id === "2" ? unreadable : results(body));
  const made = bench(t, [none, busy, unreadable, byOne]);
  for (const id of ["1", "2", "3"]) await alone(made, id, id);
  for (let n = 0; n < 8; n += 1) {
    await settle();
    t.mock.timers.tick(30_000);
  }
  await settle();
  assert.equal(made.kept.size, 0);
  assert.deepEqual(made.told.filter(([name]) => name === "refused").map(([, one]) => one.id), ["2"]);
});

test("after the record that could not be read the backlog goes together again", async (t) => {
  const unreadable = { status: 400, data: { code: "malformed_body" } };
  const upset = (body) => (body.scans.some(({ id }) => id === "2") ? unreadable : results(body));
  const made = bench(t, [none, upset]);
  for (const id of ["1", "2", "3", "4"]) await alone(made, id, id);
  for (let n = 0; n < 8; n += 1) {
    await settle();
    t.mock.timers.tick(30_000);
  }
  await settle();
  const uploads = made.sent.filter(({ path }) => path === "/scans/batch").map(({ body }) => body.scans.map(({ id }) => id));
  assert.deepEqual(uploads.slice(-3), [["1"], ["2"], ["3", "4"]]);
  assert.equal(made.kept.size, 0);
});
