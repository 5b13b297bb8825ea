// What the law asks an organiser to show: how long things are kept, who was erased, the
// wordings that people agreed to, and who did what.
import { html, useEffect, useState } from "/lib/ui.js";
import { has, locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { count } from "/lib/format.js";
import { uuid7 } from "/lib/uuid.js";
import { Dialog } from "/js/crm/form.js";
import { Rows, usePages } from "/js/crm/list.js";
import { API, may, say, sentence } from "/js/crm/model.js";
import { consentPurpose } from "/js/crm/privacy.js";
import { dayAndTime, shortDay } from "/js/crm/say.js";

const PURPOSES = ["marketing", "email", "sms", "phone", "profiling", "photos", "sponsor_sharing", "networking"];

function Rule({ rule, onEdit }) {
  const key = `page.crm.keeps.${rule.name}`;
  return html`<tr>
    <th scope="row">${has(key) ? t(key) : rule.what}</th>
    <td class="figure">${rule.enabled ? count(rule.keep_days, locale()) : t("page.crm.for_ever")}</td>
    <td class="small">${rule.last_run_at ? `${dayAndTime(rule.last_run_at, locale())} · ${count(rule.last_rows ?? 0, locale())}` : "–"}</td>
    <td class="actions">${may("privacy", "write") &&
    html`<button type="button" class="button plain" onClick=${() => onEdit(rule)}>${t("page.crm.edit")}</button>`}</td>
  </tr>`;
}

function Retention() {
  const [rules, setRules] = useState(null);
  const [edit, setEdit] = useState(null);
  const [problem, setProblem] = useState(null);
  const load = () => call("GET", `${API}/privacy/retention`).then(setRules, setProblem);
  useEffect(() => {
    load();
  }, []);
  async function run() {
    try {
      const told = await call("POST", `${API}/privacy/retention/run`, undefined, { "Idempotency-Key": uuid7() });
      say(t("page.crm.retention_ran", { n: Object.values(told.touched).reduce((sum, n) => sum + n, 0) }));
      load();
    } catch (error) {
      say(sentence(error), "bad");
    }
  }
  if (problem) return html`<p class="notice bad" role="alert">${sentence(problem)}</p>`;
  if (!rules) return html`<div class="panel loading" aria-busy="true"><span class="skeleton"></span></div>`;
  return html`<div class="filters"><span class="gap"></span>
      ${may("privacy", "write") && html`<button type="button" class="button" onClick=${run}>${t("page.crm.retention_run")}</button>`}
    </div>
    <div class="panel table"><table>
      <thead><tr>${["what", "kept", "last_run"].map((name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`)}
        <th scope="col"><span class="unseen">${t("page.crm.edit")}</span></th></tr></thead>
      <tbody>${rules.map((rule) => html`<${Rule} key=${rule.name} rule=${rule} onEdit=${setEdit} />`)}</tbody>
    </table></div>
    ${edit &&
    html`<${Dialog}
      title=${has(`page.crm.keeps.${edit.name}`) ? t(`page.crm.keeps.${edit.name}`) : edit.what}
      fields=${[["keep_days", "number"], ["enabled", "check"]]}
      row=${edit}
      required=${["keep_days"]}
      onClose=${() => setEdit(null)}
      onSave=${async (wanted) => {
        await call("PUT", `${API}/privacy/retention/${edit.name}`, wanted);
        setEdit(null);
        say(t("page.crm.saved"));
        load();
      }}
    />`}`;
}

function Erasures() {
  const rows = usePages("/privacy/erasures");
  return html`<${Rows} rows=${rows} empty=${t("page.crm.none.erasures")}>
    ${(found) => html`<div class="panel table"><table>
      <thead><tr>${["when", "reason", "id"].map((name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`)}</tr></thead>
      <tbody>${found.map((one) => html`<tr key=${one.id}>
        <td class="figure">${dayAndTime(one.erased_at, locale())}</td>
        <td class="name">${one.reason}</td>
        <td class="small"><code>${one.person_id}</code></td>
      </tr>`)}</tbody>
    </table></div>`}
  <//>`;
}

