// Who may go where: ticket types and classes across, places and sessions down. A cell shows
// the rule that holds; beside the table it is changed, and a scan is imagined with it.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { event, gates } from "/js/doors/model.js";
import { chosen, loadRules, rules } from "/js/plan/model.js";
import { openCell, RuleForm } from "/js/plan/rule-form.js";
import { cellOf, columnsOf, gateOf, rowsOf } from "/js/plan/rules.js";
import { tryCell, TryOut } from "/js/plan/try.js";
import { briefWords, nameOf, timeOf } from "/js/plan/words.js";

const everySession = signal(false);
const everyClass = signal(false);

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// As in any table of figures: the arrows go from cell to cell.
function walk(press) {
  const move = MOVES[press.key];
  const cell = press.target.closest("[data-row]");
  if (!move || !cell) return;
  const [row, column] = [Number(cell.dataset.row) + move[0], Number(cell.dataset.column) + move[1]];
  const next = press.currentTarget.querySelector(`[data-row="${row}"][data-column="${column}"]`);
  if (!next) return;
  press.preventDefault();
  next.focus();
}

function Cell({ scope, column, at }) {
  const cell = cellOf(rules.value, scope.id, column);
  const here = chosen.value?.scope.id === scope.id && chosen.value?.column.key === column.key;
  const words = briefWords(cell.rule);
  if (cell.days.length > 0) words.push(t("page.plan.days", { n: cell.days.length }));
  const choose = () => {
    openCell(cell);
    chosen.value = { scope, column };
    tryCell(scope, column, gateOf(scope, gates.value));
  };
  return html`<td>
    <button
      type="button"
      class=${`cell ${cell.allowed ? "may" : "not"} ${cell.origin}`}
      data-row=${at[0]}
      data-column=${at[1]}
      aria-pressed=${here}
      aria-label=${[
        scope.name,
        nameOf(column),
        t(cell.allowed ? "page.plan.may" : "page.plan.may_not"),
        t(`page.plan.origin.${cell.origin}`),
        ...words,
      ].join(", ")}
      title=${t(`page.plan.origin.${cell.origin}`)}
      onClick=${choose}
    >
      <span class="cell-mark" aria-hidden="true">${cell.allowed ? "✓" : "✕"}</span>
      ${words.map((word) => html`<span class="small" key=${word}>${word}</span>`)}
    </button>
  </td>`;
}

function ScopeName({ scope }) {
  const area = event.value.areas.find(({ id }) => id === scope.area_id);
  const session = event.value.sessions.find(({ id }) => id === scope.session_id);
  const facts = [
    t(`page.plan.kind.${scope.kind}`),
    session ? timeOf(session.starts_at) : area?.name !== scope.name ? area?.name : null,
    scope.re_entry && t(`page.plan.brief.re_entry_${scope.re_entry}`),
    scope.passes_total && t("page.plan.brief.passes", { n: scope.passes_total }),
  ].filter(Boolean);
  return html`<th scope="row">
    <span class="name">${scope.name}</span>
    <span class="small soft name">${facts.join(" · ")}</span>
  </th>`;
}

function Table({ rows, columns }) {
  return html`<div class="scroll-x matrix" tabindex="0" role="region" aria-label=${t("page.plan.tab.rules")}>
    <table class="acts-table" onKeyDown=${walk}>
      <thead>
        <tr>
          <td></td>
          ${columns.map(
            (column) => html`<th scope="col" key=${column.key}>
              <span class="name">${nameOf(column)}</span>
              <span class="small soft">
                ${column.type ? t(`page.plan.class.${column.type.access_class}`) : t("page.plan.class")}
              </span>
            </th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (scope, row) => html`<tr key=${scope.id}>
            <${ScopeName} scope=${scope} />
            ${columns.map((column, at) => html`<${Cell} key=${column.key} scope=${scope} column=${column} at=${[row, at]} />`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Legend() {
  return html`<ul class="legend small soft">
    ${["own", "class", "scope", "unlisted"].map(
      (origin) => html`<li key=${origin}>
        <span class=${`cell legend-cell ${origin === "unlisted" ? "not" : "may"} ${origin}`} aria-hidden="true">
          ${origin === "unlisted" ? "✕" : "✓"}
        </span>
        ${t(`page.plan.origin.${origin}`)}
      </li>`,
    )}
  </ul>`;
}

export function Rules() {
  useEffect(() => {
    loadRules();
  }, []);
  if (!rules.value) return html`<p class="empty" role="status">${t("page.all.loading")}</p>`;
  const { scopes, types } = event.value;
  const rows = rowsOf(scopes, rules.value, everySession.value);
  const columns = columnsOf(types, rules.value, everyClass.value);
  const hidden = scopes.length - rowsOf(scopes, rules.value, false).length;
  const toggle = (which, words, n) => html`<button
    type="button"
    class="button"
    aria-pressed=${which.value}
    onClick=${() => (which.value = !which.value)}
  >
    ${t(words, { n })}
  </button>`;
  return html`<div class="beside">
    <section class="panel act-panel" aria-label=${t("page.plan.tab.rules")}>
      <div class="act-head">
        <h2>${t("page.plan.who_where")}</h2>
        <span class="row">
          ${hidden > 0 && toggle(everySession, "page.plan.sessions", hidden)} ${toggle(everyClass, "page.plan.classes")}
        </span>
      </div>
      <p class="soft small">${t("page.plan.hint")}</p>
      ${rows.length === 0 || columns.length === 0
        ? html`<p class="empty">${t("page.plan.nothing")}</p>`
        : html`<${Table} rows=${rows} columns=${columns} /><${Legend} />`}
    </section>
    <div class="beside-side">
      ${chosen.value
        ? html`<${RuleForm} scope=${chosen.value.scope} column=${chosen.value.column} key=${`${chosen.value.scope.id} ${chosen.value.column.key}`} />`
        : html`<p class="panel empty">${t("page.plan.choose")}</p>`}
      <${TryOut} />
    </div>
  </div>`;
}
