// The roll-call on a supervisor's device: read every minute, in an emergency every few
// seconds, and kept, so that it is readable without a network, with its age. What is kept
// lies behind the PIN of who is signed on (`vault.js`): after a reload without a network
// the PIN opens it. Marks and taps are kept first and sent when they can be; the sums move
// at once. Whoever signs off takes the names along: the copy goes.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { uuid7 } from "/lib/uuid.js";
import { chosen, keyOf, marked, summed } from "/lib/roll-rules.js";
import { Sheet } from "/scan/js/dialog.js";
import * as state from "/scan/js/state.js";
import { vibrate } from "/scan/js/sound.js";

const CALM_MS = 60_000;
const EMERGENCY_MS = 5_000;
const ASK_MS = 8_000;
const SHOWN_MAX = 60;
const KEPT = "roll";
const MAY = new Set(["supervisor", "door_manager", "event_manager"]);

// {roll, at} as it was told last, or null; marks the server may not know yet.
export const copy = signal(null);
// Kept behind a PIN that nobody has given since the page was opened.
export const locked = signal(false);
const marks = signal([]);
export const heads = signal({});
const words = signal("");
const place = signal("");

export const maySee = () => MAY.has(state.operator.value?.role);

// Heads at each place: the server's, and taps that are not in them.
function counted(counts, taps) {
  const sums = Object.fromEntries(counts.map((one) => [one.place, one.people]));
  for (const { place: at, delta } of taps) sums[at] = (sums[at] ?? 0) + delta;
  return sums;
}

export class RollKeeper {
  constructor({ store, post, outbox, vault, eventId }) {
    Object.assign(this, { store, post, outbox, vault });
    this.asked = this.told = 0;
    this.path = `/api/v1/events/${eventId}`;
  }

  async open() {
    this.sealed = (await this.store.fact(KEPT)) ?? null;
    locked.value = this.sealed !== null;
    marks.value = this.outbox.waiting.filter(({ kind }) => kind === "roll").flatMap(({ marks: own }) => own ?? []);
    this.taps = this.outbox.waiting.filter(({ kind }) => kind === "heads").map(({ body }) => ({ ...body, kept: true }));
    return this;
  }

  // The PIN was right: what was kept is readable again.
  async unlock() {
    if (copy.value !== null || this.sealed === null) return;
    // The shift is over, or ten PINs were wrong: nothing opens it any more.
    if ((await this.vault.kept()) === null) {
      await this.forget();
      return;
    }
    copy.value = await this.vault.unseal(this.sealed);
    locked.value = copy.value === null;
  }

  start() {
    const turn = async () => {
      const mine = {};
      this.turn = mine;
      clearTimeout(this.timer);
      await this.read();
      // Of turns that met, the newest alone comes round again.
      if (this.turn === mine) this.timer = setTimeout(turn, copy.value?.roll.emergency_id ? EMERGENCY_MS : CALM_MS);
    };
    // Who has just signed on need not wait for the minute, and no name stays for it: signed
    // off while there was no network, a device lets go of them as soon as there is one.
    state.operator.subscribe(turn);
    state.link.subscribe((link) => {
      if (link === "online") turn();
    });
  }

  // Somebody opens the list: no minute-old one is looked at, or carried into a cellar,
  // while there is a network to ask for a newer.
  async look() {
    await this.unlock();
    if (maySee()) await this.read();
  }

