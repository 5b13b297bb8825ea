import assert from "node:assert/strict";
import test from "node:test";
import { copy, RollKeeper } from "../../kiosk/js/roll.js";
import * as state from "../../kiosk/js/state.js";

const DANA = { name: "Dana", role: "supervisor" };
const ROLL = { emergency_id: null, counts: [], people: ["李小龙"] };

// A keeper whose roll-call is answered when the test says so.
async function keeperOf() {
  const kept = new Map();
  const answers = [];
  const keeper = await new RollKeeper({
    store: { fact: async (key) => kept.get(key), keep: async (key, value) => void kept.set(key, value) },
    post: () => new Promise((resolve) => answers.push(() => resolve({ status: 200, data: ROLL }))),
    outbox: { waiting: [] },
    vault: { seal: async (what) => ({ sealed: what }), kept: async () => null },
    eventId: "e1",
  }).open();
  return { keeper, kept, answers };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a roll-call that comes after signing off is nobody's", async () => {
  const { keeper, kept, answers } = await keeperOf();
  state.operator.value = DANA;
  const reading = keeper.read();
  state.operator.value = null;
  await keeper.forget();
  answers[0]();
  await reading;
  assert.equal(copy.value, null);
  assert.equal(kept.get("roll") ?? null, null);

  // The control: whoever is still on gets it.
  state.operator.value = DANA;
  const again = keeper.read();
  answers[1]();
  await again;
  assert.deepEqual(copy.value.roll, ROLL);
  assert.deepEqual(kept.get("roll").sealed.roll, ROLL);
});

test("names of who signed off without a network go with the first word from the server", async () => {
  const { keeper, kept, answers } = await keeperOf();
  state.operator.value = DANA;
  keeper.start();
  while (answers.length) answers.shift()();
  await settled();
  assert.deepEqual(copy.value.roll, ROLL);
  state.link.value = "offline";
  state.operator.value = null;
  await settled();
  assert.deepEqual(copy.value.roll, ROLL, "a page without a network knows nobody, and keeps them");
  state.link.value = "online";
  await settled();
  assert.equal(copy.value, null);
  assert.equal(kept.get("roll"), null);
  clearTimeout(keeper.timer);
});
