// The gates: how fast each is, what it refused, and which is in trouble.
import { html } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { count, rate } from "/lib/format.js";
import { mayEnter } from "/lib/alert-rules.js";
import { Figure } from "/js/control/number.js";
import { gateForecast, gateTrouble, lanesMissing, waitMinutes } from "/js/control/derive.js";
import { short } from "/js/control/staff.js";
import { alerts, attendance, eventId, forecast } from "/js/control/model.js";

const TONE = { closed: "bad", held: "bad", no_device: "bad" };

function wait(queue) {
  const minutes = waitMinutes(queue);
  if (minutes === null) return t("page.control.queue.growing");
  if (minutes.little) return t("page.control.queue.little");
  return t("page.control.queue.minutes", minutes);
}

// The wait with what it is known from, the time each person takes, and the lanes.
function Queue({ queue }) {
  if (!queue || queue.basis === "idle") return null;
  const missing = lanesMissing(queue);
  return html`<span class="small soft queue figure">
      ${wait(queue)}
      <span class="queue-basis"> (${t(`page.control.queue.basis.${queue.basis}`)})${" · "}${t("page.control.queue.service", { n: rate(queue.service_s, locale()) })}${queue.service_known ? "" : "?"}</span>${" · "}
      ${t("page.control.queue.lanes", { n: queue.lanes, needed: queue.lanes_needed ?? "–" })}
    </span>
    ${missing > 0 && html`<span class="chip warn">${t("page.control.queue.open_lanes", { n: missing })}</span>`}`;
}

// Figures in one line; what is behind them beneath it, as wide as the table.
function Gate({ gate }) {
  const trouble = gateTrouble(gate);
  const missing = short(gate.id);
  const entering = mayEnter(alerts.value?.raised, gate.area_id);
  const queue = gateForecast(forecast.value, gate.id);
  const more = missing > 0 || entering !== null || trouble.length > 0 || (queue && queue.basis !== "idle");
  return html`<tbody class=${trouble.length ? "trouble" : ""}>
    <tr>
      <th scope="rowgroup">
        <span class="name" title=${gate.name}>${gate.name}</span>
        <span class="small soft">${gate.area}</span>
      </th>
      <td class="strong"><${Figure} value=${gate.rate_per_min} format=${rate} /></td>
      <td><${Figure} value=${gate.entered} /></td>
      <td><${Figure} value=${gate.exited} /></td>
      <td><${Figure} value=${gate.refused} /></td>
      <td><${Figure} value=${gate.devices} /></td>
    </tr>
    ${more &&
    html`<tr class="beneath">
      <td colspan="6">
        ${missing > 0 && html`<a class="chip bad" href=${`/watch.html?event=${eventId}#shifts`}>${t("page.control.gate.short", { n: missing })}</a>`}
        <${Queue} queue=${queue} />
        ${entering !== null &&
        html`<span class="chip bad figure">
          ${t("page.control.gate.one_out_one_in", { n: count(entering, locale()) })}
        </span>`}
        ${trouble.map(
          (word) => html`<span class=${`chip ${TONE[word] ?? "warn"}`} key=${word}>
            ${t(`page.control.gate.${word}`)}
          </span>`,
        )}
      </td>
    </tr>`}
  </tbody>`;
}

export function Gates() {
  void locale();
  const gates = attendance.value?.gates;
  const heads = ["per_min", "in", "out", "refused", "devices"];
  return html`<section class="panel gates" aria-label=${t("page.control.gates")}>
    <div class="panel-head"><h2>${t("page.control.gates")}</h2></div>
    <div class="scroll" tabindex="0" role="region" aria-label=${t("page.control.gates")}>
      ${gates?.length === 0
        ? html`<p class="empty">${t("page.control.no_gates")}</p>`
        : html`<table class="figures">
            <thead>
              <tr>
                <th scope="col">${t("page.control.gate")}</th>
                ${heads.map(
                  (head) => html`<th scope="col" key=${head}>${t(`page.control.head.${head}`)}</th>`,
                )}
              </tr>
            </thead>
            ${(gates ?? []).map((gate) => html`<${Gate} key=${gate.id} gate=${gate} />`)}
          </table>`}
    </div>
  </section>`;
}
