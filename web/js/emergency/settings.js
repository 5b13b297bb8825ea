// How this event handles an emergency, and the reports of what was.
import { html, useEffect } from "/lib/ui.js";
import { language, locale, t } from "/lib/i18n.js";
import { clock, day } from "/lib/format.js";
import { act, base, busy, zone } from "/js/doors/model.js";
import { past, readPast, settings } from "/js/emergency/model.js";

export function Settings() {
  const save = async (submit) => {
    submit.preventDefault();
    const { two, points } = submit.currentTarget.elements;
    const lines = points.value.split("\n").map((line) => line.trim());
    const body = { two_people: two.checked, assembly_points: lines.filter(Boolean) };
    const kept = await act("PUT", `${base}/emergency/settings`, body, { words: "page.me.saved" });
    if (kept) settings.value = kept;
  };
  return html`<form class="panel act-panel" onSubmit=${save} aria-label=${t("page.emergency.tab.settings")}>
    <label class="choice">
      <input type="checkbox" name="two" defaultChecked=${settings.value.two_people} />
      <span>${t("page.emergency.two_people")}</span>
    </label>
    <div class="field">
      <label for="points">${t("page.emergency.points")}</label>
      <textarea class="input points" id="points" name="points" rows="5" defaultValue=${settings.value.assembly_points.join("\n")}></textarea>
    </div>
    <button type="submit" class="button primary" disabled=${busy.value}>${t("page.emergency.save")}</button>
  </form>`;
}

export function Past() {
  useEffect(() => {
    readPast().catch(() => {});
  }, []);
  const printed = (one) => `${base}/emergencies/${one.id}/report.pdf?language=${language.value}`;
  return html`<section class="panel act-panel" aria-label=${t("page.emergency.tab.past")}>
    ${past.value.length === 0 && html`<p class="empty">${t("page.emergency.no_past")}</p>`}
    <ul class="roll">
      ${past.value.map(
        (one) => html`<li key=${one.id}>
          <span>
            <span class=${`chip ${one.drill ? "warn" : "bad"}`}>${t(one.drill ? "page.emergency.drill" : "page.emergency.live")}</span>
            <b class="name"> ${one.reason}</b>
            <span class="small soft figure"> ${day(one.started_at, locale(), zone.value)}, ${clock(one.started_at, zone.value)}</span>
          </span>
          <a class="button" href=${printed(one)} download=${`emergency-${one.id}.pdf`}>${t("page.emergency.pdf")}</a>
        </li>`,
      )}
    </ul>
  </section>`;
}
