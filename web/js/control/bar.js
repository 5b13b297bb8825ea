// How full something is: a bar with its marks at 80 and 95 per cent.
import { html } from "/lib/ui.js";
import { locale } from "/lib/i18n.js";
import { level, percent } from "/lib/format.js";

export function Bar({ part, label, marks = false, plain = false }) {
  const known = part ?? 0;
  return html`<span
    class=${`bar ${plain ? "" : level(part)}`}
    role="meter"
    aria-label=${label}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${Math.min(100, Math.floor(known * 100))}
    aria-valuetext=${percent(part, locale())}
  >
    <span class="fill" style=${{ width: `${Math.min(100, known * 100)}%` }}></span>
    ${marks && html`<span class="bar-mark at-80"></span><span class="bar-mark at-95"></span>`}
  </span>`;
}
