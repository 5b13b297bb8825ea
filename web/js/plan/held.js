// Places of a limit that are kept: where, for whom, how many, until when. What is kept
// counts as taken for everybody else, from the next scan on.
import { html, signal, useEffect } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { count } from "/lib/format.js";
import { Dialog } from "/js/crm/form.js";
import { change, create, remove } from "/js/crm/model.js";
import { event, eventId, now, said, sentenceOf, zone } from "/js/doors/model.js";
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
    <td>
      <button type="button" class="button" aria-label=${t("page.plan.edit", { name: place })} onClick=${() => (editing.value = row)}>
        ${t("page.plan.change")}
      </button>
    </td>
  </tr>`;
}

function Editing() {
  const row = editing.value;
  const close = () => (editing.value = null);
  const after = async (words) => {
    close();
    said.value = { bad: false, words: t(words) };
    await read();
  };
  const people = [
    ...event.value.types.map(({ id, name }) => [`type:${id}`, name]),
    ...KEPT_FOR.map((name) => [`class:${name}`, t(`page.plan.class.${name}`)]),
  ];
  return html`<${Dialog}
    title=${t(row.id ? "page.plan.tab.held" : "page.plan.add.held")}
    fields=${[
      ["place", "choice", places(row)],
      ["places", "number"],
      ["whom", "choice", people],
      ["until", "datetime"],
      ["reason", "text"],
    ]}
    row=${asForm(row)}
    required=${["place", "places"]}
    zone=${zone.value}
    onClose=${close}
    onSave=${async (values) => {
      if (row.id) await change("held_places", row, asRow(values));
      else await create("held_places", { event_id: eventId, ...given(asRow(values)) });
      await after("page.doors.done");
    }}
    onDelete=${row.id &&
    (async () => {
      await remove("held_places", row);
      await after("page.crm.deleted");
    })}
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
        : html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t("page.plan.tab.held")}>
            <table class="acts-table">
              <thead>
                <tr>
                  ${["place", "places", "whom", "until"].map((head) => html`<th scope="col" key=${head}>${t(`page.crm.field.${head}`)}</th>`)}
                  <td></td>
                </tr>
              </thead>
              <tbody>${held.value.map((row) => html`<${Line} key=${row.id} row=${row} />`)}</tbody>
            </table>
          </div>`}
    </section>
    ${editing.value && html`<${Editing} key=${editing.value.id ?? "new"} />`}`;
}
