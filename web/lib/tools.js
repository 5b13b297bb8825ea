// The two switches that every page has: language and light or dark.
import { html } from "/lib/ui.js";
import { chooseLanguage, language, t } from "/lib/i18n.js";
import { switchTheme, theme } from "/lib/theme.js";

export function LanguageSwitch() {
  const other = language.value === "fr" ? "en" : "fr";
  return html`<button
    type="button"
    class="button plain"
    lang=${other}
    onClick=${() => chooseLanguage(other)}
  >
    ${other === "fr" ? "Français" : "English"}
  </button>`;
}

export function ThemeSwitch() {
  const word = t(theme.value === "dark" ? "page.all.light" : "page.all.dark");
  return html`<button
    type="button"
    class="button plain"
    aria-label=${word}
    title=${word}
    onClick=${switchTheme}
  >
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="2" />
      <path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor" />
    </svg>
  </button>`;
}
