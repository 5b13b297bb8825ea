// Money is summed exactly, and a task lies on one pile.
import assert from "node:assert/strict";
import test from "node:test";
import { cents, money, pile } from "/js/crm/say.js";

test("decimals become cents without a float between", () => {
  assert.equal(cents("12500.10"), 1250010n);
  assert.equal(cents("-0.05"), -5n);
  assert.equal(cents("7"), 700n);
  assert.equal(cents(null), 0n);
  const sum = Array.from({ length: 10 }, () => "0.10").reduce((all, one) => all + cents(one), 0n);
  assert.equal(sum, 100n);
  assert.equal(money(1250010n, "en-CA"), "$12,500");
});

test("overdue, today, later or without a day", () => {
  const now = new Date("2026-11-26T12:00:00");
  const at = (due) => pile({ due_date: due }, now);
  assert.equal(at("2026-11-26T11:59:00"), "overdue");
  assert.equal(at("2026-11-26T23:00:00"), "today");
  assert.equal(at("2026-11-27T00:30:00"), "later");
  assert.equal(at(null), "someday");
});
