// Says that what stands below is old, and since when. Not a decoration: without it an old
// list would look like a new one.
import { html } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";

// live: the page's connection; state: its status; now: ms, moves each second.
export function Stale({ live, state, now, zone }) {
  const heard = live?.heardAt.value;
  const age = heard ? Math.max(0, Math.round((now - heard) / 1000)) : "–";
  return html`<div class="stale-banner" role="alert">
    <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M12 3 22 21H2z" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" />
      <path d="M12 10v5M12 17.6v.4" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />
    </svg>
    <span>
      <b>${t(`page.live.${state}_long`)}</b>${" "}
      <span class="figure" aria-live="off">${t("page.live.age", { when: clock(heard, zone, true), n: age })}</span>
    </span>
    ${(state === "revoked" || state === "forbidden") &&
    html`<a class="button" href="/">${t("page.login.go")}</a>`}
  </div>`;
}
