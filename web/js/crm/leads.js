// Leads on a board: who may become a customer, until an opportunity is made of them.
import { html, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { uuid7 } from "/lib/uuid.js";
import { Board, total, useBoard } from "/js/crm/board.js";
import { Dialog, words } from "/js/crm/form.js";
import { Import } from "/js/crm/import.js";
import { API, change, create, may, read1, remove, say } from "/js/crm/model.js";
import { useEvents, useOwners } from "/js/crm/pick.js";
import { Steps } from "/js/crm/steps.js";
import { money } from "/js/crm/say.js";

const STATUSES = ["new", "contacted", "qualified", "proposal", "negotiation", "closed_won", "closed_lost"];

// What a lead is called: the person, else the company, else where it came from.
const named = (lead) => lead.labels?.contact_id || lead.labels?.company_id || lead.lead_source;
const LEADS = { resource: "leads", step: "lead_status", steps: STATUSES, group: "lead_status", name: named };

const FIELDS = (owners, events) => [
  ["contact_id", "ref", "contacts"],
  ["company_id", "ref", "companies"],
  ["lead_source", "text"],
  ["lead_status", "choice", words("lead_status", STATUSES)],
  ["assigned_to", "choice", owners],
  ["event_id", "choice", events],
  ["estimated_value", "money"],
  ["probability_percentage", "number"],
  ["expected_close_date", "date"],
  ["budget_range", "text"],
  ["decision_timeline", "text"],
  ["requirements", "long"],
];

function drawn(lead) {
  return {
    name: named(lead),
    under: [lead.labels?.contact_id && lead.labels?.company_id, lead.lead_source].filter(Boolean).join(" · "),
    amount: lead.estimated_value,
    chance: lead.probability_percentage,
    day: lead.expected_close_date,
  };
}

function Lead({ lead, board, onClose, onFresh }) {
  const owners = useOwners(lead);
  const events = useEvents();
  const converts = lead.id && lead.lead_status !== "closed_lost" && may("leads", "write") && may("opportunities", "write");
  return html`<${Dialog}
    title=${lead.id ? named(lead) : t("page.crm.new_lead")}
    fields=${FIELDS(owners, events)}
    row=${lead.id ? lead : { lead_status: "new" }}
    required=${["lead_source", "lead_status"]}
    onClose=${onClose}
    onStale=${async () => onFresh(await read1("leads", lead.id))}
    onSave=${async (wanted) => {
      const row = lead.id ? await change("leads", lead, wanted) : await create("leads", wanted);
      board.put(await read1("leads", row.id));
      onClose();
      say(t("page.crm.saved"));
    }}
    acts=${converts
      ? [[t("page.crm.convert"), async () => {
          const deal = await call("POST", `${API}/leads/${lead.id}/convert`, {}, { "Idempotency-Key": uuid7() });
          say(t(deal.replayed ? "page.crm.converted_before" : "page.crm.converted", { name: named(lead) }));
          onClose();
          location.hash = "pipeline/opportunities";
        }]]
      : []}
    onDelete=${lead.id && may("leads", "delete")
      ? async () => {
          await remove("leads", lead);
          board.drop(lead);
          onClose();
          say(t("page.crm.deleted"));
        }
      : null}
  >${lead.id && may("opportunities", "read") && html`<${Steps} path=${`leads/${lead.id}`} group="lead_status" />`}<//>`;
}

export function Leads() {
  const board = useBoard(LEADS);
  const [open, setOpen] = useState(null);
  const [file, setFile] = useState(false);
  const openLeads = (board.cards ?? []).filter((lead) => !lead.lead_status.startsWith("closed"));
  return html`<div class="filters">
      ${board.cards &&
      html`<p class="sums"><span>${t("page.crm.open_sum")} <b class="figure">${money(total(openLeads, "estimated_value"), locale())}</b></span></p>`}
      <span class="gap"></span>
      <a class="button" href=${`${API}/leads/export.csv`} download>${t("page.crm.export")}</a>
      ${may("leads", "write") &&
      html`<button type="button" class="button" onClick=${() => setFile(true)}>${t("page.crm.import.title")}</button>
        <button type="button" class="button primary" onClick=${() => setOpen({})}>${t("page.crm.new")}</button>`}
    </div>
    <${Board} ...${LEADS} board=${board} word="leads" amount="estimated_value" draw=${drawn}
      onMove=${(lead, to) => board.move(lead, to).catch(() => {})} onOpen=${setOpen} />
    ${file && html`<${Import} resource="leads" onClose=${() => setFile(false)} onDone=${board.load} />`}
    ${open && html`<${Lead} key=${open.id ?? "new"} lead=${open} board=${board} onClose=${() => setOpen(null)} onFresh=${setOpen} />`}`;
}
