// Redemptions: drinks, lunch, cloakroom. A point and an item are chosen once; from then on
// each code is a redemption until the steward goes back to the door.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { uuid7 } from "/lib/uuid.js";
import { closeSheet, Problem, problem, sentenceOf, Sheet } from "/scan/js/dialog.js";
import * as state from "/scan/js/state.js";

const AGAIN_MS = 6_000;

const points = signal(null);
const point = signal("");
const quantity = signal(1);

export function redeeming() {
  return state.mode.value?.kind === "redeem";
}

// One code at the point: the answer in the shape that the verdict's screen shows.
export async function redeem(post, code, change = {}) {
  const { point_id: pointId, item_id: itemId, quantity: count } = state.mode.value;
  const id = uuid7();
  const body = { id, code, point_id: pointId, quantity: count, ...change };
  if (itemId) body.item_id = itemId;
  const path = `/api/v1/events/${state.device.value.event.id}/redemptions`;
  let reply = await post(path, body, AGAIN_MS);
  // The same id again: an unknown outcome is never a second drink.
  if (reply.status === 0) reply = await post(path, body, AGAIN_MS);
  return { id, reply };
}

export function RedeemSheet({ post }) {
  useEffect(() => {
    const path = `/api/v1/events/${state.device.value.event.id}/redemption-points`;
    post(path, undefined, 5_000).then((reply) => {
      if (reply.status === 200) {
        const names = new Map(reply.data.items.map(({ id, name }) => [id, name]));
        points.value = reply.data.points.map((at) => ({ ...at, item: names.get(at.item_id) }));
      }
      else problem.value = sentenceOf(reply);
    });
  }, []);
  if (redeeming()) {
    const stop = () => {
      state.mode.value = null;
      closeSheet();
    };
    return html`<${Sheet} title=${t("page.scan.redeem")}>
      <p>${t("page.redeem.now", { point: state.mode.value.point })}</p>
      <button type="button" class="button primary large" onClick=${stop}>${t("page.redeem.stop")}</button>
    <//>`;
  }
  const begin = () => {
    const chosen = points.value.find(({ id }) => id === point.value);
    state.mode.value = {
      kind: "redeem",
      point_id: chosen.id,
      point: [chosen.name, chosen.item].filter(Boolean).join(" · "),
      item_id: null,
      quantity: quantity.value,
    };
    closeSheet();
  };
  const pick = (words, value, list, set) => html`<div class="field">
    <label for=${words}>${t(words)}</label>
    <select class="input" id=${words} value=${value} onChange=${(event) => set(event.currentTarget.value)}>
      <option value="">–</option>
      ${list.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
    </select>
  </div>`;
  return html`<${Sheet} title=${t("page.scan.redeem")}>
    <${Problem} />
    ${points.value?.length === 0 && html`<p class="notice warn">${t("page.redeem.no_points")}</p>`}
    ${pick("page.redeem.point", point.value, points.value ?? [], (id) => (point.value = id))}
    <button type="button" class="button primary large" disabled=${!point.value} onClick=${begin}>
      ${t("page.redeem.begin")}
    </button>
  <//>`;
}
