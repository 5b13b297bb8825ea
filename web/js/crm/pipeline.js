// The pipeline: a column a stage, cards that are dragged, or moved by keys.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { change, create, list, may, read1, remove, say, sentence } from "/js/crm/model.js";
import { Dialog, words } from "/js/crm/form.js";
import { cents, money, shortDay } from "/js/crm/say.js";

export const STAGES = ["prospecting", "qualification", "proposal", "negotiation", "closed_won", "closed_lost"];
const CARDS_MAX = 100;

const FIELDS = () => [
  ["name", "text"],
  ["stage", "choice", words("stage", STAGES)],
  ["amount", "money"],
  ["probability", "number"],
  ["expected_close_date", "date"],
  ["competitor", "text"],
  ["win_reason", "long"],
  ["loss_reason", "long"],
  ["description", "long"],
];
const REASON = { closed_won: "win_reason", closed_lost: "loss_reason" };

function total(cards) {
  return cards.reduce((sum, card) => sum + cents(card.amount), 0n);
}

// What is likely to come: each amount by its probability.
function weighted(cards) {
  return cards.reduce((sum, card) => sum + (cents(card.amount) * BigInt(card.probability ?? 0)) / 100n, 0n);
}

function Card({ card, onMove, onOpen, onLift }) {
  const at = STAGES.indexOf(card.stage);
  function keys(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.altKey && step && STAGES[at + step]) {
      event.preventDefault();
      onMove(card, STAGES[at + step]);
    }
  }
  return html`<li
    class="card"
    draggable=${may("opportunities", "write")}
    onDragStart=${(event) => {
      event.dataTransfer.setData("text/plain", card.id);
      event.dataTransfer.effectAllowed = "move";
      onLift(card);
    }}
    onDragEnd=${() => onLift(null)}
  >
    <button type="button" class="card-name name" id=${`card-${card.id}`} onClick=${() => onOpen(card)} onKeyDown=${keys}
      aria-describedby="card-keys">${card.name}</button>
    <p class="small soft name">${card.labels?.company_id ?? card.labels?.contact_id ?? ""}</p>
    <p class="card-foot">
      <b class="figure">${card.amount ? money(cents(card.amount), locale()) : "–"}</b>
      ${card.probability !== null && html`<span class="chip figure">${card.probability} %</span>`}
      ${card.expected_close_date && html`<span class="small soft">${shortDay(card.expected_close_date, locale())}</span>`}
    </p>
  </li>`;
}

function Column({ stage, cards, lifted, onMove, onOpen, onLift }) {
  const [over, setOver] = useState(false);
  const there = lifted?.stage === stage;
  return html`<section
    class=${`column ${stage} ${over && lifted && !there ? "over" : ""}`}
    aria-label=${t(`page.crm.stage.${stage}`)}
    data-stage=${stage}
    onDragOver=${(event) => {
      if (!lifted) return;
      event.preventDefault();
      setOver(true);
    }}
    onDragLeave=${() => setOver(false)}
    onDrop=${(event) => {
      event.preventDefault();
      setOver(false);
      if (lifted && !there) onMove(lifted, stage);
    }}
  >
    <header>
      <h2>${t(`page.crm.stage.${stage}`)} <span class="soft figure">${cards.length}</span></h2>
      <p class="figure">${money(total(cards), locale())}</p>
    </header>
    ${cards.length === 0
      ? html`<p class="empty small">${t("page.crm.none.stage")}</p>`
      : html`<ul>${cards.map((card) => html`<${Card} key=${card.id} card=${card} onMove=${onMove} onOpen=${onOpen} onLift=${onLift} />`)}</ul>`}
  </section>`;
}

