// The chosen theme, kept for the next visit. `js/theme.js` set it before first paint.
import { signal } from "/vendor/signals.mjs";

const root = document.documentElement;
export const theme = signal(root.dataset.theme ?? "light");

new MutationObserver(() => {
  theme.value = root.dataset.theme;
}).observe(root, { attributes: true, attributeFilter: ["data-theme"] });

export function switchTheme() {
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // The choice then lasts as long as the page.
  }
}
