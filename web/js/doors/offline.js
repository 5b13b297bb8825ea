// The network's absence: what it may cost now, how devices decide alone, which entries were
// one too many, whether each device's count is the server's, and what revoked ones brought.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { call } from "/lib/api.js";
import { act, base, busy, price, said, sentenceOf, zone } from "/js/doors/model.js";
import { Quarantine, readQuarantine } from "/js/doors/quarantine.js";

const READ_MS = 5_000;
const MODES = ["strict", "bounded", "open"];
const ENDS = ["left", "stays", "wrong"];

const mode = signal(null);
// Beyond what each limit allows: the shares of silent devices.
const risk = signal(null);
const conflicts = signal([]);
const proofs = signal([]);
// The device whose leases a person is about to end.
const ending = signal(null);

async function read() {
  try {
    const [chosen, list, proof, cost] = await Promise.all([
      call("GET", `${base}/offline-mode`),
      call("GET", `${base}/conflicts?limit=50`),
      call("GET", `${base}/offline-proof`),
      call("GET", `${base}/offline-risk`),
      readQuarantine(),
    ]);
    risk.value = cost;
    mode.value = chosen;
    conflicts.value = list.items;
    proofs.value = proof;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

// The number itself comes live: it moves when a device falls silent, and nobody did a thing.
function Worst() {
  const now = price.value;
  if (!now) return html`<p class="worst" role="status">${t("page.all.loading")}</p>`;
  const { double_entries_possible: worst, devices_away: away } = now;
  const words = worst === null ? t("page.offline.unbounded", { away }) : t("page.offline.worst", { n: worst, away });
  return html`<p class=${`worst ${worst === 0 ? "good" : worst === null ? "bad" : "warn"} ${now.old ? "gone" : ""}`} role="status" data-worst=${worst ?? "open"}>
    ${words}
    ${now.leases_ended_unconfirmed > 0 && html`<span class="small"> ${t("page.offline.ended", { n: now.leases_ended_unconfirmed })}</span>`}
    ${now.old && html`<span class="chip bad">${t("page.control.devices_old")}</span>`}
  </p>`;
}

function EndLeases({ device }) {
  const end = async (submit) => {
    submit.preventDefault();
    const reason = submit.currentTarget.elements.reason.value.trim();
    const path = `${base}/devices/${device.id}/leases/end`;
    if (await act("POST", path, { reason }, { words: "page.offline.leases_ended" })) ending.value = null;
  };
  return html`<form class="row" onSubmit=${end}>
    <label class="unseen" for=${`end-${device.id}`}>${t("page.people.reason")}</label>
    <input class="input" id=${`end-${device.id}`} name="reason" required maxlength="500" placeholder=${t("page.people.reason")} />
    <button type="submit" class="button danger" disabled=${busy.value}>${t("page.offline.end_leases")}</button>
  </form>`;
}

function Away({ device }) {
  return html`<tr>
    <th scope="row">
      <span class="name">${device.name}</span>
      <span class="small soft name">${[device.gate, device.state === "revoked" ? t("page.doors.device.revoked") : null].filter(Boolean).join(" · ")}</span>
    </th>
    <td class="figure">${device.unspent ?? "∞"}</td>
    <td class="figure">${device.leases}</td>
    <td class="figure">${device.pending}</td>
    <td class="figure">${device.last_seen_at ? clock(device.last_seen_at, zone.value, true) : t("page.control.never")}</td>
    <td>
      ${device.leases > 0 &&
      (ending.value === device.id
        ? html`<${EndLeases} device=${device} />`
        : html`<button type="button" class="button" onClick=${() => (ending.value = device.id)}>${t("page.offline.end_leases")}</button>`)}
    </td>
  </tr>`;
}

function Cost() {
  return html`<section class="panel act-panel" aria-label=${t("page.doors.tab.offline")}>
    <${Worst} />
    ${price.value?.away.length > 0 &&
    html`<${Table} label=${t("page.offline.away")} heads=${["device", "alone", "leases", "waiting", "seen", "act"]}>
      ${price.value.away.map((device) => html`<${Away} key=${device.id} device=${device} />`)}
    <//>`}
    <div class="row" role="group" aria-label=${t("page.offline.mode")}>
      <b>${t("page.offline.mode")}</b>
      ${MODES.map(
        (name) => html`<button
          type="button"
          class="button"
          key=${name}
          aria-pressed=${mode.value?.mode === name}
          disabled=${busy.value}
          onClick=${async () => {
            const body = { ...mode.value, mode: name };
            if (await act("PUT", `${base}/offline-mode`, body)) read();
          }}
        >
          ${t(`page.offline.mode.${name}`)}
        </button>`,
      )}
    </div>
    <p class="small soft">${t(`page.offline.hint.${mode.value?.mode ?? "bounded"}`, { n: mode.value?.budget ?? 50 })}</p>
  </section>`;
}

function Side({ side }) {
  if (!side) return html`<span class="soft">–</span>`;
  return html`<span class="name">${[side.gate, side.operator ?? side.device].filter(Boolean).join(" · ")}</span>
    <span class="small soft figure"> ${side.at ? clock(side.at, zone.value, true) : ""}</span>`;
}

function Conflict({ conflict }) {
  const resolve = async (resolution) => {
    const path = `${base}/conflicts/${conflict.id}/resolve`;
    if (await act("POST", path, { resolution })) read();
  };
  return html`<tr class=${conflict.resolved_at ? "gone" : ""}>
    <th scope="row">
      <span class="name">${conflict.holder ?? "–"}</span>
      <span class="small soft">${t(`page.offline.kind.${conflict.kind}`)}</span>
    </th>
    <td><${Side} side=${conflict.before} /></td>
    <td><${Side} side=${conflict.entry} /></td>
    <td class="figure">${conflict.minutes === null ? "–" : t("page.offline.minutes", { n: conflict.minutes })}</td>
    <td class="row">
      ${conflict.resolved_at
        ? html`<span class="small">${[t(`page.offline.end.${conflict.resolution}`), conflict.resolved_by].filter(Boolean).join(" · ")}</span>`
        : ENDS.map(
            (end) => html`<button type="button" class="button" key=${end} disabled=${busy.value} onClick=${() => resolve(end)}>
              ${t(`page.offline.end.${end}`)}
            </button>`,
          )}
    </td>
  </tr>`;
}

function Table({ label, heads, children }) {
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label=${label}>
    <table class="acts-table">
      <thead>
        <tr>${heads.map((head) => html`<th scope="col" key=${head}>${t(`page.offline.head.${head}`)}</th>`)}</tr>
      </thead>
      <tbody>${children}</tbody>
    </table>
  </div>`;
}

export function Offline() {
  useEffect(() => {
    read();
    const timer = setInterval(read, READ_MS);
    return () => clearInterval(timer);
  }, []);
  if (!mode.value) return html`<p class="empty" role="status">${t("page.all.loading")}</p>`;
  const proof = ({ device_id: id, device, counts, entries, conflicts: double, quarantined, agrees, counted_at: at }) => html`<tr key=${id}>
    <th scope="row" class="name">${device}</th>
    <td class="figure">${counts.admitted}</td>
    <td class="figure">${entries}</td>
    <td class="figure">${double}</td>
    <td class="figure">${quarantined}</td>
    <td>
      <span class=${`chip ${agrees === null ? "" : agrees ? "good" : "bad"}`}>
        ${t(agrees === null ? "page.offline.not_yet" : agrees ? "page.offline.agrees" : "page.offline.differs")}
      </span>
      <span class="small soft figure">${at ? clock(at, zone.value, true) : ""}</span>
    </td>
  </tr>`;
  const beyond = risk.value.beyond ?? [];
  return html`<${Cost} />
    ${beyond.length > 0 &&
    html`<section class="panel act-panel" aria-label=${t("page.offline.beyond")}>
      <h2>${t("page.offline.beyond")}</h2>
      <${Table} label=${t("page.offline.beyond")} heads=${["place", "at_most"]}>
        ${beyond.map(
          ({ id, name, at_most: most }) => html`<tr key=${id}>
            <th scope="row" class="name">${name}</th>
            <td class="figure">${most}</td>
          </tr>`,
        )}
      <//>
    </section>`}
    <section class="panel act-panel" aria-label=${t("page.offline.conflicts")}>
      <h2>${t("page.offline.conflicts")}</h2>
      ${conflicts.value.length === 0
        ? html`<p class="empty">${t("page.offline.no_conflicts")}</p>`
        : html`<${Table} label=${t("page.offline.conflicts")} heads=${["who", "first", "second", "apart", "end"]}>
            ${conflicts.value.map((one) => html`<${Conflict} key=${one.id} conflict=${one} />`)}
          <//>`}
    </section>
    <section class="panel act-panel" aria-label=${t("page.offline.proof")}>
      <h2>${t("page.offline.proof")}</h2>
      ${proofs.value.length === 0
        ? html`<p class="empty">${t("page.offline.no_proof")}</p>`
        : html`<${Table} label=${t("page.offline.proof")} heads=${["device", "shown", "rows", "conflicts", "quarantine", "same"]}>
            ${proofs.value.map(proof)}
          <//>`}
    </section>
    <${Quarantine} after=${read} />`;
}
