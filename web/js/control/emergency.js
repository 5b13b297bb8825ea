// The strip above everything while an emergency or a drill is open.
import { html } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { alerts, attendance, eventId } from "/js/control/model.js";

export function EmergencyStrip() {
  const open = alerts.value?.emergency;
  if (!open) return null;
  const zone = attendance.value?.event.timezone;
  return html`<a class=${`emergency-strip ${open.drill ? "drill" : open.cleared_at ? "cleared" : ""}`} role="alert" href=${`/emergency.html?event=${eventId}`}>
    <b>${t(open.drill ? "page.emergency.drill" : "page.emergency.title")}</b>
    <span class="name">${open.place ?? t("page.doors.everywhere")} · ${open.reason}</span>
    <span class="figure">
      ${open.cleared_at
        ? `${t("page.emergency.did.cleared")} ${clock(open.cleared_at, zone, true)}`
        : t("page.emergency.since", { when: clock(open.started_at, zone, true) })}
    </span>
  </a>`;
}
