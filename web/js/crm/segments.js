// Segments: saved conditions over contacts; a count climbs while one composes them.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { count } from "/lib/format.js";
import { uuid7 } from "/lib/uuid.js";
import { blank, FIELDS, fromTree, KINDS, OPS, PURPOSES, toTree } from "/js/crm/conditions.js";
import { Score } from "/js/crm/contacts.js";
import { words } from "/js/crm/form.js";
import { Rows, usePages } from "/js/crm/list.js";
import { API, may, say, sentence } from "/js/crm/model.js";
import { shortDay } from "/js/crm/say.js";

const TYPING_MS = 300;

function Argument({ line, name, how, id, set }) {
  const label = t(`page.crm.condition.${name}`);
  const lists = { field: words("field", FIELDS), op: words("op", OPS), purpose: words("purpose", PURPOSES) };
  if (line.kind === "field" && name === "value" && line.op === "empty") return null;
  if (lists[how]) {
    return html`<select class="input" id=${id} aria-label=${label} value=${line[name]} onChange=${(e) => set(name, e.currentTarget.value)}>
      ${lists[how].map(([word, text]) => html`<option key=${word} value=${word} selected=${word === line[name]}>${text}</option>`)}
    </select>`;
  }
  return html`<label class="argument"><span class="small soft">${label}</span>
    <input class="input" id=${id} type=${how === "number" ? "number" : "text"} min=${how === "number" ? 0 : null}
      value=${line[name]} onInput=${(e) => set(name, e.currentTarget.value)} /></label>`;
}

function Line({ line, at, onChange, onRemove }) {
  const set = (name, value) => onChange({ ...line, [name]: value });
  return html`<li class="condition">
    <select class="input" aria-label=${t("page.crm.condition.not")} value=${String(line.not)} onChange=${(e) => set("not", e.currentTarget.value === "true")}>
      <option value="false" selected=${!line.not}>${t("page.crm.condition.yes")}</option>
      <option value="true" selected=${line.not}>${t("page.crm.condition.no")}</option>
    </select>
    <select class="input" id=${`kind-${at}`} aria-label=${t("page.crm.condition.kind")} value=${line.kind} onChange=${(e) => onChange(blank(e.currentTarget.value))}>
      ${words("condition", Object.keys(KINDS)).map(([word, text]) => html`<option key=${word} value=${word} selected=${word === line.kind}>${text}</option>`)}
    </select>
    ${Object.entries(KINDS[line.kind]).map(
      ([name, how]) => html`<${Argument} key=${name} id=${`argument-${at}-${name}`} line=${line} name=${name} how=${how} set=${set} />`,
    )}
    <button type="button" class="button plain" aria-label=${t("page.crm.condition.remove")} onClick=${onRemove}>✕</button>
  </li>`;
}

