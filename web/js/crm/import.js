// A file into rows: what it would do first, with every bad row, then the deed.
import { html, useEffect, useRef, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { send } from "/lib/api.js";
import { count } from "/lib/format.js";
import { API, say, sentence } from "/js/crm/model.js";

const SHOWN_MAX = 100;

function Figures({ told }) {
  return html`<dl class="import-figures">
    ${["rows_total", "created", "changed", "unchanged", "bad"].map(
      (name) => html`<div key=${name} class=${name === "bad" && told.bad ? "bad" : ""}>
        <dd class="figure">${count(told[name], locale())}</dd>
        <dt>${t(`page.crm.import.${name}`)}</dt>
      </div>`,
    )}
  </dl>`;
}

function Columns({ told }) {
  return html`<p class="small">
    ${Object.entries(told.columns).map(
      ([header, column]) => html`<span class="chip good" key=${header}>${header} → ${column}</span> `,
    )}
    ${told.ignored.map((header) => html`<span class="chip" key=${header}>${header} ✕</span> `)}
  </p>`;
}

function Problems({ told }) {
  if (told.problems.length === 0) return null;
  return html`<div class="table import-problems"><table>
    <thead><tr>
      ${["line", "column", "cause"].map((name) => html`<th scope="col" key=${name}>${t(`page.crm.import.${name}`)}</th>`)}
    </tr></thead>
    <tbody>${told.problems.slice(0, SHOWN_MAX).map(
      (one, at) => html`<tr key=${at}><td class="figure">${one.line}</td><td>${one.field}</td><td class="name">${one.detail}</td></tr>`,
    )}</tbody>
  </table></div>`;
}

export function Import({ resource, onClose, onDone }) {
  const dialog = useRef(null);
  const [file, setFile] = useState(null);
  const [told, setTold] = useState(null);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    dialog.current.showModal();
  }, []);

  async function ask(chosen, dryRun) {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await send(`${API}/${resource}/import?dry_run=${dryRun}`, chosen);
      setTold(answer);
      if (!dryRun) {
        say(t("page.crm.import.done", { n: answer.created + answer.changed }));
        onDone();
      }
    } catch (error) {
      setProblem(error);
      setTold(null);
    } finally {
      setBusy(false);
    }
  }
  const done = told && !told.dry_run;
  return html`<dialog class="sheet wide" ref=${dialog} onClose=${onClose} aria-labelledby="import-title">
    <h2 id="import-title">${t("page.crm.import.title")}</h2>
    <div class="field">
      <label for="file">${t("page.crm.import.file")}</label>
      <input class="input" id="file" type="file" accept=".csv,.tsv,.txt,.xlsx" disabled=${busy || done}
        onChange=${(event) => {
          const chosen = event.currentTarget.files[0];
          setFile(chosen ?? null);
          setTold(null);
          if (chosen) ask(chosen, true);
        }} />
    </div>
    ${problem && html`<p class="notice bad" role="alert">${sentence(problem)}</p>`}
    <div role="status" aria-busy=${busy}>
      ${busy && html`<p class="soft">${t("page.crm.import.busy")}</p>`}
      ${told &&
      html`<p class=${done ? "notice" : "notice warn"}>${t(done ? "page.crm.import.was" : "page.crm.import.would")}</p>
        <${Figures} told=${told} /><${Columns} told=${told} /><${Problems} told=${told} />`}
    </div>
    <div class="actions">
      <span class="gap"></span>
      <button type="button" class="button" onClick=${() => dialog.current.close()}>${t("page.crm.close")}</button>
      ${!done &&
      html`<button type="button" class="button primary" disabled=${busy || !told || told.created + told.changed === 0}
        onClick=${() => ask(file, false)}>${t("page.crm.import.go")}</button>`}
    </div>
  </dialog>`;
}
