// What the network's absence may cost at this moment, live: the number that no other wall
// shows. Calm while it is nothing, loud where nothing bounds it.
import { html } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { count } from "/lib/format.js";
import { eventId, price } from "/js/control/model.js";

export function Price() {
  const now = price.value;
  if (now?.refused) return null;
  // Its place is kept, so that nothing moves when the number comes.
  if (!now) return html`<p class="price unknown" aria-hidden="true"> </p>`;
  const { double_entries_possible: worst, devices_away: away, conflicts } = now;
  const tone = worst === null ? "bad" : worst > 0 ? "warn" : "good";
  const words =
    worst === null
      ? t("page.offline.unbounded", { away })
      : t("page.offline.worst", { n: count(worst, locale()), away });
  return html`<p class=${`price ${tone}`} role="status" data-worst=${worst ?? "open"} data-old=${now.old}>
    <a href=${`/doors.html?event=${eventId}#offline`}>${words}</a>
    ${conflicts > 0 && html`<span class="chip bad">${t("page.control.conflicts", { n: count(conflicts, locale()) })}</span>`}
    ${now.old && html`<span class="chip bad">${t("page.control.devices_old")}</span>`}
  </p>`;
}
