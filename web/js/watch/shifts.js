// Shifts: who is there, who is missing, and the plan.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { call } from "/lib/api.js";
import { fromField, toField } from "/lib/zoned.js";
import { act, base, event, gates, said, sentenceOf, zone } from "/js/doors/model.js";

const SAVED = { words: "page.watch.saved" };

const READ_MS = 5_000;
const staff = signal(null);
const plan = signal([]);
const operators = signal([]);
const TONE = { missing: "bad", elsewhere: "warn", signed_on: "good", late_soon: "" };

async function read() {
  try {
    staff.value = await call("GET", `${base}/staffing`);
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

async function readPlan() {
  try {
    plan.value = (await call("GET", `${base}/shifts?limit=200`)).items;
    operators.value = (await call("GET", `${base}/operators?limit=200`)).items;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

const nameOf = (gateId) => gates.value.find(({ id }) => id === gateId)?.name ?? t("page.watch.anywhere");

function Now() {
  if (!staff.value) return html`<p class="empty">${t("page.all.loading")}</p>`;
  if (staff.value.shifts.length + staff.value.unplanned.length === 0) {
    return html`<p class="empty" role="status">${t("page.watch.nobody_on")}</p>`;
  }
  return html`<ul class="staff-gates">
      ${staff.value.gates
        .filter(({ wanted, there }) => wanted + there > 0)
        .map(
          (gate) => html`<li key=${gate.gate_id} data-gate=${gate.gate}>
            <b class="name">${gate.gate}</b>
            <span class="figure">${t("page.watch.there", { n: gate.there, wanted: gate.wanted })}</span>
            ${gate.short > 0 && html`<span class="chip bad">${t("page.control.gate.short", { n: gate.short })}</span>`}
          </li>`,
        )}
    </ul>
    <table class="acts-table">
      <tbody>
        ${staff.value.shifts.map(
          (shift) => html`<tr key=${shift.shift_id} data-state=${shift.state}>
            <th scope="row" class="name">${shift.operator}</th>
            <td class="name">${nameOf(shift.gate_id)}</td>
            <td class="figure">${clock(shift.starts_at, zone.value)}–${clock(shift.ends_at, zone.value)}</td>
            <td><span class=${`chip ${TONE[shift.state]}`}>${t(`page.watch.shift.${shift.state}`)}</span>
              <span class="small soft name">${shift.device ? `${nameOf(shift.at_gate_id)} · ${shift.device}` : ""}</span></td>
          </tr>`,
        )}
        ${staff.value.unplanned.map(
          (one) => html`<tr key=${one.operator_id + one.device}>
            <th scope="row" class="name">${one.operator}</th>
            <td class="name">${nameOf(one.gate_id)}</td>
            <td></td>
            <td><span class="chip">${t("page.watch.shift.unplanned")}</span> <span class="small soft name">${one.device}</span></td>
          </tr>`,
        )}
      </tbody>
    </table>`;
}

function Plan() {
  const add = async (submit) => {
    submit.preventDefault();
    const { who, where, from, until } = submit.currentTarget.elements;
    const body = { operator_id: who.value, starts_at: fromField(from.value, zone.value), ends_at: fromField(until.value, zone.value) };
    if (where.value) body.gate_id = where.value;
    if (await act("POST", `${base}/shifts`, body, SAVED)) await Promise.all([read(), readPlan()]);
  };
  const remove = async (shift) => {
    if (await act("DELETE", `${base}/shifts/${shift.id}`, undefined, SAVED)) await Promise.all([read(), readPlan()]);
  };
  return html`<form class="row" onSubmit=${add}>
      <span class="field grow"><label for="shift-who">${t("page.watch.person")}</label>
        <select class="input" id="shift-who" name="who" required>${operators.value.map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}</select></span>
      <span class="field grow"><label for="shift-where">${t("page.watch.gate")}</label>
        <select class="input" id="shift-where" name="where"><option value="">${t("page.watch.anywhere")}</option>${gates.value.map((gate) => html`<option key=${gate.id} value=${gate.id}>${gate.name}</option>`)}</select></span>
      <span class="field"><label for="shift-from">${t("page.watch.shift_from")}</label>
        <input class="input" id="shift-from" name="from" type="datetime-local" required value=${toField(event.value.starts_at, zone.value)} /></span>
      <span class="field"><label for="shift-until">${t("page.watch.shift_until")}</label>
        <input class="input" id="shift-until" name="until" type="datetime-local" required value=${toField(event.value.ends_at, zone.value)} /></span>
      <button class="button primary">${t("page.watch.add_shift")}</button>
    </form>
    ${plan.value.length === 0 && html`<p class="empty">${t("page.watch.no_plan")}</p>`}
    <table class="acts-table">
      <tbody>
        ${plan.value.map(
          (shift) => html`<tr key=${shift.id}>
            <th scope="row" class="name">${shift.operator}</th>
            <td class="name">${shift.gate ?? t("page.watch.anywhere")}</td>
            <td class="figure">${clock(shift.starts_at, zone.value)}–${clock(shift.ends_at, zone.value)}</td>
            <td><button type="button" class="button plain" aria-label=${`${t("page.watch.remove")}: ${shift.operator}`} onClick=${() => remove(shift)}>${t("page.watch.remove")}</button></td>
          </tr>`,
        )}
      </tbody>
    </table>`;
}

export function Shifts() {
  useEffect(() => {
    read();
    readPlan();
    const timer = setInterval(read, READ_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<section class="panel act-panel" aria-label=${t("page.watch.now")}>
      <h2>${t("page.watch.now")}</h2>
      <${Now} />
    </section>
    <section class="panel act-panel" aria-label=${t("page.watch.plan")}>
      <h2>${t("page.watch.plan")}</h2>
      <${Plan} />
    </section>`;
}
