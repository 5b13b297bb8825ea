// The parts that sheets are made of: the box itself, a pad for PINs, and signing on.
import { html, signal, useEffect, useLayoutEffect, useRef } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import * as state from "/scan/js/state.js";
import { vibrate } from "/scan/js/sound.js";

const PIN_MAX = 12;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "back", "0", "ok"];

const pin = signal("");
const names = signal([]);
const chosen = signal("");
export const problem = signal(null);

// What a PIN opens beside the server: {signedOn(pin), openAlone(pin), vault}; none on
// phones that let nobody in.
let pins = null;

export function holdPins(keeper) {
  pins = keeper;
}

export function closeSheet() {
  state.sheet.value = null;
}

export function openSheet(name) {
  pin.value = "";
  problem.value = null;
  state.sheet.value = name;
}

export function sentenceOf(reply) {
  if (reply.status === 0) return t("page.all.no_answer");
  return reply.data?.detail || t("page.all.trouble");
}

export function Sheet({ title, children, wide = false, onClose = closeSheet }) {
  const box = useRef(null);
  // Before the children's effects: opening moves the focus, and they move it on.
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return html`<dialog class=${`sheet ${wide ? "wide" : ""}`} ref=${box} aria-label=${title} onCancel=${onClose}>
    <div class="sheet-head">
      <h2>${title}</h2>
      <button type="button" class="button plain" onClick=${onClose} aria-label=${t("page.all.close")}>
        ✕
      </button>
    </div>
    ${children}
  </dialog>`;
}

export function Problem() {
  return problem.value && html`<p class="notice bad" role="alert">${problem.value}</p>`;
}

export function PinPad({ done }) {
  const press = (key) => {
    problem.value = null;
    if (key === "ok") done();
    else if (key === "back") pin.value = pin.value.slice(0, -1);
    else if (pin.value.length < PIN_MAX) pin.value += key;
  };
  const typed = (event) => {
    if (/^\d$/.test(event.key)) press(event.key);
    else if (event.key === "Backspace") press("back");
    else if (event.key === "Enter") press("ok");
    else return;
    event.preventDefault();
  };
  const box = useRef(null);
  useEffect(() => box.current.focus(), []);
  return html`<div class="pin" ref=${box} tabindex="0" role="group" aria-label=${t("page.scan.pin")} onKeyDown=${typed}>
    <output class="pin-dots figure" aria-label=${t("page.scan.pin_length", { n: pin.value.length })}>
      ${"●".repeat(pin.value.length) || "–"}
    </output>
    <div class="pin-keys">
      ${KEYS.map(
        (key) => html`<button
          type="button"
          key=${key}
          class=${`button ${key === "ok" ? "primary" : ""}`}
          aria-label=${key === "back" ? t("page.scan.pin_back") : undefined}
          onClick=${() => press(key)}
        >
          ${{ back: "⌫", ok: t("page.scan.pin_ok") }[key] ?? key}
        </button>`,
      )}
    </div>
  </div>`;
}

// A PIN signs a person on and opens what stands behind it (`then`); with `once` for one
// action only: whoever was on before comes back afterwards.
export function SignOnForm({ post, then, once = false }) {
  useEffect(() => {
    post("/api/v1/devices/operators", undefined, 4_000).then(({ status, data }) => {
      const found = status === 200 && Array.isArray(data) ? data : [];
      names.value = once ? found.filter(({ role }) => role !== "steward") : found;
      chosen.value = "";
    });
  }, []);
  const send = async () => {
    const body = { pin: pin.value };
    if (chosen.value) body.operator_id = chosen.value;
    if (once) body.once = true;
    const tried = pin.value;
    const reply = await post("/api/v1/devices/operator", body, 5_000);
    pin.value = "";
    if (reply.status === 200) {
      state.operator.value = reply.data.operator ?? reply.data;
      if (!once) pins?.signedOn(tried).catch(() => {});
      then(state.operator.value);
    } else if (reply.status === 0 && pins && state.operator.value && !once) {
      await withoutServer(tried, then);
    } else {
      if (reply.data?.code === "wrong_pin") await pins?.vault.wrong();
      problem.value = sentenceOf(reply);
      vibrate([60, 40, 60]);
    }
  };
  return html`<${Problem} />
    ${names.value.length > 0 &&
    html`<div class="field">
      <label for="operator-name">${t("page.scan.who")}</label>
      <select
        class="input"
        id="operator-name"
        value=${chosen.value}
        onChange=${(event) => {
          chosen.value = event.currentTarget.value;
        }}
      >
        <option value="">${t("page.scan.by_pin")}</option>
        ${names.value.map(({ id, name }) => html`<option value=${id} key=${id}>${name}</option>`)}
      </select>
    </div>`}
    <${PinPad} done=${send} />`;
}

// No server to ask: the PIN of whoever is signed on opens the names again.
async function withoutServer(tried, then) {
  const { names, left } = await pins.openAlone(tried);
  if (names) {
    then(state.operator.value);
    return;
  }
  problem.value = left ? t("page.scan.pin_left", { n: left }) : t("page.scan.pin_gone");
  vibrate([60, 40, 60]);
}

export function SignOn({ post, title, hint, then = closeSheet }) {
  return html`<${Sheet} title=${title}>
    <p class="soft">${hint}</p>
    <${SignOnForm} post=${post} then=${then} />
  <//>`;
}
