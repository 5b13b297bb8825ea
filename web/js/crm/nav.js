// The bar of the CRM: where one is, and the switches of every page.
import { html, useEffect, useRef } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { may, me, route, VIEWS } from "/js/crm/model.js";

const WORDS = {
  contacts: "contacts",
  companies: "companies",
  pipeline: "opportunities",
  tasks: "tasks",
  segments: "segments",
  team: "users",
  privacy: "privacy",
};

export function Nav() {
  const bar = useRef(null);
  // On a phone the views scroll sideways: the open one is in view.
  useEffect(() => {
    bar.current.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [route.value.view]);
  return html`<header class="crm-top" ref=${bar}>
    <a class="crm-home" href="/" aria-label=${t("page.home.events")}>
      <img src="/img/mark.svg" alt="" />
    </a>
    <nav aria-label=${t("page.crm.title")}>
      <ul>
        ${VIEWS.filter((view) => may(WORDS[view], "read")).map(
          (view) => html`<li key=${view}>
            <a
              href=${`#${view}`}
              aria-current=${route.value.view === view ? "page" : null}
              title=${`Alt+${VIEWS.indexOf(view) + 1}`}
            >${t(`page.crm.nav.${view}`)}</a>
          </li>`,
        )}
      </ul>
    </nav>
    <div class="crm-tools">
      <span class="soft small name">${me.value?.name ?? ""}</span>
      <${LanguageSwitch} />
      <${ThemeSwitch} />
    </div>
  </header>`;
}
