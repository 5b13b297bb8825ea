import assert from "node:assert/strict";
import test from "node:test";
import { Outbox } from "../../kiosk/js/outbox.js";
import { answersOf, missing, wordsOf } from "../../kiosk/js/question-rules.js";

// Timers that run when the test says so.
function hands() {
  const due = [];
  return {
    due,
    setTimeout: (run) => due.push(run),
    clearTimeout() {},
    async tick() {
      due.shift()?.();
      await new Promise((done) => setImmediate(done));
      await new Promise((done) => setImmediate(done));
    },
  };
}

function memory(kept = []) {
  const rows = new Map(kept.map((entry) => [entry.id, entry]));
  return {
    rows,
    all: async () => [...rows.values()],
    put: async (entry) => void rows.set(entry.id, entry),
    drop: async (id) => void rows.delete(id),
  };
}

function outbox(replies, store = memory()) {
  const timers = hands();
  const sent = [];
  const heard = [];
  const post = async (path, body) => {
    sent.push(body.id);
    return replies.shift() ?? { status: 0, data: null };
  };
  const tell = {
    done: (entry, data) => heard.push(["done", entry.id, data]),
    refused: (entry, status) => heard.push(["refused", entry.id, status]),
    count() {},
  };
  return { box: new Outbox({ store, post, tell, timers, random: () => 0 }), timers, sent, heard, store };
}

const entry = (id) => ({ id, kind: "help", path: "/x", body: { id } });
const settle = () => new Promise((done) => setTimeout(done, 5));

test("without an answer it is kept and sent again under the same id", async () => {
  const { box, timers, sent, heard, store } = outbox([{ status: 0 }, { status: 503 }, { status: 200, data: 1 }]);
  await box.add(entry("a"));
  await settle();
  assert.deepEqual(heard, []);
  assert.ok(store.rows.has("a"));
  await timers.tick();
  await settle();
  await timers.tick();
  await settle();
  assert.deepEqual(sent, ["a", "a", "a"]);
  assert.deepEqual(heard, [["done", "a", 1]]);
  assert.equal(store.rows.size, 0);
});

test("what an earlier page left is sent in the order in which it was made", async () => {
  const left = [{ ...entry("b"), at: 2 }, { ...entry("a"), at: 1 }];
  const { box, sent } = outbox(Array.from({ length: 2 }, () => ({ status: 200 })), memory(left));
  await box.resume();
  await settle();
  assert.deepEqual(sent, ["a", "b"]);
});

test("a refusal is final and does not stop what comes behind it", async () => {
  const { box, heard } = outbox([{ status: 422 }, { status: 200 }]);
  await box.add(entry("a"));
  await box.add(entry("b"));
  await settle();
  assert.deepEqual(heard.map(([what, id]) => `${what} ${id}`), ["refused a", "done b"]);
});

test("a locked or revoked device keeps what it has", async () => {
  for (const status of [401, 423, 429]) {
    const { box, heard, store } = outbox([{ status }]);
    await box.add(entry("a"));
    await settle();
    assert.deepEqual(heard, []);
    assert.equal(store.rows.size, 1);
  }
});

const QUESTIONS = [
  { key: "size", kind: "choice", required: true },
  { key: "count", kind: "number", required: true },
  { key: "note", kind: "text", required: false },
  { key: "sure", kind: "yes_no", required: true },
];

test("a form says what is missing and sends each answer in its type", () => {
  assert.equal(missing(QUESTIONS, {}).length, 3);
  assert.equal(missing(QUESTIONS, { size: "M", count: "x", sure: false }).length, 1);
  const given = { size: "M", count: "3", note: "  ", sure: false };
  assert.deepEqual(missing(QUESTIONS, given), []);
  assert.deepEqual(answersOf(QUESTIONS, given), { size: "M", count: 3, sure: false });
});

test("words come in the reader's language, else in English, else in any", () => {
  assert.equal(wordsOf({ en: "Yes", fr: "Oui" }, "fr"), "Oui");
  assert.equal(wordsOf({ en: "Yes" }, "fr"), "Yes");
  assert.equal(wordsOf({ de: "Ja" }, "fr"), "Ja");
  assert.equal(wordsOf("Plain", "fr"), "Plain");
});
