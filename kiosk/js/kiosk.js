// The kiosk: a guest stands before it alone. A green greets; everything else says "please
// come to the desk", for the cause is nobody's business in a queue. Without a ticket at
// hand one is found by surname and order number or e-mail: exactly, first name and an
// initial, or nobody.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { LanguageSwitch } from "/lib/tools.js";
import { openSheet } from "/scan/js/dialog.js";
import { CameraView } from "/scan/js/scanner.js";
import { Mark } from "/scan/js/verdict.js";
import * as state from "/scan/js/state.js";

// Long enough to be read by somebody who has never seen it; then the next guest's turn.
const SHOWN_MS = 6_000;
const LOOKUP_MS = 6_000;
const FORGET_MS = 30_000;

// {ticket_id, first_name, initial} | "nobody" | null
const match = signal(null);
const looking = signal(false);

async function look(submit, post) {
  submit.preventDefault();
  const form = submit.currentTarget;
  const value = (name) => form.elements.namedItem(name).value.trim();
  const key = value("key");
  const body = { surname: value("surname"), [key.includes("@") ? "email" : "order_number"]: key };
  looking.value = true;
  const path = `/api/v1/events/${state.device.value.event.id}/lookup`;
  const { status, data } = await post(path, body, LOOKUP_MS);
  looking.value = false;
  match.value = (status === 200 && data.match) || "nobody";
  // What one guest typed is not for the next one's eyes.
  form.reset();
}

function Match({ desk }) {
  const found = match.value;
  useEffect(() => {
    const timer = setTimeout(() => (match.value = null), FORGET_MS);
    return () => clearTimeout(timer);
  }, [found]);
  if (found === "nobody") {
    return html`<p class="notice" role="status">${t("page.kiosk.nobody")}</p>`;
  }
  const enter = () => {
    match.value = null;
    desk.scan(found.ticket_id, "manual");
  };
  return html`<div class="kiosk-match" role="status">
    <p>${t("page.kiosk.is_it_you")} <b class="name"><bdi>${found.first_name} ${found.initial}</bdi></b></p>
    <div class="row">
      <button type="button" class="button primary" onClick=${enter}>${t("page.kiosk.check_in")}</button>
      <button type="button" class="button" onClick=${() => (match.value = null)}>${t("page.kiosk.not_me")}</button>
    </div>
  </div>`;
}

function Find({ desk, post }) {
  const field = (name, words) => html`<div class="field">
    <label for=${`kiosk-${name}`}>${t(words)}</label>
    <input class="input" id=${`kiosk-${name}`} name=${name} required autocomplete="off" autocorrect="off" spellcheck="false" maxlength="200" />
  </div>`;
  return html`<section class="kiosk-find" aria-labelledby="kiosk-find">
    <h2 id="kiosk-find">${t("page.kiosk.find")}</h2>
    ${match.value && html`<${Match} desk=${desk} />`}
    <form onSubmit=${(submit) => look(submit, post)}>
      ${field("surname", "page.kiosk.surname")} ${field("key", "page.kiosk.key")}
      <button type="submit" class="button primary" disabled=${looking.value}>${t("page.people.look")}</button>
    </form>
  </section>`;
}

// What a guest is told, over the whole screen.
function Told({ desk }) {
  const view = state.shown.value;
  useEffect(() => {
    if (!view) return undefined;
    const timer = setTimeout(() => desk.dismiss(), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [view?.id, view?.tone]);
  if (!view) return null;
  const good = view.answer && (view.tone === "go" || view.tone === "out");
  return html`<div
    class=${`verdict ${good ? view.tone : "wait"}`}
    data-verdict=${view.answer?.verdict ?? (view.silent ? "silent" : "problem")}
    data-reason=${view.answer?.reason ?? ""}
    role="alert"
    aria-live="assertive"
    onClick=${() => desk.dismiss()}
  >
    <div class="verdict-top">
      <${Mark} tone=${good ? view.tone : "wait"} />
      <p class="verdict-title">${good ? view.answer.guest_message : t("page.kiosk.desk")}</p>
    </div>
  </div>`;
}

export function KioskPage({ desk, camera, post }) {
  return html`<main class="kiosk">
      <header class="kiosk-top">
        <h1 class="name">${state.device.value.event.title ?? t("page.scan.title")}</h1>
        <span class="row">
          <${LanguageSwitch} />
          <button type="button" class="button" onClick=${() => openSheet("setup")}>${t("page.kiosk.staff")}</button>
        </span>
      </header>
      <section class="kiosk-scan" aria-label=${t("page.scan.camera")}>
        <p class="kiosk-hello">${t("page.kiosk.hello")}</p>
        <${CameraView} camera=${camera} guest=${true} />
      </section>
      <${Find} desk=${desk} post=${post} />
    </main>
    <${Told} desk=${desk} />`;
}
