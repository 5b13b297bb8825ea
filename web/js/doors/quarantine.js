// What a revoked device brought: nothing is dropped and nothing counts until a person says
// for each record whether it happened.
import { html, signal } from "/lib/ui.js";
import { has, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { clock } from "/lib/format.js";
import { act, base, busy, zone } from "/js/doors/model.js";

const records = signal([]);

export async function readQuarantine() {
  const page = await call("GET", `${base}/quarantine?limit=100&waiting=true`);
  records.value = page.items;
}

const hint = (code) => (code?.length > 6 ? `…${code.slice(-4)}` : (code ?? "–"));

function Record({ record, after }) {
  const { code, direction, scanned_at: at, door } = record.record;
  const decide = async (accept) => {
    const path = `${base}/quarantine/${record.id}/decide`;
    if (await act("POST", path, { accept })) after();
  };
  const key = `page.reason.${door?.verdict}.${door?.reason}`;
  return html`<tr data-record=${record.id}>
    <th scope="row">
      <span class="name">${record.device ?? "–"}</span>
      <span class="small soft figure">${hint(code)}</span>
    </th>
    <td class="figure">${clock(door?.at ?? at, zone.value, true)}</td>
    <td>${t(`page.scan.direction.${direction ?? "in"}`)} · ${has(key) ? t(key) : "–"}</td>
    <td class="row">
      <button type="button" class="button" disabled=${busy.value} onClick=${() => decide(true)}>${t("page.offline.accept")}</button>
      <button type="button" class="button" disabled=${busy.value} onClick=${() => decide(false)}>${t("page.offline.reject")}</button>
    </td>
  </tr>`;
}

export function Quarantine({ after }) {
  if (records.value.length === 0) return null;
  return html`<section class="panel act-panel" aria-label=${t("page.offline.quarantine")}>
    <h2>${t("page.offline.quarantine")}</h2>
    <p class="small soft">${t("page.offline.quarantine_hint")}</p>
    <div class="scroll-x" tabindex="0" role="region" aria-label=${t("page.offline.quarantine")}>
      <table class="acts-table">
        <thead>
          <tr>
            <th scope="col">${t("page.doors.head.device")}</th>
            <th scope="col">${t("page.doors.head.time")}</th>
            <th scope="col">${t("page.doors.head.verdict")}</th>
            <td></td>
          </tr>
        </thead>
        <tbody>${records.value.map((record) => html`<${Record} key=${record.id} record=${record} after=${after} />`)}</tbody>
      </table>
    </div>
  </section>`;
}
