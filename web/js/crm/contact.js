// One contact: what is known, and everything that touched the person on one timeline.
import { html, useEffect, useState } from "/lib/ui.js";
import { has, locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { API, change, create, may, me, query, read1, remove, say, sentence } from "/js/crm/model.js";
import { CONTACT_FIELDS, Score } from "/js/crm/contacts.js";
import { Duplicates } from "/js/crm/duplicates.js";
import { Dialog, words } from "/js/crm/form.js";
import { Choice, Rows } from "/js/crm/list.js";
import { useOwners } from "/js/crm/pick.js";
import { Privacy } from "/js/crm/privacy.js";
import { dayAndTime, shortDay } from "/js/crm/say.js";

const KINDS = [
  "visit", "session", "order", "interaction", "note", "task", "lead", "opportunity",
  "stage", "campaign", "consent", "feedback", "registration", "connection", "sponsor_scan", "merge",
];

// The timeline pages by itself: its rows are no resource of the table API.
function useTimeline(id, kind) {
  const [state, setState] = useState({ rows: null, cursor: null, problem: null, busy: true });
  async function load(cursor = null, before = []) {
    setState((old) => ({ ...old, busy: true, problem: null }));
    try {
      const page = await call("GET", `${API}/contacts/${id}/timeline?${query({ kind, cursor, limit: 50 })}`);
      setState({ rows: [...before, ...page.items], cursor: page.next_cursor, problem: null, busy: false });
    } catch (problem) {
      setState((old) => ({ ...old, busy: false, problem }));
    }
  }
  useEffect(() => {
    load();
  }, [id, kind]);
  return { ...state, reload: () => load(), more: () => load(state.cursor, state.rows ?? []) };
}

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

// What an entry tells beyond its kind: the parts that mean something to a reader.
function told(what) {
  return Object.entries(what ?? {})
    .filter(([, value]) => value !== null && value !== "" && typeof value !== "object" && !ID.test(value))
    .slice(0, 6);
}

// Words of a list, which are said in the reader's language; all else is what people wrote.
const LISTED = new Set(["status", "state", "stage", "from", "to", "type", "direction", "outcome", "purpose"]);
const SAYINGS = ["stage", "interaction_type", "direction", "value"];

function said(name, value) {
  if (typeof value === "boolean") return t(`page.crm.yes.${value}`);
  const saying = LISTED.has(name) && SAYINGS.find((kind) => has(`page.crm.${kind}.${value}`));
  if (saying) return t(`page.crm.${saying}.${value}`);
  return MOMENT.test(value) ? dayAndTime(value, locale()) : String(value);
}

function Entry({ entry }) {
  const title = entry.what?.title ?? entry.what?.subject ?? entry.what?.name ?? entry.event;
  return html`<li class=${`entry kind-${entry.kind}`}>
    <span class="entry-mark" aria-hidden="true"></span>
    <div>
      <p class="entry-head">
        <b>${t(`page.crm.kind.${entry.kind}`)}</b>
        ${title && html` <span class="name">${title}</span>`}
      </p>
      <p class="small soft">
        <time datetime=${entry.at}>${dayAndTime(entry.at, locale())}</time>
        ${entry.event && entry.event !== title && html` · <span class="name">${entry.event}</span>`}
      </p>
      <dl class="entry-facts">
        ${told(entry.what)
          .filter(([, value]) => value !== title)
          .map(
            ([name, value]) => html`<div key=${name}>
              <dt>${has(`page.crm.field.${name}`) ? t(`page.crm.field.${name}`) : name.replaceAll("_", " ")}</dt>
              <dd class="name">${said(name, value)}</dd>
            </div>`,
          )}
      </dl>
    </div>
  </li>`;
}

const FORMS = {
  note: {
    resource: "notes",
    fields: () => [["title", "text"], ["content", "long"], ["is_private", "check"]],
    required: ["content"],
  },
  interaction: {
    resource: "interactions",
    fields: () => [
      ["interaction_type", "choice", words("interaction_type", ["phone", "email", "meeting", "sms", "demo", "proposal", "follow_up", "complaint"])],
      ["direction", "choice", words("direction", ["inbound", "outbound"])],
      ["subject", "text"],
      ["content", "long"],
      ["occurred_at", "datetime"],
      ["duration_minutes", "number"],
    ],
    required: ["interaction_type"],
  },
  task: {
    resource: "tasks",
    fields: (owners) => [
      ["title", "text"],
      ["due_date", "datetime"],
      ["reminder_date", "datetime"],
      ["assigned_to", "choice", owners],
      ["priority", "choice", words("priority", ["low", "medium", "high", "urgent"])],
    ],
    required: ["title"],
    row: () => ({ assigned_to: me.value?.id, priority: "medium" }),
  },
  lead: {
    resource: "leads",
    fields: (owners) => [
      ["lead_source", "text"],
      ["estimated_value", "money"],
      ["expected_close_date", "date"],
      ["assigned_to", "choice", owners],
      ["requirements", "long"],
    ],
    required: ["lead_source"],
  },
};

function Facts({ row }) {
  const facts = [
    ["email", row.email && html`<a href=${`mailto:${row.email}`}>${row.email}</a>`],
    ["phone", row.phone && html`<a href=${`tel:${row.phone}`}>${row.phone}</a>`],
    ["company_id", row.company_id && html`<a href=${`#companies/${row.company_id}`}>${row.labels?.company_id ?? "–"}</a>`],
    ["job_title", row.job_title],
    ["city", [row.city, row.country].filter(Boolean).join(", ")],
    ["lead_source", row.lead_source],
    ["tag_list", row.tags?.join(", ")],
    ["assigned_to", row.labels?.assigned_to],
    ["last_event_attended_at", row.last_event_attended_at && shortDay(row.last_event_attended_at, locale())],
    ["created_at", shortDay(row.created_at, locale())],
  ];
  return html`<dl class="facts">
    ${facts.filter(([, value]) => value).map(
      ([name, value]) => html`<div key=${name}>
        <dt>${t(`page.crm.field.${name}`)}</dt>
        <dd class="name">${value}</dd>
      </div>`,
    )}
    <div><dt>${t("page.crm.field.lead_score")}</dt><dd><${Score} value=${row.lead_score} /></dd></div>
  </dl>`;
}

export function Contact({ id }) {
  const [row, setRow] = useState(null);
  const [problem, setProblem] = useState(null);
  const [form, setForm] = useState(null);
  const [kind, setKind] = useState("");
  const timeline = useTimeline(id, kind);
  const owners = useOwners(row);

  async function load() {
    setProblem(null);
    try {
      setRow(await read1("contacts", id));
    } catch (error) {
      setProblem(error);
    }
  }
  useEffect(() => {
    load();
  }, [id]);

  if (problem) {
    return html`<div class="panel trouble" role="alert">
      <p>${problem.status === 404 ? t("page.crm.gone") : sentence(problem)}</p>
      <a class="button" href="#contacts">${t("page.crm.nav.contacts")}</a>
    </div>`;
  }
  if (!row) return html`<div class="panel loading" aria-busy="true"><span class="skeleton"></span><span class="skeleton"></span></div>`;
  const made = FORMS[form];
  const close = () => setForm(null);
  return html`<section aria-labelledby="title" class="contact">
    <div class="view-head">
      <a class="button plain" href="#contacts" aria-label=${t("page.crm.back")}>←</a>
      <h1 id="title" class="name">${row.first_name} ${row.last_name}</h1>
      ${row.status !== "active" && html`<span class="chip bad">${t(`page.crm.status.${row.status}`)}</span>`}
      ${row.contact_type === "vip" && html`<span class="chip warn">${t("page.crm.contact_type.vip")}</span>`}
      <span class="gap"></span>
      ${may("contacts", "write") &&
      html`<button type="button" class="button" onClick=${() => setForm("edit")}>${t("page.crm.edit")}</button>`}
    </div>
    <div class="contact-columns">
      <div class="sides">
        <div class="panel side">
          <${Facts} row=${row} />
        </div>
        <${Privacy} row=${row} onChanged=${() => {
          load();
          timeline.reload();
        }} />
        <${Duplicates} row=${row} onMerged=${() => {
          load();
          timeline.reload();
        }} />
      </div>
      <div class="panel">
        <div class="timeline-head">
          <h2>${t("page.crm.timeline")}</h2>
          <${Choice} id="kind" label=${t("page.crm.show")} value=${kind} onChange=${setKind}
            options=${[["", t("page.crm.all")], ...words("kind", KINDS)]} />
          <div class="adds">
            ${Object.keys(FORMS).filter((name) => may(FORMS[name].resource, "write")).map(
              (name) => html`<button key=${name} type="button" class="button" onClick=${() => setForm(name)}>
                + ${t(`page.crm.kind.${name}`)}
              </button>`,
            )}
          </div>
        </div>
        <${Rows} rows=${timeline} empty=${t("page.crm.none.timeline")}>
          ${(rows) => html`<ol class="timeline">
            ${rows.map((entry) => html`<${Entry} key=${`${entry.kind}${entry.id}${entry.at}`} entry=${entry} />`)}
          </ol>`}
        <//>
      </div>
    </div>
    ${form === "edit" &&
    html`<${Dialog}
      title=${t("page.crm.edit")}
      fields=${CONTACT_FIELDS(owners)}
      row=${row}
      required=${["first_name", "last_name", "contact_type", "status"]}
      onClose=${close}
      onStale=${load}
      onSave=${async (wanted) => {
        await change("contacts", row, wanted);
        await load();
        close();
        say(t("page.crm.saved"));
      }}
      onDelete=${may("contacts", "delete") && row.status !== "deleted"
        ? async () => {
            await remove("contacts", row);
            say(t("page.crm.deleted"));
            location.hash = "contacts";
          }
        : null}
    />`}
    ${made &&
    html`<${Dialog}
      title=${t(`page.crm.kind.${form}`)}
      fields=${made.fields(owners)}
      row=${made.row?.() ?? {}}
      required=${made.required}
      onClose=${close}
      onSave=${async (wanted) => {
        const company = made.resource === "leads" && row.company_id ? { company_id: row.company_id } : {};
        await create(made.resource, { ...company, ...wanted, contact_id: id });
        close();
        say(t("page.crm.saved"));
        timeline.reload();
      }}
    />`}
  </section>`;
}

