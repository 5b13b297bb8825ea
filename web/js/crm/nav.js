// The bar of the CRM: where one is, and the switches of every page.
import { html } from "/lib/ui.js";
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
  return html`<header class="crm-top">
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
