// The scan ticker: what happened at the doors, newest first, with a filter. While
// somebody points at it or reads in it, it stands still and counts what came.
import { computed, html, signal } from "/lib/ui.js";
import { has, t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { matches } from "/js/control/derive.js";
import { attendance, lines } from "/js/control/model.js";

const kind = signal("all");
const words = signal("");
const held = signal(null);
const shown = computed(() =>
  (held.value ?? lines.value ?? []).filter((line) => matches(line, kind.value, words.value)),
);
const missed = computed(() => {
  if (!held.value || !lines.value) return 0;
  const first = held.value[0]?.id;
  const at = lines.value.findIndex((line) => line.id === first);
  return at < 0 ? lines.value.length : at;
});

const hold = () => {
  held.value ??= lines.value;
};
const release = () => {
  held.value = null;
};

// A shape for each verdict, so that nobody needs to see its colour.
const SHAPES = {
  admitted: html`<path d="M4 10.5 8.5 15 16 5.5" />`,
  exited: html`<path d="M4 10h11M10.5 5l5 5-5 5" />`,
  hold: html`<path d="M10 4v8M10 15.6v.4" />`,
  refused: html`<path d="M5 5l10 10M15 5 5 15" />`,
};

export function VerdictMark({ verdict }) {
  return html`<svg class=${`mark ${verdict}`} viewBox="0 0 20 20" aria-hidden="true">
    ${SHAPES[verdict]}
  </svg>`;
}

function what(line) {
  const key = `page.reason.${line.verdict}.${line.reason}`;
  return has(key) ? t(key) : line.reason;
}

function Line({ line, zone }) {
  const who = line.holder ?? line.code_hint ?? t("page.control.unknown");
  const where = [line.type, line.gate, line.operator ?? line.device].filter(Boolean);
  return html`<li class=${`line ${line.verdict}`} data-scan=${line.id}>
    <${VerdictMark} verdict=${line.verdict} />
    <div class="line-text">
      <span class="line-who">
        <bdi class="name" title=${who}>${who}</bdi>
        ${line.people > 1 && html`<span class="chip figure">× ${line.people}</span>`}
      </span>
      <span class="small line-what" title=${what(line)}>${what(line)}</span>
      <span class="small soft name" title=${where.join(" · ")}>${where.join(" · ")}</span>
    </div>
    <time class="small soft figure" datetime=${line.at}>
      ${clock(line.at, zone, true)}
    </time>
  </li>`;
}

function Filters() {
  const kinds = ["all", "in", "out", "look"];
  return html`<div class="filters" role="search">
    <div class="segments" role="group" aria-label=${t("page.control.filter")}>
      ${kinds.map(
        (word) => html`<button
          type="button"
          key=${word}
          class="button"
          aria-pressed=${kind.value === word}
          onClick=${() => {
            kind.value = word;
          }}
        >
          ${t(`page.control.filter.${word}`)}
        </button>`,
      )}
    </div>
    <input
      id="ticker-words"
      class="input"
      type="search"
      autocomplete="off"
      spellcheck="false"
      aria-label=${t("page.control.filter_words")}
      placeholder=${t("page.control.filter_words")}
      value=${words.value}
      onInput=${(event) => {
        words.value = event.currentTarget.value;
      }}
    />
  </div>`;
}

export function Ticker() {
  const zone = attendance.value?.event.timezone;
  const list = shown.value;
  return html`<section class="panel ticker" aria-label=${t("page.control.ticker")}>
    <div class="panel-head">
      <h2>${t("page.control.ticker")}</h2>
      ${held.value !== null &&
      html`<span class="chip">${t("page.control.paused", { n: missed.value })}</span>`}
    </div>
    <${Filters} />
    <ul
      class="scroll lines"
      tabindex="0"
      aria-label=${t("page.control.ticker")}
      onPointerEnter=${hold}
      onPointerLeave=${release}
      onFocus=${hold}
      onBlur=${release}
    >
      ${lines.value && list.length === 0 &&
      html`<li class="empty">
        ${t(lines.value.length ? "page.control.no_match" : "page.control.no_scans")}
      </li>`}
      ${list.map((line) => html`<${Line} key=${line.id} line=${line} zone=${zone} />`)}
    </ul>
  </section>`;
}