function Texts() {
  const rows = usePages("/consent-texts");
  const [fresh, setFresh] = useState(false);
  return html`<div class="filters"><span class="gap"></span>
      ${may("settings", "write") &&
      html`<button type="button" class="button primary" onClick=${() => setFresh(true)}>${t("page.crm.new")}</button>`}
    </div>
    <${Rows} rows=${rows} empty=${t("page.crm.none.texts")}>
      ${(found) => html`<div class="panel table"><table>
        <thead><tr>${["purpose", "version", "language", "body", "created_at"].map((name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`)}</tr></thead>
        <tbody>${found.map((one) => html`<tr key=${one.id}>
          <th scope="row">${consentPurpose(one.purpose)}</th><td>${one.version}</td><td>${one.language}</td>
          <td class="name">${one.body}</td><td class="figure">${shortDay(one.created_at, locale())}</td>
        </tr>`)}</tbody>
      </table></div>`}
    <//>
    ${fresh &&
    html`<${Dialog}
      title=${t("page.crm.new_text")}
      fields=${[
        ["purpose", "choice", PURPOSES.map((one) => [one, consentPurpose(one)])],
        ["version", "text"],
        ["language", "choice", ["en", "fr"].map((one) => [one, t(`page.crm.language.${one}`)])],
        ["body", "long"],
      ]}
      row=${{ purpose: "email", language: "en" }}
      required=${["purpose", "version", "language", "body"]}
      onClose=${() => setFresh(false)}
      onSave=${async (wanted) => {
        await call("POST", `${API}/consent-texts`, wanted, { "Idempotency-Key": uuid7() });
        setFresh(false);
        say(t("page.crm.saved"));
        rows.reload();
      }}
    />`}`;
}

function Log() {
  const rows = usePages("/audit");
  return html`<${Rows} rows=${rows} empty=${t("page.crm.none.audit")}>
    ${(found) => html`<div class="panel table"><table>
      <thead><tr>${["when", "who", "action", "changed", "address"].map((name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`)}</tr></thead>
      <tbody>${found.map((one) => html`<tr key=${one.id}>
        <td class="figure">${dayAndTime(one.at, locale())}</td>
        <td class="name">${one.subject_name || one.subject_kind}</td>
        <th scope="row"><code>${one.action}</code></th>
        <td class="name small">${changed(one)}</td>
        <td class="small">${one.ip ?? ""}</td>
      </tr>`)}</tbody>
    </table></div>`}
  <//>`;
}

// Which columns changed and how, as far as this reader may see.
function changed(entry) {
  const parts = { ...(entry.detail ?? {}), ...(entry.personal ?? {}) };
  const text = JSON.stringify(parts, null, 1).replace(/[{}"\n]/g, "").trim();
  return entry.sealed && !entry.personal ? `${text} ${t("page.crm.sealed")}`.trim() : text;
}

const PARTS = { retention: Retention, erasures: Erasures, texts: Texts, audit: Log };
const WORD = { retention: "privacy", erasures: "privacy", texts: "contacts", audit: "audit" };

export function Records({ open }) {
  const parts = Object.keys(PARTS).filter((part) => may(WORD[part], "read"));
  const part = parts.includes(open) ? open : parts[0];
  if (!part) return html`<h1 id="title">${t("page.crm.nav.privacy")}</h1><p class="panel empty big">${t("page.crm.forbidden")}</p>`;
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <h1 id="title">${t("page.crm.nav.privacy")}</h1>
      <nav class="parts" aria-label=${t("page.crm.nav.privacy")}><ul>
        ${parts.map((one) => html`<li key=${one}>
          <a href=${`#privacy/${one}`} aria-current=${one === part ? "page" : null}>${t(`page.crm.part.${one}`)}</a>
        </li>`)}
      </ul></nav>
    </div>
    <${PARTS[part]} key=${part} />
  </section>`;
}
