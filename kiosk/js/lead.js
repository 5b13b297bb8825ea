// A sponsor's phone: a badge becomes a lead of this sponsor, never an entry. Readings are
// kept and sent later when there is no network; what the person may be told of is shown
// when the server has answered.
import { html, signal, useEffect, useRef } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { uuid7 } from "/lib/uuid.js";
import { Reader } from "/scan/js/reader.js";
import { signalTone, vibrate } from "/scan/js/sound.js";
import * as state from "/scan/js/state.js";

const STARS = [1, 2, 3, 4, 5];
const LIST_MAX = 50;

// {id, code, at, outcome, lead}: newest first; without an outcome it waits to be sent.
export const readings = signal([]);
const open = signal(null);
const stand = signal(null);
const notes = signal("");

export class LeadDesk {
  constructor({ post, outbox, eventId }) {
    Object.assign(this, { post, outbox });
    this.path = `/api/v1/events/${eventId}/leads`;
    this.reader = new Reader();
  }

  async start() {
    const kept = this.outbox.waiting.filter(({ kind }) => kind === "lead");
    readings.value = kept.map(({ id, body }) => ({ id, at: body.scanned_at })).reverse();
    this.refresh();
  }

  async refresh() {
    const asked = await this.post(`${this.path}/stand`, undefined, 6_000);
    if (asked.status === 200) stand.value = asked.data;
    const listed = await this.post(`${this.path}?limit=${LIST_MAX}`, undefined, 6_000);
    if (listed.status !== 200) return;
    const known = new Set(readings.value.map(({ lead }) => lead?.id));
    const older = listed.data.items
      .filter(({ id }) => !known.has(id))
      .map((lead) => ({ id: lead.id, at: lead.last_at, outcome: "lead", lead }));
    readings.value = [...readings.value, ...older].slice(0, LIST_MAX);
  }

  read(text, method) {
    const code = text.trim();
    if (!code || (method === "qr_code" && !this.reader.see(code, performance.now()))) return false;
    const id = uuid7();
    const at = new Date(Date.now() + state.skewMs.value).toISOString();
    readings.value = [{ id, at }, ...readings.value].slice(0, LIST_MAX);
    open.value = id;
    notes.value = "";
    vibrate(30);
    this.outbox.add({ id, kind: "lead", path: this.path, body: { id, code, scanned_at: at } });
    return true;
  }

  // The outbox brought it: what became of the reading.
  done(id, data) {
    readings.value = readings.value.map((one) => (one.id === id ? { ...one, ...data } : one));
    signalTone({ lead: "go", again: "again", opted_out: "wait", unknown: "stop" }[data.outcome]);
    this.post(`${this.path}/stand`, undefined, 6_000).then((asked) => {
      if (asked.status === 200) stand.value = asked.data;
    });
  }

  async change(lead, body) {
    const reply = await this.post(`${this.path}/${lead.id}`, body, 6_000, "PATCH");
    if (reply.status !== 200) return false;
    readings.value = readings.value.map((one) =>
      one.lead?.id === lead.id ? { ...one, lead: reply.data } : one,
    );
    return true;
  }

