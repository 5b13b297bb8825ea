// Keeps the offline package fresh while there is a network, and afterwards compares what
// the device did alone with what the server has of it.
import { effect } from "/vendor/signals.mjs";
import * as state from "/scan/js/state.js";

const REFRESH_MS = 60_000;
const RETRY_MS = 10_000;
const SOON_MS = 1_000;
const TIMEOUT_MS = 4_000;

export class Provisions {
  constructor({ alone, post, eventId, vault }) {
    Object.assign(this, { alone, post, vault });
    this.path = `/api/v1/events/${eventId}/offline-proof`;
    this.keyPath = `/api/v1/events/${eventId}/offline-key`;
    this.busy = false;
  }

  // What an earlier page left; a package that cannot be read any more is fetched anew.
  async open() {
    await this.alone.load().catch(() => {
      this.alone.parts = [];
    });
    this.show();
  }

  start() {
    // Back on the network, and everything sent: fetch what happened meanwhile and compare.
    effect(() => {
      const back = state.link.value === "online" && state.waitingCount.value === 0;
      if (back && this.apart) this.refresh();
      if (state.link.value !== "online" || state.waitingCount.value > 0) this.apart = true;
    });
    // Names are open while somebody is signed on, and not a moment longer.
    effect(() => {
      if (!state.operator.value || state.locked?.value) {
        this.alone.forgetNames();
        this.vault.forget();
      } else if (state.link.value === "online") this.openNames();
    });
    this.refresh();
  }

  async openNames() {
    if (this.alone.names?.id === this.alone.head?.names_key) return;
    const reply = await this.post(this.keyPath, {}, TIMEOUT_MS);
    if (reply.status !== 200 || !state.operator.value) return;
    await this.alone.unlock(reply.data);
    await this.vault.keep(reply.data);
  }

  // A PIN that the server confirmed: what is kept from now on lies behind it.
  async signedOn(pin) {
    // Who is on is known after a reload without the network, too; and before anything
    // lies behind the PIN, for a page that knows nobody throws it away.
    state.config.value = { ...state.config.value, operator: state.operator.value };
    await this.alone.store.keep("config", state.config.value);
    await this.vault.hold(pin);
    this.alone.forgetNames();
    if (state.operator.value) await this.openNames();
  }

  // A PIN without the server. {names}, {left} or {gone}.
  async openAlone(pin) {
    const opened = await this.vault.open(pin);
    if (opened.names) this.alone.names = opened.names;
    return opened;
  }

  async refresh() {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.timer);
    const fresh = await this.alone.refresh().catch(() => false);
    if (fresh) await this.compare();
    if (fresh && state.operator.value) await this.openNames();
    this.show();
    this.busy = false;
    const settled = fresh && state.proof.value?.agrees !== false;
    // Leases are granted with a whole package and brought by the next delta: a phone that
    // may admit nothing else alone must not wait a minute for them.
    const granted = fresh && this.alone.head?.mode === "strict" && this.alone.parts.length === 1;
    const pause = granted ? SOON_MS : settled ? REFRESH_MS : RETRY_MS;
    this.timer = setTimeout(() => this.refresh(), pause);
  }

  async compare() {
    const counts = this.alone.counts(state.waitingCount.value);
    const reply = await this.post(this.path, counts, TIMEOUT_MS);
    if (reply.status !== 200) return;
    this.apart = false;
    state.proof.value = reply.data;
  }

  show() {
    const { head } = this.alone;
    state.packed.value = head && {
      made_at: Date.parse(head.made_at),
      expires_at: Date.parse(head.expires_at),
      mode: head.mode,
      leases: this.alone.tickets.leases.size,
    };
  }
}
