// What a device tells the server and what may wait for it: a call for help, a tap of the
// counter, a lead. Kept first, sent in order under the id it was made with until it is
// answered. No view and no browser here: store, post and timers are handed in.

const REQUEST_MS = 6_000;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 8_000;
const FINAL = [400, 403, 404, 409, 413, 415, 422];

export class Outbox {
  // store: {all(), put(entry), drop(id)}; post(path, body, ms) -> {status, data}.
  // tell: {done(entry, data), refused(entry, status, data), count(n)}
  constructor({ store, post, tell, timers = globalThis, random = Math.random }) {
    Object.assign(this, { store, post, tell, timers, random });
    this.waiting = [];
    this.sending = false;
    this.tries = 0;
    this.stopped = false;
  }

  async resume() {
    const kept = await this.store.all();
    this.waiting = [...kept.sort((a, b) => a.at - b.at), ...this.waiting];
    this.tell.count(this.waiting.length);
    this.pump();
  }

  // entry: {id, kind, path, body}
  async add(entry) {
    const kept = { ...entry, at: Date.now() };
    await this.store.put(kept);
    this.waiting.push(kept);
    this.tell.count(this.waiting.length);
    this.tries = 0;
    this.pump();
    return kept;
  }

  async pump() {
    if (this.sending || this.stopped || this.waiting.length === 0) return;
    this.sending = true;
    this.timers.clearTimeout(this.timer);
    const entry = this.waiting[0];
    const reply = await this.post(entry.path, entry.body, REQUEST_MS);
    this.sending = false;
    if (this.stopped) return;
    if (reply.status >= 200 && reply.status < 300) {
      await this.finish(entry, () => this.tell.done(entry, reply.data));
    } else if (FINAL.includes(reply.status)) {
      await this.finish(entry, () => this.tell.refused(entry, reply.status, reply.data));
    } else {
      this.later();
      return;
    }
    this.pump();
  }

  later() {
    this.tries += 1;
    const most = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.tries);
    const wait = RETRY_FIRST_MS + this.random() * most;
    this.timer = this.timers.setTimeout(() => this.pump(), wait);
  }

  async finish(entry, tell) {
    this.waiting = this.waiting.filter((other) => other.id !== entry.id);
    this.tries = 0;
    this.tell.count(this.waiting.length);
    tell();
    await this.store.drop(entry.id);
  }

  stop() {
    this.stopped = true;
    this.timers.clearTimeout(this.timer);
  }
}
