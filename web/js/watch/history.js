// Every alert of the event, newest first: raised, ended, who looked after it.
import { html, signal, useEffect } from "/lib/ui.js";
import { parameters } from "/lib/alert-rules.js";
import { locale, t } from "/lib/i18n.js";
import { clock, count } from "/lib/format.js";
import { call } from "/lib/api.js";
import { act, base, eventId, said, sentenceOf, zone } from "/js/doors/model.js";

const SAVED = { words: "page.watch.saved" };

const items = signal(null);
const cursor = signal(null);
const openOnly = signal(false);

async function load(more = false) {
  const query = new URLSearchParams({ limit: "50", open_only: String(openOnly.value) });
  if (more && cursor.value) query.set("cursor", cursor.value);
  try {
    const page = await call("GET", `${base}/alerts?${query}`);
    items.value = more ? [...(items.value ?? []), ...page.items] : page.items;
    cursor.value = page.next_cursor;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

function words(alert) {
  const say = (value) => count(value, locale());
  return t(`page.alert.${alert.rule}`, parameters(alert, say, t("page.control.unknown")));
}

function Row({ alert }) {
  const take = async (submit) => {
    submit.preventDefault();
    const note = submit.currentTarget.elements.note.value.trim();
    const body = note ? { note } : {};
    if (await act("POST", `${base}/alerts/${alert.id}/acknowledge`, body, SAVED)) load();
  };
  const tone = { bad: "bad", warn: "warn" }[alert.gravity] ?? "";
  return html`<tr data-rule=${alert.rule}>
    <td class="figure">${clock(alert.raised_at, zone.value, true)}</td>
    <td class="figure">${alert.cleared_at ? clock(alert.cleared_at, zone.value, true) : html`<span class=${`chip ${tone}`}>${t("page.alert.stands")}</span>`}</td>
    <th scope="row">
      <span>${words(alert)}</span>
      ${alert.case && html`<a class="small" href=${`/evidence.html?event=${eventId}&alert=${alert.id}`}>${t("page.alert.evidence")}</a>`}
    </th>
    <td>
      ${alert.acknowledged_at
        ? html`<span class="small name">${t("page.alert.by", { name: alert.acknowledged_by ?? "–" })} · ${clock(alert.acknowledged_at, zone.value)} ${alert.note}</span>`
        : alert.gravity !== "info" &&
          html`<form class="row" onSubmit=${take}>
            <input class="input" name="note" maxlength="500" aria-label=${t("page.alert.note")} placeholder=${t("page.alert.note")} />
            <button class="button">${t("page.alert.take")}</button>
          </form>`}
    </td>
  </tr>`;
}

export function History() {
  useEffect(() => {
    load();
    const timer = setInterval(() => {
      // A list that somebody has unrolled, or a note half written, stays as it is.
      const writing = document.activeElement?.name === "note";
      if ((items.value?.length ?? 0) <= 50 && !writing) load();
    }, 5_000);
    return () => clearInterval(timer);
  }, []);
  const only = (event) => {
    openOnly.value = event.currentTarget.checked;
    load();
  };
  return html`<section class="panel act-panel" aria-label=${t("page.watch.tab.history")}>
    <div class="act-head">
      <h2>${t("page.watch.tab.history")}</h2>
      <label class="row"><input type="checkbox" checked=${openOnly.value} onChange=${only} /> ${t("page.alert.only_open")}</label>
    </div>
    ${items.value?.length === 0
      ? html`<p class="empty">${t("page.alert.none")}</p>`
      : html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t("page.watch.tab.history")}>
          <table class="acts-table alert-list">
            <thead>
              <tr>
                <th scope="col">${t("page.alert.raised_at")}</th>
                <th scope="col">${t("page.alert.cleared_at")}</th>
                <th scope="col">${t("page.alert.what")}</th>
                <th scope="col">${t("page.alert.who")}</th>
              </tr>
            </thead>
            <tbody>${(items.value ?? []).map((alert) => html`<${Row} key=${alert.id} alert=${alert} />`)}</tbody>
          </table>
        </div>`}
    ${cursor.value && html`<button type="button" class="button" onClick=${() => load(true)}>${t("page.doors.more")}</button>`}
  </section>`;
}
