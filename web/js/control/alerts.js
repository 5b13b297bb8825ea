// The alerts that stand: what it is, where, since when; a button says who looks after it.
import { html, signal } from "/lib/ui.js";
import { inOrder, parameters, unseen } from "/lib/alert-rules.js";
import { call as ask } from "/lib/api.js";
import { locale, t } from "/lib/i18n.js";
import { clock, count } from "/lib/format.js";
import { alerts, attendance, eventId } from "/js/control/model.js";

const trouble = signal(null);

export function sentence(alert) {
  const say = (value) => count(value, locale());
  return t(`page.alert.${alert.rule}`, parameters(alert, say, t("page.control.unknown")));
}

async function acknowledge(alert) {
  try {
    await ask("POST", `/api/v1/events/${eventId}/alerts/${alert.id}/acknowledge`, {});
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
  return html`<li class=${`alert ${alert.gravity} ${alert.acknowledged_at ? "seen" : ""}`} data-rule=${alert.rule}>
    <${GravityMark} gravity=${alert.gravity} />
    <span class="alert-text">
      <span class="name">${sentence(alert)}</span>
      <span class="small soft figure">
        ${clock(alert.raised_at, zone, true)}${alert.acknowledged_by ? ` · ${t("page.alert.by", { name: alert.acknowledged_by })}` : ""}
      </span>
    </span>
    ${alert.case && html`<a class="small" href=${`/evidence.html?event=${eventId}&alert=${alert.id}`}>${t("page.alert.evidence")}</a>`}
    ${!alert.acknowledged_at &&
    html`<button type="button" class="button" onClick=${() => acknowledge(alert)}>${t("page.alert.take")}</button>`}
  </li>`;
}

export function Alerts() {
  const zone = attendance.value?.event.timezone;
  const raised = alerts.value?.raised ?? [];
  const list = inOrder(raised);
  const open = unseen(raised).length;
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
      ${alerts.value && list.length === 0 && html`<li class="empty">${t("page.alert.none")}</li>`}
      ${list.map((alert) => html`<${Alert} key=${alert.id} alert=${alert} zone=${zone} />`)}
    </ul>
  </section>`;
}
