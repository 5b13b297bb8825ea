import assert from "node:assert/strict";
import test from "node:test";
import { chosen, keyOf, marked, summed } from "/lib/roll-rules.js";

const person = (ticket, area, more = {}) => ({ ticket_id: ticket, person_no: 1, name: ticket, area_id: area, needs: null, safe_at: null, ...more });
const ROLL = {
  totals: { people: 4, safe: 1, missing: 3, counted: 7, disputed: 0, all: 11, needs_missing: 1, clear: 0, staff_safe: 0 },
  areas: [
    { area_id: "hall", name: "Hall", people: 3, safe: 0, missing: 3, clear_at: null },
    { area_id: null, name: "", people: 1, safe: 1, missing: 0, clear_at: null },
  ],
  people: [
    person("Zoë", "hall"),
    person("Ada", "hall", { needs: "wheelchair" }),
    person("李小龙", "hall"),
    person("Łukasz", null, { safe_at: "2026-11-22T20:00:00Z" }),
  ],
  staff: [{ operator_id: "dana", name: "Dana", safe_at: null }],
};

test("marks that wait move the sums, and the last one counts", () => {
  const ada = keyOf(ROLL.people[1]);
  const marks = [
    { kind: "person", key: ada, on: true },
    { kind: "person", key: keyOf(ROLL.people[0]), on: true },
    { kind: "person", key: keyOf(ROLL.people[0]), on: false },
    { kind: "staff", key: "dana", on: true },
    { kind: "area", key: "hall", on: true },
  ];
  const { totals, areas } = summed(marked(ROLL, marks, "now"));
  assert.deepEqual([totals.safe, totals.missing, totals.needs_missing], [2, 2, 0]);
  assert.deepEqual([totals.clear, totals.staff_safe, totals.all], [1, 1, 11]);
  assert.deepEqual([areas[0].safe, areas[0].missing], [1, 2]);
  // What was told is not touched.
  assert.equal(ROLL.people[1].safe_at, null);
});

test("a mark that the server knows keeps its time", () => {
  const one = ROLL.people[3];
  const again = marked(ROLL, [{ kind: "person", key: keyOf(one), on: true }], "later");
  assert.equal(again.people[3].safe_at, one.safe_at);
  assert.equal(marked(ROLL, [{ kind: "person", key: keyOf(one), on: false }], "x").people[3].safe_at, null);
});

test("who needs help stands first, the safe last, accents do not matter", () => {
  assert.deepEqual(chosen(ROLL).map(({ name }) => name)[0], "Ada");
  assert.deepEqual(chosen(ROLL).at(-1).name, "Łukasz");
  assert.deepEqual(chosen(ROLL, { words: "zoe" }).map(({ name }) => name), ["Zoë"]);
  assert.deepEqual(chosen(ROLL, { words: "小" }).length, 1);
  assert.deepEqual(chosen(ROLL, { area: "hall", missing: true }).length, 3);
  assert.deepEqual(chosen(ROLL, { needs: true }).length, 1);
});
