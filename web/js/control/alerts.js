// The alerts that stand: what it is, where, since when; a button says who looks after it.
// Many of a kind are one line that opens; what is for information asks for nobody.
import { html, signal } from "/lib/ui.js";
import { about, parameters, toSee, wall } from "/lib/alert-rules.js";
import { call as ask } from "/lib/api.js";
import { has, locale, t } from "/lib/i18n.js";
import { clock, count } from "/lib/format.js";
import { alerts, attendance, eventId } from "/js/control/model.js";

const trouble = signal(null);

export function sentence(alert) {
  const say = (value) => count(value, locale());
  return t(`page.alert.${alert.rule}`, parameters(alert, say, t("page.control.unknown")));
}

// What to do about it, until somebody sees to it.
export function advice(alert) {
  const key = `page.alert.do.${alert.rule}`;
  return alert.acknowledged_at || !has(key) ? null : t(key);
}

async function acknowledge(alert) {
  try {
    await ask("POST", `/api/v1/events/${eventId}/alerts/${alert.id}/acknowledge`, {});
    trouble.value = null;
  } catch (error) {
    trouble.value = error.detail || t("page.all.no_answer");
  }
}

// All of a rule that stood when this page last heard: one that came since stays to be seen.
async function acknowledgeAll(line) {
  const body = { rule: line.rule, until: line.newest_at };
  try {
    await ask("POST", `/api/v1/events/${eventId}/alerts/acknowledge`, body);
    trouble.value = null;
  } catch (error) {
    trouble.value = error.detail || t("page.all.no_answer");
  }
}

// A shape for each gravity, so that nobody needs to see its colour.
const SHAPES = {
  bad: html`<path d="M10 2 19 18H1z" /><path d="M10 8v4M10 15v.4" />`,
  warn: html`<circle cx="10" cy="10" r="8" /><path d="M10 5.5v5M10 14v.4" />`,
  info: html`<rect x="2" y="2" width="16" height="16" rx="3" /><path d="M10 9v5M10 6v.4" />`,
};

export function GravityMark({ gravity }) {
  return html`<svg class=${`gravity ${gravity}`} viewBox="0 0 20 20" role="img" aria-label=${t(`page.alert.gravity.${gravity}`)}>
    ${SHAPES[gravity] ?? SHAPES.info}
  </svg>`;
}

function Alert({ alert, zone }) {
  return html`<li class=${`alert ${alert.gravity} ${alert.acknowledged_at ? "seen" : ""}`} data-rule=${alert.rule} data-id=${alert.id}>
    <${GravityMark} gravity=${alert.gravity} />
    <span class="alert-text">
      <span class="name">${sentence(alert)}</span>
      ${advice(alert) && html`<span class="small soft alert-advice">${advice(alert)}</span>`}
      <span class="small soft figure">
        ${clock(alert.raised_at, zone, true)}${alert.acknowledged_by ? ` · ${t("page.alert.by", { name: alert.acknowledged_by })}` : ""}
      </span>
    </span>
    ${alert.case && html`<a class="small" href=${`/evidence.html?event=${eventId}&alert=${alert.id}`}>${t("page.alert.evidence")}</a>`}
    ${!alert.acknowledged_at && alert.gravity !== "info" &&
    html`<button type="button" class="button" onClick=${() => acknowledge(alert)}>${t("page.alert.take")}</button>`}
  </li>`;
}

function Many({ line, zone }) {
  const { names, more } = about(line);
  const say = (value) => count(value, locale());
  const seen = line.unseen === 0;
  const info = line.gravity === "info";
  return html`<li class=${`alert many ${line.gravity} ${seen || info ? "seen" : ""}`} data-rule=${line.rule} data-n=${line.standing}>
    <${GravityMark} gravity=${line.gravity} />
    <details class="alert-text">
      <summary>
        <span class="name">${t(`page.alert.name.${line.rule}`)}</span> <span class="chip figure">${say(line.standing)}</span>
        ${!seen && !info && line.unseen < line.standing && html` <span class="chip bad figure">${t("page.alert.unseen", { n: say(line.unseen) })}</span>`}
        <span class="small soft alert-names">
          <span class="figure">${clock(line.newest_at, zone, true)}</span>${names && " · "}${more > 0 ? t("page.alert.and_more", { names, n: say(more) }) : names}
        </span>
      </summary>
      <ul class="alert-list">
        ${line.alerts.map((alert) => html`<${Alert} key=${alert.id} alert=${alert} zone=${zone} />`)}
        ${line.alerts.length < line.standing &&
        html`<li class="alert small"><a href=${`/watch.html?event=${eventId}`}>${t("page.alert.not_here", { n: say(line.standing - line.alerts.length) })}</a></li>`}
      </ul>
    </details>
    ${!seen && !info && html`<button type="button" class="button" onClick=${() => acknowledgeAll(line)}>${t("page.alert.take_all")}</button>`}
  </li>`;
}

export function Alerts() {
  const zone = attendance.value?.event.timezone;
  const shown = wall(alerts.value?.raised ?? [], alerts.value?.rules);
  const { lines, told } = shown;
  const open = toSee(shown);
  return html`<section class="panel alerts" aria-label=${t("page.watch.title")}>
    <div class="panel-head">
      <h2>${t("page.watch.title")}</h2>
      <span class="alert-tools">
        ${open > 0 && html`<span class="chip bad figure">${t("page.alert.open", { n: open })}</span>`}
        <a class="small" href=${`/watch.html?event=${eventId}`}>${t("page.alert.all")}</a>
      </span>
    </div>
    ${trouble.value && html`<p class="notice bad" role="alert">${trouble.value}</p>`}
    <ul class="scroll alert-list" tabindex="0" aria-live="polite" aria-label=${t("page.watch.title")}>
      ${alerts.value && lines.length === 0 && html`<li class="empty">${t("page.alert.none")}</li>`}
      ${lines.map((line) =>
        line.alert
          ? html`<${Alert} key=${line.key} alert=${line.alert} zone=${zone} />`
          : html`<${Many} key=${line.key} line=${line} zone=${zone} />`,
      )}
      ${told.map((line) => html`<${Many} key=${line.key} line=${line} zone=${zone} />`)}
    </ul>
  </section>`;
}
