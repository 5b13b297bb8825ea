// The rules of one cell: one for all days, and one for each event day that differs.
import { html, signal } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { fromField, toField } from "/lib/zoned.js";
import { change, create, remove, sentence } from "/js/crm/model.js";
import { busy, eventId, said, zone } from "/js/doors/model.js";
import { loadRules, rules } from "/js/plan/model.js";
import { cellOf } from "/js/plan/rules.js";
import { tryAgain } from "/js/plan/try.js";
import { nameOf } from "/js/plan/words.js";

const ANCHORS = ["doors", "event_start", "event_end"];
const OF_SESSION = ["session_start", "session_end"];
const NUMBERS = [
  ["passes_total", 1],
  ["passes_per_day", 1],
  ["pass_gap_minutes", 0],
  ["anti_passback_minutes", 0],
  ["min_age", 1, 120],
];
const RE_ENTRY = ["never", "after_exit", "always"];

// The rule that is open: its id, "new", or "day".
const open = signal(null);
const allowed = signal(true);
const edges = signal({});
const problems = signal({});

// `effective`: what holds where no rule is written yet; the form begins with the truth.
function begin(rule, mode, effective = true) {
  open.value = mode ?? rule?.id ?? "new";
  allowed.value = rule?.allowed ?? effective;
  problems.value = {};
  const word = (name) => (rule?.[`${name}_at`] ? "at" : (rule?.[`${name}_anchor`] ?? ""));
  edges.value = { opens: word("opens"), closes: word("closes") };
}

export const openCell = (cell) => begin(cell.own.find(({ day }) => !day) ?? null, null, cell.allowed);

// What the form says, as the API takes it; a null empties.
function bodyOf(form) {
  const body = { allowed: allowed.value };
  const day = form.elements.namedItem("day");
  if (day) body.day = day.value || null;
  if (!allowed.value) return body;
  for (const name of ["opens", "closes"]) {
    const word = edges.value[name];
    const relative = word && word !== "at";
    body[`${name}_at`] = word === "at" ? fromField(form.elements.namedItem(`${name}_at`).value, zone.value) : null;
    body[`${name}_anchor`] = relative ? word : null;
    body[`${name}_offset_minutes`] = relative ? Number(form.elements.namedItem(`${name}_offset_minutes`).value || 0) : 0;
  }
  for (const [name] of NUMBERS) {
    const text = form.elements.namedItem(name).value.trim();
    body[name] = text === "" ? null : Number(text);
  }
  body.re_entry = form.elements.namedItem("re_entry").value || null;
  return body;
}

async function attempt(work, words) {
  busy.value = true;
  problems.value = {};
  try {
    await work();
    said.value = { bad: false, words: t(words) };
    await loadRules();
    tryAgain();
    return true;
  } catch (error) {
    problems.value = Object.fromEntries((error.fields ?? []).map(({ field, detail }) => [field, detail]));
    said.value = { bad: true, words: sentence(error) };
    return false;
  } finally {
    busy.value = false;
  }
}

function Edge({ name, rule, anchors }) {
  const word = edges.value[name];
  const id = `rule-${name}`;
  const offset = `${name}_offset_minutes`;
  const at = `${name}_at`;
  return html`<div class="edge">
    <div class="field">
      <label for=${id}>${t(`page.plan.${name}`)}</label>
      <select
        class="input"
        id=${id}
        value=${word}
        onChange=${(picked) => (edges.value = { ...edges.value, [name]: picked.currentTarget.value })}
      >
        ${["", "at", ...anchors].map((one) => html`<option key=${one} value=${one}>${t(`page.plan.anchor.${one || "none"}`)}</option>`)}
      </select>
    </div>
    ${word === "at" &&
    html`<div class="field">
      <label for=${at}>${t("page.plan.at", { zone: zone.value })}</label>
      <input class="input" id=${at} name=${at} type="datetime-local" required defaultValue=${toField(rule?.[at], zone.value)} />
    </div>`}
    ${word &&
    word !== "at" &&
    html`<div class="field">
      <label for=${offset}>${t("page.plan.offset")}</label>
      <input class="input" id=${offset} name=${offset} type="number" step="1" min="-100000" max="100000" defaultValue=${rule?.[offset] ?? 0} />
    </div>`}
  </div>`;
}

