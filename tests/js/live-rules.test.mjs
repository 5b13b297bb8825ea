import assert from "node:assert/strict";
import test from "node:test";
import { afterClose, delayMs, receive, resumeOf, START } from "/lib/live-rules.js";

const ATTENDANCE = "event:1:attendance";
const SCANS = "event:1:scans";

function after(topic, ...frames) {
  let state = START;
  let act = "none";
  for (const frame of frames) ({ state, act } = receive(state, topic, frame));
  return { state, act };
}

const snapshot = (offset, epoch = "a") => ({ op: "snapshot", epoch, offset });
const update = (prev, offset) => ({ op: "update", prev, offset });

test("nothing is applied before the first snapshot", () => {
  assert.equal(after(SCANS, update(0, 1)).act, "none");
});

test("a conflated update over a gap is applied: it carries absolute values", () => {
  const { state, act } = after(ATTENDANCE, snapshot(10), update(7, 14));
  assert.equal(act, "merge");
  assert.equal(state.offset, 14);
});

test("a conflated update that begins after what is held asks for a snapshot", () => {
  assert.equal(after(ATTENDANCE, snapshot(10), update(12, 14)).act, "resync");
});

test("an update that is already held is dropped", () => {
  assert.equal(after(ATTENDANCE, snapshot(10), update(8, 10)).act, "none");
  assert.equal(after(SCANS, snapshot(10), update(9, 10)).act, "none");
});

test("the ticker takes a line only right after the one before", () => {
  assert.equal(after(SCANS, snapshot(10), update(10, 11)).act, "merge");
  assert.equal(after(SCANS, snapshot(10), update(9, 11)).act, "resync");
  assert.equal(after(SCANS, snapshot(10), update(11, 12)).act, "resync");
});

test("while a snapshot is awaited, updates change nothing and nothing is asked twice", () => {
  const { state, act } = after(SCANS, snapshot(10), update(11, 12), update(12, 13));
  assert.equal(act, "none");
  assert.equal(state.waiting, true);
  assert.equal(after(SCANS, snapshot(10), update(11, 12), snapshot(13), update(13, 14)).act, "merge");
});

test("a mark that is further shows a lost tail; one that is not says nothing", () => {
  assert.equal(after(SCANS, snapshot(10), { op: "mark", offset: 12 }).act, "resync");
  assert.equal(after(SCANS, snapshot(10), { op: "mark", offset: 10 }).act, "none");
});

test("a new epoch begins with its snapshot, even at a smaller offset", () => {
  const { state, act } = after(SCANS, snapshot(900), snapshot(3, "b"));
  assert.equal(act, "replace");
  assert.deepEqual(state, { epoch: "b", offset: 3, waiting: false });
});

test("hello resumes only what was held", () => {
  const held = receive(START, SCANS, snapshot(5)).state;
  const resume = resumeOf(new Map([[SCANS, held], [ATTENDANCE, START]]));
  assert.deepEqual(resume, { [SCANS]: { epoch: "a", offset: 5 } });
});

test("the wait before another try is jittered over its whole range and bounded", () => {
  assert.equal(delayMs(0, 0), 0);
  assert.equal(delayMs(3, 0.999999), 3999);
  assert.equal(delayMs(50, 0.999999), 9999);
});

test("a revoked token or missing permission ends the trying, all else does not", () => {
  assert.equal(afterClose(4100), "revoked");
  assert.equal(afterClose(4003), "forbidden");
  for (const code of [1006, 1013, 4008, 4101]) assert.equal(afterClose(code), "again");
});