  async read() {
    if (!maySee()) {
      // Only where the server has said so: a reload without a network knows nobody.
      if (state.operator.value !== null || state.link.value === "online") await this.forget();
      return;
    }
    const before = marks.value.length;
    const told = this.taps.filter((tap) => this.sent(tap));
    const mine = ++this.asked;
    const reply = await this.post(`${this.path}/roll-call`, undefined, ASK_MS);
    // Signed off while it was under way: it is nobody's any more.
    if (!maySee()) return;
    // A list that was asked for later is here already: an older one does not undo it.
    if (mine < this.told) return;
    if (reply.status === 200) {
      this.told = mine;
      copy.value = { roll: reply.data, at: Date.now() + state.skewMs.value };
      // Taps that the server had when it was asked are in its counts; the others are not
      // lost from sight. Those it got meanwhile may be in both: it is asked once more.
      this.taps = this.taps.filter((tap) => !told.includes(tap));
      heads.value = counted(reply.data.counts, this.taps);
      if (this.taps.some((tap) => this.sent(tap))) this.read();
      if (this.outbox.waiting.every(({ kind }) => kind !== "roll")) marks.value = marks.value.slice(before);
      locked.value = false;
      // Nothing is kept in clear: without a PIN in hand the old one stays as it is.
      const sealed = await this.vault.seal(copy.value);
      if (sealed !== null && maySee()) {
        this.sealed = sealed;
        await this.store.keep(KEPT, sealed);
      }
    } else if (reply.status === 403) {
      await this.forget();
    }
  }

  async forget() {
    if (copy.value === null && this.sealed === null) return;
    copy.value = null;
    locked.value = false;
    this.sealed = null;
    marks.value = [];
    await this.store.keep(KEPT, null);
  }

  send(path, body, own) {
    const id = uuid7();
    marks.value = [...marks.value, ...own];
    vibrate(20);
    return this.outbox.add({ id, kind: "roll", path: `${this.path}/emergency/${path}`, body, marks: own });
  }

  person(one, on) {
    const body = { people: [{ ticket_id: one.ticket_id, person_no: one.person_no, safe: on }] };
    return this.send("marks", body, [{ kind: "person", key: keyOf(one), on }]);
  }

  staff(one, on) {
    const body = { staff: [{ operator_id: one.operator_id, safe: on }] };
    return this.send("marks", body, [{ kind: "staff", key: one.operator_id, on }]);
  }

  area(line, on) {
    return this.send(`areas/${line.area_id}`, { clear: on }, [{ kind: "area", key: line.area_id, on }]);
  }

  sent({ id, kept }) {
    return kept && this.outbox.waiting.every((entry) => entry.id !== id);
  }

  async head(at, delta) {
    const id = uuid7();
    heads.value = { ...heads.value, [at]: (heads.value[at] ?? 0) + delta };
    vibrate(15);
    const body = { id, place: at, delta, at: new Date(Date.now() + state.skewMs.value).toISOString() };
    const tap = { ...body, kept: false };
    this.taps = [...this.taps, tap];
    try {
      return await this.outbox.add({ id, kind: "heads", path: `${this.path}/emergency/counts`, body });
    } finally {
      tap.kept = true; // or it could not be: the next reading shows what the server knows
    }
  }

  // Sent: the next reading shows what the server made of it.
  done() {
    if (this.outbox.waiting.every(({ kind }) => kind !== "roll")) this.read();
  }
}

function Clicker({ keeper, points }) {
  const at = place.value || points[0];
  return html`<section class="roll-clicker" aria-label=${t("page.emergency.heads")}>
    <div class="field">
      <label for="roll-place">${t("page.emergency.count_here")}</label>
      <select class="input" id="roll-place" onChange=${(event) => (place.value = event.currentTarget.value)}>
        ${points.map((point) => html`<option key=${point} value=${point}>${point}</option>`)}
      </select>
    </div>
    <div class="tap-row in">
      <output class="figure" data-heads>${heads.value[at] ?? 0}</output>
      ${[1, 5, -1].map(
        (n) => html`<button type="button" class="button tap" key=${n} onClick=${() => keeper.head(at, n)}>${n > 0 ? `+${n}` : `−${-n}`}</button>`,
      )}
    </div>
  </section>`;
}

function Line({ name, note, needs, on, words: yes, act }) {
  return html`<li class="roll-line" data-safe=${on}>
    <span>
      <bdi class="name"><b>${name || "–"}</b></bdi>
      <span class="small soft name"> ${note}</span>
      ${needs && html`<strong class="roll-needs name">${needs}</strong>`}
    </span>
    ${act && html`<button type="button" class=${`button ${on ? "" : "primary"}`} onClick=${act}>${on ? t("page.emergency.undo") : yes}</button>`}
  </li>`;
}

