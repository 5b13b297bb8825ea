// What a person allows, and what the law gives them: everything as a file, and erasure.
import { html, useEffect, useState } from "/lib/ui.js";
import { language, locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { uuid7 } from "/lib/uuid.js";
import { Dialog, words } from "/js/crm/form.js";
import { API, may, query, say } from "/js/crm/model.js";
import { shortDay } from "/js/crm/say.js";

const PURPOSES = ["marketing", "email", "sms", "phone", "profiling", "photos", "sponsor_sharing", "networking"];
const BASES = ["express", "implied", "contract", "legitimate_interest"];
const REGIMES = ["casl", "gdpr", "pipeda"];

export const consentPurpose = (purpose) =>
  t(["marketing", "email", "sms", "phone"].includes(purpose) ? `page.crm.purpose.${purpose}` : `page.crm.value.${purpose}`);

function Allowed({ one }) {
  const facts = [
    t(`page.crm.basis.${one.basis}`),
    one.regime && one.regime.toUpperCase(),
    one.source,
    one.text_version && `${one.text_version} (${one.text_language})`,
    shortDay(one.given_at, locale()),
    one.expires_at && t("page.crm.until", { day: shortDay(one.expires_at, locale()) }),
  ];
  return html`<li>
    <span class=${`chip ${one.allowed ? "good" : ""}`}>
      <span aria-hidden="true">${one.allowed ? "✓" : "✕"}</span> ${consentPurpose(one.purpose)}
      <span class="unseen">${t(`page.crm.yes.${one.allowed}`)}</span>
    </span>
    <span class="soft small name">${facts.filter(Boolean).join(" · ")}</span>
  </li>`;
}

function Consent({ id, onClose, onDone }) {
  const [texts, setTexts] = useState(null);
  useEffect(() => {
    call("GET", `${API}/consent-texts?limit=200`).then((page) => setTexts(page.items), () => setTexts([]));
  }, []);
  if (texts === null) return null;
  return html`<${Dialog}
    title=${t("page.crm.new_consent")}
    fields=${[
      ["purpose", "choice", PURPOSES.map((one) => [one, consentPurpose(one)])],
      ["state", "choice", ["granted", "withdrawn"].map((one) => [one, t(`page.crm.value.${one}`)])],
      ["basis", "choice", words("basis", BASES)],
      ["regime", "choice", REGIMES.map((one) => [one, one.toUpperCase()])],
      ["text_id", "choice", texts.map((one) => [one.id, `${consentPurpose(one.purpose)} · ${one.version} (${one.language})`])],
      ["source", "text"],
    ]}
    row=${{ purpose: "email", state: "granted", basis: "express" }}
    required=${["purpose", "state", "basis", "source"]}
    onClose=${onClose}
    onSave=${async (wanted) => {
      await call("POST", `${API}/contacts/${id}/consents`, wanted, { "Idempotency-Key": uuid7() });
      onClose();
      say(t("page.crm.saved"));
      onDone();
    }}
  />`;
}

function Erase({ row, onClose, onDone }) {
  return html`<${Dialog}
    title=${t("page.crm.erase.title", { name: `${row.first_name} ${row.last_name}` })}
    fields=${[["reason", "text"]]}
    required=${["reason"]}
    save=${t("page.crm.erase.sure")}
    onClose=${onClose}
    onSave=${async (wanted) => {
      const done = await call("POST", `${API}/contacts/${row.id}/erase`, wanted, { "Idempotency-Key": uuid7() });
      onClose();
      say(t(done.result.kept_names || done.result.kept_numbers ? "page.crm.erase.done_but" : "page.crm.erase.done"));
      onDone();
    }}
  ><p class="notice bad">${t("page.crm.erase.warning")}</p><//>`;
}

export function Privacy({ row, onChanged }) {
  const [current, setCurrent] = useState([]);
  const [form, setForm] = useState(null);
  const load = () => call("GET", `${API}/contacts/${row.id}/consents/current`).then(setCurrent, () => setCurrent([]));
  useEffect(() => {
    load();
  }, [row.id, row.etag]);
  const close = () => setForm(null);
  const done = () => {
    load();
    onChanged();
  };
  const file = (form) => `${API}/contacts/${row.id}/export?${query({ form, language: language.value })}`;
  return html`<section class="panel side" aria-labelledby="privacy">
    <h2 id="privacy">${t("page.crm.privacy")}</h2>
    ${current.length === 0
      ? html`<p class="soft small">${t("page.crm.none.consents")}</p>`
      : html`<ul class="plain-list consent-list" aria-label=${t("page.crm.consents")}>
          ${current.map((one) => html`<${Allowed} key=${one.purpose} one=${one} />`)}
        </ul>`}
    <div class="actions">
      ${may("contacts", "write") && row.status !== "deleted" &&
      html`<button type="button" class="button" onClick=${() => setForm("consent")}>+ ${t("page.crm.kind.consent")}</button>`}
      ${may("privacy", "read") &&
      html`<a class="button" href=${file("html")} download>${t("page.crm.dossier")}</a>
        <a class="button" href=${file("json")} download>JSON</a>`}
      ${may("privacy", "write") &&
      html`<button type="button" class="button plain danger" onClick=${() => setForm("erase")}>${t("page.crm.erase")}…</button>`}
    </div>
    ${form === "consent" && html`<${Consent} id=${row.id} onClose=${close} onDone=${done} />`}
    ${form === "erase" && html`<${Erase} row=${row} onClose=${close} onDone=${done} />`}
  </section>`;
}
