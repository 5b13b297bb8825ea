// The scan log with filters, and the story of one ticket behind a touch.
import { html, signal, useEffect } from "/lib/ui.js";
import { has, t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { call } from "/lib/api.js";
import { act, base, devices, said, sentenceOf, zone } from "/js/doors/model.js";

const VERDICTS = ["admitted", "exited", "hold", "refused"];

const lines = signal([]);
const cursor = signal(null);
const filter = signal({ verdict: "", device_id: "", reason: "" });
const story = signal(null);
const loading = signal(false);
const chapters = signal([]);

async function tell(line) {
  story.value = line;
  chapters.value = [];
  try {
    const page = await call("GET", `/api/v1/tickets/${line.ticket_id}/history?limit=100`);
    chapters.value = page.items;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

// Scans, acts, codes, seats, redemptions of one ticket: nothing is ever deleted.
function Story() {
  return html`<ol class="story">
    ${chapters.value.map(({ id, at, what, reason, gate, device, by }) => {
      const key = `page.reason.${what}.${reason}`;
      return html`<li key=${`${id} ${at}`}>
        <span class="figure small">${clock(at, zone.value, true)}</span>
        <span class="name"><b>${has(key) ? t(key) : [what, reason].filter(Boolean).join(" · ")}</b> ${[gate, by ?? device].filter(Boolean).join(" · ")}</span>
      </li>`;
    })}
  </ol>`;
}

async function load(more = false) {
  loading.value = true;
  const words = Object.entries(filter.value).filter(([, value]) => value);
  const query = new URLSearchParams([...words, ["limit", "50"]]);
  if (more && cursor.value) query.set("cursor", cursor.value);
  try {
    const page = await call("GET", `${base}/scans?${query}`);
    lines.value = more ? [...lines.value, ...page.items] : page.items;
    cursor.value = page.next_cursor;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  } finally {
    loading.value = false;
  }
}

function what(line) {
  const key = `page.reason.${line.verdict}.${line.reason}`;
  return has(key) ? t(key) : line.reason;
}

function Line({ line }) {
  const undo = async () => {
    if (await act("POST", `${base}/scans/${line.scan_id}/undo`, { reason: "control room" })) load();
  };
  const marks = [
    line.offline && t("page.doors.log_offline"),
    line.undone_at && t("page.scan.undone"),
    line.method === "manual" && t("page.doors.log_manual"),
  ].filter(Boolean);
  return html`<tr class=${line.undone_at ? "gone" : ""}>
    <td class="figure">${clock(line.decided_at, zone.value, true)}</td>
    <td><span class=${`chip ${{ admitted: "good", refused: "bad", hold: "warn" }[line.verdict] ?? ""}`}>${what(line)}</span></td>
    <th scope="row">
      ${line.ticket_id
        ? html`<button type="button" class="link name" onClick=${() => tell(line)}>${line.holder ?? line.code_hint}</button>`
        : html`<span class="figure">${line.code_hint ?? "–"}</span>`}
    </th>
    <td class="soft name">${[line.gate, line.operator ?? line.device].filter(Boolean).join(" · ")}</td>
    <td class="small soft">${marks.join(" · ")}</td>
    <td>
      ${line.verdict === "admitted" && !line.undone_at && html`<button type="button" class="button" onClick=${undo}>${t("page.scan.undo")}</button>`}
    </td>
  </tr>`;
}

function Table({ list }) {
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t("page.doors.tab.log")}>
    <table class="acts-table">
      <thead>
        <tr>
          ${["time", "verdict", "who", "where", "how", "act"].map(
            (head) => html`<th scope="col" key=${head}>${t(`page.doors.head.${head}`)}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${list.map((line) => html`<${Line} key=${line.scan_id} line=${line} />`)}
      </tbody>
    </table>
  </div>`;
}

export function Log() {
  useEffect(() => {
    load();
  }, []);
  const set = (name) => (change) => {
    filter.value = { ...filter.value, [name]: change.currentTarget.value };
    story.value = null;
    load();
  };
  const ticket = story.value?.ticket_id;
  const list = lines.value;
  return html`<section class="panel act-panel" aria-label=${t("page.doors.tab.log")}>
    <div class="row filters">
      <div class="field">
        <label for="log-verdict">${t("page.doors.head.verdict")}</label>
        <select class="input" id="log-verdict" value=${filter.value.verdict} onChange=${set("verdict")}>
          <option value="">${t("page.doors.every")}</option>
          ${VERDICTS.map((name) => html`<option key=${name} value=${name}>${t(`page.doors.verdict.${name}`)}</option>`)}
        </select>
      </div>
      <div class="field">
        <label for="log-device">${t("page.doors.head.device")}</label>
        <select class="input" id="log-device" value=${filter.value.device_id} onChange=${set("device_id")}>
          <option value="">${t("page.doors.every")}</option>
          ${devices.value.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
        </select>
      </div>
      <button type="button" class="button" disabled=${loading.value} onClick=${() => load()}>${t("page.doors.again")}</button>
      ${ticket &&
      html`<button type="button" class="button" onClick=${() => (story.value = null)}>
        ${t("page.doors.story_end", { name: story.value.holder ?? story.value.code_hint })} ✕
      </button>`}
    </div>
    ${ticket ? html`<${Story} />` : list.length === 0 ? html`<p class="empty">${t(loading.value ? "page.all.loading" : "page.doors.log_empty")}</p>` : html`<${Table} list=${list} />`}
    ${cursor.value && !ticket && html`<button type="button" class="button" onClick=${() => load(true)}>${t("page.doors.more")}</button>`}
  </section>`;
}
