// Brings scans to the server: kept first, sent with one id until answered, an unknown
// outcome repeated and never taken for a refusal. No view, no browser: what it needs
// (store, post, clock, timers) is handed in.

// After this long without an answer the steward is told, and the scan goes on.
export const SILENCE_MS = 800;
export const REQUEST_MS = 4_000;
const RETRY_FIRST_MS = 400;
const RETRY_MOST_MS = 5_000;
const AT_ONCE_MAX = 3;
// What was decided here goes together and in its order: an exit must not come before its
// entry, whichever is sent again.
export const UPLOAD_MAX = 50;
const UPLOAD_MS = 20_000;
const SHOWN_MAX = 200;

// A refusal to read the request is an answer too: repeating it would change nothing.
export function isFinal(status) {
  return [400, 403, 404, 409, 413, 415, 422].includes(status);
}

export class Sender {
  // post(path, body, timeoutMs) -> {status, data, retryAfterMs}; status 0 = no answer.
  // tell: {answered(scan, answer), refused(scan, status, data), silent(scan), link(word)}
  // uploads: the event's own address, for devices whose scans find their event.
  constructor({ store, post, tell, uploads = null, now = Date.now, timers = globalThis, random = Math.random }) {
    Object.assign(this, { store, post, tell, uploads, now, timers, random });
    this.waiting = new Map();
    this.busy = new Set();
    this.shown = [];
    this.stopped = false;
    this.uploading = false;
    this.uploadDueMs = 0;
    this.uploadTries = 0;
    this.uploadMost = UPLOAD_MAX;
  }

  // Takes up what an earlier page left; nobody is in front of the door for these.
  async resume() {
    for (const scan of await this.store.scans()) {
      this.waiting.set(scan.id, { scan, tries: 1, dueMs: 0, told: true });
    }
    this.pump();
  }

  find(code, direction) {
    for (const { scan } of this.waiting.values()) {
      // What the device decided by itself is over: the next reading is another scan.
      if (scan.body.door) continue;
      if (scan.body.code === code && scan.body.direction === direction) return scan;
    }
    return null;
  }

  async submit(scan) {
    if (!this.waiting.has(scan.id)) {
      await this.store.putScan(scan);
      this.waiting.set(scan.id, { scan, tries: 0, dueMs: 0, told: false });
    }
    const entry = this.waiting.get(scan.id);
    entry.told = false;
    entry.dueMs = 0;
    this.timers.setTimeout(() => this.tellSilence(scan.id), SILENCE_MS);
    this.pump();
  }

  tellSilence(id) {
    const entry = this.waiting.get(id);
    if (!entry || entry.told) return;
    entry.told = true;
    this.tell.silent(entry.scan);
  }

  // Sends whatever is due: the person at the door first, the newest of them; the backlog
  // beside it, the oldest first.
  pump() {
    if (this.stopped) return;
    this.timers.clearTimeout(this.timer);
    const idle = [...this.waiting.values()].filter(({ scan }) => !this.busy.has(scan.id));
    const uploads = idle.filter(({ scan }) => scan.body.offline);
    let nextMs = null;
    for (const entry of idle.filter(({ scan }) => !scan.body.offline).reverse()) {
      const wait = entry.dueMs - this.now();
      if (wait <= 0 && this.busy.size < AT_ONCE_MAX) this.attempt(entry);
      else if (wait > 0) nextMs = Math.min(nextMs ?? wait, wait);
    }
    if (uploads.length && !this.uploading) {
      const wait = this.uploadDueMs - this.now();
      if (wait <= 0) this.upload(uploads.slice(0, this.uploadMost));
      else nextMs = Math.min(nextMs ?? wait, wait);
    }
    if (nextMs !== null) this.timer = this.timers.setTimeout(() => this.pump(), nextMs);
  }

