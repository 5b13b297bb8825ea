// Counting people without tickets: one thumb, large taps, an undo; offline like scans.
import { html, signal } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { uuid7 } from "/lib/uuid.js";
import { Sheet } from "/scan/js/dialog.js";
import * as state from "/scan/js/state.js";
import { vibrate } from "/scan/js/sound.js";

const STEPS = [1, 2, 5];
const UNDO_MAX = 20;

// What was tapped here since the page opened: signed numbers, newest last.
const taps = signal([]);
// What the server said last: people counted in the place, and how many are inside.
export const told = signal(null);

export function countTold(data) {
  told.value = data.place;
}

function sum(list, way) {
  return list.filter((n) => Math.sign(n) === way).reduce((all, n) => all + Math.abs(n), 0);
}

export function Clicker({ outbox }) {
  const gate = state.gate.value;
  const send = (delta) => {
    const id = uuid7();
    vibrate(20);
    return outbox.add({
      id,
      kind: "count",
      path: `/api/v1/events/${state.device.value.event.id}/counts`,
      body: { id, gate_id: gate?.id, delta },
    });
  };
  const tap = (delta) => {
    taps.value = [...taps.value, delta].slice(-UNDO_MAX);
    send(delta);
  };
  const undo = () => {
    const last = taps.value.at(-1);
    taps.value = taps.value.slice(0, -1);
    send(-last);
  };
  const row = (way, words) => html`<div class=${`tap-row ${way > 0 ? "in" : "out"}`} role="group" aria-label=${t(words)}>
    <b>${t(words)}</b>
    ${STEPS.map(
      (step) => html`<button type="button" class="button tap" key=${step} onClick=${() => tap(way * step)} aria-label=${`${t(words)} ${step}`}>
        ${way > 0 ? "+" : "−"}${step}
      </button>`,
    )}
  </div>`;
  return html`<${Sheet} title=${t("page.count.title")} wide>
    <p class="soft">${t("page.count.hint", { gate: gate?.name ?? t("page.scan.no_gate") })}</p>
    ${gate
      ? html`${row(1, "page.scan.direction.in")} ${row(-1, "page.scan.direction.out")}
          <p class="tap-sum figure" role="status">
            <span>${t("page.count.here", { i: sum(taps.value, 1), o: sum(taps.value, -1) })}</span>
            ${told.value?.inside !== undefined &&
            html`<span>${t("page.count.inside", { n: told.value.inside })}</span>`}
          </p>
          <button type="button" class="button large" disabled=${taps.value.length === 0} onClick=${undo}>
            ${taps.value.length === 0
              ? t("page.scan.undo")
              : t("page.count.undo", { n: taps.value.at(-1) > 0 ? `+${taps.value.at(-1)}` : `−${-taps.value.at(-1)}` })}
          </button>`
      : html`<p class="notice warn">${t("page.count.no_gate")}</p>`}
  <//>`;
}
