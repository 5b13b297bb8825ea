// Doors of the event and of each gate, which gate to use instead, and a delay.
import { html, signal } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { act, attendance, base, busy, event, gates, zone } from "/js/doors/model.js";

const STATES = ["open", "last_entry", "held", "closed"];
const TONE = { open: "good", last_entry: "warn", held: "bad", closed: "bad" };
const DELAYS = [5, 10, 20, 30];

const sure = signal(null);

function EventDoors() {
  const now = event.value.doors_state;
  const set = async (state) => {
    // Shutting all doors is asked twice; opening them is not.
    if (state !== "open" && sure.value !== state) {
      sure.value = state;
      return;
    }
    sure.value = null;
    await act("POST", `${base}/doors`, { state }, { reload: true });
  };
  return html`<section class="panel act-panel" aria-label=${t("page.doors.all")}>
    <div class="act-head">
      <h2>${t("page.doors.all")}</h2>
      <span class=${`chip ${TONE[now]}`}>${t(`page.control.doors.${now}`)}</span>
    </div>
    <div class="state-buttons" role="group" aria-label=${t("page.doors.all")}>
      ${STATES.map(
        (state) => html`<button
          type="button"
          key=${state}
          class=${`button state ${TONE[state]}`}
          aria-pressed=${state === now}
          disabled=${busy.value}
          onClick=${() => set(state)}
        >
          ${sure.value === state ? t("page.doors.sure") : t(`page.control.doors.${state}`)}
        </button>`,
      )}
    </div>
    <div class="delay">
      <p>${t("page.doors.opens", { when: clock(event.value.doors_open_at ?? event.value.starts_at, zone.value) })}</p>
      <div class="row" role="group" aria-label=${t("page.doors.delay")}>
        <b>${t("page.doors.delay")}</b>
        ${DELAYS.map(
          (minutes) => html`<button
            type="button"
            class="button"
            key=${minutes}
            disabled=${busy.value}
            onClick=${() => act("POST", `${base}/delay`, { minutes }, { reload: true })}
          >
            +${minutes} min
          </button>`,
        )}
        <button
          type="button"
          class="button plain"
          disabled=${busy.value}
          onClick=${() => act("POST", `${base}/delay`, { minutes: -5 }, { reload: true })}
        >
          −5 min
        </button>
      </div>
    </div>
  </section>`;
}

function Gate({ gate }) {
  const live = attendance.value?.gates?.find(({ id }) => id === gate.id);
  const area = event.value.areas.find(({ id }) => id === gate.area_id);
  const set = (state, instead) =>
    act("POST", `${base}/gates/${gate.id}/doors`, { state, use_instead_id: instead || null }, { reload: true });
  return html`<tr>
    <th scope="row">
      <span class="name">${gate.name}</span>
      <span class="small soft name">${area?.name ?? ""}</span>
    </th>
    <td><span class=${`chip ${TONE[gate.state]}`}>${t(`page.control.doors.${gate.state}`)}</span></td>
    <td class="figure">${live ? t("page.doors.rate", { n: Math.round(live.rate_per_min) }) : "–"}</td>
    <td>
      <label class="unseen" for=${`state-${gate.id}`}>${t("page.doors.state_of", { gate: gate.name })}</label>
      <select
        class="input"
        id=${`state-${gate.id}`}
        value=${gate.state}
        disabled=${busy.value}
        onChange=${(change) => set(change.currentTarget.value, gate.use_instead_id)}
      >
        ${STATES.map((state) => html`<option key=${state} value=${state}>${t(`page.control.doors.${state}`)}</option>`)}
      </select>
    </td>
    <td>
      <label class="unseen" for=${`instead-${gate.id}`}>${t("page.doors.instead_of", { gate: gate.name })}</label>
      <select
        class="input"
        id=${`instead-${gate.id}`}
        value=${gate.use_instead_id ?? ""}
        disabled=${busy.value}
        onChange=${(change) => set(gate.state, change.currentTarget.value)}
      >
        <option value="">–</option>
        ${gates.value
          .filter(({ id }) => id !== gate.id)
          .map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
      </select>
    </td>
  </tr>`;
}

export function States() {
  return html`<${EventDoors} />
    <section class="panel act-panel" aria-label=${t("page.control.gates")}>
      <h2>${t("page.control.gates")}</h2>
      <div class="scroll-x" tabindex="0" role="region" aria-label=${t("page.control.gates")}>
        <table class="acts-table">
          <thead>
            <tr>
              ${["gate", "state", "rate", "change", "instead"].map(
                (head) => html`<th scope="col" key=${head}>${t(`page.doors.head.${head}`)}</th>`,
              )}
            </tr>
          </thead>
          <tbody>
            ${gates.value.map((gate) => html`<${Gate} key=${gate.id} gate=${gate} />`)}
          </tbody>
        </table>
      </div>
    </section>`;
}
