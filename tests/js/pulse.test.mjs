import assert from "node:assert/strict";
import { test } from "node:test";
import { Pulse } from "../../kiosk/js/pulse.js";
import * as state from "../../kiosk/js/state.js";

const answer = (operator) => ({
  status: 200,
  data: { server_time: new Date().toISOString(), config: { gate: "North", operator } },
});

function pulse(t, replies) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000 });
  globalThis.addEventListener = () => {};
  t.after(() => delete globalThis.addEventListener);
  const made = new Pulse({ post: () => replies.shift(), version: "1", changed: () => {} });
  made.report = async () => ({});
  return made;
}

test("an answer that was under way when somebody signed on does not sign them off", async (t) => {
  state.operator.value = null;
  let arrive;
  const late = new Promise((done) => {
    arrive = done;
  });
  const made = pulse(t, [late, answer(null)]);
  made.start();
  t.mock.timers.tick(5);
  state.operator.value = { name: "Zoë" };
  arrive(answer(null));
  await late;
  await new Promise(setImmediate);
  assert.equal(state.operator.value?.name, "Zoë");
  assert.equal(state.config.value.operator?.name, "Zoë");
  assert.equal(state.config.value.gate, "North", "the rest of it holds");
  // The next beat began later: what it says is so.
  t.mock.timers.tick(10_000);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(state.operator.value, null);
});
