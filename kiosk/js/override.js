// A supervisor lets somebody in whom the rules do not: a PIN for this one action, a
// reason, and the steward is on again afterwards.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { closeSheet, Problem, Sheet, SignOnForm } from "/scan/js/dialog.js";
import { shown } from "/scan/js/state.js";
import * as state from "/scan/js/state.js";

const REASONS = ["identity", "mistake", "organiser", "medical", "family"];

const reason = signal("");
const other = signal("");

export function OverrideSheet({ post, desk }) {
  useEffect(() => {
    reason.value = other.value = "";
  }, []);
  const said = reason.value === "other" ? other.value.trim() : reason.value && t(`page.override.why.${reason.value}`);
  const act = async () => {
    closeSheet();
    // What is on the screen is what is decided on; the server tells what came since.
    const { reason: saw = null, previous } = shown.value?.answer ?? {};
    const seen = { saw, previous: previous?.scan_id ?? null };
    const answered = desk.choose({ override: { reason: said, ...seen } });
    await answered;
    const reply = await post("/api/v1/devices/operator", { resume: true }, 5_000);
    if (reply.status === 200) state.operator.value = reply.data.operator;
  };
  const holder = shown.value?.answer?.ticket?.holder;
  return html`<${Sheet} title=${t("page.override.title")}>
    ${holder && html`<p class="picked"><bdi class="name">${holder}</bdi></p>`}
    <div class="field">
      <label for="override-why">${t("page.override.reason")}</label>
      <select class="input" id="override-why" value=${reason.value} onChange=${(event) => (reason.value = event.currentTarget.value)}>
        <option value="">–</option>
        ${REASONS.map((why) => html`<option key=${why} value=${why}>${t(`page.override.why.${why}`)}</option>`)}
        <option value="other">${t("page.override.why.other")}</option>
      </select>
    </div>
    ${reason.value === "other" &&
    html`<div class="field">
      <label for="override-other">${t("page.override.other")}</label>
      <input class="input" id="override-other" maxlength="300" onInput=${(event) => (other.value = event.currentTarget.value)} />
    </div>`}
    ${said
      ? html`<p class="soft">${t("page.override.pin")}</p>
          <${SignOnForm} post=${post} then=${act} once />`
      : html`<${Problem} /><p class="soft">${t("page.override.first_reason")}</p>`}
  <//>`;
}
