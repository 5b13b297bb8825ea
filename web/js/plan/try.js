// The simulator beside the rules: a ticket, a gate, a time; asked again after each change.
import { html, signal } from "/lib/ui.js";
import { language, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { fromField } from "/lib/zoned.js";
import { Imagined } from "/js/doors/checks.js";
import { base, event, gates, sentenceOf, zone } from "/js/doors/model.js";
import { sampleOf } from "/js/plan/model.js";

// {ticket_id, code, label}: whose scan is imagined.
const subject = signal(null);
const gate = signal("");
const direction = signal("in");
const at = signal("");
const session = signal(null);
const found = signal(null);
const trouble = signal(null);
let asked = 0;

async function ask() {
  const who = subject.value;
  if (!who || !gate.value) return;
  asked += 1;
  const mine = asked;
  const body = { gate_id: gate.value, direction: direction.value, language: language.value };
  if (who.code) body.code = who.code;
  else body.ticket_id = who.ticket_id;
  if (at.value) body.at = fromField(at.value, zone.value);
  if (session.value) body.session_id = session.value;
  try {
    const answer = await call("POST", `${base}/simulate`, body);
    if (mine !== asked) return;
    found.value = answer;
    trouble.value = null;
  } catch (error) {
    if (mine === asked) trouble.value = sentenceOf(error);
  }
}

// After a rule was changed: the same question, maybe another answer.
export const tryAgain = () => ask();

// A ticket of the column's type at the gate that leads into the scope.
export async function tryCell(scope, column, leading) {
  found.value = trouble.value = null;
  session.value = scope.session_id ?? null;
  gate.value = leading?.id ?? gates.value[0]?.id ?? "";
  const type = column.type ?? event.value.types.find(({ access_class: name }) => name === column.access);
  try {
    const ticket = type ? await sampleOf(type.id) : null;
    subject.value = ticket && {
      ticket_id: ticket.id,
      label: [type.name, ticket.labels?.attendee_id].filter(Boolean).join(" · "),
    };
    if (ticket) await ask();
    else trouble.value = t("page.plan.no_sample");
  } catch (error) {
    trouble.value = sentenceOf(error);
  }
}

function Choice({ id, words, value, options, onChange }) {
  return html`<div class="field">
    <label for=${id}>${t(words)}</label>
    <select class="input" id=${id} value=${value} onChange=${(change) => onChange(change.currentTarget.value)}>
      ${options.map(([key, word]) => html`<option key=${key} value=${key}>${word}</option>`)}
    </select>
  </div>`;
}

const put = (which) => (value) => {
  which.value = value;
  ask();
};

export function TryOut() {
  const submit = (event_) => {
    event_.preventDefault();
    const code = event_.currentTarget.elements.code.value.trim();
    if (code) subject.value = { code, label: code };
    ask();
  };
  if (!gate.value) gate.value = gates.value[0]?.id ?? "";
  return html`<section class="panel act-panel try-out" aria-label=${t("page.plan.try")}>
    <h2>${t("page.plan.try")}</h2>
    <p class="soft small">${t("page.doors.why_hint")}</p>
    ${subject.value && html`<p><b class="name">${subject.value.label}</b></p>`}
    <form class="fields" onSubmit=${submit}>
      <div class="field">
        <label for="try-code">${t("page.plan.other_code")}</label>
        <input class="input" id="try-code" name="code" autocomplete="off" />
      </div>
      <${Choice} id="try-gate" words="page.doors.head.gate" value=${gate.value} options=${gates.value.map(({ id, name }) => [id, name])} onChange=${put(gate)} />
      <${Choice}
        id="try-direction"
        words="page.scan.setup.direction"
        value=${direction.value}
        options=${["in", "out"].map((way) => [way, t(`page.scan.direction.${way}`)])}
        onChange=${put(direction)}
      />
      <div class="field wide">
        <label for="try-at">${t("page.doors.why_at")}</label>
        <input class="input" id="try-at" type="datetime-local" value=${at.value} onChange=${(change) => put(at)(change.currentTarget.value)} />
      </div>
      <button class="button" type="submit" disabled=${!gate.value}>${t("page.doors.why_ask")}</button>
    </form>
    ${trouble.value && html`<p class="notice bad" role="alert">${trouble.value}</p>`}
    ${found.value && html`<${Imagined} found=${found.value} />`}
  </section>`;
}