export function Pipeline() {
  const [cards, setCards] = useState(null);
  const [problem, setProblem] = useState(null);
  const [lifted, setLifted] = useState(null);
  const [open, setOpen] = useState(null);
  const [asking, setAsking] = useState(null);

  async function load() {
    setProblem(null);
    try {
      const pages = await Promise.all(
        STAGES.map((stage) =>
          list("opportunities", { stage, labels: "true", limit: CARDS_MAX, sort: "-created_at" }),
        ),
      );
      setCards(pages.flatMap((page) => page.items));
    } catch (error) {
      setProblem(error);
    }
  }
  useEffect(() => {
    load();
  }, []);

  async function move(card, stage, reason = {}) {
    const before = cards;
    // Shown at once; what the server says counts.
    setCards(cards.map((c) => (c.id === card.id ? { ...c, stage } : c)));
    try {
      const row = await change("opportunities", card, { stage, ...reason });
      setCards((now) => now.map((c) => (c.id === card.id ? { ...c, ...row } : c)));
      say(t("page.crm.moved", { name: card.name, stage: t(`page.crm.stage.${stage}`) }));
      setTimeout(() => document.getElementById(`card-${card.id}`)?.focus(), 0);
    } catch (error) {
      setCards(before);
      say(sentence(error), "bad");
      if (error.code === "changed_meanwhile") load();
      throw error;
    }
  }
  const ask = (card, stage) =>
    REASON[stage] ? setAsking({ card, stage }) : move(card, stage).catch(() => {});

  if (problem && !cards) {
    return html`<div class="panel trouble" role="alert"><p>${sentence(problem)}</p>
      <button type="button" class="button" onClick=${load}>${t("page.all.again")}</button></div>`;
  }
  const openCards = (cards ?? []).filter((card) => !card.stage.startsWith("closed"));
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <h1 id="title">${t("page.crm.nav.pipeline")}</h1>
      ${cards &&
      html`<p class="sums"><span>${t("page.crm.open_sum")} <b class="figure">${money(total(openCards), locale())}</b></span>
        <span>${t("page.crm.weighted")} <b class="figure">${money(weighted(openCards), locale())}</b></span></p>`}
      <span class="gap"></span>
      ${may("opportunities", "write") &&
      html`<button type="button" class="button primary" onClick=${() => setOpen({})}>${t("page.crm.new")}</button>`}
    </div>
    <p class="unseen" id="card-keys">${t("page.crm.card_keys")}</p>
    ${cards === null
      ? html`<div class="board" aria-busy="true">${STAGES.map((s) => html`<section key=${s} class="column"><span class="skeleton"></span><span class="skeleton"></span></section>`)}</div>`
      : html`<div class="board">${STAGES.map(
          (stage) => html`<${Column} key=${stage} stage=${stage} lifted=${lifted} onLift=${setLifted} onMove=${ask} onOpen=${setOpen}
            cards=${cards.filter((card) => card.stage === stage)} />`,
        )}</div>`}
    ${open &&
    html`<${Dialog}
      key=${open.id ?? "new"}
      title=${open.id ? open.name : t("page.crm.new_opportunity")}
      fields=${FIELDS()}
      row=${open.id ? open : { stage: "prospecting" }}
      required=${["name", "stage"]}
      onClose=${() => setOpen(null)}
      onSave=${async (wanted) => {
        const row = open.id ? await change("opportunities", open, wanted) : await create("opportunities", wanted);
        const full = await read1("opportunities", row.id);
        setCards([full, ...cards.filter((c) => c.id !== row.id)]);
        setOpen(null);
        say(t("page.crm.saved"));
      }}
      onDelete=${open.id && may("opportunities", "delete")
        ? async () => {
            await remove("opportunities", open);
            setCards(cards.filter((c) => c.id !== open.id));
            setOpen(null);
            say(t("page.crm.deleted"));
          }
        : null}
    />`}
    ${asking &&
    html`<${Dialog}
      title=${t(`page.crm.stage.${asking.stage}`)}
      fields=${[[REASON[asking.stage], "long"]]}
      required=${asking.stage === "closed_lost" ? ["loss_reason"] : []}
      onClose=${() => setAsking(null)}
      onSave=${async (wanted) => {
        await move(asking.card, asking.stage, wanted);
        setAsking(null);
      }}
    />`}
  </section>`;
}
