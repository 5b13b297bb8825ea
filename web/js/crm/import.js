// A file into rows: what it would do first, with every bad row, then the deed.
import { html, useEffect, useRef, useState } from "/lib/ui.js";
import { has, locale, t } from "/lib/i18n.js";
import { send } from "/lib/api.js";
import { count } from "/lib/format.js";
import { API, query, say, sentence } from "/js/crm/model.js";

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

// What each header of the file means; what was not known is chosen by hand.
function Columns({ header, columns, available, onChoose, fixed }) {
  const named = available.map((name) => [name, has(`page.crm.field.${name}`) ? t(`page.crm.field.${name}`) : name.replaceAll("_", " ")]);
  const choices = [...named].sort((one, other) => one[1].localeCompare(other[1], locale()));
  return html`<details class="import-columns" open=${Object.keys(columns).length < header.length}>
    <summary>${t("page.crm.import.columns", { n: Object.keys(columns).length, all: header.length })}</summary>
    <ul>${header.map(
      (text, at) => html`<li key=${at}>
        <label for=${`column-${at}`} class="name">${text || "–"}</label>
        <select class="input" id=${`column-${at}`} disabled=${fixed} onChange=${(e) => onChoose(text, e.currentTarget.value)}>
          <option value="" selected=${!columns[text]}>${t("page.crm.import.not_taken")}</option>
          ${choices.map(([name, said]) => html`<option key=${name} value=${name} selected=${columns[text] === name}>${said}</option>`)}
        </select>
      </li>`,
    )}</ul>
  </details>`;
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
  const [said, setSaid] = useState(null);
  useEffect(() => {
    dialog.current.showModal();
  }, []);

  async function ask(chosen, dryRun, columns = said) {
    setBusy(true);
    setProblem(null);
    try {
      const mapping = columns && JSON.stringify({ columns });
      const answer = await send(`${API}/${resource}/import?${query({ dry_run: dryRun, mapping })}`, chosen);
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
  // The header's meaning as it was read, with one change; then all is asked again.
  function choose(text, column) {
    const columns = { ...(told?.columns ?? {}) };
    delete columns[text];
    for (const [other, name] of Object.entries(columns)) if (name === column) delete columns[other];
    if (column) columns[text] = column;
    setSaid(columns);
    ask(file, true, columns);
  }
  const done = told && !told.dry_run;
  // Where nothing was known, the refusal names the headers and what there is.
  const unknown = problem?.code === "no_columns" ? problem.fields : null;
  return html`<dialog class="sheet wide" ref=${dialog} onClose=${onClose} aria-labelledby="import-title">
    <h2 id="import-title">${t("page.crm.import.title")}</h2>
    <div class="field">
      <label for="file">${t("page.crm.import.file")}</label>
      <input class="input" id="file" type="file" accept=".csv,.tsv,.txt,.xlsx" disabled=${busy || done}
        onChange=${(event) => {
          const chosen = event.currentTarget.files[0];
          setFile(chosen ?? null);
          setTold(null);
          setSaid(null);
          if (chosen) ask(chosen, true, null);
        }} />
    </div>
    ${problem && html`<p class="notice bad" role="alert">${unknown ? t("page.crm.import.unknown") : sentence(problem)}</p>`}
    <div role="status" aria-busy=${busy}>
      ${busy && html`<p class="soft">${t("page.crm.import.busy")}</p>`}
      ${told &&
      html`<p class=${done ? "notice" : "notice warn"}>${t(done ? "page.crm.import.was" : "page.crm.import.would")}</p>
        <${Figures} told=${told} />
        <${Columns} header=${told.header} columns=${told.columns} available=${told.available} onChoose=${choose} fixed=${busy || done} />
        <${Problems} told=${told} />`}
      ${unknown?.length > 0 && html`<${Columns} header=${unknown.map((one) => one.field)} columns=${{}} available=${unknown[0].allowed} onChoose=${choose} fixed=${busy} />`}
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
