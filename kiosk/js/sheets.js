// What a steward opens for a moment: signing on, turning the direction, the menu.
import { html, signal, useEffect, useLayoutEffect, useRef } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import * as state from "/scan/js/state.js";

const PIN_MAX = 12;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "back", "0", "ok"];

const pin = signal("");
const problem = signal(null);
const names = signal([]);
const chosen = signal("");
const sure = signal(false);

function close() {
  state.sheet.value = null;
}

export function openSheet(name) {
  pin.value = "";
  problem.value = null;
  sure.value = false;
  state.sheet.value = name;
}

function Sheet({ title, children }) {
  const box = useRef(null);
  // Before the children's effects: opening moves the focus, and they move it on.
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return html`<dialog class="sheet" ref=${box} aria-label=${title} onCancel=${close}>
    <div class="sheet-head">
      <h2>${title}</h2>
      <button type="button" class="button plain" onClick=${close} aria-label=${t("page.all.close")}>
        ✕
      </button>
    </div>
    ${children}
  </dialog>`;
}

function PinPad({ done }) {
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

// A PIN signs a person on; with `then` it also opens what stands behind it.
function SignOn({ post, title, hint, then = close }) {
  useEffect(() => {
    post("/api/v1/devices/operators", undefined, 4_000).then(({ status, data }) => {
      names.value = status === 200 && Array.isArray(data) ? data : [];
    });
  }, []);
  const send = async () => {
    const body = { pin: pin.value };
    if (chosen.value) body.operator_id = chosen.value;
    const reply = await post("/api/v1/devices/operator", body, 5_000);
    pin.value = "";
    if (reply.status === 200) {
      state.operator.value = reply.data.operator ?? reply.data;
      then();
    } else {
      problem.value = reply.status === 0 ? t("page.all.no_answer") : reply.data?.detail;
      navigator.vibrate?.([60, 40, 60]);
    }
  };
  return html`<${Sheet} title=${title}>
    <p class="soft">${hint}</p>
    ${problem.value && html`<p class="notice bad" role="alert">${problem.value}</p>`}
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
    <${PinPad} done=${send} />
  <//>`;
}

function turnDirection() {
  state.override.value = state.direction.value === "in" ? "out" : "in";
  close();
}

function Menu({ post, camera, unpair }) {
  const signOff = async () => {
    const reply = await post("/api/v1/devices/operator", { sign_off: true }, 5_000);
    if (reply.status === 200) state.operator.value = null;
    close();
  };
  return html`<${Sheet} title=${t("page.scan.menu")}>
    <p class="soft">
      ${state.device.value.name ?? ""} · ${state.device.value.event.title}
    </p>
    <div class="menu">
      <button type="button" class="button" onClick=${() => openSheet("sign-on")}>
        ${state.operator.value ? t("page.scan.change_operator") : t("page.scan.sign_on")}
      </button>
      ${state.operator.value &&
      html`<button type="button" class="button" onClick=${signOff}>${t("page.scan.sign_off")}</button>`}
      ${camera.torch.value !== null &&
      html`<button type="button" class="button" onClick=${() => camera.switchTorch()}>
        ${t("page.scan.torch")}
      </button>`}
      <${LanguageSwitch} />
      <${ThemeSwitch} />
      <button
        type="button"
        class="button"
        disabled=${state.waitingCount.value > 0}
        onClick=${() => {
          if (sure.value) unpair();
          sure.value = true;
        }}
      >
        ${t(sure.value ? "page.scan.unpair_sure" : "page.scan.unpair")}
      </button>
    </div>
  <//>`;
}

export function Sheets({ post, camera, unpair }) {
  switch (state.sheet.value) {
    case "sign-on":
      return html`<${SignOn} post=${post} title=${t("page.scan.sign_on")} hint=${t("page.scan.sign_on_hint")} />`;
    case "direction":
      return html`<${SignOn}
        post=${post}
        title=${t("page.scan.turn")}
        hint=${t("page.scan.turn_hint")}
        then=${turnDirection}
      />`;
    case "menu":
      return html`<${Menu} post=${post} camera=${camera} unpair=${unpair} />`;
    default:
      return null;
  }
}
