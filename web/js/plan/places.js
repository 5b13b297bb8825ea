// Areas, scopes and gates: where people may be, what they are admitted to, where they are
// scanned. Each a table and a dialog; what holds at a door holds at its next scan.
import { html, signal, useEffect } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { count } from "/lib/format.js";
import { attendance, event, eventId, loadEvent, said, sentenceOf } from "/js/doors/model.js";
import { RowForm } from "/js/plan/list.js";
import { all } from "/js/plan/model.js";

const rows = signal(null);
const editing = signal(null);

async function read() {
  try {
    const [areas, scopes, gates] = await Promise.all(["areas", "scopes", "gates"].map((name) => all(name)));
    rows.value = { areas, scopes, gates };
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

const words = (group, names) => names.map((name) => [name, t(`page.plan.${group}.${name}`)]);
const named = (list, but) => list.filter(({ id }) => id !== but).map(({ id, name, title }) => [id, name ?? title]);
const ANCHORS = ["doors", "event_start", "event_end", "session_start", "session_end"];

const FIELDS = {
  areas: (row) => [
    ["name", "text"],
    ["kind", "choice", words("kind", ["venue", "zone", "room"])],
    ["parent_id", "choice", named(rows.value.areas, row.id)],
    ["capacity", "number"],
    ["limit_kind", "choice", words("limit", ["hard", "soft"])],
    ["overflow_area_id", "choice", named(rows.value.areas, row.id)],
    ["min_age", "number"],
    ["position", "number"],
  ],
  scopes: (row) => [
    ["name", "text"],
    ["kind", "choice", words("kind", ["venue", "zone", "session"])],
    ["area_id", "choice", named(rows.value.areas)],
    ["session_id", "choice", named(event.value.sessions)],
    ["parent_id", "choice", named(rows.value.scopes, row.id)],
    ["enter_outer", "choice", words("outer", ["enter", "require", "ignore"])],
    ["re_entry", "choice", words("re_entry", ["never", "after_exit", "always"])],
    ["passes_total", "number"],
    ["passes_per_day", "number"],
    ["pass_gap_minutes", "number"],
    ["anti_passback_minutes", "number"],
    ["capacity", "number"],
    ["limit_kind", "choice", words("limit", ["hard", "soft"])],
    ["opens_at", "datetime"],
    ["opens_anchor", "choice", words("anchor", ANCHORS)],
    ["opens_offset_minutes", "number"],
    ["closes_at", "datetime"],
    ["closes_anchor", "choice", words("anchor", ANCHORS)],
    ["closes_offset_minutes", "number"],
    ["tracks_exits", "check"],
    ["exclusive", "check"],
  ],
  gates: (row) => [
    ["name", "text"],
    ["area_id", "choice", named(rows.value.areas)],
    ["session_id", "choice", named(event.value.sessions)],
    ["direction", "choice", words("direction", ["in", "out", "both"])],
    ["use_instead_id", "choice", named(rows.value.gates, row.id)],
    ["position", "number"],
  ],
};
const REQUIRED = {
  areas: ["name", "kind", "limit_kind"],
  scopes: ["name", "kind", "area_id", "re_entry", "enter_outer"],
  gates: ["name", "area_id", "direction"],
};
// A new row begins with what most are.
const NEW = {
  areas: { kind: "zone", limit_kind: "hard" },
  scopes: { kind: "zone", re_entry: "after_exit", enter_outer: "enter", tracks_exits: true },
  gates: { direction: "both" },
};

// Outer places first, each followed by what lies in it: [row, depth].
function nested(list) {
  const within = (parent, depth) =>
    list
      .filter(({ parent_id: id }) => (id ?? null) === parent)
      .flatMap((row) => [[row, depth], ...(depth < 8 ? within(row.id, depth + 1) : [])]);
  const venueFirst = ([a], [b]) => (b.kind === "venue") - (a.kind === "venue");
  const found = list
    .filter(({ parent_id: id }) => !id)
    .map((row) => [row])
    .sort(venueFirst)
    .flatMap(([row]) => [[row, 0], ...within(row.id, 1)]);
  const seen = new Set(found.map(([row]) => row.id));
  return [...found, ...list.filter(({ id }) => !seen.has(id)).map((row) => [row, 0])];
}

function Edit({ name, row }) {
  return html`<button
    type="button"
    class="button"
    aria-label=${t("page.plan.edit", { name: row.name })}
    onClick=${() => (editing.value = { name, row })}
  >
    ${t("page.plan.change")}
  </button>`;
}

function Table({ name, heads, children }) {
  const add = () => (editing.value = { name, row: NEW[name] });
  return html`<section class="panel act-panel" aria-label=${t(`page.plan.${name}`)}>
    <div class="act-head">
      <h2>${t(`page.plan.${name}`)}</h2>
      <button type="button" class="button" onClick=${add}>+ ${t(`page.plan.add.${name}`)}</button>
    </div>
    <p class="soft small">${t(`page.plan.hint.${name}`)}</p>
    ${rows.value[name].length === 0
      ? html`<p class="empty">${t("page.plan.none")}</p>`
      : html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t(`page.plan.${name}`)}>
          <table class="acts-table">
            <thead>
              <tr>
                ${heads.map((head) => html`<th scope="col" key=${head}>${t(`page.crm.field.${head}`)}</th>`)}
                <td></td>
              </tr>
            </thead>
            <tbody>${children}</tbody>
          </table>
        </div>`}
  </section>`;
}

const nameIn = (list, id) => list.find((row) => row.id === id)?.name ?? "–";

function Name({ row, depth = 0, kind }) {
  return html`<th scope="row">
    <span class=${`name depth-${Math.min(depth, 4)}`}>${row.name}</span>
    ${kind && html`<span class="small soft">${t(`page.plan.kind.${kind}`)}</span>`}
  </th>`;
}

function Areas() {
  const { areas } = rows.value;
  const inside = (id) => attendance.value?.areas?.find((area) => area.id === id)?.inside;
  return html`<${Table} name="areas" heads=${["name", "inside", "capacity", "overflow_area_id", "min_age"]}>
    ${nested(areas).map(
      ([row, depth]) => html`<tr key=${row.id}>
        <${Name} row=${row} depth=${depth} kind=${row.kind} />
        <td class="figure">${count(inside(row.id), locale())}</td>
        <td class="figure">
          ${row.capacity === null ? "–" : `${count(row.capacity, locale())} · ${t(`page.plan.limit.${row.limit_kind}`)}`}
        </td>
        <td class="name">${nameIn(areas, row.overflow_area_id)}</td>
        <td class="figure">${row.min_age ?? "–"}</td>
        <td><${Edit} name="areas" row=${row} /></td>
      </tr>`,
    )}
  <//>`;
}

function Scopes() {
  const { areas, scopes } = rows.value;
  const rules = (row) =>
    [
      t(`page.plan.re_entry.${row.re_entry}`),
      row.passes_total && t("page.plan.brief.passes", { n: row.passes_total }),
      row.passes_per_day && t("page.plan.brief.per_day", { n: row.passes_per_day }),
      row.tracks_exits ? null : t("page.plan.untracked"),
      row.exclusive && t("page.crm.field.exclusive"),
    ].filter(Boolean);
  return html`<${Table} name="scopes" heads=${["name", "area_id", "enter_outer", "re_entry"]}>
    ${nested(scopes).map(
      ([row, depth]) => html`<tr key=${row.id}>
        <${Name} row=${row} depth=${depth} kind=${row.kind} />
        <td class="name">${nameIn(areas, row.area_id)}</td>
        <td>${row.parent_id ? `${t(`page.plan.outer.${row.enter_outer}`)} · ${nameIn(scopes, row.parent_id)}` : "–"}</td>
        <td>${rules(row).join(" · ")}</td>
        <td><${Edit} name="scopes" row=${row} /></td>
      </tr>`,
    )}
  <//>`;
}

function Gates() {
  const { areas, gates } = rows.value;
  const title = (id) => event.value.sessions.find((one) => one.id === id)?.title;
  return html`<${Table} name="gates" heads=${["name", "area_id", "direction", "use_instead_id"]}>
    ${gates.map(
      (row) => html`<tr key=${row.id}>
        <${Name} row=${row} />
        <td class="name">${[nameIn(areas, row.area_id), title(row.session_id)].filter(Boolean).join(" · ")}</td>
        <td>${t(`page.plan.direction.${row.direction}`)}</td>
        <td class="name">${nameIn(gates, row.use_instead_id)}</td>
        <td><${Edit} name="gates" row=${row} /></td>
      </tr>`,
    )}
  <//>`;
}

function Editing() {
  const { name, row } = editing.value;
  return html`<${RowForm}
    resource=${name}
    row=${row}
    close=${() => (editing.value = null)}
    read=${() => Promise.all([read(), loadEvent()])}
    title=${row.id ? row.name : t(`page.plan.add.${name}`)}
    fields=${FIELDS[name](row)}
    required=${REQUIRED[name]}
    whole=${(values) => ({ event_id: eventId, ...values })}
  />`;
}

export function Places() {
  useEffect(() => {
    read();
  }, []);
  if (!rows.value) return html`<p class="empty" role="status">${t("page.all.loading")}</p>`;
  return html`<${Areas} /><${Scopes} /><${Gates} />${editing.value && html`<${Editing} />`}`;
}
