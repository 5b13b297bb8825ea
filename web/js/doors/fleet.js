// The devices: rename, move, lock, revoke; and codes that pair many, to be printed.
import { html, signal } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { count } from "/lib/format.js";
import { call } from "/lib/api.js";
import { act, base, busy, devices, event, gates, now, sentenceOf, said } from "/js/doors/model.js";

const SILENT_MS = 30_000;
const SKEW_MS = 60_000;
const TONE = { active: "good", locked: "warn", pairing: "", revoked: "" };

const sure = signal(null);
const code = signal(null);

function ago(moment) {
  if (!moment) return t("page.control.never");
  const seconds = Math.max(0, Math.round((now.value - Date.parse(moment)) / 1000));
  if (seconds < 90) return t("page.control.ago_s", { n: seconds });
  return t("page.control.ago_min", { n: Math.floor(seconds / 60) });
}

function Device({ device }) {
  const path = `/api/v1/devices/${device.id}`;
  const gone = device.state === "revoked";
  const silent = device.state === "active" && now.value - Date.parse(device.last_seen_at ?? 0) > SILENT_MS;
  const revoke = () => {
    if (sure.value !== device.id) {
      sure.value = device.id;
      return;
    }
    sure.value = null;
    act("POST", `${path}/revoke`);
  };
  const facts = [
    device.operator,
    device.battery === null ? null : `${device.battery} %`,
    device.pending ? t("page.scan.waiting", { n: count(device.pending, locale()) }) : null,
    device.software,
    Math.abs(device.clock_skew_ms ?? 0) > SKEW_MS ? t("page.scan.clock_wrong") : null,
  ].filter(Boolean);
  return html`<tr class=${gone ? "gone" : ""}>
    <th scope="row">
      <label class="unseen" for=${`name-${device.id}`}>${t("page.doors.name_of", { name: device.name })}</label>
      <input
        class="input name-field"
        id=${`name-${device.id}`}
        maxlength="100"
        value=${device.name}
        disabled=${gone}
        onChange=${(change) => act("PATCH", path, { name: change.currentTarget.value.trim() })}
      />
      <span class="small soft name">${facts.join(" · ")}</span>
    </th>
    <td>
      <span class=${`chip ${silent ? "bad" : TONE[device.state]}`}>
        ${silent ? t("page.doors.silent") : t(`page.doors.device.${device.state}`)}
      </span>
      <span class="small soft figure">${ago(device.last_seen_at)}</span>
    </td>
    <td>
      <label class="unseen" for=${`gate-${device.id}`}>${t("page.doors.gate_of", { name: device.name })}</label>
      <select
        class="input"
        id=${`gate-${device.id}`}
        value=${device.gate_id ?? ""}
        disabled=${gone || busy.value}
        onChange=${(change) => act("PATCH", path, { gate_id: change.currentTarget.value || null })}
      >
        <option value="">–</option>
        ${gates.value.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
      </select>
    </td>
    <td class="row">
      ${device.state === "active" &&
      html`<button type="button" class="button" disabled=${busy.value} onClick=${() => act("POST", `${path}/lock`)}>
        ${t("page.doors.lock")}
      </button>`}
      ${device.state === "locked" &&
      html`<button type="button" class="button" disabled=${busy.value} onClick=${() => act("POST", `${path}/unlock`)}>
        ${t("page.doors.unlock")}
      </button>`}
      ${!gone &&
      html`<button type="button" class="button danger" disabled=${busy.value} onClick=${revoke}>
        ${t(sure.value === device.id ? "page.doors.sure" : "page.doors.revoke")}
      </button>`}
    </td>
  </tr>`;
}

async function makeCode(form) {
  const hours = Number(form.hours.value);
  const made = await act("POST", `${base}/enrolments`, {
    gate_id: form.gate.value || null,
    max_devices: Number(form.devices.value),
    valid_until: new Date(Date.now() + hours * 3_600_000).toISOString(),
  });
  if (!made) return;
  const gate = gates.value.find(({ id }) => id === form.gate.value);
  code.value = { ...made, gate: gate?.name ?? "", hours };
  try {
    const drawn = await call("POST", "/api/v1/qr", { text: made.pairing_url });
    code.value = { ...code.value, path: drawn.path, size: drawn.size };
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

function Printed({ made }) {
  return html`<div class="printed">
    ${made.path &&
    html`<svg class="qr" viewBox=${`0 0 ${made.size} ${made.size}`} role="img" aria-label=${t("page.doors.code_qr")}>
      <path d=${made.path} />
    </svg>`}
    <div>
      <h3 class="name">${event.value.title}</h3>
      <p>${made.gate}</p>
      <p class="figure big-code">${made.pairing_code}</p>
      <p class="small">${t("page.doors.code_note", { n: made.max_devices, h: made.hours })}</p>
      <button type="button" class="button no-print" onClick=${() => print()}>${t("page.doors.print")}</button>
    </div>
  </div>`;
}

function Enrolment() {
  return html`<section class="panel act-panel enrolment" aria-label=${t("page.doors.code")}>
    <h2 class="no-print">${t("page.doors.code")}</h2>
    <form
      class="row no-print"
      onSubmit=${(submit) => {
        submit.preventDefault();
        makeCode(submit.currentTarget.elements);
      }}
    >
      <div class="field">
        <label for="code-gate">${t("page.doors.head.gate")}</label>
        <select class="input" id="code-gate" name="gate">
          ${gates.value.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
        </select>
      </div>
      <div class="field">
        <label for="code-devices">${t("page.doors.code_devices")}</label>
        <input class="input" id="code-devices" name="devices" type="number" min="1" max="1000" value="20" required />
      </div>
      <div class="field">
        <label for="code-hours">${t("page.doors.code_hours")}</label>
        <input class="input" id="code-hours" name="hours" type="number" min="1" max="240" value="12" required />
      </div>
      <button class="button primary" type="submit" disabled=${busy.value}>${t("page.doors.code_make")}</button>
    </form>
    ${code.value && html`<${Printed} made=${code.value} />`}
  </section>`;
}

export function Fleet() {
  return html`<${Enrolment} />
    <section class="panel act-panel no-print" aria-label=${t("page.control.devices")}>
      <h2>${t("page.control.devices")}</h2>
      ${devices.value.length === 0
        ? html`<p class="empty">${t("page.control.no_devices")}</p>`
        : html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t("page.control.devices")}>
            <table class="acts-table">
              <thead>
                <tr>
                  ${["device", "state", "gate", "act"].map(
                    (head) => html`<th scope="col" key=${head}>${t(`page.doors.head.${head}`)}</th>`,
                  )}
                </tr>
              </thead>
              <tbody>
                ${devices.value.map((device) => html`<${Device} key=${device.id} device=${device} />`)}
              </tbody>
            </table>
          </div>`}
    </section>`;
}
