// The CRM: contacts, companies, pipeline, tasks, segments, team, privacy. One page, a view for
// each address behind the #, all data through the API that other programs use.
import { html, render, useEffect, useRef } from "/lib/ui.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { call, rememberSignIn, setCsrf, signedInBefore } from "/lib/api.js";
import { nameCells } from "/lib/cells.js";
import { Companies } from "/js/crm/companies.js";
import { Contact } from "/js/crm/contact.js";
import { Contacts } from "/js/crm/contacts.js";
import { Invitation } from "/js/crm/invitation.js";
import { me, route, say, told } from "/js/crm/model.js";
import { Nav } from "/js/crm/nav.js";
import { Pipeline } from "/js/crm/pipeline.js";
import { Records } from "/js/crm/records.js";
import { Segments } from "/js/crm/segments.js";
import { Tasks } from "/js/crm/tasks.js";
import { Team } from "/js/crm/team.js";

const VIEWS = {
  contacts: (id) => (id ? html`<${Contact} key=${id} id=${id} />` : html`<${Contacts} />`),
  companies: (id) => html`<${Companies} open=${id} />`,
  pipeline: (part) => html`<${Pipeline} open=${part} />`,
  tasks: () => html`<${Tasks} />`,
  segments: (id) => html`<${Segments} open=${id} />`,
  team: () => html`<${Team} />`,
  privacy: (part) => html`<${Records} open=${part} />`,
};

// What happened, in words, for eyes and for screen readers; it goes by itself.
function Told() {
  return html`<div class=${`told ${told.value?.tone ?? ""}`} role="status" aria-live="polite">
    ${told.value?.text ?? ""}
  </div>`;
}

function Crm() {
  void language.value;
  const { view, id } = route.value;
  const main = useRef(null);
  useEffect(() => {
    document.title = `${t(`page.crm.nav.${view}`)} · ${t("page.crm.title")}`;
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [view, id, language.value]);
  return html`<div class="crm">
    <a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      main.current.focus();
    }}>${t("page.crm.skip")}</a>
    <${Nav} />
    <main id="main" class="view" tabindex="-1" ref=${main}>${VIEWS[view](id)}</main>
    <${Told} />
  </div>`;
}

function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const at = ["Digit1", "Digit2", "Digit3", "Digit4", "Digit5", "Digit6", "Digit7"].indexOf(event.code);
    if (at >= 0) {
      event.preventDefault();
      location.hash = Object.keys(VIEWS)[at];
    } else if (event.code === "KeyK") {
      event.preventDefault();
      document.querySelector("input[type=search]")?.focus();
    }
  });
}

async function start() {
  await loadLanguage();
  const app = document.getElementById("app");
  if (location.hash.startsWith("#invitation=")) {
    render(html`<${Invitation} token=${location.hash.slice("#invitation=".length)} />`, app);
    return;
  }
  const away = () => {
    rememberSignIn(false);
    location.replace(`/?next=${encodeURIComponent("/crm.html" + location.hash)}`);
  };
  if (!signedInBefore()) {
    away();
    return;
  }
  try {
    const mine = await call("GET", "/api/v1/auth/me");
    setCsrf(mine.csrf_token);
    me.value = mine.user;
  } catch (error) {
    if (error.status === 401) {
      away();
      return;
    }
    say(t("page.all.no_answer"), "bad");
  }
  render(html`<${Crm} />`, app);
  nameCells(app);
  listenToKeys();
}

await start();
