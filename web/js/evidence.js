// The record of a case on one page: two scans side by side, all the others below, a digest.
import { html, render, signal } from "/lib/ui.js";
import { has, language, loadLanguage, locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { clock, day } from "/lib/format.js";

const query = new URLSearchParams(location.search);
const record = signal(null);
const trouble = signal(null);

function address() {
  const [kind, id] = query.get("conflict") ? ["conflicts", query.get("conflict")] : ["alerts", query.get("alert")];
  return `/api/v1/events/${query.get("event")}/${kind}/${id}/evidence`;
}

function reason(scan) {
  const key = `page.reason.${scan.verdict}.${scan.reason}`;
  return has(key) ? t(key) : scan.reason;
}

function title({ rule }) {
  const key = `page.alert.name.${rule}`;
  return has(key) ? t(key) : t("page.evidence.conflict");
}

const FIELDS = ["when", "gate", "device", "operator", "person", "answer"];

function fieldsOf(scan, zone) {
  return {
    when: clock(scan.at, zone, true),
    gate: [scan.gate, scan.area].filter(Boolean).join(" · "),
    device: scan.device,
    operator: [scan.operator, scan.agency].filter(Boolean).join(", "),
    person: [scan.holder, scan.type, scan.order_number, scan.code_hint].filter(Boolean).join(" · "),
    answer: [reason(scan), scan.override_reason, scan.offline && t("page.doors.log_offline"), scan.undone_at && t("page.scan.undone")]
      .filter(Boolean)
      .join(" · "),
  };
}

function Part({ name, scan, zone }) {
  const fields = scan && fieldsOf(scan, zone);
  return html`<section class="evidence-part" data-part=${name}>
    <h2>${t(`page.evidence.${name}`)}</h2>
    ${scan
      ? html`<dl>
          ${FIELDS.map((field) => html`<dt key=${field}>${t(`page.evidence.${field}`)}</dt><dd>${fields[field] || "–"}</dd>`)}
          <dt>${t("page.evidence.id")}</dt><dd class="digest">${scan.scan_id}</dd>
        </dl>`
      : html`<p class="soft">${t("page.evidence.no_scan")}</p>`}
  </section>`;
}

function Page() {
  void language.value;
  const case_ = record.value;
  if (!case_) {
    return html`<main class="evidence"><p class=${trouble.value ? "notice bad" : "empty"} role=${trouble.value ? "alert" : "status"}>
      ${trouble.value ?? t("page.all.loading")}
    </p></main>`;
  }
  const zone = case_.timezone;
  const part = (name) => case_.scans.find((scan) => scan.part === name);
  return html`<main class="evidence">
    <p class="row no-print">
      <a class="button" href=${`/watch.html?event=${case_.event_id}`}>← ${t("page.watch.title")}</a>
      <button type="button" class="button primary" onClick=${() => print()}>${t("page.evidence.print")}</button>
      <a class="button" href=${address()}>JSON</a>
    </p>
    <h1>${t("page.evidence.title")}: ${title(case_)}</h1>
    <dl>
      <dt>${t("page.evidence.event")}</dt><dd>${case_.event}</dd>
      <dt>${t("page.evidence.raised")}</dt><dd>${day(case_.raised_at, locale(), zone)}, ${clock(case_.raised_at, zone, true)} (${zone})</dd>
      <dt>${t("page.evidence.made")}</dt><dd>${day(case_.made_at, locale(), zone)}, ${clock(case_.made_at, zone, true)}</dd>
    </dl>
    <div class="evidence-pair">
      <${Part} name="first" scan=${part("first")} zone=${zone} />
      <${Part} name="second" scan=${part("second")} zone=${zone} />
    </div>
    <table class="acts-table">
      <thead><tr>${FIELDS.map((field) => html`<th scope="col" key=${field}>${t(`page.evidence.${field}`)}</th>`)}</tr></thead>
      <tbody>
        ${case_.scans.map((scan) => {
          const fields = fieldsOf(scan, zone);
          return html`<tr key=${scan.scan_id}>${FIELDS.map((field) => html`<td key=${field}>${fields[field] || "–"}</td>`)}</tr>`;
        })}
      </tbody>
    </table>
    ${case_.more && html`<p>${t("page.evidence.more", { n: case_.scans.length })}</p>`}
    <p class="soft small">${t("page.evidence.digest")}</p>
    <p class="digest">${case_.digest}</p>
  </main>`;
}

await loadLanguage();
render(html`<${Page} />`, document.getElementById("app"));
try {
  record.value = await call("GET", address());
  document.title = `${t("page.evidence.title")} · ${record.value.event}`;
} catch (error) {
  if (error.status === 401) location.replace(`/?next=${encodeURIComponent(location.pathname + location.search)}`);
  else trouble.value = error.detail || t("page.all.no_answer");
}