  async attempt(entry) {
    const { scan } = entry;
    this.busy.add(scan.id);
    const shown = this.shown.slice(0, SHOWN_MAX);
    const asked = scan.body;
    const reply = await this.post(scan.path, shown.length ? { ...asked, shown } : asked, REQUEST_MS);
    this.busy.delete(scan.id);
    if (this.stopped) return;
    if (reply.status === 200 && asked !== scan.body) {
      // Answered after the device had decided by itself: its word has still to be told.
      this.tell.link("online");
      entry.dueMs = 0;
    } else if (reply.status === 200) {
      this.shown = this.shown.filter((id) => !shown.includes(id));
      await this.finish(scan, () => this.tell.answered(scan, reply.data));
      this.tell.link("online");
    } else if (reply.status === 401) {
      this.tell.link("revoked");
      this.later(entry, RETRY_MOST_MS);
    } else if (isFinal(reply.status)) {
      this.tell.link("online");
      await this.finish(scan, () => this.tell.refused(scan, reply.status, reply.data));
    } else {
      if (![423, 429].includes(reply.status)) this.tell.link("silent");
      this.later(entry, reply.retryAfterMs);
    }
    this.pump();
  }

  // What was decided here goes by the road of uploads, which a revoked device has too.
  async upload(entries) {
    this.uploading = true;
    for (const { scan } of entries) this.busy.add(scan.id);
    const shown = this.shown.slice(0, SHOWN_MAX);
    const scans = entries.map(({ scan }) => scan.body);
    const path = `${this.uploads ?? entries[0].scan.path}/batch`;
    const reply = await this.post(path, { scans, shown }, UPLOAD_MS);
    for (const { scan } of entries) this.busy.delete(scan.id);
    this.uploading = false;
    if (this.stopped) return;
    if (reply.status === 200) {
      this.shown = this.shown.filter((id) => !shown.includes(id));
      await this.uploaded(entries, reply.data.results);
    } else if (isFinal(reply.status)) {
      await this.unreadable(entries, reply);
    } else {
      this.tell.link(reply.status === 401 ? "revoked" : "silent");
      this.uploadLater(reply.status === 401 ? RETRY_MOST_MS : reply.retryAfterMs);
    }
    this.pump();
  }

  // Each record has its own answer; what has none yet is sent again.
  async uploaded(entries, results) {
    let again = 0;
    for (const [at, { scan }] of entries.entries()) {
      const error = results[at]?.error;
      if (!error) await this.finish(scan, () => this.tell.answered(scan, results[at]));
      else if (isFinal(error.status)) await this.finish(scan, () => this.tell.refused(scan, error.status, error));
      else again = error.status;
    }
    this.uploadTries = 0;
    this.tell.link(again === 401 ? "revoked" : "online");
    if (again) this.uploadLater();
  }

  // One record that cannot be read must not hold the others: one by one from here.
  async unreadable(entries, { status, data }) {
    this.tell.link("online");
    this.uploadMost = 1;
    if (entries.length > 1) return;
    const [{ scan }] = entries;
    await this.finish(scan, () => this.tell.refused(scan, status, data));
    this.uploadMost = UPLOAD_MAX;
  }

  uploadLater(leastMs = 0) {
    this.uploadTries += 1;
    const most = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.uploadTries);
    this.uploadDueMs = this.now() + Math.max(leastMs, RETRY_FIRST_MS + this.random() * most);
  }

  // The device decided: kept with the scan before it is shown; true if it still waits.
  async decided(scan, door) {
    scan.body = { ...scan.body, offline: true, door };
    await this.store.putScan(scan);
    if (!this.waiting.has(scan.id)) {
      this.waiting.set(scan.id, { scan, tries: 1, dueMs: 0, told: true });
      this.pump();
      return false;
    }
    return true;
  }

  later(entry, leastMs = 0) {
    entry.tries += 1;
    const most = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** entry.tries);
    entry.dueMs = this.now() + Math.max(leastMs, RETRY_FIRST_MS + this.random() * most);
    this.tellSilence(entry.scan.id);
  }

  async finish(scan, tell) {
    this.waiting.delete(scan.id);
    tell();
    await this.store.dropScan(scan.id);
  }

  // The verdict was on the screen: said at once, and with the next scan if that fails.
  async confirm(path, id) {
    this.shown.push(id);
    const ids = this.shown.slice(-SHOWN_MAX);
    const reply = await this.post(path, { ids }, REQUEST_MS);
    if (reply.status >= 200 && reply.status < 300) {
      this.shown = this.shown.filter((other) => !ids.includes(other));
    }
  }

  stop() {
    this.stopped = true;
    this.timers.clearTimeout(this.timer);
  }
}
