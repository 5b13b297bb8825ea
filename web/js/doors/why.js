// "Why would this ticket be refused at gate B at 19:00?": every check, in order.
import { html, signal } from "/lib/ui.js";
import { language, t } from "/lib/i18n.js";
import { fromField } from "/lib/zoned.js";
import { Imagined } from "/js/doors/checks.js";
import { act, base, busy, gates, zone } from "/js/doors/model.js";

const answer = signal(null);

export function Why() {
  const ask = async (submit) => {
    submit.preventDefault();
    const { code, gate, direction, at } = submit.currentTarget.elements;
    const body = { code: code.value.trim(), gate_id: gate.value, direction: direction.value, language: language.value };
    if (at.value) body.at = fromField(at.value, zone.value);
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
    ${found && html`<${Imagined} found=${found} />`}
  </section>`;
}
