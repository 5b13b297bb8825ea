import assert from "node:assert/strict";
import test from "node:test";
import { fill } from "/lib/i18n.js";
import { inOrder, mayEnter, parameters, unseen } from "/lib/alert-rules.js";

const at = (minute) => `2026-11-22T20:${String(minute).padStart(2, "0")}:00Z`;
const alert = (rule, more = {}) => ({
  id: rule,
  rule,
  subject: "a",
  value: 1,
  args: {},
  gravity: "warn",
  raised_at: at(0),
  acknowledged_at: null,
  ...more,
});

test("the graver alert of a place hides the others, of that place alone", () => {
  const raised = [
    alert("capacity_80", { gravity: "info" }),
    alert("capacity_95"),
    alert("area_full", { gravity: "bad" }),
    alert("capacity_80", { subject: "b", id: "other", gravity: "info" }),
  ];
  assert.deepEqual(inOrder(raised).map(({ id }) => id), ["area_full", "other"]);
});

test("what nobody looks after comes first, then the gravest, then the newest", () => {
  const raised = [
    alert("device_gone", { id: 1, gravity: "bad", acknowledged_at: at(3) }),
    alert("low_battery", { id: 2, raised_at: at(1) }),
    alert("unsent_scans", { id: 3, raised_at: at(2) }),
    alert("voided_inside", { id: 4, gravity: "bad" }),
  ];
  assert.deepEqual(inOrder(raised).map(({ id }) => id), [4, 3, 2, 1]);
  assert.deepEqual(unseen(raised).map(({ id }) => id), [4, 3, 2]);
});

test("a sentence has a word for whatever is not known", () => {
  const say = (value) => (value === null ? "–" : String(value));
  const words = parameters(alert("party_arrived", { value: 3.04, args: { table: 7, section: "Balcony" } }), say, "unknown");
  assert.equal(words.n, "3");
  assert.equal(words.party, "\u2068Balcony 7\u2069");
  assert.equal(words.gate, "\u2068unknown\u2069");
});

test("nobody is named as the host of who has none", () => {
  const sentence = "{holder} has arrived at {gate}{host}";
  const said = (host) => fill(sentence, parameters(alert("vip_arrived", { holder: "Omar", gate: "North", host }), String, "?"), {});
  assert.equal(said(null).replace(/[\u2068\u2069]/g, ""), "Omar has arrived at North");
  assert.equal(said("Zoë").replace(/[\u2068\u2069]/g, ""), "Omar has arrived at North (Zoë)");
  // What is not known at all still has its word.
  assert.equal(fill("{first_gate} {gate}", { gate: "" }, { "default.gate": "a gate" }), "first_gate a gate");
});

test("one out, one in: only for the gates of the area that is full", () => {
  const raised = [alert("area_full", { area_id: "x", args: { may_enter: 2 } })];
  assert.equal(mayEnter(raised, "x"), 2);
  assert.equal(mayEnter(raised, "y"), null);
  assert.equal(mayEnter(raised, null), null);
  assert.equal(mayEnter(undefined, "x"), null);
});
