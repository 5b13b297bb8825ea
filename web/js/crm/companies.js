// Companies: a list with search; one opened shows who works there and what is on.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { API, change, create, may, query, read1, remove, say, sentence } from "/js/crm/model.js";
import { Dialog, words } from "/js/crm/form.js";
import { Import } from "/js/crm/import.js";
import { Choice, Rows, Search, useRows, useTyped } from "/js/crm/list.js";
import { useOwners } from "/js/crm/pick.js";
import { cents, money } from "/js/crm/say.js";

const TYPES = ["prospect", "customer", "partner", "vendor"];
const SIZES = ["startup", "small", "medium", "large", "enterprise"];

const FIELDS = (owners) => [
  ["name", "text"],
  ["assigned_to", "choice", owners],
  ["primary_contact_id", "ref", "contacts"],
  ["account_type", "choice", words("account_type", TYPES)],
  ["company_size", "choice", words("company_size", SIZES)],
  ["industry", "text"],
  ["website", "text"],
  ["email", "email"],
  ["phone", "tel"],
  ["address_line1", "text"],
  ["city", "text"],
  ["country", "text"],
  ["annual_revenue", "money"],
];

function People({ id }) {
  const rows = useRows("contacts", { company_id: id, sort: "last_name" });
  return html`<div class="panel side">
    <h2>${t("page.crm.nav.contacts")}</h2>
    <${Rows} rows=${rows} empty=${t("page.crm.none.contacts")}>
      ${(found) => html`<ul class="plain-list">
        ${found.map((row) => html`<li key=${row.id}>
          <a class="name" href=${`#contacts/${row.id}`}>${row.first_name} ${row.last_name}</a>
          <span class="soft small name"> ${row.job_title ?? ""}</span>
        </li>`)}
      </ul>`}
    <//>
  </div>`;
}

function Deals({ id }) {
  const rows = useRows("opportunities", { company_id: id });
  return html`<div class="panel side">
    <h2>${t("page.crm.nav.pipeline")}</h2>
    <${Rows} rows=${rows} empty=${t("page.crm.none.opportunities")}>
      ${(found) => html`<ul class="plain-list">
        ${found.map((row) => html`<li key=${row.id}>
          <a class="name" href="#pipeline/opportunities">${row.name}</a>
          <span class="chip">${t(`page.crm.stage.${row.stage}`)}</span>
          <span class="figure">${row.amount ? money(cents(row.amount), locale()) : ""}</span>
        </li>`)}
      </ul>`}
    <//>
  </div>`;
}

function Company({ id }) {
  const [row, setRow] = useState(null);
  const [problem, setProblem] = useState(null);
  const [edit, setEdit] = useState(false);
  const owners = useOwners(row);
  const load = () => read1("companies", id).then(setRow, setProblem);
  useEffect(() => {
    load();
  }, [id]);
  if (problem) return html`<div class="panel trouble" role="alert"><p>${problem.status === 404 ? t("page.crm.gone") : sentence(problem)}</p></div>`;
  if (!row) return html`<div class="panel loading" aria-busy="true"><span class="skeleton"></span></div>`;
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <a class="button plain" href="#companies" aria-label=${t("page.crm.back")}>←</a>
      <h1 id="title" class="name">${row.name}</h1>
      ${row.account_type && html`<span class="chip">${t(`page.crm.account_type.${row.account_type}`)}</span>`}
      <span class="gap"></span>
      ${may("companies", "write") && html`<button type="button" class="button" onClick=${() => setEdit(true)}>${t("page.crm.edit")}</button>`}
    </div>
    <p class="soft name">${[row.industry, row.city, row.website].filter(Boolean).join(" · ")}</p>
    <div class="two-columns">
      <${People} id=${id} />
      ${may("opportunities", "read") && html`<${Deals} id=${id} />`}
    </div>
    ${edit &&
    html`<${Dialog}
      title=${t("page.crm.edit")}
      fields=${FIELDS(owners)}
      row=${row}
      required=${["name"]}
      onClose=${() => setEdit(false)}
      onStale=${load}
      onSave=${async (wanted) => {
        await change("companies", row, wanted);
        await load();
        setEdit(false);
        say(t("page.crm.saved"));
      }}
      onDelete=${may("companies", "delete")
        ? async () => {
            await remove("companies", row);
            say(t("page.crm.deleted"));
            location.hash = "companies";
          }
        : null}
    />`}
  </section>`;
}

export function Companies({ open }) {
  const [text, setText, q] = useTyped();
  const [type, setType] = useState("");
  const [fresh, setFresh] = useState(false);
  const [file, setFile] = useState(false);
  const owners = useOwners(null);
  const values = { q, account_type: type, sort: "name" };
  const rows = useRows("companies", values);
  if (open) return html`<${Company} key=${open} id=${open} />`;
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <h1 id="title">${t("page.crm.nav.companies")}</h1>
      <${Search} text=${text} setText=${setText} label=${t("page.crm.search.companies")} />
      <a class="button" href=${`${API}/companies/export.csv?${query(values)}`} download>${t("page.crm.export")}</a>
      ${may("companies", "write") &&
      html`<button type="button" class="button" onClick=${() => setFile(true)}>${t("page.crm.import.title")}</button>
        <button type="button" class="button primary" onClick=${() => setFresh(true)}>${t("page.crm.new")}</button>`}
    </div>
    ${file && html`<${Import} resource="companies" onClose=${() => setFile(false)} onDone=${rows.reload} />`}
    <div class="filters">
      <${Choice} id="type" label=${t("page.crm.field.account_type")} value=${type} onChange=${setType}
        options=${[["", t("page.crm.all")], ...words("account_type", TYPES)]} />
    </div>
    <${Rows} rows=${rows} empty=${q ? t("page.crm.nothing_found", { words: q }) : t("page.crm.none.companies")}>
      ${(found) => html`<div class="panel table"><table>
        <thead><tr>
          ${["name", "account_type", "company_size", "industry", "city", "assigned_to"].map(
            (name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`,
          )}
        </tr></thead>
        <tbody>${found.map(
          (row) => html`<tr key=${row.id}>
            <th scope="row"><a class="name" href=${`#companies/${row.id}`}>${row.name}</a></th>
            <td>${row.account_type ? t(`page.crm.account_type.${row.account_type}`) : ""}</td>
            <td>${row.company_size ? t(`page.crm.company_size.${row.company_size}`) : ""}</td>
            <td class="name">${row.industry ?? ""}</td>
            <td class="name">${row.city ?? ""}</td>
            <td class="name">${row.labels?.assigned_to ?? ""}</td>
          </tr>`,
        )}</tbody>
      </table></div>`}
    <//>
    ${fresh &&
    html`<${Dialog}
      title=${t("page.crm.new_company")}
      fields=${FIELDS(owners)}
      row=${{ account_type: "prospect" }}
      required=${["name"]}
      onClose=${() => setFresh(false)}
      onSave=${async (wanted) => {
        const row = await create("companies", wanted);
        say(t("page.crm.saved"));
        location.hash = `companies/${row.id}`;
      }}
    />`}
  </section>`;
}
