// The verdict, over the whole screen: colour, shape, word, name, and what to do.
import { html, signal, useEffect, useRef } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { beginWithBand } from "/scan/js/band.js";
import { openSheet } from "/scan/js/dialog.js";
import { IdCheck, Questions } from "/scan/js/questions.js";
import { isDelicate, leftOut, mayOverride, questionOf } from "/scan/js/verdict-rules.js";
import { shown } from "/scan/js/state.js";

// Tick in a circle, arrow in a square, hand in a diamond, cross in an octagon: each is
// known by its outline, without its colour.
const MARKS = {
  go: html`<circle cx="50" cy="50" r="46" /><path d="M27 52 44 69 75 34" />`,
  out: html`<rect x="5" y="5" width="90" height="90" rx="22" /><path d="M26 50h44M52 30l20 20-20 20" />`,
  again: html`<circle cx="50" cy="50" r="46" /><path d="M70 42a22 22 0 1 0 1 15M72 26v17H55" />`,
  wait: html`<path d="M50 3 97 50 50 97 3 50z" />
    <path
      class="hand"
      d="M35 54V33a4.5 4.5 0 0 1 9 0v15-21a4.5 4.5 0 0 1 9 0v21-17a4.5 4.5 0 0 1 9 0v20-11a4.5 4.5 0 0 1 9 0v22c0 12-7 20-18 20-9 0-14-4-18-12l-7-13c-2.5-5 4-8 7-4z"
    />`,
  silent: html`<path d="M50 3 97 50 50 97 3 50z" /><path d="M50 26v28M50 70v1" />`,
  stop: html`<path class="edge" d="M33 5h34l28 28v34L67 95H33L5 67V33z" /><path d="M33 33l34 34M67 33 33 67" />`,
};

const why = signal(null);

export function Mark({ tone }) {
  return html`<svg class="verdict-mark" viewBox="0 0 100 100" aria-hidden="true">
    ${MARKS[tone]}
  </svg>`;
}

function titleOf(view) {
  if (view.silent) return t("page.scan.silent_title");
  if (view.problem) return t("page.scan.problem_title");
  const { answer, tone } = view;
  if (answer.redemption) return t(`page.redeem.verdict.${answer.verdict}`);
  if (tone === "again") return t("verdict.refused.already_inside.just_now");
  if (isDelicate(answer)) return answer.guest_message;
  return t(`page.reason.${answer.verdict}.${answer.reason}`);
}

function Ticket({ ticket }) {
  const admits = ticket.admits;
  const many = admits && admits.total > 1;
  return html`<p class="verdict-ticket">
    <b>${ticket.type}</b>
    ${ticket.seat && html`<span>${t("page.scan.seat", { seat: ticket.seat })}</span>`}
    ${ticket.company && html`<span class="name">${ticket.company}</span>`}
    ${many &&
    html`<span class="figure">
      ${t("page.scan.k_of_n", { k: admits.inside, n: admits.total })}
    </span>`}
  </p>`;
}

function Choices({ question, choose }) {
  return html`<div class=${`choices ${question.kind}`} role="group" aria-label=${t(`page.scan.ask.${question.kind}`)}>
    ${question.options.map(
      ({ label, change }) => html`<button
        type="button"
        class="choice"
        key=${label}
        onClick=${(event) => {
          event.stopPropagation();
          choose(change);
        }}
      >
        ${label ?? t(`page.scan.ask.${question.kind}`)}
      </button>`,
    )}
    ${(question.more ?? []).map(
      ({ change }) => html`<button
        type="button"
        class="choice whole"
        key="whole"
        onClick=${(event) => {
          event.stopPropagation();
          choose(change);
        }}
      >
        ${t("page.scan.ask.whole_order")}
      </button>`,
    )}
  </div>`;
}

