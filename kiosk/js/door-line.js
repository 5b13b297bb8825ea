// What the hub says of the doors: open or held, and whether the place behind this gate is
// full. It comes within a second; without the line the heartbeat's word holds (10 s), and
// nothing is said of a full place rather than something old.
import { html } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import * as state from "/scan/js/state.js";

export class DoorLine {
  constructor({ eventId }) {
    this.topic = `event:${eventId}:doors`;
  }

  take(data) {
    state.told.value = data;
  }

  lost() {
    state.told.value = null;
  }
}

export function FullBand() {
  const full = state.door.value?.full;
  if (!full || state.direction.value === "out") return null;
  const { place, may_enter: n, inside, capacity } = full;
  const words = { place: `\u2068${place}\u2069`, n, inside, capacity };
  return html`<p class=${`full-band ${n > 0 ? "some" : "none"}`} role="status" data-may-enter=${n}>
    <b>${t(n > 0 ? "page.scan.full.some" : "page.scan.full.none", words)}</b>
    <span class="small figure">${t("page.scan.full.of", words)}</span>
  </p>`;
}
