// A stop of admission: at a gate, in an area or everywhere. Exits go on; devices that have
// not confirmed it are named until they do.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { call } from "/lib/api.js";
import { act, base, busy, event, gates, zone } from "/js/doors/model.js";

const READ_MS = 2_000;

export const stops = signal([]);
const sure = signal(false);

async function read() {
  try {
    stops.value = await call("GET", `${base}/admission/stops`);
  } catch {
    // The list stays; the page's own line says when the server is gone.
  }
}

function placeOf({ gate, area }) {
  return gate ?? area ?? t("page.doors.everywhere");
}

export function Stops() {
  useEffect(() => {
    read();
    const timer = setInterval(read, READ_MS);
    return () => clearInterval(timer);
  }, []);
  const stop = async (submit) => {
    submit.preventDefault();
    if (!sure.value) {
      sure.value = true;
      return;
    }
    sure.value = false;
    const { place, reason } = submit.currentTarget.elements;
    const [kind, id] = place.value.split(" ");
    const body = { reason: reason.value.trim() };
    if (kind === "gate") body.gate_id = id;
    if (kind === "area") body.area_id = id;
    const found = await act("POST", `${base}/admission/stop`, body);
    if (found) stops.value = found;
  };
  const reopen = async (one) => {
    const body = { reason: t("page.doors.reopen"), stop_id: one.id };
    const found = await act("POST", `${base}/admission/reopen`, body);
    if (found) stops.value = found === true ? [] : found;
  };
  return html`<section class="panel act-panel" aria-label=${t("page.doors.stop")}>
    <h2>${t("page.doors.stop")}</h2>
    ${stops.value.map(
      (one) => html`<div class="stop-line" key=${one.id} role="alert">
        <b>${t("page.doors.stopped", { place: placeOf(one), when: clock(one.stopped_at, zone.value, true) })}</b>
        <span class="name">${one.reason}</span>
        <span class="small">
          ${one.unconfirmed.length === 0
            ? t("page.doors.all_confirmed")
            : t("page.doors.unconfirmed", { names: one.unconfirmed.join(", ") })}
        </span>
        <button type="button" class="button" disabled=${busy.value} onClick=${() => reopen(one)}>${t("page.doors.reopen")}</button>
      </div>`,
    )}
    <form class="row" onSubmit=${stop}>
      <div class="field">
        <label for="stop-place">${t("page.doors.stop_where")}</label>
        <select class="input" id="stop-place" name="place">
          <option value="event">${t("page.doors.everywhere")}</option>
          ${event.value.areas.map(({ id, name }) => html`<option key=${id} value=${`area ${id}`}>${name}</option>`)}
          ${gates.value.map(({ id, name }) => html`<option key=${id} value=${`gate ${id}`}>${name}</option>`)}
        </select>
      </div>
      <div class="field grow">
        <label for="stop-reason">${t("page.override.reason")}</label>
        <input class="input" id="stop-reason" name="reason" required maxlength="300" />
      </div>
      <button class="button danger" type="submit" disabled=${busy.value}>
        ${t(sure.value ? "page.doors.sure" : "page.doors.stop_now")}
      </button>
    </form>
  </section>`;
}
