import assert from "node:assert/strict";
import test from "node:test";
import { fill } from "/lib/i18n.js";
import { about, mayEnter, parameters, toSee, wall } from "/lib/alert-rules.js";

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

const several = (rule, n, more = {}) =>
  Array.from({ length: n }, (_, i) => alert(rule, { id: `${rule} ${i}`, subject: String(i), holder: `Guest ${i}`, ...more }));

test("a few of a kind stand by themselves, many are one line", () => {
  const { lines, told } = wall([alert("area_full", { gravity: "bad" }), ...several("refund_then_scan", 2)]);
  assert.deepEqual(lines.map(({ alert: one }) => one.rule), ["area_full", "refund_then_scan", "refund_then_scan"]);
  assert.deepEqual(told, []);
  const many = wall(several("refund_then_scan", 13)).lines;
  assert.deepEqual(many.map(({ rule, standing, unseen }) => [rule, standing, unseen]), [["refund_then_scan", 13, 13]]);
  assert.equal(many[0].alerts.length, 13);
});

test("two hundred guests of honour are for information and ask for nobody", () => {
  // The server sends ten of them and says how many there are.
  const rules = [{ rule: "vip_arrived", standing: 200, unseen: 200, newest_at: at(9) }];
  const shown = wall(several("vip_arrived", 10, { gravity: "info" }), rules);
  assert.deepEqual(shown.lines, []);
  assert.equal(shown.told[0].standing, 200);
  assert.equal(toSee(shown), 0);
  const { names, more } = about(shown.told[0]);
  assert.equal(names.replace(/[\u2068\u2069]/g, ""), "Guest 0, Guest 1, Guest 2");
  assert.equal(more, 197);
});

test("what asks for somebody is counted by lines, and again when one more comes", () => {
  const seen = { acknowledged_at: at(3) };
  const lone = alert("device_gone", { gravity: "bad" });
  assert.equal(toSee(wall([lone, ...several("refund_then_scan", 13)])), 2);
  const taken = several("refund_then_scan", 13, seen);
  assert.equal(toSee(wall([lone, ...taken])), 1);
  const one = wall([alert("refund_then_scan", { id: "new", subject: "new", raised_at: at(7) }), ...taken]);
  assert.equal(toSee(one), 1);
  assert.equal(one.lines[0].unseen, 1);
  assert.equal(one.lines[0].newest_at, at(7));
});

test("a line about things without a name says how many and no more", () => {
  const nameless = several("two_gates_fast", 4, { holder: null });
  assert.deepEqual(about(wall(nameless).lines[0]), { names: "", more: 0 });
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
