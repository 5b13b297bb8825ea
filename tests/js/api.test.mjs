// Asking again, against a server that the test plays.
import assert from "node:assert/strict";
import test from "node:test";
import { call, configuration, untilAnswered } from "../../web/lib/api.js";

const answer = (status, data) => ({ ok: status < 400, status, text: async () => JSON.stringify(data) });

// A server that says this, one after the other; "away" is no answer at all.
function server(...says) {
  const asked = [];
  globalThis.fetch = async (path) => {
    asked.push(path);
    const next = says.shift();
    if (next === "away") throw new TypeError("Failed to fetch");
    return next;
  };
  return asked;
}

// Waiting is not what is tested: each pause is over at once, and its length is kept.
function hurried(t) {
  const pauses = [];
  const real = globalThis.setTimeout;
  t.mock.method(globalThis, "setTimeout", (then, ms) => {
    pauses.push(ms);
    return real(then, 0);
  });
  return pauses;
}

test("a page that opens before its server gets its configuration when it is there", async (t) => {
  const pauses = hurried(t);
  const asked = server("away", answer(503, {}), answer(429, {}), answer(200, { live_url: "ws://x/live" }));
  assert.deepEqual(await configuration(), { live_url: "ws://x/live" });
  assert.equal(asked.length, 4);
  assert.equal(pauses.length, 3);
  for (const [at, most] of [1_000, 2_000, 4_000].entries()) {
    assert.ok(pauses[at] >= most / 2 && pauses[at] <= most, `${pauses[at]} of ${most}`);
  }
});

test("each failure is told, and a refusal is not asked again", async (t) => {
  hurried(t);
  const told = [];
  const asked = server("away", answer(403, { code: "forbidden" }), answer(200, {}));
  await assert.rejects(
    untilAnswered(() => call("GET", "/x"), (error) => told.push(error.code)),
    { status: 403, code: "forbidden" },
  );
  assert.deepEqual(told, ["no_answer"]);
  assert.equal(asked.length, 2);
});

test("a long absence is asked after every quarter of a minute at most", async (t) => {
  const pauses = hurried(t);
  server(...Array(12).fill("away"), answer(200, {}));
  await configuration();
  assert.ok(Math.max(...pauses) <= 15_000);
});
