// Writing: words in both languages, for whom, how and when; the count stands beside the
// button before anything goes.
import { html, signal } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { count as number } from "/lib/format.js";
import { fromField } from "/lib/zoned.js";
import { busy, event, zone } from "/js/doors/model.js";
import { AUDIENCES, EMPTY, METHODS, PRIORITIES, formOf } from "/js/announcements/draft.js";
import {
  change,
  channels,
  count,
  form,
  own,
  preview,
  ready,
  saveDraft,
  send,
  templates,
} from "/js/announcements/model.js";

const LANGUAGES = [
  ["en", "English"],
  ["fr", "Français"],
];
const later = signal("");

const toggled = (list, value) =>
  list.includes(value) ? list.filter((one) => one !== value) : [...list, value];

function Words() {
  const set = (language, field) => (input) =>
    change({
      words: {
        ...form.value.words,
        [language]: { ...form.value.words[language], [field]: input.currentTarget.value },
      },
    });
  return html`<div class="announce-words">
    ${LANGUAGES.map(
      ([code, name]) => html`<fieldset key=${code} lang=${code}>
        <legend>${name}</legend>
        <div class="field">
          <label for=${`title-${code}`}>${t("page.announce.headline")}</label>
          <input class="input" id=${`title-${code}`} maxlength="120" dir="auto" value=${form.value.words[code].title} onInput=${set(code, "title")} />
        </div>
        <div class="field">
          <label for=${`content-${code}`}>${t("page.announce.content")}</label>
          <textarea class="input" id=${`content-${code}`} rows="4" maxlength="2000" dir="auto" value=${form.value.words[code].content} onInput=${set(code, "content")}></textarea>
        </div>
      </fieldset>`,
    )}
  </div>`;
}

function Choices({ label, name, options, chosen }) {
  if (options.length === 0) return null;
  return html`<fieldset class="choices">
    <legend>${label}</legend>
    ${options.map(
      ([value, words]) => html`<label key=${value} class="choice">
        <input
          type="checkbox"
          checked=${chosen.includes(value)}
          onChange=${() => change({ [name]: toggled(form.value[name], value) })}
        />
        <span class="name">${words}</span>
      </label>`,
    )}
  </fieldset>`;
}