function Limit({ name, rule, least, most }) {
  const problem = problems.value[name];
  return html`<div class="field">
    <label for=${`rule-${name}`}>${t(`page.crm.field.${name}`)}</label>
    <input
      class="input"
      id=${`rule-${name}`}
      name=${name}
      type="number"
      min=${least}
      max=${most}
      aria-invalid=${Boolean(problem)}
      aria-describedby=${problem ? `rule-${name}-bad` : null}
      defaultValue=${rule?.[name] ?? ""}
    />
    ${problem && html`<p class="field-bad" id=${`rule-${name}-bad`}>${problem}</p>`}
  </div>`;
}

function Allowed() {
  return html`<div class="state-buttons" role="group" aria-label=${t("page.plan.allowed")}>
    ${[true, false].map(
      (may) => html`<button
        type="button"
        key=${may}
        class=${`button state ${may ? "good" : "bad"}`}
        aria-pressed=${allowed.value === may}
        onClick=${() => (allowed.value = may)}
      >
        ${t(may ? "page.plan.may" : "page.plan.may_not")}
      </button>`,
    )}
  </div>`;
}

export function RuleForm({ scope, column }) {
  const cell = cellOf(rules.value, scope.id, column);
  const every = cell.own.find(({ day }) => !day) ?? null;
  const rule = cell.own.find(({ id }) => id === open.value) ?? null;
  const ofDay = open.value === "day" || Boolean(rule?.day);
  // A day that differs begins as what holds on all days.
  const shown = rule ?? (ofDay ? every : null);
  const save = async (submit) => {
    submit.preventDefault();
    const body = bodyOf(submit.currentTarget);
    const target = column.type ? { ticket_type_id: column.type.id } : { access_class: column.access };
    const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
    let made = rule;
    const work = async () => {
      if (rule) await change("access_rules", rule, body);
      else made = await create("access_rules", { event_id: eventId, scope_id: scope.id, ...target, ...given });
    };
    if (await attempt(work, "page.doors.done")) begin(made);
  };
  const drop = async () => {
    if (!(await attempt(() => remove("access_rules", rule), "page.plan.dropped"))) return;
    openCell(cellOf(rules.value, scope.id, column));
  };
  const chip = (one, words) => html`<button
    type="button"
    class="button"
    key=${one?.id ?? "every"}
    aria-pressed=${one ? open.value === one.id : open.value === "new"}
    onClick=${() => begin(one, null, cell.allowed)}
  >
    ${words}
  </button>`;
  const anchors = scope.kind === "session" ? [...ANCHORS, ...OF_SESSION] : ANCHORS;
  return html`<section class="panel act-panel" aria-label=${t("page.plan.rule")}>
    <h2><span class="name">${nameOf(column)}</span> → <span class="name">${scope.name}</span></h2>
    <p class="soft small">${t(`page.plan.origin.${cell.origin}`)}</p>
    <div class="row" role="group" aria-label=${t("page.plan.which_days")}>
      ${chip(every, t("page.plan.every_day"))} ${cell.days.map((one) => chip(one, one.day))}
      <button type="button" class="button" aria-pressed=${open.value === "day"} onClick=${() => begin(every, "day", cell.allowed)}>
        + ${t("page.plan.one_day")}
      </button>
    </div>
    <form class="rule-form" key=${open.value} onSubmit=${save}>
      ${ofDay &&
      html`<div class="field">
        <label for="rule-day">${t("page.plan.day")}</label>
        <input class="input" id="rule-day" name="day" type="date" required defaultValue=${rule?.day ?? ""} />
      </div>`}
      <${Allowed} />
      ${allowed.value &&
      html`<${Edge} name="opens" rule=${shown} anchors=${anchors} />
        <${Edge} name="closes" rule=${shown} anchors=${anchors} />
        <div class="fields">
          ${NUMBERS.map(([name, least, most]) => html`<${Limit} key=${name} name=${name} rule=${shown} least=${least} most=${most} />`)}
          <div class="field">
            <label for="rule-re_entry">${t("page.crm.field.re_entry")}</label>
            <select class="input" id="rule-re_entry" name="re_entry">
              <option value="">${t("page.plan.as_scope")}</option>
              ${RE_ENTRY.map((word) => html`<option key=${word} value=${word} selected=${shown?.re_entry === word}>${t(`page.plan.re_entry.${word}`)}</option>`)}
            </select>
          </div>
        </div>`}
      <div class="actions">
        ${rule &&
        html`<button type="button" class="button danger" disabled=${busy.value} onClick=${drop}>${t("page.plan.drop")}</button>`}
        <span class="gap"></span>
        <button type="submit" class="button primary" disabled=${busy.value}>${t("page.crm.save")}</button>
      </div>
    </form>
  </section>`;
}
