// A time in a field is the event's, also in the nights when clocks are changed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromField, toField } from "/lib/zoned.js";

const TORONTO = "America/Toronto";

test("what was read is what is shown", () => {
  for (const zone of [TORONTO, "UTC", "Asia/Kathmandu", "Pacific/Apia"]) {
    for (const text of ["2026-11-26T18:30", "2026-07-01T00:00", "2026-12-31T23:59"]) {
      assert.equal(toField(fromField(text, zone), zone), text);
    }
  }
  assert.equal(fromField("2026-11-26T18:30", TORONTO), "2026-11-26T23:30:00.000Z");
});

test("an hour that occurs twice means the first", () => {
  assert.equal(fromField("2026-11-01T01:30", TORONTO), "2026-11-01T05:30:00.000Z");
});

test("an hour that does not exist means the next that does", () => {
  const at = fromField("2026-03-08T02:30", TORONTO);
  assert.equal(at, "2026-03-08T07:30:00.000Z");
  assert.equal(toField(at, TORONTO), "2026-03-08T03:30");
});

test("an empty field is no time", () => {
  assert.equal(fromField("", TORONTO), null);
  assert.equal(toField(null, TORONTO), "");
});