function Composer({ segment, onSaved, onCancel }) {
  const known = segment ? fromTree(segment.conditions) : { join: "all", lines: [blank("attended")] };
  const [join, setJoin] = useState(known?.join ?? "all");
  const [lines, setLines] = useState(known?.lines ?? []);
  const [name, setName] = useState(segment?.name ?? "");
  const [told, setTold] = useState({ count: null, problem: null });
  const conditions = toTree(join, lines);
  const key = JSON.stringify(conditions);
  useEffect(() => {
    if (!known) return undefined;
    const timer = setTimeout(async () => {
      try {
        const answer = await call("POST", `${API}/segments/preview`, { conditions });
        setTold({ count: answer.count, problem: null });
      } catch (problem) {
        setTold({ count: null, problem });
      }
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [key]);

  async function save(event) {
    event.preventDefault();
    try {
      const body = { name: name.trim(), conditions };
      const saved = segment
        ? await call("PUT", `${API}/segments/${segment.id}`, { ...body, description: segment.description })
        : await call("POST", `${API}/segments`, body, { "Idempotency-Key": uuid7() });
      say(t("page.crm.saved"));
      onSaved(saved);
    } catch (problem) {
      setTold({ count: told.count, problem });
    }
  }
  if (!known) return html`<p class="notice warn">${t("page.crm.segment_deep")}</p>`;
  return html`<form class="panel composer" onSubmit=${save}>
    <div class="field">
      <label for="segment-name">${t("page.crm.field.name")}</label>
      <input class="input" id="segment-name" required maxlength="100" value=${name} onInput=${(e) => setName(e.currentTarget.value)} />
    </div>
    <label class="choice" for="join"><span>${t("page.crm.condition.join")}</span>
      <select class="input" id="join" value=${join} onChange=${(e) => setJoin(e.currentTarget.value)}>
        ${words("join", ["all", "any"]).map(([word, text]) => html`<option key=${word} value=${word} selected=${word === join}>${text}</option>`)}
      </select></label>
    <ul>${lines.map((line, at) => html`<${Line} key=${at} at=${at} line=${line}
      onChange=${(one) => setLines(lines.map((old, n) => (n === at ? one : old)))}
      onRemove=${() => setLines(lines.filter((_, n) => n !== at))} />`)}</ul>
    <div class="actions">
      <button type="button" class="button" onClick=${() => setLines([...lines, blank("field")])}>+ ${t("page.crm.condition.add")}</button>
      <span class="gap"></span>
      <p class="segment-count" role="status"><b class="figure">${told.count === null ? "–" : count(told.count, locale())}</b> ${t("page.crm.nav.contacts")}</p>
      <button type="button" class="button" onClick=${onCancel}>${t("page.crm.cancel")}</button>
      <button type="submit" class="button primary">${t("page.crm.save")}</button>
    </div>
    ${told.problem && html`<p class="notice bad" role="alert">${sentence(told.problem)}</p>`}
  </form>`;
}

function Segment({ segment, onChanged, onGone }) {
  const [edit, setEdit] = useState(false);
  const [now, setNow] = useState(null);
  const rows = usePages(`/segments/${segment.id}/contacts`);
  useEffect(() => {
    call("GET", `${API}/segments/${segment.id}/count`).then((answer) => setNow(answer.count), () => {});
  }, [segment.id, segment.updated_at]);
  async function remove() {
    try {
      await call("DELETE", `${API}/segments/${segment.id}`);
      say(t("page.crm.deleted"));
      onGone();
    } catch (problem) {
      say(sentence(problem), "bad");
    }
  }
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <a class="button plain" href="#segments" aria-label=${t("page.crm.back")}>←</a>
      <h1 id="title" class="name">${segment.name}</h1>
      <p class="soft figure">${now === null ? "" : `${count(now, locale())} ${t("page.crm.nav.contacts")}`}</p>
      <span class="gap"></span>
      ${may("segments", "delete") && html`<button type="button" class="button plain danger" onClick=${remove}>${t("page.crm.delete")}</button>`}
      ${may("segments", "write") && !edit && html`<button type="button" class="button" onClick=${() => setEdit(true)}>${t("page.crm.edit")}</button>`}
    </div>
    ${edit && html`<${Composer} segment=${segment} onCancel=${() => setEdit(false)} onSaved=${(saved) => {
      setEdit(false);
      onChanged(saved);
      rows.reload();
    }} />`}
    <${Rows} rows=${rows} empty=${t("page.crm.none.segment")}>
      ${(found) => html`<div class="panel table"><table><tbody>${found.map(
        (row) => html`<tr key=${row.id}>
          <th scope="row"><a class="name" href=${`#contacts/${row.id}`}>${row.first_name} ${row.last_name}</a></th>
          <td class="name">${row.email}</td>
          <td><${Score} value=${row.lead_score} /></td>
        </tr>`,
      )}</tbody></table></div>`}
    <//>
  </section>`;
}

export function Segments({ open }) {
  const rows = usePages("/segments");
  const [fresh, setFresh] = useState(false);
  const segment = open && rows.rows?.find((one) => one.id === open);
  if (segment) {
    return html`<${Segment} key=${segment.id} segment=${segment} onChanged=${rows.reload} onGone=${() => {
      rows.reload();
      location.hash = "segments";
    }} />`;
  }
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <h1 id="title">${t("page.crm.nav.segments")}</h1>
      <span class="gap"></span>
      ${may("segments", "write") && !fresh &&
      html`<button type="button" class="button primary" onClick=${() => setFresh(true)}>${t("page.crm.new")}</button>`}
    </div>
    ${fresh && html`<${Composer} onCancel=${() => setFresh(false)} onSaved=${() => {
      setFresh(false);
      rows.reload();
    }} />`}
    <${Rows} rows=${rows} empty=${t("page.crm.none.segments")}>
      ${(found) => html`<div class="panel table"><table>
        <thead><tr>
          ${["name", "contacts", "counted_at"].map((name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`)}
        </tr></thead>
        <tbody>${found.map((one) => html`<tr key=${one.id}>
          <th scope="row"><a class="name" href=${`#segments/${one.id}`}>${one.name}</a></th>
          <td class="figure">${one.counted === null ? "–" : count(one.counted, locale())}</td>
          <td class="small">${shortDay(one.counted_at, locale())}</td>
        </tr>`)}</tbody>
      </table></div>`}
    <//>
  </section>`;
}
