// What this person allows, and how they take it back: one box a purpose, at once.
import { html, signal, useEffect } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { day } from "/lib/format.js";
import { ask, me } from "/js/me/state.js";

const list = signal(null);
const note = signal(null);
const busy = signal(null);

async function read() {
  try {
    list.value = await ask("GET", "/consents");
  } catch (error) {
    note.value = error.message;
  }
}

async function set(purpose, allowed) {
  busy.value = purpose;
  note.value = null;
  try {
    list.value = await ask("POST", "/consents", { purpose, allowed });
    note.value = t("page.me.saved");
  } catch (error) {
    note.value = error.message;
  } finally {
    busy.value = null;
  }
}

export function Consents() {
  useEffect(() => {
    read();
  }, []);
  if (list.value === null) return null;
  const zone = me.value.timezone;
  return html`<section class="panel profile" aria-labelledby="consents-title">
    <h2 id="consents-title">${t("page.me.consents")}</h2>
    <p class="soft small">${t("page.me.consents_words")}</p>
    ${note.value && html`<p class="notice" role="status">${note.value}</p>`}
    ${list.value.map(
      (one) => html`<label class="check" key=${one.purpose}>
        <input
          type="checkbox"
          checked=${one.allowed}
          disabled=${busy.value === one.purpose}
          onChange=${(event) => set(one.purpose, event.currentTarget.checked)}
        />
        <span>
          ${t(`page.me.consent.${one.purpose}`)}
          ${one.given_at && html`<span class="soft small"> · ${day(one.given_at, locale(), zone)}</span>`}
        </span>
      </label>`,
    )}
  </section>`;
}
