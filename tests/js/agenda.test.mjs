import assert from "node:assert/strict";
import test from "node:test";
import { byDay, codeOf, dayKey, phase } from "/lib/agenda.js";

const TORONTO = "America/Toronto";
const line = (starts_at, ends_at, status = "scheduled") => ({ starts_at, ends_at, status });

test("a day is the day at the event, whatever the phone's zone", () => {
  assert.equal(dayKey("2027-06-13T03:59:00Z", TORONTO), "2027-06-12");
  assert.equal(dayKey("2027-06-13T04:00:00Z", TORONTO), "2027-06-13");
  assert.equal(dayKey("2027-06-12T23:30:00Z", "Asia/Tokyo"), "2027-06-13");
});

test("sessions stand under their day, in their order", () => {
  const lines = [
    line("2027-06-12T13:00:00Z", "2027-06-12T14:00:00Z"),
    line("2027-06-13T03:00:00Z", "2027-06-13T05:00:00Z"),
    line("2027-06-13T13:00:00Z", "2027-06-13T14:00:00Z"),
  ];
  const days = byDay(lines, TORONTO);
  assert.deepEqual(
    days.map((day) => [day.key, day.lines.length]),
    [["2027-06-12", 2], ["2027-06-13", 1]],
  );
  assert.deepEqual(days.flatMap((day) => day.lines), lines);
  assert.deepEqual(byDay([], TORONTO), []);
});

test("a session is now from its beginning until just before its end", () => {
  const talk = line("2027-06-12T13:00:00Z", "2027-06-12T14:00:00Z");
  const at = (time) => phase(talk, Date.parse(`2027-06-12T${time}Z`));
  assert.equal(at("12:59:59"), "later");
  assert.equal(at("13:00:00"), "now");
  assert.equal(at("13:59:59"), "now");
  assert.equal(at("14:00:00"), "over");
});

test("a session that does not take place is never now", () => {
  for (const status of ["cancelled", "postponed"]) {
    const talk = line("2027-06-12T13:00:00Z", "2027-06-12T14:00:00Z", status);
    assert.equal(phase(talk, Date.parse("2027-06-12T13:30:00Z")), status);
  }
});

test("the code is the last part of the address, in any case", () => {
  assert.equal(codeOf("/T/IABC"), "IABC");
  assert.equal(codeOf("/t/iabc/"), "iabc");
  for (const path of ["/ticket.html", "/t/", "/t", "/t/a/b", "/x/t/a"]) {
    assert.equal(codeOf(path), null);
  }
});
