// Rules that the organiser sets: points of the lead score, and what the CRM makes of who
// comes to an event, leaves early or does not come.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { count } from "/lib/format.js";
import { uuid7 } from "/lib/uuid.js";
import { Dialog, words } from "/js/crm/form.js";
import { Rows } from "/js/crm/list.js";
import { API, list, may, say, sentence } from "/js/crm/model.js";
import { useEvents, useOwners } from "/js/crm/pick.js";

const SIGNALS = [
  "event_attended", "session_attended", "no_show", "order_paid", "feedback_given", "campaign_opened",
  "campaign_clicked", "unsubscribed", "interaction_logged", "sponsor_scan", "lead_created",
];
const HAPPENED = ["attended_event", "attended_session", "left_early", "no_show"];
const ACTIONS = ["lead", "opportunity", "task"];
const PRIORITIES = ["low", "medium", "high", "urgent"];
const MADE = ["id", "created_at", "updated_at"];

// All rules of an address: they are few, so they come in one answer.
function useRules(path) {
  const [state, setState] = useState({ rows: null, cursor: null, problem: null, busy: true });
  async function reload() {
    try {
      setState({ rows: await call("GET", `${API}/${path}`), cursor: null, problem: null, busy: false });
    } catch (problem) {
      setState((old) => ({ ...old, problem, busy: false }));
    }
  }
  useEffect(() => {
    reload();
  }, []);
  return { ...state, reload };
}

// A rule is saved whole: what the form does not show or was left empty stays out, so that
// the server's defaults hold.
function save(path, rule, wanted) {
  const whole = Object.fromEntries(
    Object.entries({ ...rule, ...wanted }).filter(([name, value]) => !MADE.includes(name) && value !== null),
  );
  return rule.id
    ? call("PUT", `${API}/${path}/${rule.id}`, whole)
    : call("POST", `${API}/${path}`, whole, { "Idempotency-Key": uuid7() });
}

// The dialog of one rule, and what follows its buttons.
function Rule({ path, rule, title, fields, required, rules, onClose }) {
  const done = (text) => {
    rules.reload();
    onClose();
    say(t(text));
  };
  return html`<${Dialog}
    title=${rule.id ? rule.name : title}
    fields=${fields}
    row=${rule}
    required=${required}
    onClose=${onClose}
    onSave=${async (wanted) => {
      await save(path, rule, wanted);
      done("page.crm.saved");
    }}
    onDelete=${rule.id
      ? async () => {
          await call("DELETE", `${API}/${path}/${rule.id}`);
          done("page.crm.deleted");
        }
      : null}
  />`;
}

function Name({ rule, onOpen }) {
  const off = html`<span class="chip">${t("page.crm.rule.off")}</span>`;
  return html`<th scope="row">
    ${may("settings", "write")
      ? html`<button type="button" class="card-name name" onClick=${() => onOpen(rule)}>${rule.name}</button>`
      : html`<span class="name">${rule.name}</span>`}
    ${!rule.enabled && off}
  </th>`;
}

function Head({ id, text, onNew, children }) {
  return html`<div class="view-head">
    <h2 id=${id}>${text}</h2>
    <span class="gap"></span>
    ${children}
    ${may("settings", "write") &&
    html`<button type="button" class="button primary" onClick=${onNew}>${t("page.crm.new")}</button>`}
  </div>`;
}

