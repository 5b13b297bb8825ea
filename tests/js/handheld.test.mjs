import assert from "node:assert/strict";
import test from "node:test";
import { AWAY_MS, Reader } from "/scan/js/reader.js";
import { GAP_MS, Wedge } from "/scan/js/wedge.js";
import { mayTake, questionOf, staysUntilTouched, STAYS_MS, toneOf } from "/scan/js/verdict-rules.js";
import { variantOf } from "/scan/js/answer.js";
import { uuid7 } from "/lib/uuid.js";

test("a code in the picture is one reading until it left for two seconds", () => {
  const reader = new Reader();
  let now = 0;
  assert.equal(reader.see("A", now), true);
  for (; now < 20_000; now += 100) assert.equal(reader.see("A", now), false);
  assert.equal(reader.see("A", now - 100 + AWAY_MS), false);
  assert.equal(reader.see("A", now + 2 * AWAY_MS + 1), true);
});

test("two codes that lie side by side are two readings, not a flicker", () => {
  const reader = new Reader();
  assert.deepEqual([0, 100, 200, 300].map((at, i) => reader.see("AB"[i % 2], at)), [true, true, false, false]);
});

function type(wedge, text, gapMs, from = 0) {
  let at = from;
  let last = null;
  for (const key of [...text, "Enter"]) last = wedge.key(key, (at += gapMs));
  return last;
}

test("a burst ended by Enter is a code; a person's typing is not", () => {
  assert.equal(type(new Wedge(), "TICKET-7QK2", 5).code, "TICKET-7QK2");
  assert.equal(type(new Wedge(), "TICKET-7QK2", GAP_MS + 1).code, undefined);
});

test("control characters and keys with names are not part of a code", () => {
  const wedge = new Wedge();
  let at = 0;
  for (const key of ["A", "\u0000", "Shift", "B", "F5", "\u001d", "C", "Tab", "D", "é"]) wedge.key(key, (at += 5));
  assert.equal(wedge.key("Enter", at + 5).code, "ABCD");
});

test("a burst begins anew after a pause, and does not grow without end", () => {
  const wedge = new Wedge();
  wedge.key("x", 0);
  assert.equal(type(wedge, "SECOND", 5, 1_000).code, "SECOND");
  assert.ok(type(wedge, "y".repeat(5_000), 1, 9_000).code.length <= 1_024);
});

test("each verdict has its tone; just now is grey and nobody's alarm", () => {
  assert.equal(toneOf({ verdict: "admitted" }), "go");
  assert.equal(toneOf({ verdict: "exited" }), "out");
  assert.equal(toneOf({ verdict: "hold" }), "wait");
  assert.equal(toneOf({ verdict: "refused" }), "stop");
  const again = { verdict: "refused", reason: "already_inside", just_now: true };
  assert.equal(toneOf(again), "again");
  assert.equal(staysUntilTouched(again), false);
  assert.equal(staysUntilTouched({ verdict: "admitted", ticket: { notes: ["Lanyard"] } }), true);
  assert.equal(staysUntilTouched({ verdict: "admitted", ticket: { notes: [] } }), false);
});

test("a green order stays while somebody of it stands outside", () => {
  const line = (verdict) => ({ verdict, ticket: { holder: "李小龙" } });
  const order = (...verdicts) => ({ verdict: "admitted", reason: "ok", tickets: verdicts.map(line) });
  assert.equal(staysUntilTouched(order("admitted", "admitted")), false);
  assert.equal(staysUntilTouched(order("admitted", "hold")), true);
});

test("green never blocks; red waits 1.5 s for another code; a trigger always counts", () => {
  const red = { code: "A", stays: true, shownAtMs: 0 };
  assert.equal(mayTake({ ...red, stays: false }, "B", "qr_code", 1), true);
  assert.equal(mayTake(red, "B", "qr_code", STAYS_MS - 1), false);
  assert.equal(mayTake(red, "B", "qr_code", STAYS_MS), true);
  assert.equal(mayTake(red, "A", "qr_code", 60_000), false);
  assert.equal(mayTake(red, "A", "wedge", 1), true);
});

test("questions become what the next scan carries", () => {
  const count = questionOf({ reason: "needs_count", choices: [{ admit: 1 }, { admit: 2 }] });
  assert.deepEqual(count.options[1].change, { admit: 2 });
  const session = questionOf({ reason: "choose_session", choices: [{ session_id: "s", title: "Talk" }] });
  assert.deepEqual(session.options, [{ label: "Talk", change: { session_id: "s" } }]);
  assert.equal(questionOf({ reason: "already_inside" }), null);
});

test("ids are UUIDv7, sorted as they were made, none twice", () => {
  const ids = Array.from({ length: 20_000 }, () => uuid7());
  assert.match(ids[0], /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
});

test("a device alone says the nearest cause, as the server does", () => {
  const of = (reason, args = {}, more = {}) => variantOf({ reason, args, ...more });
  assert.equal(of("already_inside", {}, { just_now: true }), "just_now");
  assert.equal(of("doors_closed", { gate: "Gate B" }), "use_instead");
  assert.equal(of("doors_closed", { held: true }), "held");
  assert.equal(of("area_full", { overflow: "Hall 2" }), "overflow");
  assert.equal(of("too_early", { gap: true }), "gap");
  assert.equal(of("admission_stopped", { where: "gate" }), "at_gate");
  assert.equal(of("admission_stopped", { where: "event" }), "");
  assert.equal(of("passes_used", { when: 5 }), "next_day");
  assert.equal(of("ok"), "");
});
