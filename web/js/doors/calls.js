// Calls for help and the incident log.
import { html, signal } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { act, alerts, base, busy, event, now, zone } from "/js/doors/model.js";

export const LOUD_MS = 60_000;
const KINDS = ["medical", "security", "lost_child", "technical", "complaint", "ejection", "other"];

const note = signal({});

export function isLoud(call, nowMs) {
  return !call.seen_at && nowMs - Date.parse(call.received_at) > LOUD_MS;
}

export function CallLine({ call, see, close }) {
  const waited = Math.max(0, Math.round((now.value - Date.parse(call.received_at)) / 1000));
  return html`<li class=${`call ${call.seen_at ? "seen" : isLoud(call, now.value) ? "loud" : "new"}`} data-call=${call.id}>
    <span class="call-kind">
      ${t(`page.help.kind.${call.kind}`)}${call.queue ? html` · ${t(`page.help.queue.${call.queue}`)}` : ""}
    </span>
    <span>
      <b class="name">${call.gate ?? t("page.scan.no_gate")}</b>
      <span class="name"> ${[call.operator, call.device].filter(Boolean).join(" · ")}</span>
      ${call.note && html`<span class="name"> “${call.note}”</span>`}
    </span>
    <span class="small figure">
      ${call.seen_at
        ? t("page.doors.seen", { name: call.seen_by ?? "", when: clock(call.seen_at, zone.value) })
        : t("page.doors.waits", { n: waited, when: clock(call.called_at, zone.value) })}
    </span>
    <span class="row">
      ${!call.seen_at && html`<button type="button" class="button primary" onClick=${() => see(call)}>${t("page.doors.see")}</button>`}
      <button type="button" class="button" onClick=${() => close(call)}>${t("page.doors.close")}</button>
    </span>
  </li>`;
}

function Incident({ incident }) {
  const path = `${base}/incidents/${incident.id}`;
  const add = async (submit) => {
    submit.preventDefault();
    const text = (note.value[incident.id] ?? "").trim();
    if (text && (await act("POST", `${path}/actions`, { text }))) {
      note.value = { ...note.value, [incident.id]: "" };
    }
  };
  return html`<li class="incident">
    <div class="act-head">
      <b>${t(`page.incident.${incident.kind}`)}</b>
      <span class="small soft figure">${clock(incident.started_at, zone.value)}</span>
    </div>
    <p class="name">${incident.summary}</p>
    <p class="small soft name">${[incident.area, incident.gate, incident.owner].filter(Boolean).join(" · ")}</p>
    <form class="row" onSubmit=${add}>
      <label class="unseen" for=${`note-${incident.id}`}>${t("page.doors.action")}</label>
      <input
        class="input grow"
        id=${`note-${incident.id}`}
        placeholder=${t("page.doors.action")}
        value=${note.value[incident.id] ?? ""}
        onInput=${(input) => (note.value = { ...note.value, [incident.id]: input.currentTarget.value })}
      />
      <button class="button" type="submit">${t("page.doors.add")}</button>
      <button type="button" class="button" onClick=${() => act("PATCH", path, { state: "closed" })}>${t("page.doors.close")}</button>
    </form>
  </li>`;
}

function Report() {
  const send = async (submit) => {
    submit.preventDefault();
    const form = submit.currentTarget;
    const { kind, summary, area, owner } = form.elements;
    const body = { kind: kind.value, summary: summary.value.trim() };
    if (area.value) body.area_id = area.value;
    if (owner.value.trim()) body.owner = owner.value.trim();
    if (await act("POST", `${base}/incidents`, body)) form.reset();
  };
  return html`<form class="report" onSubmit=${send}>
    <div class="field">
      <label for="incident-kind">${t("page.doors.incident_kind")}</label>
      <select class="input" id="incident-kind" name="kind">
        ${KINDS.map((kind) => html`<option key=${kind} value=${kind}>${t(`page.incident.${kind}`)}</option>`)}
      </select>
    </div>
    <div class="field">
      <label for="incident-area">${t("page.doors.incident_area")}</label>
      <select class="input" id="incident-area" name="area">
        <option value="">–</option>
        ${event.value.areas.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
      </select>
    </div>
    <div class="field">
      <label for="incident-owner">${t("page.doors.incident_owner")}</label>
      <input class="input" id="incident-owner" name="owner" maxlength="100" />
    </div>
    <div class="field wide">
      <label for="incident-summary">${t("page.doors.incident_summary")}</label>
      <input class="input" id="incident-summary" name="summary" maxlength="2000" required />
    </div>
    <button class="button primary" type="submit" disabled=${busy.value}>${t("page.doors.report")}</button>
  </form>`;
}

export function Calls() {
  const { calls, incidents } = alerts.value;
  const see = (call) => act("POST", `${base}/help-calls/${call.id}/seen`);
  const close = (call) => act("POST", `${base}/help-calls/${call.id}/close`);
  return html`<section class="panel act-panel" aria-label=${t("page.doors.calls")}>
      <h2>${t("page.doors.calls")}</h2>
      ${calls.length === 0
        ? html`<p class="empty">${t("page.doors.no_calls")}</p>`
        : html`<ul class="calls">
            ${calls.map((call) => html`<${CallLine} key=${call.id} call=${call} see=${see} close=${close} />`)}
          </ul>`}
    </section>
    <section class="panel act-panel" aria-label=${t("page.doors.incidents")}>
      <h2>${t("page.doors.incidents")}</h2>
      <${Report} />
      ${incidents.length === 0
        ? html`<p class="empty">${t("page.doors.no_incidents")}</p>`
        : html`<ul class="incidents">
            ${incidents.map((incident) => html`<${Incident} key=${incident.id} incident=${incident} />`)}
          </ul>`}
    </section>`;
}
