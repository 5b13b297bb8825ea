// Which sheet is open: each noun has a file of its own.
import { html, signal } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { Clicker } from "/scan/js/clicker.js";
import { closeSheet, openSheet, Sheet, SignOn } from "/scan/js/dialog.js";
import { HelpSheet } from "/scan/js/help.js";
import { BandSheet } from "/scan/js/band.js";
import { OverrideSheet } from "/scan/js/override.js";
import { RedeemSheet } from "/scan/js/redeem.js";
import { copy, locked, maySee, RollSheet } from "/scan/js/roll.js";
import { SearchSheet } from "/scan/js/search.js";
import { SetupSheet } from "/scan/js/setup.js";
import * as state from "/scan/js/state.js";

export { openSheet } from "/scan/js/dialog.js";

const sure = signal(false);

function Menu({ post, camera, unpair, keeper }) {
  const signOff = async () => {
    const reply = await post("/api/v1/devices/operator", { sign_off: true }, 5_000);
    if (reply.status === 200) {
      state.operator.value = null;
      await keeper?.forget();
    }
    closeSheet();
  };
  const item = (sheet, words) => html`<button type="button" class="button" onClick=${() => openSheet(sheet)}>
    ${t(words)}
  </button>`;
  // In an emergency nobody looks for the list of who is inside.
  const urgent = Boolean(copy.value?.roll?.emergency_id);
  return html`<${Sheet} title=${t("page.scan.menu")}>
    <p class="soft">
      <bdi class="name">${state.device.value.name ?? ""}</bdi> · <bdi class="name">${state.device.value.event.title}</bdi>
    </p>
    <div class="menu">
      ${urgent && item("roll", "page.scan.roll")}
      ${item("sign-on", state.operator.value ? "page.scan.change_operator" : "page.scan.sign_on")}
      ${state.operator.value &&
      html`<button type="button" class="button" onClick=${signOff}>${t("page.scan.sign_off")}</button>`}
      ${item("setup", "page.scan.setup")}
      <button
        type="button"
        class="button"
        onClick=${() => {
          state.mode.value = state.mode.value?.kind === "order" ? null : { kind: "order" };
          closeSheet();
        }}
      >
        ${t(state.mode.value?.kind === "order" ? "page.scan.orders_stop" : "page.scan.orders")}
      </button>
      ${item("redeem", "page.scan.redeem")}
      ${item("band", "page.scan.band")}
      ${!urgent && (maySee() || copy.value !== null || locked.value) && item("roll", "page.scan.roll")}
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

export function Sheets({ desk, post, camera, outbox, keeper, unpair }) {
  if (state.sheet.value !== "menu") sure.value = false;
  switch (state.sheet.value) {
    case "sign-on":
      return html`<${SignOn} post=${post} title=${t("page.scan.sign_on")} hint=${t("page.scan.sign_on_hint")} />`;
    case "setup":
      return html`<${SetupSheet} post=${post} />`;
    case "search":
      return html`<${SearchSheet} post=${post} desk=${desk} />`;
    case "help":
      return html`<${HelpSheet} outbox=${outbox} />`;
    case "count":
      return html`<${Clicker} outbox=${outbox} />`;
    case "roll":
      return html`<${RollSheet} keeper=${keeper} />`;
    case "redeem":
      return html`<${RedeemSheet} post=${post} />`;
    case "band":
      return html`<${BandSheet} post=${post} />`;
    case "override":
      return html`<${OverrideSheet} post=${post} desk=${desk} />`;
    case "menu":
      return html`<${Menu} post=${post} camera=${camera} unpair=${unpair} keeper=${keeper} />`;
    default:
      return null;
  }
}
