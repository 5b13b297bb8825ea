// The live client against a socket that the test plays.
import assert from "node:assert/strict";
import test from "node:test";

class Socket {
  static OPEN = 1;
  static made = [];
  constructor(url) {
    this.url = url;
    this.readyState = Socket.OPEN;
    this.sent = [];
    Socket.made.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  says(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
}

globalThis.WebSocket = Socket;
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};
globalThis.document = { addEventListener() {}, removeEventListener() {} };
const { Live, SILENCE_MS } = await import("/lib/live.js");

const TOPIC = "event:1:attendance";

function connected(t) {
  Socket.made = [];
  const clock = { ms: 1_000_000 };
  const taken = [];
  const refused = [];
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const live = new Live("ws://x/live", [TOPIC], {
    take: (...args) => taken.push(args),
    refuse: (...args) => refused.push(args),
    now: () => clock.ms,
  }).start();
  t.after(() => live.stop());
  const socket = Socket.made[0];
  socket.onopen();
  socket.says({ op: "welcome", now: new Date(clock.ms + 5_000).toISOString() });
  socket.says({ op: "snapshot", topic: TOPIC, epoch: "a", offset: 1, data: { n: 1 } });
  return { live, socket, clock, taken, refused };
}

test("hello carries the cookie's place, then topics, then figures are live", (t) => {
  const { live, socket, taken } = connected(t);
  assert.deepEqual(socket.sent[0], { op: "hello", v: 1, token: null, resume: {} });
  assert.deepEqual(socket.sent[1], { op: "subscribe", topics: [TOPIC] });
  assert.deepEqual(taken, [[TOPIC, { n: 1 }, "replace"]]);
  assert.equal(live.status.value, "live");
  assert.equal(live.skewMs.value, 5_000);
});

test("a closed socket is lost at once and comes back with what it held", (t) => {
  const { live, socket } = connected(t);
  socket.onclose({ code: 1006 });
  assert.equal(live.status.value, "lost");
  t.mock.timers.tick(10_000);
  assert.equal(Socket.made.length, 2);
  Socket.made[1].onopen();
  assert.deepEqual(Socket.made[1].sent[0].resume, { [TOPIC]: { epoch: "a", offset: 1 } });
  assert.equal(live.status.value, "lost", "not fresh before something was heard");
});

test("silence longer than a mark's interval is a lost connection", (t) => {
  const { live, clock } = connected(t);
  clock.ms += SILENCE_MS - 1;
  t.mock.timers.tick(1_000);
  assert.equal(live.status.value, "live");
  clock.ms += 2;
  t.mock.timers.tick(1_000);
  assert.equal(live.status.value, "lost");
});

test("a mark keeps the figures fresh", (t) => {
  const { live, socket, clock } = connected(t);
  clock.ms += SILENCE_MS - 1;
  socket.says({ op: "mark", topic: TOPIC, offset: 1 });
  clock.ms += SILENCE_MS - 1;
  t.mock.timers.tick(1_000);
  assert.equal(live.status.value, "live");
});

test("a revoked session is not tried again", (t) => {
  const { live, socket } = connected(t);
  socket.onclose({ code: 4100 });
  t.mock.timers.tick(60_000);
  assert.equal(live.status.value, "revoked");
  assert.equal(Socket.made.length, 1);
});

test("a restarting server says when to come back", (t) => {
  const { socket } = connected(t);
  socket.says({ op: "bye", code: 4101, retry_ms: 3_200 });
  socket.onclose({ code: 4101 });
  t.mock.timers.tick(3_199);
  assert.equal(Socket.made.length, 1);
  t.mock.timers.tick(1);
  assert.equal(Socket.made.length, 2);
});

test("a topic that cannot be told is passed on and makes nothing fresh", (t) => {
  const { live, socket, clock, refused } = connected(t);
  clock.ms += SILENCE_MS - 1;
  socket.says({ op: "error", code: "unavailable", topic: TOPIC });
  assert.deepEqual(refused, [[TOPIC, "unavailable"]]);
  clock.ms += 2;
  t.mock.timers.tick(1_000);
  assert.equal(live.status.value, "lost");
});