  async export() {
    const answer = await fetch(`${this.path}.csv`, {
      headers: { Authorization: `Device ${state.device.value.token}` },
      credentials: "omit",
    });
    if (!answer.ok) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = "leads.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}

function nameOf(one) {
  if (!one.outcome) return t("page.lead.kept");
  if (!one.lead) return t(`page.lead.outcome.${one.outcome}`);
  return one.lead.fields.name ?? t("page.lead.no_name");
}

function Card({ one, desk }) {
  const { lead } = one;
  const { name, ...rest } = lead?.fields ?? {};
  return html`<section class=${`panel lead-card ${one.outcome ?? "waiting"}`} data-outcome=${one.outcome ?? "waiting"} aria-live="polite">
    <h2><bdi class="name">${nameOf(one)}</bdi></h2>
    <p class="soft name">${Object.values(rest).join(" · ")}</p>
    ${lead && lead.visits > 1 && html`<p><span class="chip good">${t("page.lead.visits", { n: lead.visits })}</span></p>`}
    ${lead &&
    html`<div class="stars" role="radiogroup" aria-label=${t("page.lead.rating")}>
        ${STARS.map(
          (star) => html`<button
            type="button"
            key=${star}
            role="radio"
            aria-checked=${lead.rating === star}
            aria-label=${t("page.lead.star", { n: star })}
            class=${`star ${lead.rating >= star ? "on" : ""}`}
            onClick=${() => desk.change(lead, { rating: star })}
          >
            ${lead.rating >= star ? "★" : "☆"}
          </button>`,
        )}
      </div>
      ${(stand.value?.questions ?? []).map(
        (question) => html`<div class="field" key=${question.key}>
          <label for=${`lead-${question.key}`}>${question.label}</label>
          ${question.options.length > 0
            ? html`<select class="input" id=${`lead-${question.key}`} value=${lead.answers[question.key] ?? ""} onChange=${(event) => desk.change(lead, { answers: { [question.key]: event.currentTarget.value } })}>
                <option value="">–</option>
                ${question.options.map((option) => html`<option key=${option}>${option}</option>`)}
              </select>`
            : html`<input class="input" id=${`lead-${question.key}`} value=${lead.answers[question.key] ?? ""} onChange=${(event) => desk.change(lead, { answers: { [question.key]: event.currentTarget.value } })} />`}
        </div>`,
      )}
      <div class="field">
        <label for="lead-notes">${t("page.lead.notes")}</label>
        <textarea class="input" id="lead-notes" rows="3" maxlength="4000" onChange=${(event) => desk.change(lead, { notes: event.currentTarget.value })}>${lead.notes ?? ""}</textarea>
      </div>`}
    <button type="button" class="button large" onClick=${() => (open.value = null)}>${t("page.lead.next")}</button>
  </section>`;
}

function Picture({ camera }) {
  const video = useRef(null);
  useEffect(() => {
    camera.start(video.current);
    return () => camera.stop();
  }, []);
  const word = camera.state.value;
  return html`<section class="camera" aria-label=${t("page.scan.camera")}>
    <video ref=${video} muted playsinline aria-hidden="true"></video>
    ${["denied", "missing", "failed", "off"].includes(word) &&
    html`<div class="camera-trouble">
      <p>${t(`page.scan.camera.${word}`)}</p>
      <button type="button" class="button" onClick=${() => camera.start(video.current)}>${t("page.scan.camera.start")}</button>
    </div>`}
  </section>`;
}

export function LeadPage({ desk, camera }) {
  const field = useRef(null);
  const zone = state.device.value.event.timezone;
  const figures = stand.value?.figures;
  const chosen = readings.value.find(({ id }) => id === open.value);
  const waiting = readings.value.filter(({ outcome }) => !outcome).length;
  return html`<main class="lead-page">
    <header class=${`status ${waiting ? "warn" : "good"}`}>
      <span class="status-words" role="status"><i class="dot"></i>
        ${waiting ? t("page.scan.waiting", { n: waiting }) : t("page.scan.link.online")}</span>
      <span class="status-place"><b class="name">${stand.value?.sponsor ?? ""}</b></span>
    </header>
    ${chosen ? html`<${Card} key=${chosen.id} one=${chosen} desk=${desk} />` : html`<${Picture} camera=${camera} />`}
    <form
      class="manual"
      onSubmit=${(event) => {
        event.preventDefault();
        if (desk.read(field.current.value, "manual")) field.current.value = "";
      }}
    >
      <label class="unseen" for="lead-code">${t("page.scan.manual")}</label>
      <input class="input code" id="lead-code" ref=${field} autocomplete="off" placeholder=${t("page.scan.manual")} />
      <button class="button primary" type="submit">${t("page.scan.check")}</button>
    </form>
    <section class="history" aria-label=${t("page.lead.list")}>
      <div class="lead-head">
        <h2>${t("page.lead.list")}</h2>
        <span class="small soft figure">
          ${figures && t("page.lead.figures", { leads: figures.leads, scans: figures.scans, opted: figures.opted_out })}
        </span>
      </div>
      <ol>
        ${readings.value.map(
          (one) => html`<li class="past" key=${one.id}>
            <span class=${`past-mark ${{ lead: "go", again: "again", opted_out: "wait", unknown: "stop" }[one.outcome] ?? "wait"}`} aria-hidden="true">
              ${{ lead: "✓", again: "↻", opted_out: "–", unknown: "✕" }[one.outcome] ?? "…"}
            </span>
            <button type="button" class="past-text plain-row" onClick=${() => (open.value = one.id)}>
              <bdi class="name">${nameOf(one)}</bdi>
              <span class="small soft">${one.lead?.fields.company ?? ""}</span>
            </button>
            <time class="small soft figure">${clock(one.at, zone)}</time>
          </li>`,
        )}
      </ol>
      <div class="menu">
        <button type="button" class="button" onClick=${() => desk.export()}>${t("page.lead.export")}</button>
        <${LanguageSwitch} /><${ThemeSwitch} />
      </div>
    </section>
  </main>`;
}
