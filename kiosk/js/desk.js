// The handheld's desk: takes readings, asks the server through the sender, and decides
// what stands on the screen.
import { uuid7 } from "/lib/uuid.js";
import { has, t } from "/lib/i18n.js";
import { takeCode, takesCodes } from "/scan/js/band.js";
import { Reader } from "/scan/js/reader.js";
import { answerOf } from "/scan/js/answer.js";
import { redeem, redeeming } from "/scan/js/redeem.js";
import { Sender } from "/scan/js/sender.js";
import { signalTone, vibrate } from "/scan/js/sound.js";
import { GOES_MS, mayTake, mustRead, staysUntilTouched, toneOf } from "/scan/js/verdict-rules.js";
import * as state from "/scan/js/state.js";

const CODE_LENGTH_MAX = 1_024;

export class Desk {
  constructor({ store, post, eventId, several = false, alone = null, outbox = null }) {
    this.store = store;
    this.alone = alone;
    this.outbox = outbox;
    this.post = post;
    this.path = `/api/v1/events/${eventId}/scans`;
    this.asking = several ? "/api/v1/scans" : this.path;
    this.reader = new Reader();
    this.latest = null;
    // Answers that came when nobody looked at them any more, by code and direction.
    this.unseen = new Map();
    this.settling = new Map();
    this.goTimer = null;
    this.sender = new Sender({
      store,
      post,
      uploads: this.path,
      tell: {
        answered: (scan, answer) => this.answered(scan, answer),
        refused: (scan, status, data) => this.refused(scan, status, data),
        silent: (scan) => this.silent(scan),
        link: (word) => {
          state.link.value = word;
        },
      },
    });
  }

  async start() {
    state.history.value = (await this.store.fact("history")) ?? [];
    await this.sender.resume();
    this.count();
  }

  // A reading from the camera, a typing scanner, or a person's fingers.
  read(text, method) {
    const code = text.trim().slice(0, CODE_LENGTH_MAX);
    if (!code || state.screen.value !== "scanning" || state.locked.value) return false;
    const now = performance.now();
    if (state.sheet.value && !takesCodes()) return false;
    if (method === "qr_code" && !this.reader.see(code, now)) return false;
    if (takesCodes()) {
      takeCode(code);
      return true;
    }
    if (!mayTake(state.shown.value, code, method, now)) {
      // Offered again while it stays in the picture: it waits for the red to go.
      if (code !== state.shown.value.code) this.reader.forget(code);
      return false;
    }
    if (redeeming()) this.redeem(code);
    else this.scan(code, method === "wedge" ? "qr_code" : method);
    return true;
  }

  // At a point a code is a redemption: the same screen, other words.
  async redeem(code, change = {}) {
    this.clear();
    state.checking.value = true;
    const { id, reply } = await redeem(this.post, code, change, this);
    const scan = { id, body: { code, direction: "in" } };
    this.latest = id;
    if (reply.status === 200) {
      const answer = { ...reply.data, redemption: true };
      const tone = { redeemed: "go", hold: "wait" }[answer.verdict] ?? "stop";
      state.remember({
        id,
        at: this.now().toISOString(),
        tone,
        who: answer.holder ?? answer.ticket?.holder ?? hint(code),
        what: `${t(`page.redeem.verdict.${answer.verdict}`)} · ${t("page.redeem.left", { n: answer.left ?? 0 })}`,
      });
      this.show(scan, { answer, tone, notes: [], stays: tone !== "go" });
      signalTone(tone);
    } else if (reply.status === 0) {
      this.show(scan, { silent: true, hint: hint(code), tone: "wait", stays: true });
      signalTone("wait");
    } else {
      this.refused(scan, reply.status, reply.data);
    }
  }

  // `change` answers a question about the same code: how many, which session.
  scan(code, method, change = {}) {
    const direction = state.direction.value;
    const key = `${direction} ${code}`;
    const asked = Object.keys(change).length > 0;
    if (!asked) this.said = null;
    // A scan that waits, or whose answer nobody saw, keeps its id: same scan, same truth.
    const before = asked ? null : (this.sender.find(code, direction) ?? this.unseen.get(key));
    this.unseen.delete(key);
    const scan = before ?? {
      id: uuid7(),
      path: this.asking,
      body: {
        code,
        direction,
        method,
        scanned_at: this.now().toISOString(),
        ...(state.mode.value?.kind === "order" && direction === "in" ? { whole_order: true } : {}),
        ...change,
      },
    };
    scan.body.id = scan.id;
    this.latest = scan.id;
    this.clear();
    state.checking.value = true;
    vibrate(15);
    this.sender.submit(scan).then(
      () => this.count(),
      () => this.refused(scan, 0, { code: "not_stored" }),
    );
    return new Promise((settled) => {
      this.settling.set(scan.id, settled);
    });
  }

  // Whoever waits for a scan's end (a supervisor's one action) goes on.
  settle(id) {
    this.settling.get(id)?.();
    this.settling.delete(id);
  }

  now() {
    return new Date(Date.now() + state.skewMs.value);
  }

  // Where, when and by whom: what the device's own rules need beside the reading.
  context(scan) {
    return {
      gate: state.gate.value,
      role: state.operator.value?.role ?? "",
      atMs: Date.parse(scan.body.scanned_at),
      scanId: scan.id,
    };
  }

