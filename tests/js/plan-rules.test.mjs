// The matrix says which rule holds as the door does: type before class, a list shuts out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { briefs, cellOf, columnsOf, gateOf, rowsOf } from "/js/plan/rules.js";

const VIP = { id: "vip", access_class: "guest" };
const CREW = { id: "crew-pass", access_class: "crew" };
const rule = (more) => ({ scope_id: "lounge", ticket_type_id: null, access_class: null, allowed: true, day: null, ...more });

test("nobody wrote a rule: the scope's own settings hold", () => {
  const cell = cellOf([rule({ scope_id: "other", ticket_type_id: "vip" })], "lounge", { type: VIP });
  assert.deepEqual([cell.allowed, cell.origin], [true, "scope"]);
});

test("where anybody is listed, the others are shut out", () => {
  const cell = cellOf([rule({ ticket_type_id: "vip" })], "lounge", { type: CREW });
  assert.deepEqual([cell.allowed, cell.origin], [false, "unlisted"]);
});

test("the type's own word counts before that of its class", () => {
  const rules = [rule({ access_class: "guest", allowed: false }), rule({ ticket_type_id: "vip" })];
  assert.deepEqual([cellOf(rules, "lounge", { type: VIP }).allowed, cellOf(rules, "lounge", { type: VIP }).origin], [true, "own"]);
  const other = cellOf(rules, "lounge", { type: { id: "regular", access_class: "guest" } });
  assert.deepEqual([other.allowed, other.origin], [false, "class"]);
});

test("a rule of one day alone shuts out on all others", () => {
  const rules = [rule({ ticket_type_id: "vip", day: "2026-11-27" })];
  const cell = cellOf(rules, "lounge", { type: VIP });
  assert.deepEqual([cell.allowed, cell.origin, cell.days.length], [false, "unlisted", 1]);
});

test("a rule is told in few words, and a closed one in none", () => {
  const full = rule({ opens_anchor: "doors", opens_offset_minutes: -30, passes_total: 2, min_age: 19, re_entry: "never" });
  assert.deepEqual(
    briefs(full, String).map(([word, { n }]) => [word.slice("page.plan.brief.".length), n]),
    [["opens_doors", " −30 min"], ["passes", 2], ["re_entry_never", undefined], ["age", 19]],
  );
  assert.deepEqual(briefs({ ...full, allowed: false }, String), []);
});

test("sessions and classes without rules are shown when they are asked for", () => {
  const scopes = [{ id: "s", kind: "session" }, { id: "z", kind: "zone" }, { id: "v", kind: "venue" }];
  assert.deepEqual(rowsOf(scopes, [], false).map(({ id }) => id), ["v", "z"]);
  assert.deepEqual(rowsOf(scopes, [rule({ scope_id: "s" })], false).map(({ id }) => id), ["v", "z", "s"]);
  assert.equal(columnsOf([VIP], [rule({ access_class: "crew" })], false).length, 2);
  assert.equal(columnsOf([VIP], [], true).length, 9);
});

test("the gate of a scope leads in, and to a session only its own", () => {
  const gates = [
    { id: "out", area_id: "hall", direction: "out" },
    { id: "room", area_id: "hall", session_id: "talk", direction: "in" },
    { id: "in", area_id: "hall", direction: "both" },
  ];
  assert.equal(gateOf({ area_id: "hall" }, gates).id, "in");
  assert.equal(gateOf({ area_id: "hall", session_id: "talk" }, gates).id, "room");
  assert.equal(gateOf({ area_id: "cellar" }, gates), null);
});
