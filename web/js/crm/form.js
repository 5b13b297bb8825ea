// A dialog that makes or changes a row: fields from a description, mistakes beside the
// field that the server names.
import { html, useEffect, useRef, useState } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { fromField, toField } from "/lib/zoned.js";
import { sentence } from "/js/crm/model.js";
import { Pick } from "/js/crm/pick.js";

// field: [name, kind, options?]; kind: text email tel date datetime number money choice
// long check, tags (words with commas), ref (another row; options: its table)
function Field({ name, kind, options, value, said, problem, required, zone }) {
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
  } else if (kind === "ref") {
    input = html`<${Pick} id=${id} name=${name} resource=${options} value=${value} text=${said} required=${required}
      describedby=${common["aria-describedby"]} invalid=${common["aria-invalid"]} />`;
  } else {
    input = html`<input
      ...${common}
      type=${types[kind] ?? "text"}
      inputmode=${kind === "money" ? "decimal" : null}
      defaultValue=${kind === "datetime" ? toField(value, zone) : kind === "tags" ? (value ?? []).join(", ") : (value ?? "")}
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
    else if (kind === "tags") found[name] = text.split(",").map((word) => word.trim()).filter(Boolean);
    else if (text === "") found[name] = null;
    else if (kind === "number") found[name] = Number(text);
    else if (kind === "money") found[name] = text.replace(/\s/g, "").replace(",", ".");
    else if (kind === "datetime") found[name] = fromField(text, zone);
    else found[name] = text;
  }
  return found;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// onSave(values) saves and resolves, or rejects with an ApiProblem. zone: of its times.
// onStale() reads the row again after somebody else changed it: what was typed here stays,
// and only that is sent.
// acts: [label, act] of buttons beside, which may fail like saving; save: its word.
export function Dialog({ title, fields, row = {}, required = [], onSave, onClose, onDelete, onStale, acts = [], save = null, zone = HERE, children }) {
  const dialog = useRef(null);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const first = useRef(row);
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  // What a role may not see of a row is no field of its form.
  const shown = row.id ? fields.filter(([name]) => name in row) : fields;
  const names = new Set(shown.map(([name]) => name));
  const byField = Object.fromEntries((problem?.fields ?? []).map((f) => [f.field, f.detail]));
  const elsewhere = problem && !(problem.fields ?? []).some((f) => names.has(f.field));

  async function work(act) {
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      if (error.code === "changed_meanwhile") await onStale?.().catch(() => {});
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  function submit(event) {
    event.preventDefault();
    const all = values(event.currentTarget, shown, zone);
    // A new row leaves empty fields to the defaults; a change tells what differs.
    const wanted = Object.entries(all).filter(([name, value]) =>
      row.id ? !same(value, first.current[name] ?? null) : value !== null && !same(value, []),
    );
    work(() => onSave(Object.fromEntries(wanted)));
  }

  return html`<dialog class="sheet" ref=${dialog} onClose=${onClose} aria-labelledby="sheet-title">
    <form onSubmit=${submit}>
      <h2 id="sheet-title">${title}</h2>
      ${elsewhere && html`<p class="notice bad" role="alert">${sentence(problem)}</p>`}
      <div class="fields">
        ${shown.map(
          ([name, kind, options]) => html`<${Field}
            key=${name}
            name=${name}
            kind=${kind}
            options=${options}
            value=${row[name]}
            said=${row.labels?.[name]}
            required=${required.includes(name)}
            zone=${zone}
            problem=${byField[name]}
          />`,
        )}
      </div>
      ${children}
      <div class="actions">
        ${onDelete &&
        html`<button type="button" class="button plain danger" disabled=${busy} onClick=${() => work(onDelete)}>
          ${t("page.crm.delete")}
        </button>`}
        ${acts.map(
          ([label, act]) => html`<button key=${label} type="button" class="button" disabled=${busy} onClick=${() => work(act)}>${label}</button>`,
        )}
        <span class="gap"></span>
        <button type="button" class="button" onClick=${() => dialog.current.close()}>${t("page.crm.cancel")}</button>
        <button type="submit" class="button primary" disabled=${busy}>${save ?? t("page.crm.save")}</button>
      </div>
    </form>
  </dialog>`;
}

export const words = (group, names) => names.map((name) => [name, t(`page.crm.${group}.${name}`)]);