  answered(scan, answer) {
    this.count();
    this.settle(scan.id);
    if (answer.durable === "committed" || answer.durable === "journal") {
      state.durable.value = answer.durable;
    }
    // Decided here and shown: a late word of the server is no second screen.
    if (scan.body.door) return;
    this.alone?.remember({ ...scan.body, expected: answer.verdict }, this.context(scan));
    const tone = toneOf(answer);
    const lookedAt = scan.id === this.latest;
    state.remember(this.line(scan, answer, tone, !lookedAt));
    this.store.keep("history", state.history.value);
    if (!lookedAt) {
      this.unseen.set(`${scan.body.direction} ${scan.body.code}`, scan);
      return;
    }
    const notes = mustRead(answer);
    this.show(scan, { answer, tone, notes, stays: staysUntilTouched(answer) });
    signalTone(notes.length ? "note" : tone);
    // Two frames later the verdict has been on the screen.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => this.sender.confirm(`${this.path}/confirm`, scan.id)),
    );
  }

  refused(scan, status, data) {
    this.count();
    this.settle(scan.id);
    const problem = data?.detail || t(`page.scan.problem.${data?.code ?? status}`);
    const known = has(`page.scan.problem.${data?.code}`);
    const sentence = known ? t(`page.scan.problem.${data.code}`) : problem;
    state.remember({
      id: scan.id,
      at: this.now().toISOString(),
      tone: "wait",
      who: hint(scan.body.code),
      what: sentence,
    });
    if (scan.id !== this.latest) return;
    this.show(scan, { problem: sentence, tone: "wait", stays: true });
    signalTone("wait");
  }

  async silent(scan) {
    this.count();
    if (scan.body.door || scan.id !== this.latest || state.shown.value?.id === scan.id) return;
    if (await this.decideAlone(scan)) return;
    this.show(scan, { silent: true, hint: hint(scan.body.code), tone: "wait", stays: true });
    signalTone("wait");
  }

  // No answer: the device's own verdict, by its package. False if it has none.
  async decideAlone(scan) {
    const own = await this.alone?.decide(scan.body, this.context(scan)).catch(() => null);
    if (!own) return false;
    const waits = await this.sender.decided(scan, own.door);
    this.count();
    if (!waits) return true;
    const answer = answerOf(scan, own.made, {
      plan: this.alone.plan,
      found: own.found,
      person: await this.alone.person(own.found).catch(() => null),
      zone: state.device.value.event.timezone,
      hint: hint(scan.body.code),
    });
    const tone = toneOf(answer);
    state.remember({ ...this.line(scan, answer, tone, false), undo: false });
    this.store.keep("history", state.history.value);
    if (scan.id === this.latest) {
      const notes = mustRead(answer);
      const code = answer.ticket?.holder ? null : hint(scan.body.code);
      this.show(scan, { answer, tone, notes, hint: code, stays: staysUntilTouched(answer) });
      signalTone(notes.length ? "note" : tone);
    }
    return true;
  }

  show(scan, what) {
    clearTimeout(this.goTimer);
    const { id, body } = scan;
    state.checking.value = false;
    state.shown.value = { id, code: body.code, shownAtMs: performance.now(), ...what };
    if (!what.stays) {
      this.goTimer = setTimeout(() => this.clear(), GOES_MS[what.tone]);
    }
  }

  // Touched away, gone by itself, or pushed aside by the next scan.
  clear() {
    clearTimeout(this.goTimer);
    state.shown.value = null;
  }

  dismiss() {
    // Whatever still comes for this scan comes for nobody who stands here.
    if (state.shown.value?.id === this.latest) this.latest = null;
    this.clear();
  }

  choose(change) {
    const { code, answer } = state.shown.value;
    if (answer.redemption) {
      return this.redeem(code, change.answers ? { id_seen: change.answers.age === true } : { again: true });
    }
    // A ticket that was found by name is asked for by its id again.
    const method = answer.method ?? (code === answer.ticket?.id ? "manual" : "qr_code");
    // An answer to one question is kept for the next one about the same code.
    const before = this.said?.code === code ? this.said.change : {};
    const answers = { ...before.answers, ...change.answers };
    const all = { ...before, ...change };
    if (Object.keys(answers).length) all.answers = answers;
    this.said = { code, change: all };
    return this.scan(code, method, all);
  }

  line(scan, answer, tone, late) {
    return {
      id: scan.id,
      at: answer.at ?? this.now().toISOString(),
      tone,
      who: answer.ticket?.holder || answer.ticket?.code_hint || hint(scan.body.code),
      what: t(`page.reason.${answer.verdict}.${answer.reason}`),
      late,
      undo: answer.verdict === "admitted",
    };
  }

  async undo(entry) {
    const reply = await this.post(`${this.path}/${entry.id}/undo`, { reason: "steward" }, 4_000);
    if (reply.status >= 200 && reply.status < 300) {
      state.remember({ ...entry, tone: "again", undo: false, what: t("page.scan.undone") });
      await this.store.keep("history", state.history.value);
      return null;
    }
    return reply.status === 0 ? t("page.all.no_answer") : reply.data?.detail;
  }

  count() {
    state.waitingCount.value = this.sender.waiting.size;
  }
}

// Enough of a code to tell it from its neighbour, too little to copy it.
function hint(code) {
  return code.length > 6 ? `…${code.slice(-4)}` : code;
}
