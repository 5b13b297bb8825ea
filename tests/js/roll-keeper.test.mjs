import assert from "node:assert/strict";
import test from "node:test";
import { copy, heads, RollKeeper } from "../../kiosk/js/roll.js";
import * as state from "../../kiosk/js/state.js";

globalThis.navigator ??= {}; // a page has one, an older node none
const DANA = { name: "Dana", role: "supervisor" };
const ROLL = { emergency_id: null, counts: [], people: ["李小龙"] };

// A keeper whose roll-call is answered when the test says so.
async function keeperOf() {
  const kept = new Map();
  const answers = [];
  const keeper = await new RollKeeper({
    store: { fact: async (key) => kept.get(key), keep: async (key, value) => void kept.set(key, value) },
    post: () => new Promise((resolve) => answers.push((data = ROLL) => resolve({ status: 200, data }))),
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

test("whoever opens the list asks for a newer one, and an older answer does not undo it", async () => {
  const { keeper, answers } = await keeperOf();
  state.operator.value = DANA;
  const frozen = { ...ROLL, emergency_id: "m1", frozen: true };
  const before = keeper.read();
  const opened = keeper.look();
  await settled();
  assert.equal(answers.length, 2);
  answers[1](frozen);
  await opened;
  answers[0](ROLL);
  await before;
  assert.deepEqual(copy.value.roll, frozen);

  // Without anybody signed on nothing is asked and nothing is let go of.
  state.operator.value = null;
  await keeper.look();
  assert.equal(answers.length, 2);
  assert.deepEqual(copy.value.roll, frozen);
  await keeper.forget();
});

test("taps that were made while a reading was under way stay in sight", async () => {
  const { keeper, answers } = await keeperOf();
  const told = (people) => ({ ...ROLL, counts: [{ place: "Car park", people }] });
  keeper.outbox.add = async (entry) => void keeper.outbox.waiting.push(entry);
  state.operator.value = DANA;
  const reading = keeper.read();
  await keeper.head("Car park", 5);
  answers[0](told(20));
  await reading;
  assert.equal(heads.value["Car park"], 25, "the reading is older than the tap");

  // Sent meanwhile: it may be in the answer or not, so it is asked once more.
  const next = keeper.read();
  keeper.outbox.waiting = [];
  answers[1](told(20));
  await next;
  assert.equal(heads.value["Car park"], 25);
  assert.equal(answers.length, 3);
  answers[2](told(25));
  await settled();
  assert.equal(heads.value["Car park"], 25);
  assert.equal(answers.length, 3, "nothing is left to ask for");

  // The control: without what it remembers the tap is gone with the answer.
  const last = keeper.read();
  await keeper.head("Car park", 5);
  keeper.taps = [];
  answers[3](told(25));
  await last;
  assert.equal(heads.value["Car park"], 25);
  state.operator.value = null;
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
