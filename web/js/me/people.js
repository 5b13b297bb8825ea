// Networking: people who want to be found, requests, and one's own profile.
import { html, signal, useEffect } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { clock, day } from "/lib/format.js";
import { fromField } from "/lib/zoned.js";
import { ask, load, me } from "/js/me/state.js";

const found = signal(null);
const mine = signal([]);
const words = signal("");
const note = signal(null);

async function look() {
  try {
    const [people, connections] = await Promise.all([
      ask("GET", `/people?limit=20&q=${encodeURIComponent(words.value)}`),
      ask("GET", "/connections"),
    ]);
    found.value = people.items;
    mine.value = connections;
  } catch (error) {
    note.value = error.message;
  }
}

async function act(path, body) {
  note.value = null;
  try {
    await ask("POST", path, body);
    await look();
  } catch (error) {
    note.value = error.message;
  }
}

const named = (one) => `${one.first_name} ${one.last_name}`.trim();
const about = (one) => [one.job_title, one.company, one.headline].filter(Boolean).join(" · ");

// Both agreed: when and where they meet.
function Meeting({ line }) {
  const zone = me.value.timezone;
  const save = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    act(`/connections/${line.id}/meeting`, {
      at: fromField(form.get("at"), zone),
      place: form.get("place"),
    });
  };
  return html`<details>
    <summary>
      ${line.meeting_scheduled
        ? t("page.me.meeting", {
            when: `${day(line.meeting_scheduled, locale(), zone)}, ${clock(line.meeting_scheduled, zone)}`,
            place: line.meeting_location,
          })
        : t("page.me.meet")}
    </summary>
    <form class="seat-row" onSubmit=${save}>
      <label class="field"><span>${t("page.me.meet_at")}</span><input class="input" type="datetime-local" name="at" required /></label>
      <label class="field"><span>${t("page.me.meet_place")}</span><input class="input" name="place" required maxlength="200" /></label>
      <button class="button small primary" type="submit">${t("page.me.save")}</button>
    </form>
  </details>`;
}

function Request({ line }) {
  const waits = line.status === "pending";
  const answer = (what) => () => act(`/connections/${line.id}/answer`, { act: what });
  return html`<li class="person">
    <div>
      <p class="name"><strong>${named(line)}</strong></p>
      <p class="soft small name">${about(line)}</p>
      ${line.message && html`<p class="small name">${line.message}</p>`}
      ${line.email && html`<a href=${`mailto:${line.email}`}>${line.email}</a>`}
      ${line.status === "accepted" && html`<${Meeting} line=${line} />`}
    </div>
    <div class="seat-row">
      ${waits && line.from_me && html`<span class="chip">${t("page.me.asked")}</span>`}
      ${line.status === "accepted" &&
      html`<span class="chip good">${t("page.me.connected")}</span>
        <button class="button small" type="button" onClick=${answer("block")}>${t("page.me.block")}</button>`}
      ${waits &&
      !line.from_me &&
      html`<button class="button small primary" type="button" onClick=${answer("accept")}>${t("page.me.accept")}</button>
        <button class="button small" type="button" onClick=${answer("decline")}>${t("page.me.decline")}</button>
        <button class="button small" type="button" onClick=${answer("block")}>${t("page.me.block")}</button>`}
    </div>
  </li>`;
}

function Profile() {
  const known = me.value;
  const save = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    note.value = null;
    try {
      await ask("PATCH", "", {
        company: form.get("company") || null,
        job_title: form.get("job_title") || null,
        headline: form.get("headline") || null,
        accessibility_needs: form.get("accessibility_needs") || null,
        language: form.get("language"),
        networking_visible: form.get("networking_visible") === "on",
      });
      await load();
      await look();
      note.value = t("page.me.saved");
    } catch (error) {
      note.value = error.message;
    }
  };
  const field = (name) => html`<label class="field">
    <span>${t(`page.me.${name}`)}</span>
    <input name=${name} maxlength="200" defaultValue=${known[name] ?? ""} />
  </label>`;
  return html`<form class="panel profile" onSubmit=${save} aria-labelledby="profile-title">
    <h2 id="profile-title">${t("page.me.profile")}</h2>
    ${["company", "job_title", "headline", "accessibility_needs"].map((name) => html`<${() => field(name)} key=${name} />`)}
    <label class="field">
      <span>${t("page.me.language")}</span>
      <select name="language">
        ${[["en", "English"], ["fr", "Français"]].map(
          ([code, name]) => html`<option key=${code} value=${code} selected=${known.language === code}>${name}</option>`,
        )}
      </select>
    </label>
    <label class="check">
      <input type="checkbox" name="networking_visible" defaultChecked=${known.networking_visible} />
      <span>${t("page.me.visible")}</span>
    </label>
    <button class="button primary" type="submit">${t("page.me.save")}</button>
  </form>`;
}

export function People() {
  useEffect(() => {
    look();
  }, []);
  const known = new Set(mine.value.map((line) => line.person_id));
  const search = (event) => {
    event.preventDefault();
    words.value = new FormData(event.target).get("q") ?? "";
    look();
  };
  return html`<div class="cards">
    <section class="panel" aria-labelledby="people-title">
      <h2 id="people-title">${t("page.me.people")}</h2>
      ${note.value && html`<p class="notice" role="status">${note.value}</p>`}
      ${mine.value.length > 0 &&
      html`<ul class="people">${mine.value.map((line) => html`<${Request} key=${line.id} line=${line} />`)}</ul>`}
      <form class="search" role="search" onSubmit=${search}>
        <label class="field"><span>${t("page.me.find")}</span><input name="q" type="search" maxlength="80" /></label>
        <button class="button" type="submit">${t("page.me.search")}</button>
      </form>
      ${found.value?.length === 0 && html`<p class="soft">${t("page.me.nobody")}</p>`}
      <ul class="people">
        ${(found.value ?? [])
          .filter((one) => !known.has(one.id))
          .map(
            (one) => html`<li key=${one.id} class="person">
              <div>
                <p class="name"><strong>${named(one)}</strong></p>
                <p class="soft small name">${about(one)}</p>
              </div>
              <button class="button small" type="button" onClick=${() => act("/connections", { person_id: one.id })}>
                ${t("page.me.ask")}
              </button>
            </li>`,
          )}
      </ul>
    </section>
    <${Profile} />
  </div>`;
}
