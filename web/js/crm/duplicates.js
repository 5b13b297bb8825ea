// Who may be the same person: shown beside a contact, merged by one touch and a word.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { percent } from "/lib/format.js";
import { API, may, say, sentence } from "/js/crm/model.js";
import { uuid7 } from "/lib/uuid.js";

const SHOWN_MAX = 10; // the likeliest come first

export function Duplicates({ row, onMerged }) {
  const [found, setFound] = useState([]);
  const [asked, setAsked] = useState(null);
  const load = () => call("GET", `${API}/contacts/${row.id}/duplicates`).then(setFound, () => setFound([]));
  useEffect(() => {
    load();
  }, [row.id]);

  async function merge(other) {
    try {
      await call("POST", `${API}/contacts/${row.id}/merge`, { loser_id: other.id }, { "Idempotency-Key": uuid7() });
      say(t("page.crm.merged", { name: `${other.first_name} ${other.last_name}` }));
      setAsked(null);
      await load();
      onMerged();
    } catch (error) {
      say(sentence(error), "bad");
    }
  }

  async function dismiss(other) {
    try {
      await call("POST", `${API}/contacts/duplicates/dismiss`, { one_id: row.id, other_id: other.id });
      await load();
    } catch (error) {
      say(sentence(error), "bad");
    }
  }

  if (found.length === 0) return null;
  return html`<div class="panel side">
    <h2>${t("page.crm.duplicates")}</h2>
    <ul class="plain-list">
      ${found.slice(0, SHOWN_MAX).map(({ contact, score }) => html`<li key=${contact.id}>
        <a class="name" href=${`#contacts/${contact.id}`}>${contact.first_name} ${contact.last_name}</a>
        <span class="soft small name">${contact.email}</span>
        <span class="chip figure">${percent(score, locale())}</span>
        <span class="gap"></span>
        ${may("contacts", "write") && asked !== contact.id &&
        html`<button type="button" class="button plain" onClick=${() => dismiss(contact)}>${t("page.crm.not_same")}</button>`}
        ${may("contacts", "delete") &&
        (asked === contact.id
          ? html`<button type="button" class="button primary" onClick=${() => merge(contact)}>${t("page.crm.merge_sure")}</button>`
          : html`<button type="button" class="button" onClick=${() => setAsked(contact.id)}>${t("page.crm.merge")}</button>`)}
      </li>`)}
    </ul>
  </div>`;
}