export function RollSheet({ keeper }) {
  useEffect(() => {
    keeper.look();
  }, []);
  if (copy.value === null) {
    const words = locked.value ? "page.emergency.locked" : "page.emergency.no_copy";
    return html`<${Sheet} title=${t("page.emergency.roll")}><p>${t(words)}</p><//>`;
  }
  const zone = state.device.value.event.timezone;
  const now = Date.now() + state.skewMs.value;
  const found = summed(marked(copy.value.roll, marks.value, new Date(now).toISOString()));
  const { totals: sums } = found;
  const minutes = Math.floor((now - copy.value.at) / 60_000);
  const waiting = keeper.outbox.waiting.filter(({ kind }) => kind === "roll").length;
  const list = chosen(found, { words: words.value });
  const frozen = found.frozen;
  const when = clock(found.as_of, zone, true);
  return html`<${Sheet} title=${t("page.emergency.roll")} wide>
    <p class=${`notice ${minutes > 2 ? "bad" : frozen ? "warn" : ""}`} role="status" data-age=${minutes}>
      ${found.drill && html`<b>${t("page.emergency.drill")} · </b>`}
      ${t(frozen ? "page.emergency.frozen_at" : "page.emergency.now_at", { when })}
      ${minutes > 0 && html` · ${t("page.emergency.age", { n: minutes })}`}
      ${waiting > 0 && html` · ${t("page.emergency.waiting", { n: waiting })}`}
    </p>
    <p class="roll-sums figure">
      <b data-sum="all">${sums.all}</b> · ${t("page.emergency.is_safe")} <b data-sum="safe">${sums.safe}</b> ·${" "}
      ${t("page.emergency.missing")} <b data-sum="missing">${sums.missing}</b>
    </p>
    ${found.emergency_id && found.assembly_points.length > 0 && html`<${Clicker} keeper=${keeper} points=${found.assembly_points} />`}
    <ul class="roll-list">
      ${found.areas.map(
        (line) => html`<${Line}
          key=${line.area_id}
          name=${line.name || t("page.emergency.no_area")}
          note=${`${line.people + line.counted + line.disputed} · ${t("page.emergency.missing")} ${line.missing}`}
          on=${Boolean(line.clear_at)}
          words=${t("page.emergency.mark_clear")}
          act=${frozen && line.area_id ? () => keeper.area(line, !line.clear_at) : null}
        />`,
      )}
    </ul>
    <div class="field">
      <label for="roll-find">${t("page.emergency.find")}</label>
      <input class="input" id="roll-find" type="search" autocomplete="off" value=${words.value} onInput=${(event) => (words.value = event.currentTarget.value)} />
    </div>
    ${list.length > SHOWN_MAX && html`<p class="soft small">${t("page.emergency.first", { n: SHOWN_MAX, all: list.length })}</p>`}
    <ul class="roll-list">
      ${list.slice(0, SHOWN_MAX).map(
        (one) => html`<${Line}
          key=${keyOf(one)}
          name=${one.name}
          note=${`${t(`page.emergency.class.${one.access_class}`)} · ${found.areas.find((line) => line.area_id === one.area_id)?.name ?? ""}`}
          needs=${one.needs}
          on=${Boolean(one.safe_at)}
          words=${t("page.emergency.mark_safe")}
          act=${frozen ? () => keeper.person(one, !one.safe_at) : null}
        />`,
      )}
    </ul>
    ${found.staff.length > 0 && html`<h3>${t("page.emergency.staff")}</h3>`}
    <ul class="roll-list">
      ${found.staff.map(
        (one) => html`<${Line}
          key=${one.operator_id}
          name=${one.name}
          note=${one.gate ?? ""}
          on=${Boolean(one.safe_at)}
          words=${t("page.emergency.mark_safe")}
          act=${frozen ? () => keeper.staff(one, !one.safe_at) : null}
        />`,
      )}
    </ul>
  <//>`;
}
