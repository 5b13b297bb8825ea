// What an imagined scan would say: the verdict, and every check in order.
import { html } from "/lib/ui.js";
import { has, t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { zone } from "/js/doors/model.js";

function Check({ check, nearest }) {
  const tone = check.passed === false ? "bad" : check.passed ? "good" : "";
  const key = `page.check.${check.name}`;
  return html`<li class=${`check ${tone} ${nearest ? "nearest" : ""}`}>
    <span class="check-mark" aria-hidden="true">${check.passed === false ? "✕" : check.passed ? "✓" : "–"}</span>
    <span>
      <b>${has(key) ? t(key) : check.name}</b>
      <span class="unseen">${t(check.passed === false ? "page.check.failed" : check.passed ? "page.check.passed" : "page.check.not_asked")}</span>
      ${check.message && html`<span class="name"> ${check.message}</span>`}
    </span>
  </li>`;
}

export function Imagined({ found }) {
  return html`<div class="why" role="status">
    <p class=${`why-answer ${found.verdict}`} data-verdict=${found.verdict} data-reason=${found.reason}>
      <b>${found.message}</b>
      <span class="name">${[found.holder, found.scope, clock(found.at, zone.value)].filter(Boolean).join(" · ")}</span>
      <span>${found.action}</span>
    </p>
    <ol class="checks">
      ${found.checks.map((check) => html`<${Check} key=${check.name} check=${check} nearest=${found.nearest?.name === check.name} />`)}
    </ol>
  </div>`;
}
