// A dialog that makes or changes a row: fields from a description, mistakes beside the
// field that the server names.
import { html, useEffect, useRef, useState } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { fromField, toField } from "/lib/zoned.js";
import { sentence } from "/js/crm/model.js";

// field: [name, kind, options?]; kind: text email tel date datetime number money choice long
function Field({ name, kind, options, value, problem, required, zone }) {
  const id = `f-${name}`;
  const label = t(`page.crm.field.${name}`);
  const common = {
    id,
    name,
    class: "input",
    "aria-invalid": Boolean(problem),
    "aria-describedby": problem ? `${id}-bad` : null,
    required,
  };
  const types = { email: "email", tel: "tel", date: "date", datetime: "datetime-local", number: "number" };
  // What is typed belongs to the person: a redraw must not put the old value back.
  let input;
  if (kind === "long") input = html`<textarea ...${common} rows="4" defaultValue=${value ?? ""}></textarea>`;
  else if (kind === "choice") {
    input = html`<select ...${common}>
      ${!required && html`<option value="">–</option>`}
      ${options.map(([word, text]) => html`<option key=${word} value=${word} selected=${word === value}>${text}</option>`)}
    </select>`;
  } else if (kind === "check") {
    input = html`<input id=${id} name=${name} type="checkbox" defaultChecked=${value === true} />`;
  } else {
    input = html`<input
      ...${common}
      type=${types[kind] ?? "text"}
      inputmode=${kind === "money" ? "decimal" : null}
      defaultValue=${kind === "datetime" ? toField(value, zone) : (value ?? "")}
    />`;
  }
  return html`<div class=${`field kind-${kind}`}>
    <label for=${id}>${label}</label>
    ${input}
    ${problem && html`<p class="field-bad" id=${`${id}-bad`}>${problem}</p>`}
  </div>`;
}

const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

// What the form holds, in the types of the API; an empty field is null.
function values(form, fields, zone) {
  const found = {};
  for (const [name, kind] of fields) {
    const input = form.elements.namedItem(name);
    const text = input.value?.trim() ?? "";
    if (kind === "check") found[name] = input.checked;
    else if (text === "") found[name] = null;
    else if (kind === "number") found[name] = Number(text);
    else if (kind === "money") found[name] = text.replace(/\s/g, "").replace(",", ".");
    else if (kind === "datetime") found[name] = fromField(text, zone);
    else found[name] = text;
  }
  return found;
}

// onSave(values) saves and resolves, or rejects with an ApiProblem. zone: of its times.
export function Dialog({ title, fields, row = {}, required = [], onSave, onClose, onDelete, zone = HERE }) {
  const dialog = useRef(null);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  const names = new Set(fields.map(([name]) => name));
  const byField = Object.fromEntries((problem?.fields ?? []).map((f) => [f.field, f.detail]));
  const elsewhere = problem && !(problem.fields ?? []).some((f) => names.has(f.field));

  async function work(act) {
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  function submit(event) {
    event.preventDefault();
    const all = values(event.currentTarget, fields, zone);
    // A new row leaves empty fields to the defaults; a change tells what differs.
    const wanted = Object.entries(all).filter(([name, value]) =>
      row.id ? value !== (row[name] ?? null) : value !== null,
    );
    work(() => onSave(Object.fromEntries(wanted)));
  }

  return html`<dialog class="sheet" ref=${dialog} onClose=${onClose} aria-labelledby="sheet-title">
    <form onSubmit=${submit}>
      <h2 id="sheet-title">${title}</h2>
      ${elsewhere && html`<p class="notice bad" role="alert">${sentence(problem)}</p>`}
      <div class="fields">
        ${fields.map(
          ([name, kind, options]) => html`<${Field}
            key=${name}
            name=${name}
            kind=${kind}
            options=${options}
            value=${row[name]}
            required=${required.includes(name)}
            zone=${zone}
            problem=${byField[name]}
          />`,
        )}
      </div>
      <div class="actions">
        ${onDelete &&
        html`<button type="button" class="button plain danger" disabled=${busy} onClick=${() => work(onDelete)}>
          ${t("page.crm.delete")}
        </button>`}
        <span class="gap"></span>
        <button type="button" class="button" onClick=${() => dialog.current.close()}>${t("page.crm.cancel")}</button>
        <button type="submit" class="button primary" disabled=${busy}>${t("page.crm.save")}</button>
      </div>
    </form>
  </dialog>`;
}

export const words = (group, names) => names.map((name) => [name, t(`page.crm.${group}.${name}`)]);
