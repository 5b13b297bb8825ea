// Without the link: a code to the address of the ticket.
import { html, signal } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { keep, load } from "/js/me/state.js";

const step = signal("email");
const email = signal("");
const several = signal(null);
const problem = signal(null);
const eventId = new URLSearchParams(location.search).get("event");

async function send(event) {
  event.preventDefault();
  problem.value = null;
  const form = new FormData(event.target);
  try {
    if (step.value === "email") {
      email.value = form.get("email");
      await call("POST", "/api/v1/me/code", { event_id: eventId, email: email.value });
      step.value = "code";
      return;
    }
    const people = await call("POST", "/api/v1/me/token", {
      event_id: eventId,
      email: email.value,
      code: form.get("code").trim(),
    });
    if (people.length === 1) enter(people[0]);
    else several.value = people;
  } catch (error) {
    problem.value = error.code === "wrong_code" ? t("page.me.wrong_code") : error.message;
  }
}

function enter(person) {
  keep(person.token);
  load();
}

export function SignIn() {
  if (!eventId) {
    return html`<div class="panel message" role="alert">
      <h1>${t("page.me.link_title")}</h1>
      <p>${t("page.me.link_words")}</p>
    </div>`;
  }
  if (several.value) {
    return html`<div class="panel message">
      <h1>${t("page.me.who")}</h1>
      ${several.value.map(
        (one) => html`<button key=${one.token} class="button" type="button" onClick=${() => enter(one)}>${one.first_name}</button>`,
      )}
    </div>`;
  }
  const code = step.value === "code";
  return html`<form class="panel message" onSubmit=${send}>
    <h1>${t("page.me.sign_in")}</h1>
    <p>${t(code ? "page.me.code_sent" : "page.me.sign_in_words")}</p>
    <label class="field" key=${step.value}>
      <span>${t(code ? "page.me.code" : "page.me.email")}</span>
      ${code
        ? html`<input name="code" inputmode="numeric" autocomplete="one-time-code" required minlength="6" maxlength="8" />`
        : html`<input name="email" type="email" autocomplete="email" required />`}
    </label>
    ${problem.value && html`<p class="notice bad" role="alert">${problem.value}</p>`}
    <button class="button primary" type="submit">${t(code ? "page.me.enter" : "page.me.send_code")}</button>
  </form>`;
}
