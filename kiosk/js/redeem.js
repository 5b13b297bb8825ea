// Redemptions: drinks, lunch, cloakroom. A point and an item are chosen once; from then on
// each code is a redemption until the steward goes back to the door.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { uuid7 } from "/lib/uuid.js";
import { closeSheet, Problem, problem, sentenceOf, Sheet } from "/scan/js/dialog.js";
import * as state from "/scan/js/state.js";

const SILENCE_MS = 1_500;
const AGAIN_MS = 6_000;

const QUANTITIES = [1, 2, 3, 4];

const points = signal(null);
const items = signal([]);
const point = signal("");
// What is handed out where the point says nothing: a bar has more than one thing.
const item = signal("");
const quantity = signal(1);

export function redeeming() {
  return state.mode.value?.kind === "redeem";
}

// One code at the point: the answer in the shape that the verdict's screen shows.
// alone, outbox: who hands out by the device's share where the network is gone.
export async function redeem(post, code, change = {}, { alone = null, outbox = null } = {}) {
  const { point_id: pointId, item_id: itemId, quantity: count } = state.mode.value;
  const id = uuid7();
  const body = { id, code, point_id: pointId, quantity: count, ...change };
  if (itemId) body.item_id = itemId;
  const path = `/api/v1/events/${state.device.value.event.id}/redemptions`;
  const asked = { id, code, itemId, quantity: count, idSeen: change.id_seen === true };
  const reply = await post(path, body, SILENCE_MS);
  if (reply.status === 200 && reply.data.verdict === "redeemed" && itemId && reply.data.ticket_id) {
    await alone?.rememberUnits(reply.data.ticket_id, asked);
  }
  if (reply.status !== 0) return { id, reply };
  const own = await giveAlone(alone, outbox, path, body, asked);
  if (own) return { id, reply: own };
  // The same id again: an unknown outcome is never a second drink.
  return { id, reply: await post(path, body, AGAIN_MS) };
}

// Kept, and on its way to the server, before anybody is handed anything.
async function giveAlone(alone, outbox, path, body, asked) {
  if (!alone || !outbox || !asked.itemId) return null;
  const at = new Date(Date.now() + state.skewMs.value);
  const made = await alone.giveUnits({ ...asked, atMs: at.getTime() }).catch(() => null);
  if (!made) return null;
  if (made.verdict === "redeemed") {
    const told = { ...body, offline: true, redeemed_at: at.toISOString() };
    await outbox.add({ id: body.id, kind: "redemption", path, body: told });
  }
  const args = { item: made.item?.name ?? "", quantity: body.quantity, left: made.left, years: made.minAge };
  const { verdict, reason, left } = made;
  const data = { id: body.id, verdict, reason, left, item: args.item, alone: true, min_age: made.minAge || null };
  return { status: 200, data: { ...data, message: t(`redemption.${reason}`, args) } };
}

export function RedeemSheet({ post }) {
  useEffect(() => {
    const path = `/api/v1/events/${state.device.value.event.id}/redemption-points`;
    let timer = null;
    let open = true;
    // A server that had no moment just now is asked again while the sheet is open.
    const load = async () => {
      const reply = await post(path, undefined, 5_000);
      if (!open) return;
      problem.value = reply.status === 200 ? null : sentenceOf(reply);
      if (reply.status !== 200) {
        timer = setTimeout(load, AGAIN_MS);
        return;
      }
      items.value = reply.data.items;
      points.value = reply.data.points;
    };
    load();
    return () => {
      open = false;
      clearTimeout(timer);
    };
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
  const chosen = points.value?.find(({ id }) => id === point.value);
  const named = chosen && (chosen.item_id ?? item.value);
  const begin = () => {
    state.mode.value = {
      kind: "redeem",
      point_id: chosen.id,
      point: [chosen.name, items.value.find(({ id }) => id === named)?.name, quantity.value > 1 && `× ${quantity.value}`].filter(Boolean).join(" · "),
      item_id: named,
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
    ${chosen && !chosen.item_id && pick("page.redeem.item", item.value, items.value, (id) => (item.value = id))}
    <div class="quantities figure" role="group" aria-label=${t("page.redeem.quantity")}>
      ${QUANTITIES.map(
        (n) => html`<button type="button" class="button large" key=${n} aria-pressed=${quantity.value === n} onClick=${() => (quantity.value = n)}>
          ${n}
        </button>`,
      )}
    </div>
    <button type="button" class="button primary large" disabled=${!named} onClick=${begin}>
      ${t("page.redeem.begin")}
    </button>
  <//>`;
}
