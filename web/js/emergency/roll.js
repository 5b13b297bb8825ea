// The roll-call: sums by area and class, the people by name, who needs help first.
import { html, signal } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { clock, count } from "/lib/format.js";
import { chosen, keyOf } from "/lib/roll-rules.js";
import { busy, zone } from "/js/doors/model.js";
import { mark, markArea, roll } from "/js/emergency/model.js";

const SHOWN_MAX = 200;
const HEADS = ["area", "people", "is_safe", "missing", "classes", "clear_at"];
const words = signal("");
const area = signal(null);
const needs = signal(false);
const missing = signal(false);

function Sums({ found }) {
  const { totals: sums } = found;
  const figure = (key, n, tone = "") => html`<div class=${`sum ${tone}`}>
    <span>${t(`page.emergency.${key}`)}</span><b class="figure" data-sum=${key}>${count(n, locale())}</b>
  </div>`;
  return html`<div class="sums">
      ${figure("people", sums.all)} ${figure("is_safe", sums.safe, "good")}
      ${figure("missing", sums.missing, sums.missing ? "bad" : "good")}
      ${figure("needs", sums.needs_missing, sums.needs_missing ? "bad" : "")}
    </div>
    <p class="soft small">${t("page.emergency.sums", sums)}</p>`;
}

function Areas({ found }) {
  return html`<div class="scroll-x">
    <table class="acts-table">
      <thead>
        <tr>
          ${HEADS.map((head) => html`<th key=${head} scope="col">${t(`page.emergency.${head}`)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${found.areas.map(
          (line) => html`<tr key=${line.area_id} data-area=${line.name}>
            <th scope="row" class="name">${line.name || t("page.emergency.no_area")}</th>
            <td class="figure">${count(line.people + line.counted + line.disputed, locale())}</td>
            <td class="figure">${count(line.safe, locale())}</td>
            <td class="figure">${count(line.missing, locale())}</td>
            <td class="small">${line.classes.map((one) => `${t(`page.emergency.class.${one.access_class}`)} ${one.people}`).join(", ")}</td>
            <td>
              ${line.clear_at && html`<span class="chip good figure">${clock(line.clear_at, zone.value, true)}</span> `}
              ${found.frozen &&
              line.area_id &&
              html`<button type="button" class="button small" disabled=${busy.value} onClick=${() => markArea(line.area_id, !line.clear_at)}>
                ${t(line.clear_at ? "page.emergency.undo" : "page.emergency.mark_clear")}
              </button>`}
            </td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Filters({ found }) {
  const tick = (box, key) => html`<label class="choice">
    <input type="checkbox" checked=${box.value} onChange=${() => (box.value = !box.value)} /><span>${t(`page.emergency.${key}`)}</span>
  </label>`;
  return html`<div class="row">
    <div class="field grow">
      <label for="roll-words">${t("page.emergency.find")}</label>
      <input class="input" id="roll-words" type="search" value=${words.value} onInput=${(input) => (words.value = input.currentTarget.value)} />
    </div>
    <div class="field">
      <label for="roll-area">${t("page.emergency.area")}</label>
      <select class="input" id="roll-area" onChange=${(input) => (area.value = input.currentTarget.value || null)}>
        <option value="">${t("page.doors.every")}</option>
        ${found.areas
          .filter((line) => line.area_id)
          .map((line) => html`<option key=${line.area_id} value=${line.area_id}>${line.name}</option>`)}
      </select>
    </div>
    ${tick(needs, "only_needs")} ${tick(missing, "only_missing")}
  </div>`;
}

function Person({ one, frozen }) {
  const set = () => mark({ people: [{ ticket_id: one.ticket_id, person_no: one.person_no, safe: !one.safe_at }] });
  return html`<li data-safe=${Boolean(one.safe_at)}>
    <span>
      <bdi class="name"><b>${one.name || "–"}</b></bdi>
      <span class="small soft"> ${t(`page.emergency.class.${one.access_class}`)} · ${clock(one.entered_at, zone.value)} </span>
      ${one.needs && html`<span class="chip warn name">${one.needs}</span>`}
    </span>
    <span class="row">
      ${one.safe_at && html`<span class="chip good figure">${t("page.emergency.is_safe")} ${clock(one.safe_at, zone.value, true)}</span>`}
      ${frozen &&
      html`<button type="button" class=${`button ${one.safe_at ? "" : "primary"}`} disabled=${busy.value} onClick=${set}>
        ${t(one.safe_at ? "page.emergency.undo" : "page.emergency.mark_safe")}
      </button>`}
    </span>
  </li>`;
}

function Staff({ found }) {
  if (found.staff.length === 0) return null;
  const set = (one) => () => mark({ staff: [{ operator_id: one.operator_id, safe: !one.safe_at }] });
  return html`<h2>${t("page.emergency.staff")}</h2>
    <ul class="roll">
      ${found.staff.map(
        (one) => html`<li key=${one.operator_id} data-safe=${Boolean(one.safe_at)}>
          <span><b class="name">${one.name}</b> <span class="small soft name">${[one.role, one.gate, one.device].filter(Boolean).join(" · ")}</span></span>
          ${found.frozen &&
          html`<button type="button" class="button" disabled=${busy.value} onClick=${set(one)}>
            ${t(one.safe_at ? "page.emergency.undo" : "page.emergency.mark_safe")}
          </button>`}
        </li>`,
      )}
    </ul>`;
}

export function Roll() {
  const found = roll.value;
  if (!found) return html`<p class="empty" role="status">${t("page.all.loading")}</p>`;
  const list = chosen(found, { words: words.value, area: area.value, needs: needs.value, missing: missing.value });
  const when = clock(found.as_of, zone.value, true);
  return html`<section class="panel act-panel" aria-label=${t("page.emergency.roll")}>
    <p class=${`notice ${found.frozen ? "warn" : ""}`} role="status">
      ${t(found.frozen ? "page.emergency.frozen_at" : "page.emergency.now_at", { when })}
    </p>
    <${Sums} found=${found} />
    <${Areas} found=${found} />
    ${found.counts.length > 0 &&
    html`<p>${t("page.emergency.heads")}: ${found.counts.map((one) => `${one.place} ${one.people}`).join(" · ")}</p>`}
    <${Filters} found=${found} />
    ${list.length > SHOWN_MAX && html`<p class="soft">${t("page.emergency.first", { n: SHOWN_MAX, all: list.length })}</p>`}
    ${list.length === 0
      ? html`<p class="empty">${t("page.emergency.nobody")}</p>`
      : html`<ul class="roll">${list.slice(0, SHOWN_MAX).map((one) => html`<${Person} key=${keyOf(one)} one=${one} frozen=${found.frozen} />`)}</ul>`}
    <${Staff} found=${found} />
  </section>`;
}
