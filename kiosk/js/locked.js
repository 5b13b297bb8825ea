// A locked device shows a PIN and nothing else: no names, no camera, no list.
import { html } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { LanguageSwitch } from "/lib/tools.js";
import { SignOnForm } from "/scan/js/dialog.js";
import * as state from "/scan/js/state.js";

export function Locked({ post }) {
  const open = () => {
    state.config.value = { ...state.config.value, locked: false };
  };
  return html`<main class="locked" data-locked>
    <svg width="56" height="56" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
      <rect x="4" y="10" width="16" height="11" rx="2" /><path d="M8 10V7a4 4 0 0 1 8 0v3" />
    </svg>
    <h1>${t("page.scan.locked")}</h1>
    <p class="soft">${t("page.scan.locked_hint")}</p>
    <${SignOnForm} post=${post} then=${open} />
    <${LanguageSwitch} />
  </main>`;
}