function Score({ events }) {
  const rules = useRules("score-rules");
  const [open, setOpen] = useState(null);
  const [busy, setBusy] = useState(false);
  const titles = new Map(events);
  async function apply() {
    setBusy(true);
    try {
      const { changed } = await call("POST", `${API}/score-rules/apply`, {}, { "Idempotency-Key": uuid7() });
      say(t("page.crm.rule.applied", { n: count(changed, locale()) }));
    } catch (problem) {
      say(sentence(problem), "bad");
    }
    setBusy(false);
  }
  return html`<section aria-labelledby="rules-score">
    <${Head} id="rules-score" text=${t("page.crm.rule.score")} onNew=${() => setOpen({ enabled: true, times_max: 1 })}>
      ${may("settings", "write") &&
      html`<button type="button" class="button" disabled=${busy} onClick=${apply}>${t("page.crm.rule.apply")}</button>`}
    <//>
    <p class="soft">${t("page.crm.rule.score_hint")}</p>
    <${Rows} rows=${rules} empty=${t("page.crm.rule.no_score")}>
      ${(found) => html`<div class="panel table"><table>
        <thead><tr>${["name", "signal", "points", "times_max", "within_days", "event_id"].map(
          (name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`,
        )}</tr></thead>
        <tbody>${found.map((rule) => html`<tr key=${rule.id}>
          <${Name} rule=${rule} onOpen=${setOpen} />
          <td>${t(`page.crm.signal.${rule.signal}`)}</td>
          <td class="figure">${rule.points > 0 ? "+" : ""}${rule.points}</td>
          <td class="figure">${rule.times_max}</td>
          <td class="figure">${rule.within_days ?? "–"}</td>
          <td class="name">${titles.get(rule.event_id) ?? t("page.crm.rule.every_event")}</td>
        </tr>`)}</tbody>
      </table></div>`}
    <//>
    ${open &&
    html`<${Rule} path="score-rules" rule=${open} rules=${rules} title=${t("page.crm.rule.new_score")} onClose=${() => setOpen(null)}
      required=${["name", "signal", "points"]}
      fields=${[
        ["name", "text"],
        ["signal", "choice", words("signal", SIGNALS)],
        ["points", "number"],
        ["times_max", "number"],
        ["within_days", "number"],
        ["event_id", "choice", events],
        ["enabled", "check"],
      ]} />`}
  </section>`;
}

// What a rule may name of an event: its sessions, ticket types and sponsors.
function useProgramme(eventId) {
  const [known, setKnown] = useState(null);
  useEffect(() => {
    const of = (name, text) =>
      list(name, { event_id: eventId, limit: 200, labels: "true" }).then(
        (page) => page.items.map((row) => [row.id, text(row)]),
        () => [],
      );
    if (!eventId) setKnown({ sessions: [], types: [], sponsors: [] });
    else {
      Promise.all([
        of("sessions", (row) => row.title),
        of("ticket_types", (row) => row.name),
        of("sponsors", (row) => row.labels?.company_id ?? row.labels?.contact_id ?? row.sponsorship_tier ?? "–"),
      ]).then(([sessions, types, sponsors]) => setKnown({ sessions, types, sponsors }));
    }
  }, [eventId]);
  return known;
}

function Effect({ rule, rules, onClose }) {
  const known = useProgramme(rule.event_id);
  const owners = useOwners(rule);
  if (known === null) return null;
  const happened = rule.event_id ? HAPPENED : HAPPENED.filter((word) => word !== "attended_session");
  const here = rule.event_id
    ? [
        ["session_id", "choice", known.sessions],
        ["ticket_type_id", "choice", known.types],
        ["sponsor_id", "choice", known.sponsors],
      ]
    : [];
  return html`<${Rule} path="effect-rules" rule=${rule} rules=${rules} title=${t("page.crm.rule.new_effect")} onClose=${onClose}
    required=${["name", "happened", "action"]}
    fields=${[
      ["name", "text"],
      ["happened", "choice", words("happened", happened)],
      ["minutes_min", "number"],
      ["action", "choice", words("makes", ACTIONS)],
      ...here,
      ["assigned_to", "choice", owners],
      ["title", "text"],
      ["lead_score", "number"],
      ["amount", "money"],
      ["priority", "choice", words("priority", PRIORITIES)],
      ["due_hours", "number"],
      ["enabled", "check"],
    ]} />`;
}

function Effects({ events }) {
  const rules = useRules("effect-rules");
  const [eventId, setEventId] = useState("");
  const [open, setOpen] = useState(null);
  const titles = new Map(events);
  const shown = { ...rules, rows: rules.rows?.filter((rule) => !eventId || !rule.event_id || rule.event_id === eventId) ?? null };
  return html`<section aria-labelledby="rules-effects">
    <${Head} id="rules-effects" text=${t("page.crm.rule.effects")}
      onNew=${() => setOpen({ enabled: true, event_id: eventId || null, priority: "medium" })}>
      <label class="choice" for="rules-event"><span class="unseen">${t("page.crm.field.event_id")}</span>
        <select class="input" id="rules-event" value=${eventId} onChange=${(e) => setEventId(e.currentTarget.value)}>
          <option value="">${t("page.crm.rule.every_event")}</option>
          ${events.map(([id, title]) => html`<option key=${id} value=${id} selected=${id === eventId}>${title}</option>`)}
        </select></label>
    <//>
    <p class="soft">${t("page.crm.rule.effects_hint")}</p>
    <${Rows} rows=${shown} empty=${t("page.crm.rule.no_effect")}>
      ${(found) => html`<div class="panel table"><table>
        <thead><tr>${["name", "happened", "makes", "event_id"].map(
          (name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`,
        )}</tr></thead>
        <tbody>${found.map((rule) => html`<tr key=${rule.id}>
          <${Name} rule=${rule} onOpen=${setOpen} />
          <td>${t(`page.crm.happened.${rule.happened}`)}</td>
          <td>${t(`page.crm.makes.${rule.action}`)}</td>
          <td class="name">${titles.get(rule.event_id) ?? t("page.crm.rule.every_event")}</td>
        </tr>`)}</tbody>
      </table></div>`}
    <//>
    ${open && html`<${Effect} key=${open.id ?? "new"} rule=${open} rules=${rules} onClose=${() => setOpen(null)} />`}
  </section>`;
}

export function Rules() {
  const events = useEvents();
  return html`<div class="rules"><${Score} events=${events} /><${Effects} events=${events} /></div>`;
}
