// Lines of a form to the tree of the API and back: nothing is lost, nothing made up.
import assert from "node:assert/strict";
import test from "node:test";
import { blank, fromTree, KINDS, toTree } from "/js/crm/conditions.js";

test("every kind comes back as it was", () => {
  for (const kind of Object.keys(KINDS)) {
    for (const not of [false, true]) {
      const line = { ...blank(kind), not };
      const tree = toTree("any", [line]);
      const back = fromTree(tree);
      assert.equal(back.join, "any");
      assert.deepEqual(toTree(back.join, back.lines), tree);
    }
  }
});

test("numbers are numbers, decimals are texts", () => {
  assert.deepEqual(toTree("all", [{ kind: "attended", not: false, at_least: "2" }]), {
    type: "all",
    of: [{ type: "attended", at_least: 2 }],
  });
  assert.equal(toTree("all", [{ ...blank("spent"), more_than: "99.50" }]).of[0].more_than, "99.50");
});

test("nothing said is everybody, never nobody", () => {
  assert.deepEqual(toTree("any", []), { type: "all", of: [] });
});

test("what lines cannot say is not opened, so that saving loses nothing", () => {
  const deep = { type: "all", of: [{ type: "any", of: [{ type: "vip" }] }] };
  const list = { type: "all", of: [{ type: "field", field: "city", op: "in", value: ["a"] }] };
  const more = { type: "all", of: [{ type: "attended", at_least: 1, within_days: 30 }] };
  const money = { type: "all", of: [{ type: "spent", more_than: "1", currency: "EUR" }] };
  for (const tree of [deep, list, more, money, { type: "vip" }]) assert.equal(fromTree(tree), null);
});
