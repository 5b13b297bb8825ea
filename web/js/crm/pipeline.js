// The pipeline: opportunities and leads on boards, and what is likely to come.
import { html, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { uuid7 } from "/lib/uuid.js";
import { API, change, create, may, read1, remove, say } from "/js/crm/model.js";
import { Board, total, useBoard } from "/js/crm/board.js";
import { Forecast } from "/js/crm/forecast.js";
import { Dialog, words } from "/js/crm/form.js";
import { Leads } from "/js/crm/leads.js";
import { Rules } from "/js/crm/rules.js";
import { useEvents, useOwners } from "/js/crm/pick.js";
import { Steps } from "/js/crm/steps.js";
import { cents, money } from "/js/crm/say.js";

export const STAGES = ["prospecting", "qualification", "proposal", "negotiation", "closed_won", "closed_lost"];
const DEALS = { resource: "opportunities", step: "stage", steps: STAGES, group: "stage", name: (deal) => deal.name };
const REASON = { closed_won: "win_reason", closed_lost: "loss_reason" };

const FIELDS = (owners, events) => [
  ["name", "text"],
  ["stage", "choice", words("stage", STAGES)],
  ["contact_id", "ref", "contacts"],
  ["company_id", "ref", "companies"],
  ["assigned_to", "choice", owners],
  ["event_id", "choice", events],
  ["amount", "money"],
  ["probability", "number"],
  ["expected_close_date", "date"],
  ["competitor", "text"],
  ["win_reason", "long"],
  ["loss_reason", "long"],
  ["description", "long"],
];

// What a stage is worth where a deal says nothing of its own; as the server weighs.
const CHANCES = { prospecting: 10, qualification: 25, proposal: 50, negotiation: 75 };

// What is likely to come: each amount by its probability.
function weighted(cards) {
  const chance = (card) => BigInt(card.probability ?? CHANCES[card.stage] ?? 0);
  return cards.reduce((sum, card) => sum + (cents(card.amount) * chance(card)) / 100n, 0n);
}

function drawn(deal) {
  return {
    name: deal.name,
    under: deal.labels?.company_id ?? deal.labels?.contact_id ?? "",
    amount: deal.amount,
    chance: deal.probability,
    day: deal.expected_close_date,
  };
}

function Deal({ deal, board, onClose, onFresh }) {
  const owners = useOwners(deal);
  const events = useEvents();
  const open = deal.id && deal.stage !== "closed_lost";
  return html`<${Dialog}
    title=${deal.id ? deal.name : t("page.crm.new_opportunity")}
    fields=${FIELDS(owners, events)}
    row=${deal.id ? deal : { stage: "prospecting" }}
    required=${["name", "stage"]}
    onClose=${onClose}
    onStale=${async () => onFresh(await read1("opportunities", deal.id))}
    onSave=${async (wanted) => {
      const row = deal.id ? await change("opportunities", deal, wanted) : await create("opportunities", wanted);
      board.put(await read1("opportunities", row.id));
      onClose();
      say(t("page.crm.saved"));
    }}
    acts=${open && may("opportunities", "write") && may("orders", "read")
      ? [[t("page.crm.make_order"), async () => {
          const order = await call("POST", `${API}/opportunities/${deal.id}/order`, {}, { "Idempotency-Key": uuid7() });
          board.put(await read1("opportunities", deal.id));
          onClose();
          say(t(order.replayed ? "page.crm.order_there" : "page.crm.order_made", { number: order.order_number }));
        }]]
      : []}
    onDelete=${deal.id && may("opportunities", "delete")
      ? async () => {
          await remove("opportunities", deal);
          board.drop(deal);
          onClose();
          say(t("page.crm.deleted"));
        }
      : null}
  >${deal.id && html`<${Steps} path=${`opportunities/${deal.id}`} group="stage" />`}<//>`;
}

function Deals() {
  const board = useBoard(DEALS);
  const [open, setOpen] = useState(null);
  const [asking, setAsking] = useState(null);
  const ask = (card, stage) => (REASON[stage] ? setAsking({ card, stage }) : board.move(card, stage).catch(() => {}));
  const openCards = (board.cards ?? []).filter((card) => !card.stage.startsWith("closed"));
  return html`<div class="filters">
      ${board.cards &&
      html`<p class="sums"><span>${t("page.crm.open_sum")} <b class="figure">${money(total(openCards, "amount"), locale())}</b></span>
        <span>${t("page.crm.weighted")} <b class="figure">${money(weighted(openCards), locale())}</b></span></p>`}
      <span class="gap"></span>
      <a class="button" href=${`${API}/opportunities/export.csv`} download>${t("page.crm.export")}</a>
      ${may("opportunities", "write") &&
      html`<button type="button" class="button primary" onClick=${() => setOpen({})}>${t("page.crm.new")}</button>`}
    </div>
    <${Board} ...${DEALS} board=${board} word="opportunities" amount="amount" draw=${drawn} onMove=${ask} onOpen=${setOpen} />
    ${open && html`<${Deal} key=${open.id ?? "new"} deal=${open} board=${board} onClose=${() => setOpen(null)} onFresh=${setOpen} />`}
    ${asking &&
    html`<${Dialog}
      title=${t(`page.crm.stage.${asking.stage}`)}
      fields=${[[REASON[asking.stage], "long"]]}
      required=${asking.stage === "closed_lost" ? ["loss_reason"] : []}
      onClose=${() => setAsking(null)}
      onSave=${async (wanted) => {
        await board.move(asking.card, asking.stage, wanted);
        setAsking(null);
      }}
    />`}`;
}

const PARTS = { opportunities: Deals, leads: Leads, forecast: Forecast, rules: Rules };
const WORD = { opportunities: "opportunities", leads: "leads", forecast: "opportunities", rules: "leads" };

// open: which part; without it the first that the role may read.
export function Pipeline({ open }) {
  const parts = Object.keys(PARTS).filter((part) => may(WORD[part], "read"));
  const part = parts.includes(open) ? open : parts[0];
  if (!part) return html`<h1 id="title">${t("page.crm.nav.pipeline")}</h1><p class="panel empty big">${t("page.crm.forbidden")}</p>`;
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <h1 id="title">${t("page.crm.nav.pipeline")}</h1>
      <nav class="parts" aria-label=${t("page.crm.nav.pipeline")}><ul>
        ${parts.map((one) => html`<li key=${one}>
          <a href=${`#pipeline/${one}`} aria-current=${one === part ? "page" : null}>${t(`page.crm.part.${one}`)}</a>
        </li>`)}
      </ul></nav>
    </div>
    <${PARTS[part]} key=${part} />
  </section>`;
}
