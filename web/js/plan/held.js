// Places of a limit that are kept: where, for whom, how many, until when. What is kept
// counts as taken for everybody else, from the next scan on.
import { html, signal, useEffect } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { count } from "/lib/format.js";
import { event, eventId, now, said, sentenceOf } from "/js/doors/model.js";
import { Edit, RowForm, Rows } from "/js/plan/list.js";
import { all } from "/js/plan/model.js";
import { CLASSES } from "/js/plan/rules.js";
import { timeOf } from "/js/plan/words.js";

const held = signal(null);
const editing = signal(null);

async function read() {
  try {
    held.value = await all("held_places");
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

// A guest's ticket has nothing of its own to be kept for: guests are kept for by type.
const KEPT_FOR = CLASSES.filter((name) => name !== "guest");
const join = (kind, id) => (id ? `${kind}:${id}` : null);
const part = (joined, kind) => (joined?.startsWith(`${kind}:`) ? joined.slice(kind.length + 1) : null);

// The two columns of a place, and the two of whom it is for, are one choice each.
const asForm = (row) => ({
  ...row,
  place: join("area", row.area_id) ?? join("scope", row.scope_id),
  whom: join("type", row.ticket_type_id) ?? join("class", row.access_class),
});

function asRow({ place, whom, ...values }) {
  const row = { ...values };
  if (place !== undefined) Object.assign(row, { area_id: part(place, "area"), scope_id: part(place, "scope") });
  if (whom !== undefined) Object.assign(row, { ticket_type_id: part(whom, "type"), access_class: part(whom, "class") });
  return row;
}

const given = (row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
const named = (list, id) => list.find((one) => one.id === id)?.name;

// Places of the venue or a zone are those of its area; a session has its own. What a row
// names already is offered too, or saving would move it.
function places({ scope_id: mine }) {
  const { areas, scopes } = event.value;
  return [
    ...areas.map(({ id, name }) => [`area:${id}`, name]),
    ...scopes.filter(({ id, kind }) => kind === "session" || id === mine).map(({ id, name, kind }) => [`scope:${id}`, `${name} · ${t(`page.plan.kind.${kind}`)}`]),
  ];
}

function whom(row) {
  if (row.ticket_type_id) return named(event.value.types, row.ticket_type_id) ?? "–";
  return row.access_class ? t(`page.plan.class.${row.access_class}`) : t("page.plan.held.nobody");
}

function Line({ row }) {
  const { areas, scopes } = event.value;
  const place = named(areas, row.area_id) ?? named(scopes, row.scope_id) ?? "–";
  const over = row.until && Date.parse(row.until) <= now.value;
  return html`<tr class=${over ? "gone" : ""}>
    <th scope="row"><span class="name">${place}</span> <span class="small soft name">${row.reason ?? ""}</span></th>
    <td class="figure">${count(row.places, locale())}</td>
    <td class="name">${whom(row)}</td>
    <td>${row.until ? timeOf(row.until) : "–"} ${over && html`<span class="small">${t("page.plan.held.over")}</span>`}</td>
    <${Edit} name=${place} onClick=${() => (editing.value = row)} />
  </tr>`;
}

function Editing() {
  const row = editing.value;
  const people = [
    ...event.value.types.map(({ id, name }) => [`type:${id}`, name]),
    ...KEPT_FOR.map((name) => [`class:${name}`, t(`page.plan.class.${name}`)]),
  ];
  return html`<${RowForm}
    resource="held_places"
    row=${row}
    close=${() => (editing.value = null)}
    read=${read}
    title=${t(row.id ? "page.plan.tab.held" : "page.plan.add.held")}
    fields=${[
      ["place", "choice", places(row)],
      ["places", "number"],
      ["whom", "choice", people],
      ["until", "datetime"],
      ["reason", "text"],
    ]}
    required=${["place", "places"]}
    asForm=${asForm}
    asRow=${asRow}
    whole=${(values) => ({ event_id: eventId, ...given(values) })}
  />`;
}

export function Held() {
  useEffect(() => {
    read();
  }, []);
  if (!held.value) return html`<p class="empty" role="status">${t("page.all.loading")}</p>`;
  return html`<section class="panel act-panel" aria-label=${t("page.plan.tab.held")}>
      <div class="act-head">
        <h2>${t("page.plan.tab.held")}</h2>
        <button type="button" class="button" onClick=${() => (editing.value = {})}>+ ${t("page.plan.add.held")}</button>
      </div>
      <p class="soft small">${t("page.plan.hint.held")}</p>
      ${held.value.length === 0
        ? html`<p class="empty">${t("page.plan.held.none")}</p>`
        : html`<${Rows} tab="held" heads=${["place", "places", "whom", "until"]} rows=${held.value} Line=${Line} />`}
    </section>
    ${editing.value && html`<${Editing} key=${editing.value.id ?? "new"} />`}`;
}
