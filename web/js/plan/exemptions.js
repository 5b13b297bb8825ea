// What single tickets may, or may not, beside their type: found by person, written down
// with a reason, felt at the next scan.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { API, list, query } from "/js/crm/model.js";
import { base, event, eventId, said, sentenceOf } from "/js/doors/model.js";
import { Edit, RowForm, Rows } from "/js/plan/list.js";
import { briefWords, timeOf } from "/js/plan/words.js";

const PAGE = 50;

const lines = signal(null);
const cursor = signal(null);
const holders = signal({});
const found = signal(null);
const editing = signal(null);

const told = (error) => (said.value = { bad: true, words: sentenceOf(error) });

// The names of those whose tickets stand in the list: one question a page.
async function name(rows) {
  const ids = [...new Set(rows.map(({ ticket_id: id }) => id))];
  if (ids.length === 0) return;
  const page = await call("GET", `${API}/tickets?${query({ "id[in]": ids.join(","), labels: true, limit: PAGE })}`);
  const names = page.items.map(({ id, labels, ticket_type_id: type }) => [id, { who: labels?.attendee_id, type }]);
  holders.value = { ...holders.value, ...Object.fromEntries(names) };
}

async function read(more = false) {
  try {
    const page = await list("exemptions", { event_id: eventId, limit: PAGE, cursor: more ? cursor.value : null });
    await name(page.items);
    lines.value = more ? [...lines.value, ...page.items] : page.items;
    cursor.value = page.next_cursor;
  } catch (error) {
    told(error);
  }
}

async function look(submit) {
  submit.preventDefault();
  const words = submit.currentTarget.elements.namedItem("q").value.trim();
  try {
    found.value = await call("GET", `${base}/attendees?${new URLSearchParams({ q: words })}`);
    said.value = null;
  } catch (error) {
    found.value = null;
    told(error);
  }
}

function Find() {
  const items = (found.value?.items ?? []).flatMap((person) => person.tickets.map((ticket) => ({ person, ticket })));
  const full = ({ first_name: first, last_name: last }) => [first, last].filter(Boolean).join(" ") || "–";
  return html`<form class="row" onSubmit=${look}>
      <div class="field grow">
        <label for="exempt-q">${t("page.people.find_hint")}</label>
        <input class="input" id="exempt-q" name="q" type="search" required autocomplete="off" />
      </div>
      <button type="submit" class="button">${t("page.people.look")}</button>
    </form>
    ${found.value &&
    (items.length === 0
      ? html`<p class="empty" role="status">${t("page.people.nobody")}</p>`
      : html`<ul class="incidents" role="status">
          ${items.map(
            ({ person, ticket }) => html`<li class="row" key=${ticket.id}>
              <b class="name">${full(person)}</b>
              <span class="soft name">${[ticket.type, ticket.code_hint].filter(Boolean).join(" · ")}</span>
              <button
                type="button"
                class="button"
                aria-label=${t("page.plan.exempt_of", { name: full(person) })}
                onClick=${() => (editing.value = { ticket_id: ticket.id, title: full(person) })}
              >
                + ${t("page.plan.add.exemptions")}
              </button>
            </li>`,
          )}
        </ul>`)}`;
}

const word = (may) => (may === null || may === undefined ? null : may ? "may" : "may_not");

// The window and the passes read like those of a rule; may or may not comes first.
function facts(row) {
  const rest = briefWords({ ...row, allowed: true });
  return [row.allowed !== null && t(`page.plan.${word(row.allowed)}`), ...rest].filter(Boolean).join(" · ");
}

function Line({ row }) {
  const { who, type } = holders.value[row.ticket_id] ?? {};
  const scope = event.value.scopes.find(({ id }) => id === row.scope_id)?.name;
  const kind = event.value.types.find(({ id }) => id === type)?.name;
  return html`<tr>
    <th scope="row"><span class="name">${who ?? "–"}</span> <span class="small soft name">${kind ?? ""}</span></th>
    <td class="name">${scope ?? t("page.doors.everywhere")}</td>
    <td>${facts(row)}</td>
    <td class="name">${row.reason ?? "–"} <span class="small soft">${timeOf(row.created_at)}</span></td>
    <${Edit} name=${who ?? "–"} onClick=${() => (editing.value = { ...row, title: who })} />
  </tr>`;
}

// A choice holds words, the row true, false or nothing.
const asForm = (row) => ({ ...row, allowed: word(row.allowed) });
const asRow = ({ allowed, ...values }) =>
  allowed === undefined ? values : { ...values, allowed: allowed === null ? null : allowed === "may" };

function Editing() {
  const row = editing.value;
  return html`<${RowForm}
    resource="exemptions"
    row=${row}
    close=${() => (editing.value = null)}
    read=${read}
    title=${t("page.plan.exempt_of", { name: row.title ?? "–" })}
    fields=${[
      ["scope_id", "choice", event.value.scopes.map(({ id, name: called }) => [id, called])],
      ["allowed", "choice", ["may", "may_not"].map((one) => [one, t(`page.plan.${one}`)])],
      ["opens_at", "datetime"],
      ["closes_at", "datetime"],
      ["passes_total", "number"],
      ["passes_per_day", "number"],
      ["re_entry", "choice", ["never", "after_exit", "always"].map((one) => [one, t(`page.plan.re_entry.${one}`)])],
      ["reason", "text"],
    ]}
    required=${["reason"]}
    asForm=${asForm}
    asRow=${asRow}
    whole=${(values) => ({ event_id: eventId, ticket_id: row.ticket_id, ...values })}
  />`;
}

export function Exemptions() {
  useEffect(() => {
    read();
  }, []);
  if (!lines.value) return html`<p class="empty" role="status">${t("page.all.loading")}</p>`;
  return html`<section class="panel act-panel" aria-label=${t("page.plan.tab.exemptions")}>
      <h2>${t("page.plan.tab.exemptions")}</h2>
      <p class="soft small">${t("page.plan.hint.exemptions")}</p>
      <${Find} />
      ${lines.value.length === 0 ? html`<p class="empty">${t("page.plan.exempt_none")}</p>` : html`<${Rows} tab="exemptions" heads=${["who", "scope_id", "allowed", "reason"]} rows=${lines.value} Line=${Line} />`}
      ${cursor.value && html`<button type="button" class="button" onClick=${() => read(true)}>${t("page.doors.more")}</button>`}
    </section>
    ${editing.value && html`<${Editing} key=${editing.value.id ?? editing.value.ticket_id} />`}`;
}
