import assert from "node:assert/strict";
import test from "node:test";
import { merged, remembered, waiting } from "/scan/js/notice-rules.js";
import { Recalls } from "/scan/js/recalls.js";

const NOW = Date.parse("2026-11-22T20:00:00Z");
const item = (id, more = {}) => ({ id, title: id, priority: "normal", at: "2026-11-22T19:00:00Z", ...more });

test("the most urgent stands first, then the newest", () => {
  const items = [
    item("old"),
    item("new", { at: "2026-11-22T19:30:00Z" }),
    item("urgent", { priority: "urgent", at: "2026-11-22T18:00:00Z" }),
  ];
  assert.deepEqual(waiting(items, new Set(), NOW).map(({ id }) => id), ["urgent", "new", "old"]);
});

test("what was understood, corrected or is of yesterday does not stand there", () => {
  const items = [item("a"), item("b"), item("c", { corrects_id: "b" }), item("d", { at: "2026-11-21T19:00:00Z" })];
  assert.deepEqual(waiting(items, new Set(["a"]), NOW).map(({ id }) => id), ["c"]);
});

test("a snapshot replaces, an update adds, the same twice is once", () => {
  assert.deepEqual(merged([item("a")], [item("b")], "replace").map(({ id }) => id), ["b"]);
  assert.deepEqual(merged([item("a")], [item("b")], "merge").map(({ id }) => id), ["a", "b"]);
  assert.deepEqual(merged([item("a")], [item("a")], "merge").length, 1);
  assert.equal(remembered(Array.from({ length: 300 }, (_, n) => String(n)), "x").length, 200);
});

// The hub as the device's line sees it.
class Hub {
  static last = null;
  constructor() {
    Hub.last = this;
    this.readyState = 1;
    this.said = [];
  }
  send(text) {
    this.said.push(JSON.parse(text));
  }
}

test("a gap asks for all again, and nothing is taken meanwhile", async () => {
  const taken = [];
  const notices = { topic: "event:e:announcements", say: () => false, take: (data, act) => taken.push([act, data.items[0]?.id]) };
  const line = new Recalls({ device: { live_url: "ws://x", token: "t", event: { id: "e" } }, follows: [notices], Socket: Hub }).start();
  Hub.last.onopen();
  await line.heard({ op: "welcome" });
  assert.deepEqual(Hub.last.said[1], { op: "subscribe", topics: ["event:e:announcements"] });
  const topic = notices.topic;
  await line.heard({ op: "snapshot", topic, epoch: "k", offset: 1, data: { items: [item("a")] } });
  await line.heard({ op: "update", topic, prev: 1, offset: 2, data: { items: [item("b")] } });
  await line.heard({ op: "update", topic, prev: 3, offset: 4, data: { items: [item("d")] } });
  assert.deepEqual(taken, [["replace", "a"], ["merge", "b"]]);
  assert.deepEqual(Hub.last.said.at(-1), { op: "resync", topic });
  notices.say("a", "opened");
  assert.deepEqual(Hub.last.said.at(-1), { op: "ack", announcement_id: "a", what: "opened" });
});
