// "Why would this ticket be refused at gate B at 19:00?": every check, in order.
import { html, signal } from "/lib/ui.js";
import { has, language, t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { act, base, busy, gates, zone } from "/js/doors/model.js";

const answer = signal(null);

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

export function Why() {
  const ask = async (submit) => {
    submit.preventDefault();
    const { code, gate, direction, at } = submit.currentTarget.elements;
    const body = { code: code.value.trim(), gate_id: gate.value, direction: direction.value, language: language.value };
    if (at.value) body.at = new Date(at.value).toISOString();
    answer.value = await act("POST", `${base}/simulate`, body, { words: "page.doors.asked" });
  };
  const found = answer.value;
  return html`<section class="panel act-panel" aria-label=${t("page.doors.tab.why")}>
    <p class="soft">${t("page.doors.why_hint")}</p>
    <form class="row" onSubmit=${ask}>
      <div class="field grow">
        <label for="why-code">${t("page.doors.why_code")}</label>
        <input class="input" id="why-code" name="code" required autocomplete="off" />
      </div>
      <div class="field">
        <label for="why-gate">${t("page.doors.head.gate")}</label>
        <select class="input" id="why-gate" name="gate">
          ${gates.value.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
        </select>
      </div>
      <div class="field">
        <label for="why-direction">${t("page.scan.setup.direction")}</label>
        <select class="input" id="why-direction" name="direction">
          <option value="in">${t("page.scan.direction.in")}</option>
          <option value="out">${t("page.scan.direction.out")}</option>
        </select>
      </div>
      <div class="field">
        <label for="why-at">${t("page.doors.why_at")}</label>
        <input class="input" id="why-at" name="at" type="datetime-local" />
      </div>
      <button class="button primary" type="submit" disabled=${busy.value}>${t("page.doors.why_ask")}</button>
    </form>
    ${found &&
    html`<div class="why" role="status">
      <p class=${`why-answer ${found.verdict}`} data-verdict=${found.verdict}>
        <b>${found.message}</b>
        <span class="name">${[found.holder, found.scope, clock(found.at, zone.value)].filter(Boolean).join(" · ")}</span>
        <span>${found.action}</span>
      </p>
      <ol class="checks">
        ${found.checks.map((check) => html`<${Check} key=${check.name} check=${check} nearest=${found.nearest?.name === check.name} />`)}
      </ol>
    </div>`}
  </section>`;
}