function Select({ id, label, value, options, field }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select class="input" id=${id} value=${value} onChange=${(input) => change({ [field]: input.currentTarget.value })}>
      ${options.map(([key, words]) => html`<option key=${key} value=${key} selected=${key === value}>${words}</option>`)}
    </select>
  </div>`;
}

const named = (list, words = "name") => list.map((one) => [one.id, one[words]]);

function Guests() {
  const { value } = form;
  const yesNo = [
    ["", t("page.announce.any")],
    ["yes", t("page.announce.came")],
    ["no", t("page.announce.not_yet")],
  ];
  return html`<div class="announce-who">
    <div class="row">
      <${Select} id="audience" field="audience" label=${t("page.announce.audience")} value=${value.audience}
        options=${AUDIENCES.map((name) => [name, t(`page.announce.audience.${name}`)])} />
      <${Select} id="checked-in" field="checkedIn" label=${t("page.announce.checked_in")} value=${value.checkedIn} options=${yesNo} />
      <div class="field">
        <label for="flags">${t("page.announce.flags")}</label>
        <input class="input" id="flags" placeholder="press, vip" value=${value.flags} onInput=${(input) => change({ flags: input.currentTarget.value })} />
      </div>
    </div>
    <${Choices} label=${t("page.announce.languages")} name="languages" options=${LANGUAGES} chosen=${value.languages} />
    <${Choices} label=${t("page.announce.areas")} name="areas" options=${named(event.value.areas)} chosen=${value.areas} />
    <${Choices} label=${t("page.announce.types")} name="types" options=${named(event.value.types)} chosen=${value.types} />
    <${Choices} label=${t("page.announce.sessions")} name="sessions" options=${named(event.value.sessions, "title")} chosen=${value.sessions} />
    ${value.sessions.length > 0 &&
    html`<${Select} id="session-state" field="sessionState" label=${t("page.announce.session_state")} value=${value.sessionState}
      options=${["registered", "waitlist", "inside"].map((name) => [name, t(`page.announce.session_state.${name}`)])} />`}
  </div>`;
}

function Who() {
  const staff = form.value.who === "staff";
  return html`<fieldset class="announce-part">
    <legend>${t("page.announce.who")}</legend>
    <div class="row" role="group" aria-label=${t("page.announce.who")}>
      ${["guests", "staff"].map(
        (name) => html`<button
          key=${name}
          type="button"
          class="button"
          aria-pressed=${form.value.who === name}
          onClick=${() => change({ who: name })}
        >
          ${t(`page.announce.who.${name}`)}
        </button>`,
      )}
    </div>
    ${staff
      ? html`<p class="soft">${t("page.announce.staff_words")}</p>
          <${Choices} label=${t("page.announce.gates")} name="gates" options=${named(event.value.gates)} chosen=${form.value.gates} />`
      : html`<${Guests} />`}
  </fieldset>`;
}

function Ways() {
  if (form.value.who === "staff") return null;
  const state = new Map(channels.value.map((one) => [one.channel, one]));
  return html`<fieldset class="choices announce-part">
    <legend>${t("page.announce.ways")}</legend>
    ${METHODS.map(
      (name) => html`<label key=${name} class="choice">
        <input
          type="checkbox"
          checked=${form.value.methods.includes(name)}
          onChange=${() => change({ methods: toggled(form.value.methods, name) })}
        />
        <span>${t(`page.announce.way.${name}`)}</span>
        ${state.get(name)?.configured === false && html`<span class="chip warn" title=${state.get(name).why}>${t("page.announce.not_configured")}</span>`}
      </label>`,
    )}
    <label class="choice">
      <input type="checkbox" checked=${form.value.chain} onChange=${() => change({ chain: !form.value.chain })} />
      <span>${t("page.announce.chain", { n: form.value.chainAfterS })}</span>
    </label>
    <label class="choice">
      <input type="checkbox" checked=${form.value.commercial} onChange=${() => change({ commercial: !form.value.commercial })} />
      <span>${t("page.announce.commercial")}</span>
    </label>
  </fieldset>`;
}

function Count() {
  const found = preview.value;
  if (!found) return html`<p class="announce-count" role="status">…</p>`;
  const reachable = Object.entries(found.by_channel);
  return html`<div class="announce-count" role="status" aria-live="polite">
    <b class="figure" data-figure="people">${number(found.people, locale())}</b>
    ${t(form.value.who === "staff" ? "page.announce.devices" : "page.announce.people")}
    <span class="soft">
      ${reachable.map(([name, n]) => `${t(`page.announce.way.${name}`)} ${number(n, locale())}`).join(" · ")}
    </span>
    ${found.not_configured.length > 0 &&
    html`<span class="chip warn">
      ${found.not_configured.map((name) => t(`page.announce.way.${name}`)).join(", ")}: ${t("page.announce.not_configured")}
    </span>`}
  </div>`;
}

function Templates() {
  if (templates.value.length === 0) return null;
  const take = (input) => {
    const kept = templates.value.find(({ id }) => id === input.currentTarget.value);
    if (kept) form.value = { ...formOf(kept, own.value), corrects: form.value.corrects };
    count();
  };
  return html`<div class="field">
    <label for="template">${t("page.announce.from_template")}</label>
    <select class="input" id="template" onChange=${take}>
      <option value="">–</option>
      ${templates.value.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
    </select>
  </div>`;
}

function Buttons() {
  const people = preview.value?.people ?? 0;
  const urgent = form.value.priority === "urgent";
  const off = busy.value || !ready.value || preview.value === null;
  const at = fromField(later.value, zone.value);
  const go = async () => {
    const line = await send({ at });
    if (line) later.value = "";
  };
  return html`<div class="announce-buttons">
    <div class="field">
      <label for="later">${t("page.announce.later")}</label>
      <input class="input" id="later" type="datetime-local" value=${later.value} onInput=${(input) => (later.value = input.currentTarget.value)} />
    </div>
    <button type="button" class="button" disabled=${busy.value || !ready.value} onClick=${saveDraft}>${t("page.announce.keep")}</button>
    <button type="button" class="button primary" data-act="send" disabled=${off} onClick=${go}>
      ${t(later.value ? "page.announce.schedule" : "page.announce.send", { n: number(people, locale()) })}
    </button>
    <p class="soft small">
      ${t(urgent && !later.value ? "page.announce.urgent_words" : "page.announce.recall_words")}
    </p>
  </div>`;
}

export function Compose() {
  const { corrects, priority } = form.value;
  return html`<section class="panel act-panel" aria-label=${t("page.announce.tab.write")}>
    ${corrects &&
    html`<p class="notice warn row">
      <span>${t("page.announce.correcting", { title: corrects.title })}</span>
      <button type="button" class="button small" onClick=${() => { form.value = EMPTY; count(); }}>${t("page.all.cancel")}</button>
    </p>`}
    <div class="row">
      <${Templates} />
      <${Select} id="priority" field="priority" label=${t("page.announce.priority")} value=${priority}
        options=${PRIORITIES.map((name) => [name, t(`page.announce.priority.${name}`)])} />
      <div class="field grow">
        <label for="link">${t("page.announce.link")}</label>
        <input class="input" id="link" type="url" placeholder="https://" value=${form.value.link} onInput=${(input) => change({ link: input.currentTarget.value })} />
      </div>
    </div>
    <${Words} />
    <${Who} />
    <${Ways} />
    <${Count} />
    <${Buttons} />
  </section>`;
}
