// Contacts: search over name, address and phone, filters, orders, pages.
import { html, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { API, create, may, query, say } from "/js/crm/model.js";
import { Dialog, words } from "/js/crm/form.js";
import { Import } from "/js/crm/import.js";
import { Choice, Rows, Search, useRows, useTyped } from "/js/crm/list.js";
import { useOwners } from "/js/crm/pick.js";
import { shortDay } from "/js/crm/say.js";

export const CONTACT_FIELDS = (owners) => [
  ["first_name", "text"],
  ["last_name", "text"],
  ["email", "email"],
  ["phone", "tel"],
  ["company_id", "ref", "companies"],
  ["job_title", "text"],
  ["assigned_to", "choice", owners],
  ["contact_type", "choice", words("contact_type", ["individual", "business", "vip"])],
  ["status", "choice", words("status", ["active", "inactive", "blocked", "deleted"])],
  ["address_line1", "text"],
  ["postal_code", "text"],
  ["city", "text"],
  ["state_province", "text"],
  ["country", "text"],
  ["industry", "text"],
  ["lead_source", "text"],
  ["tags", "tags"],
];

export function Score({ value }) {
  if (value === null || value === undefined) return html`<span class="soft">–</span>`;
  return html`<span class="score" title=${t("page.crm.field.lead_score")}>
    <span class="meter"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect width=${value} height="6" />
    </svg></span>
    <span class="figure">${value}</span>
  </span>`;
}

function Line({ row }) {
  return html`<tr>
    <th scope="row">
      <a class="name" href=${`#contacts/${row.id}`}>${row.first_name} ${row.last_name}</a>
      ${row.contact_type === "vip" && html` <span class="chip warn">${t("page.crm.contact_type.vip")}</span>`}
      ${row.status !== "active" && html` <span class="chip bad">${t(`page.crm.status.${row.status}`)}</span>`}
    </th>
    <td class="name">${row.email ?? html`<span class="soft">${t("page.crm.hidden")}</span>`}</td>
    <td class="name">${row.labels?.company_id ?? ""}</td>
    <td><${Score} value=${row.lead_score} /></td>
    <td class="name">${row.labels?.assigned_to ?? ""}</td>
    <td class="figure">${shortDay(row.created_at, locale())}</td>
  </tr>`;
}

export function Contacts() {
  const [text, setText, q] = useTyped();
  const [status, setStatus] = useState("active");
  const [type, setType] = useState("");
  const [sort, setSort] = useState("-created_at");
  const [fresh, setFresh] = useState(false);
  const [file, setFile] = useState(false);
  const [whose, setWhose] = useState("");
  const owners = useOwners(null);
  const values = { q, status, contact_type: type, assigned_to: whose, sort };
  const rows = useRows("contacts", values);
  const all = [["", t("page.crm.all")]];
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <h1 id="title">${t("page.crm.nav.contacts")}</h1>
      <${Search} text=${text} setText=${setText} label=${t("page.crm.search.contacts")} />
      <a class="button" href=${`${API}/contacts/export.csv?${query(values)}`} download>${t("page.crm.export")}</a>
      ${may("contacts", "write") &&
      html`<button type="button" class="button" onClick=${() => setFile(true)}>${t("page.crm.import.title")}</button>
        <button type="button" class="button primary" onClick=${() => setFresh(true)}>${t("page.crm.new")}</button>`}
    </div>
    <div class="filters">
      <${Choice} id="status" label=${t("page.crm.field.status")} value=${status} onChange=${setStatus}
        options=${[...all, ...words("status", ["active", "inactive", "blocked", "deleted"])]} />
      <${Choice} id="type" label=${t("page.crm.field.contact_type")} value=${type} onChange=${setType}
        options=${[...all, ...words("contact_type", ["individual", "business", "vip"])]} />
      <${Choice} id="whose" label=${t("page.crm.field.assigned_to")} value=${whose} onChange=${setWhose} options=${[...all, ...owners]} />
      <${Choice} id="sort" label=${t("page.crm.sort")} value=${sort} onChange=${setSort}
        options=${words("order", ["-created_at", "last_name", "-lead_score"])} />
    </div>
    <${Rows} rows=${rows} empty=${q ? t("page.crm.nothing_found", { words: q }) : t("page.crm.none.contacts")}>
      ${(found) => html`<div class="panel table"><table>
        <thead><tr>
          ${["name", "email", "company_id", "lead_score", "assigned_to", "created_at"].map(
            (name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`,
          )}
        </tr></thead>
        <tbody>${found.map((row) => html`<${Line} key=${row.id} row=${row} />`)}</tbody>
      </table></div>`}
    <//>
    ${file && html`<${Import} resource="contacts" onClose=${() => setFile(false)} onDone=${rows.reload} />`}
    ${fresh &&
    html`<${Dialog}
      title=${t("page.crm.new_contact")}
      fields=${CONTACT_FIELDS(owners)}
      row=${{ contact_type: "individual", status: "active" }}
      required=${["first_name", "last_name", "email", "contact_type", "status"]}
      onClose=${() => setFresh(false)}
      onSave=${async (wanted) => {
        const row = await create("contacts", wanted);
        say(t("page.crm.saved"));
        location.hash = `contacts/${row.id}`;
      }}
    />`}
  </section>`;
}
