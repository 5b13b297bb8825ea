// A board of deals or leads: a column a step, cards that are dragged, or moved by keys.
import { html, useEffect, useRef, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { change, list, may, say, sentence } from "/js/crm/model.js";
import { cents, money, shortDay } from "/js/crm/say.js";

const CARDS_MAX = 100;

export function total(cards, amount) {
  return cards.reduce((sum, card) => sum + cents(card[amount]), 0n);
}

// The cards of all columns and what may be done with them. `step` is the column of the
// table that says where a card lies, `group` the texts of the steps, `name` of a card.
export function useBoard({ resource, step, steps, group, name }) {
  const [cards, setCards] = useState(null);
  const [problem, setProblem] = useState(null);

  async function load() {
    setProblem(null);
    try {
      const pages = await Promise.all(
        steps.map((one) => list(resource, { [step]: one, labels: "true", limit: CARDS_MAX, sort: "-created_at" })),
      );
      setCards(pages.flatMap((page) => page.items));
    } catch (error) {
      setProblem(error);
    }
  }
  useEffect(() => {
    load();
  }, []);

  const show = (card, row) => setCards((now) => now.map((c) => (c.id === card.id ? { ...c, ...row } : c)));

  // A card that lies in another column is a new one: the keyboard follows it there,
  // unless somebody has gone on to something else meanwhile.
  function follow(card) {
    if (document.activeElement === document.body) document.getElementById(`card-${card.id}`)?.focus();
  }

  async function move(card, to, more = {}) {
    // Shown at once; what the server says counts.
    show(card, { [step]: to });
    try {
      show(card, await change(resource, card, { [step]: to, ...more }));
      say(t("page.crm.moved", { name: name(card), stage: t(`page.crm.${group}.${to}`) }));
      setTimeout(() => follow(card), 0);
    } catch (error) {
      show(card, { [step]: card[step] });
      say(sentence(error), "bad");
      if (error.code === "changed_meanwhile") load();
      throw error;
    }
  }
  return {
    cards,
    problem,
    load,
    move,
    put: (row) => setCards((now) => [row, ...(now ?? []).filter((c) => c.id !== row.id)]),
    drop: (row) => setCards((now) => now.filter((c) => c.id !== row.id)),
  };
}

function Card({ card, at, steps, writes, draw, onMove, onOpen, onLift }) {
  const { name, under, amount, chance, day } = draw(card);
  function keys(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (writes && event.altKey && by && steps[at + by]) {
      event.preventDefault();
      onMove(card, steps[at + by]);
    }
  }
  return html`<li
    class="card"
    draggable=${writes}
    onDragStart=${(event) => {
      event.dataTransfer.setData("text/plain", card.id);
      event.dataTransfer.effectAllowed = "move";
      onLift(card);
    }}
    onDragEnd=${() => onLift(null)}
  >
    <button type="button" class="card-name name" id=${`card-${card.id}`} onClick=${() => onOpen(card)} onKeyDown=${keys}
      aria-describedby=${writes ? "card-keys" : null}>${name}</button>
    <p class="small soft name">${under}</p>
    <p class="card-foot">
      <b class="figure">${amount ? money(cents(amount), locale()) : "–"}</b>
      ${chance !== null && chance !== undefined && html`<span class="chip figure">${chance} %</span>`}
      ${day && html`<span class="small soft">${shortDay(day, locale())}</span>`}
      ${card.labels?.assigned_to && html`<span class="small soft name">${card.labels.assigned_to}</span>`}
    </p>
  </li>`;
}

function Column({ at, steps, group, step, cards, amount, lifted, writes, draw, onMove, onOpen, onLift }) {
  const [over, setOver] = useState(false);
  const here = steps[at];
  const from = () => lifted.current?.[step];
  return html`<section
    class=${`column ${here} ${over ? "over" : ""}`}
    aria-label=${t(`page.crm.${group}.${here}`)}
    data-stage=${here}
    onDragOver=${(event) => {
      if (!lifted.current) return;
      event.preventDefault();
      setOver(from() !== here);
    }}
    onDragLeave=${() => setOver(false)}
    onDrop=${(event) => {
      event.preventDefault();
      setOver(false);
      const card = lifted.current;
      lifted.current = null;
      if (card && card[step] !== here) onMove(card, here);
    }}
  >
    <header>
      <h2>${t(`page.crm.${group}.${here}`)} <span class="soft figure">${cards.length < CARDS_MAX ? cards.length : `${CARDS_MAX}+`}</span></h2>
      <p class="figure">${money(total(cards, amount), locale())}</p>
    </header>
    ${cards.length === 0
      ? html`<p class="empty small">${t("page.crm.none.stage")}</p>`
      : html`<ul>${cards.map((card) => html`<${Card} key=${card.id} card=${card} at=${at} steps=${steps} writes=${writes}
          draw=${draw} onMove=${onMove} onOpen=${onOpen} onLift=${onLift} />`)}</ul>`}
  </section>`;
}

// draw(card) -> {name, under, amount, chance, day}; `amount` is summed for each column.
export function Board({ board, word, step, steps, group, amount, draw, onMove, onOpen }) {
  // Read by the events themselves: the first of them may come before the next drawing.
  const lifted = useRef(null);
  if (board.problem && !board.cards) {
    return html`<div class="panel trouble" role="alert"><p>${sentence(board.problem)}</p>
      <button type="button" class="button" onClick=${board.load}>${t("page.all.again")}</button></div>`;
  }
  if (board.cards === null) {
    return html`<div class="board" aria-busy="true">${steps.map(
      (one) => html`<section key=${one} class="column"><span class="skeleton"></span><span class="skeleton"></span></section>`,
    )}</div>`;
  }
  return html`<p class="unseen" id="card-keys">${t("page.crm.card_keys")}</p>
    <div class="board">${steps.map(
      (one, at) => html`<${Column} key=${one} at=${at} steps=${steps} group=${group} step=${step} amount=${amount}
        writes=${may(word, "write")} lifted=${lifted} onLift=${(card) => (lifted.current = card)} draw=${draw} onMove=${onMove} onOpen=${onOpen}
        cards=${board.cards.filter((card) => card[step] === one)} />`,
    )}</div>`;
}
