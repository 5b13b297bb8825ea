// A page's connection to the live socket: subscribes, follows, comes back by itself,
// and always knows how old the newest thing is that it heard.
//
// status: "connecting" (never heard), "live", "lost" (was live, comes back),
//         "forbidden", "revoked" (will not come back without a new sign-in).
import { signal } from "/vendor/signals.mjs";
import { START, afterClose, delayMs, receive, resumeOf } from "/lib/live-rules.js";

// The server sends a mark at least every 10 s: three seconds more is silence.
export const SILENCE_MS = 13_000;
const WELCOME_MS = 8_000;

export class Live {
  constructor(url, topics, { token = null, take, refuse = () => {}, now = () => Date.now() }) {
    this.url = url;
    this.token = token;
    this.take = take;
    this.refuse = refuse;
    this.now = now;
    this.status = signal("connecting");
    this.heardAt = signal(null);
    this.skewMs = signal(0);
    this.states = new Map(topics.map((topic) => [topic, START]));
    this.attempt = 0;
    this.socket = null;
    this.timer = null;
    this.stopped = false;
  }

  start() {
    this.open();
    this.watch = setInterval(() => this.checkSilence(), 1_000);
    this.wake = () => {
      if (!this.socket && !this.stopped) this.retryIn(0);
    };
    this.gone = () => this.drop();
    addEventListener("online", this.wake);
    addEventListener("offline", this.gone);
    document.addEventListener("visibilitychange", this.wake);
    return this;
  }

  stop() {
    this.stopped = true;
    clearInterval(this.watch);
    clearTimeout(this.timer);
    removeEventListener("online", this.wake);
    removeEventListener("offline", this.gone);
    document.removeEventListener("visibilitychange", this.wake);
    this.socket?.close(1000);
    this.socket = null;
  }

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.openedAt = this.now();
    socket.onopen = () =>
      this.send({ op: "hello", v: 1, token: this.token, resume: resumeOf(this.states) });
    socket.onmessage = (event) => {
      if (socket === this.socket) this.hear(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.closed(event.code);
    };
  }

  send(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(frame));
    }
  }

  hear(frame) {
    // "I cannot tell" makes nothing fresh.
    if (frame.op !== "error") this.heardAt.value = this.now();
    if (frame.op === "welcome") {
      this.skewMs.value = Date.parse(frame.now) - this.now();
      this.send({ op: "subscribe", topics: [...this.states.keys()] });
    } else if (frame.op === "bye") {
      this.byeMs = frame.retry_ms;
    } else if (frame.op === "error" && frame.code === "forbidden" && !frame.topic) {
      this.status.value = "forbidden";
    } else if (frame.op === "error" && this.states.has(frame.topic)) {
      this.refuse(frame.topic, frame.code);
    } else if (frame.topic && this.states.has(frame.topic)) {
      this.follow(frame);
    }
  }

  follow(frame) {
    const before = this.states.get(frame.topic);
    const { state, act } = receive(before, frame.topic, frame);
    this.states.set(frame.topic, state);
    if (act === "resync") {
      this.send({ op: "resync", topic: frame.topic });
    } else if (act !== "none") {
      this.attempt = 0;
      this.status.value = "live";
      this.take(frame.topic, frame.data, act);
    } else if (frame.op === "resumed") {
      this.attempt = 0;
      this.status.value = "live";
    }
  }

  checkSilence() {
    if (!this.socket) return;
    const welcomed = this.status.value === "live";
    const since = welcomed ? this.heardAt.value : this.openedAt;
    if (this.now() - since > (welcomed ? SILENCE_MS : WELCOME_MS)) this.drop();
  }

  // Gives the connection up as it is: close() alone can wait for a dead peer's answer.
  drop() {
    const socket = this.socket;
    if (!socket) return;
    this.closed(1006);
    socket.close();
  }

  closed(code) {
    this.socket = null;
    if (this.stopped) return;
    const next = afterClose(code);
    if (next !== "again") {
      this.status.value = next;
      return;
    }
    if (this.status.value !== "connecting") this.status.value = "lost";
    const wait = this.byeMs ?? delayMs(this.attempt, Math.random());
    this.byeMs = undefined;
    this.attempt += 1;
    this.retryIn(wait);
  }

  retryIn(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.socket && !this.stopped) this.open();
    }, ms);
  }
}
