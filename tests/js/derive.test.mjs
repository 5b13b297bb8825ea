import assert from "node:assert/strict";
import test from "node:test";
import {
  curveSeries,
  devicesInOrder,
  freshForecast,
  gateTrouble,
  lanesMissing,
  LINES_MAX,
  matches,
  sessionsInOrder,
  ticker,
  waitMinutes,
  withForecast,
} from "/js/control/derive.js";
import { clock, level, minutesUntilFull, percent, rate, share } from "/lib/format.js";

const line = (id, more = {}) => ({ id, verdict: "admitted", reason: "ok", ...more });

test("the ticker is newest first, holds each line once, and is bounded", () => {
  const first = ticker([], { lines: [line(1), line(2)] }, "replace");
  assert.deepEqual(first.map(({ id }) => id), [2, 1]);
  const second = ticker(first, { lines: [line(2), line(3)] }, "merge");
  assert.deepEqual(second.map(({ id }) => id), [3, 2, 1]);
  const many = Array.from({ length: 3 * LINES_MAX }, (_, id) => line(id));
  assert.equal(ticker(second, { lines: many }, "merge").length, LINES_MAX);
});

test("the curve goes on to this minute, with nobody where nobody came", () => {
  const [x, each, total] = curveSeries({ start_minute: 100, entered: [0, 3, 11] }, 105 * 60_000);
  assert.deepEqual(x, [6000, 6060, 6120, 6180, 6240, 6300]);
  assert.deepEqual(each, [0, 3, 11, 0, 0, 0]);
  assert.deepEqual(total, [0, 3, 14, 14, 14, 14]);
  assert.deepEqual(curveSeries({ start_minute: 100, entered: [] }, 0), [[], [], []]);
});

test("a gate is in trouble when it is shut, has no device, or refuses a quarter", () => {
  const gate = { state: "open", devices: 2, entered: 100, refused: 3 };
  assert.deepEqual(gateTrouble(gate), []);
  assert.deepEqual(gateTrouble({ ...gate, devices: 0 }), ["no_device"]);
  assert.deepEqual(gateTrouble({ ...gate, refused: 40 }), ["many_refused"]);
  assert.deepEqual(gateTrouble({ ...gate, entered: 0, refused: 9 }), []);
  assert.deepEqual(gateTrouble({ ...gate, state: "closed", devices: 0 }), ["closed"]);
});

test("devices that need somebody stand first; a revoked one does not", () => {
  const seen = (s) => new Date(1_000_000 - s * 1000).toISOString();
  const device = (id, more) => ({ id, state: "active", pending: 0, battery: 80, last_seen_at: seen(5), ...more });
  const list = [
    device("well"),
    device("revoked", { state: "revoked" }),
    device("silent", { last_seen_at: seen(300) }),
    device("flat", { battery: 3 }),
  ];
  const order = devicesInOrder(list, 1_000_000).map((entry) => entry.device.id);
  assert.deepEqual(order, ["silent", "flat", "well", "revoked"]);
});

test("sessions that run stand first, those that are over last", () => {
  const at = (h) => new Date(Date.UTC(2026, 10, 22, h)).toISOString();
  const session = (id, from, to) => ({ id, starts_at: at(from), ends_at: at(to), check_in_opens: null });
  const list = [session("over", 8, 9), session("later", 15, 16), session("now", 10, 12), session("next", 13, 14)];
  const order = sessionsInOrder(list, Date.parse(at(11))).map(({ session: { id } }) => id);
  assert.deepEqual(order, ["now", "next", "later", "over"]);
});

test("the filter finds names in any script, without regard to case", () => {
  const of = (holder, more) => line(1, { holder, gate: "North", ...more });
  assert.ok(matches(of("李小龙"), "all", "小"));
  assert.ok(matches(of("Siobhán O'Brien-Łukasz"), "in", "łUKASZ"));
  assert.ok(!matches(of("Ada"), "look", ""));
  assert.ok(matches(of(null, { verdict: "refused", reason: "unknown_code" }), "look", "north"));
});

test("a share never rounds up to full, and colours at 80 and 95 per cent", () => {
  assert.equal(percent(share(4999, 5000), "en-CA"), "99%");
  assert.deepEqual([0.79, 0.8, 0.949, 0.95, 1.2].map(level), ["", "warn", "warn", "bad", "bad"]);
  assert.equal(share(5, null), null);
});

test("when it will be full, and when it will not", () => {
  assert.equal(minutesUntilFull(900, 1000, 40, null), 3);
  assert.equal(minutesUntilFull(900, 1000, 40, 99), null);
  assert.equal(minutesUntilFull(1000, 1000, 0, null), null);
  assert.equal(minutesUntilFull(1000, 1000, 1, 5), 0);
});

test("times are the event's, rates keep one place below ten", () => {
  assert.equal(clock("2026-11-22T18:02:11Z", "America/Toronto", true), "13:02:11");
  assert.equal(rate(9.94, "en-CA"), "9.9");
  assert.equal(rate(41.4, "en-CA"), "41");
  assert.equal(rate(9.94, "fr-CA"), "9,9");
});

const forecastOf = (more = {}) => ({
  made_at: "2026-11-22T20:00:00Z",
  entered: 8,
  points: [
    [100, 8, 8, 8],
    [102, 10, 12, 15],
    [104, 12, 20, 30],
    [106, 12, 20, 31],
  ],
  gates: [],
  ...more,
});

test("the band begins where the line ends, whoever else is in, and stops when all are in", () => {
  const series = [[5940, 6000], [3, 9], [3, 12]];
  const [x, each, total, low, mid, high] = withForecast(series, forecastOf());
  assert.deepEqual(x, [5940, 6000, 6120, 6240]);
  assert.deepEqual(each, [3, 9, null, null]);
  assert.deepEqual(total, [3, 12, null, null]);
  assert.deepEqual(low, [null, 12, 14, 16]);
  assert.deepEqual(mid, [null, 12, 16, 24]);
  assert.deepEqual(high, [null, 12, 19, 34]);
  assert.deepEqual(withForecast([[], [], []], null), [[], [], [], [], [], []]);
});

test("an old forecast is none", () => {
  const at = Date.parse("2026-11-22T20:00:00Z");
  const outlook = { forecast: forecastOf() };
  assert.equal(freshForecast(outlook, at + 60_000), outlook.forecast);
  assert.equal(freshForecast(outlook, at + 200_000), null);
  assert.equal(freshForecast({ forecast: null }, at), null);
  assert.equal(freshForecast(null, at), null);
});

test("lanes and waits are only said where they are known", () => {
  assert.equal(lanesMissing({ lanes: 2, lanes_needed: 5 }), 3);
  assert.equal(lanesMissing({ lanes: 0, lanes_needed: 1 }), 0);
  assert.equal(lanesMissing({ lanes: 2, lanes_needed: null }), 0);
  assert.equal(lanesMissing(null), 0);
  assert.equal(waitMinutes({ wait_s: null }), null);
  assert.deepEqual(waitMinutes({ wait_s: 90, wait_low_s: 70, wait_high_s: 130 }), { low: 1, high: 3, little: false });
  assert.equal(waitMinutes({ wait_s: 9, wait_low_s: 0, wait_high_s: 30 }).little, true);
});
