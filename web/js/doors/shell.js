// What the pages of one event have in common: the bar on top, tabs that stand in the
// address, signing in, the live lists.
import { html, render, signal, useEffect, useRef } from "/lib/ui.js";
import { language, loadLanguage, t } from "/lib/i18n.js";
import { configuration, signedIn, untilAnswered } from "/lib/api.js";
import { nameCells } from "/lib/cells.js";
import { Live } from "/lib/live.js";
import { Stale } from "/lib/stale.js";
import { LanguageSwitch, ThemeSwitch } from "/lib/tools.js";
import { event, eventId, live, loadEvent, now, refuse, said, sentenceOf, take, zone } from "/js/doors/model.js";

// Which one is open; a page may turn to another itself.
export const tab = signal("");
const trouble = signal(null);

function choose(name) {
  tab.value = name;
  said.value = null;
  history.replaceState(null, "", `#${name}`);
}

function Tabs({ tabs, word, badge }) {
  const bar = useRef(null);
  // On a phone the tabs scroll sideways: the open one is in view.
  useEffect(() => {
    bar.current.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [tab.value]);
  return html`<nav class="tabs no-print" aria-label=${t(`page.${word}.title`)} ref=${bar}>
    ${Object.keys(tabs).map((name) => {
      const n = badge?.(name) ?? 0;
      return html`<button
        type="button"
        key=${name}
        class="tab"
        aria-current=${tab.value === name ? "page" : undefined}
        onClick=${() => choose(name)}
      >
        ${t(`page.${word}.tab.${name}`)} ${n > 0 && html`<span class="chip bad figure">${n}</span>`}
      </button>`;
    })}
  </nav>`;
}

// Beside each other: the wall, what is done this evening, what was prepared. In an
// emergency nobody looks for the way to its page.
const PAGES = [
  ["control", "/control.html"],
  ["emergency", "/emergency.html"],
  ["doors", "/doors.html"],
  ["watch", "/watch.html"],
  ["announce", "/announcements.html"],
  ["plan", "/plan.html"],
];

// The lists come from the live socket: while it is away they are old, and say so.
function StaleBanner({ state }) {
  if (state === "live" || state === "connecting") return null;
  void now.value;
  return html`<${Stale} live=${live.value} state=${state} now=${Date.now()} zone=${zone.value} />`;
}

function Page({ tabs, word, badge, Notice }) {
  void language.value;
  const connection = live.value?.status.value ?? "connecting";
  const Part = tabs[tab.value];
  return html`<div class="doors">
    <header class="doors-top no-print">
      <nav class="row" aria-label=${t("page.doors.pages")}>
        ${PAGES.filter(([name]) => name !== word).map(
          ([name, address]) => html`<a class="top-home" key=${name} href=${`${address}?event=${eventId}`}>
            ${name === "control" ? "← " : ""}${t(`page.${name}.title`)}
          </a>`,
        )}
      </nav>
      <h1 class="name">${t(`page.${word}.title`)} <span class="soft name">${event.value?.title ?? ""}</span></h1>
      <span class=${`chip ${connection === "live" ? "good" : connection === "connecting" ? "" : "bad"}`} role="status">
        ${t(`page.live.${connection}`)}
      </span>
      <span class="row"><${LanguageSwitch} /><${ThemeSwitch} /></span>
    </header>
    <${Tabs} tabs=${tabs} word=${word} badge=${badge} />
    <${StaleBanner} state=${connection} />
    <main class="doors-main">
      ${said.value &&
      html`<p class=${`notice no-print ${said.value.bad ? "bad" : ""}`} role=${said.value.bad ? "alert" : "status"}>
        ${said.value.words}
      </p>`}
      ${trouble.value && html`<p class="notice bad" role="alert">${trouble.value}</p>`}
      ${event.value ? html`${Notice && html`<${Notice} />`}<${Part} />` : !trouble.value && html`<p class="empty" role="status">${t("page.all.loading")}</p>`}
    </main>
  </div>`;
}

// word: of the page's texts; tabs: name -> component, the first one is where it begins;
// topics: the live lists that it needs, taken by `hear`; badge(name): what waits behind a
// tab; ready(): reads what the page needs; Notice: stands above every tab.
export async function openPage({ word, tabs, topics, badge, hear = take, ready, Notice }) {
  const asked = location.hash.slice(1);
  tab.value = tabs[asked] ? asked : Object.keys(tabs)[0];
  addEventListener("hashchange", () => {
    const name = location.hash.slice(1);
    if (tabs[name]) tab.value = name;
  });
  await loadLanguage();
  if (!eventId) {
    location.replace("/");
    return;
  }
  const app = document.getElementById("app");
  render(html`<${Page} tabs=${tabs} word=${word} badge=${badge} Notice=${Notice} />`, app);
  nameCells(app);
  if (!(await signedIn())) {
    const here = `${location.pathname}${location.search}${location.hash}`;
    location.replace(`/?next=${encodeURIComponent(here)}`);
    return;
  }
  try {
    // Opened or reloaded while the server is away, the page comes by itself when it is back.
    await untilAnswered(
      async () => {
        await loadEvent();
        await ready?.();
      },
      (error) => (trouble.value = sentenceOf(error)),
    );
    trouble.value = null;
  } catch (error) {
    trouble.value = sentenceOf(error);
    return;
  }
  document.title = `${t(`page.${word}.title`)} · ${event.value.title}`;
  const config = await configuration();
  const names = topics.map((kind) => `event:${eventId}:${kind}`);
  live.value = new Live(config.live_url, names, { take: hear, refuse }).start();
  setInterval(() => {
    now.value = Date.now() + (live.value?.skewMs.value ?? 0);
  }, 1_000);
}