function Cause({ view }) {
  const { answer } = view;
  if (view.silent) return html`<p class="verdict-say">${t("page.scan.silent")}</p>`;
  if (view.problem) return html`<p class="verdict-say">${view.problem}</p>`;
  if (answer.redemption) {
    return html`<p class="verdict-say">${answer.message}</p>
      <p class="verdict-do figure">${t("page.redeem.left", { n: answer.left ?? 0 })}</p>`;
  }
  if (view.tone === "go" || view.tone === "out" || view.tone === "again") {
    const alone = (answer.tickets ?? []).length < 2;
    return (answer.reason === "ok" && alone) || view.tone === "again"
      ? null
      : html`<p class="verdict-say">${answer.message}</p>`;
  }
  if (isDelicate(answer) && why.value !== view.id) {
    return html`<button
      type="button"
      class="choice quiet"
      onClick=${(event) => {
        event.stopPropagation();
        why.value = view.id;
      }}
    >
      ${t("page.scan.why")}
    </button>`;
  }
  return html`<p class="verdict-say">${answer.message}</p>
    <p class="verdict-do">${answer.action}</p>`;
}

// A whole order: each of its tickets with what became of it.
function Order({ lines }) {
  return (
    lines.length > 1 &&
    html`<ul class="order-lines">
      ${lines.map(
        (line) => html`<li key=${line.id} class=${line.verdict}>
          <span aria-hidden="true">${line.verdict === "admitted" ? "✓" : "✕"}</span>
          <bdi class="name">${line.ticket?.holder ?? line.ticket?.code_hint}</bdi>
          ${line.verdict !== "admitted" && html`<span class="small">${line.message}</span>`}
        </li>`,
      )}
    </ul>`
  );
}

function Ask({ view, question, desk }) {
  const choose = (change) => {
    if (question.kind !== "band") {
      desk.choose(change);
      return;
    }
    beginWithBand(view.code);
    desk.dismiss();
    openSheet("band");
  };
  if (question.kind === "questions") return html`<${Questions} view=${view} choose=${choose} />`;
  if (question.kind === "id") return html`<${IdCheck} view=${view} choose=${choose} />`;
  return html`<${Choices} question=${question} choose=${choose} />`;
}

export function Verdict({ desk }) {
  const view = shown.value;
  const go = useRef(null);
  useEffect(() => {
    if (view?.stays) go.current?.focus({ preventScroll: true });
  }, [view?.id, view?.silent]);
  if (!view) return null;
  const { answer, tone } = view;
  const question = answer && questionOf(answer);
  const holder = answer?.ticket?.holder;
  return html`<div
    class=${`verdict ${tone} ${view.notes?.length || (answer && leftOut(answer)) ? "noted" : ""}`}
    data-verdict=${answer?.verdict ?? (view.silent ? "silent" : "problem")}
    data-reason=${answer?.reason ?? ""}
    data-scan=${view.id}
    role="alert"
    aria-live="assertive"
    onClick=${() => desk.dismiss()}
  >
    <div class="verdict-top">
      <${Mark} tone=${view.silent || view.problem ? "silent" : tone} />
      <p class="verdict-title">${titleOf(view)}</p>
    </div>
    <div class="verdict-body">
      ${view.hint && html`<p class="verdict-name figure">${view.hint}</p>`}
      ${holder && html`<p class="verdict-name"><bdi>${holder}</bdi></p>`}
      ${answer?.ticket && html`<${Ticket} ticket=${answer.ticket} />`}
      ${answer?.session && html`<p class="verdict-say">${answer.session.title ?? answer.session.name}</p>`}
      <${Order} lines=${answer?.tickets ?? []} />
      <${Cause} view=${view} />
      ${answer?.previous?.operator && !isDelicate(answer) &&
      html`<p class="verdict-do">${t("page.scan.let_in_by", { name: answer.previous.operator })}</p>`}
      ${view.notes?.length > 0 &&
      html`<ul class="notes">
        ${view.notes.map((note) => html`<li key=${note}>${note}</li>`)}
      </ul>`}
      ${question && html`<${Ask} view=${view} question=${question} desk=${desk} />`}
      ${answer && mayOverride(answer) &&
      html`<button
        type="button"
        class="choice quiet"
        onClick=${(event) => {
          event.stopPropagation();
          openSheet("override");
        }}
      >
        ${t("page.override.title")}
      </button>`}
    </div>
    ${view.stays &&
    html`<button
      type="button"
      class="verdict-go"
      ref=${go}
      onClick=${(event) => {
        event.stopPropagation();
        desk.dismiss();
      }}
    >
      ${t(view.silent ? "page.scan.go_on_silent" : "page.scan.go_on")}
    </button>`}
  </div>`;
}
