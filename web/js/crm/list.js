// A list that grows by pages: loading, empty, trouble and more are the same everywhere.
import { html, useEffect, useRef, useState } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { API, list, query, sentence } from "/js/crm/model.js";

const TYPING_MS = 200;

// Rows of a resource for these values; an answer that comes late is thrown away.
export function useRows(name, values) {
  const key = `${name}?${JSON.stringify(values)}`;
  const [state, setState] = useState({ key, rows: null, cursor: null, problem: null, busy: true });
  const asked = useRef(0);

  async function load(cursor = null, before = []) {
    asked.current += 1;
    const mine = asked.current;
    setState((old) => ({ ...old, busy: true, problem: null }));
    try {
      const page = await list(name, { labels: "true", ...values, cursor });
      if (mine !== asked.current) return;
      setState({ key, rows: [...before, ...page.items], cursor: page.next_cursor, problem: null, busy: false });
    } catch (problem) {
      if (mine !== asked.current) return;
      setState((old) => ({ ...old, busy: false, problem }));
    }
  }

  useEffect(() => {
    load();
  }, [key]);

  return {
    ...state,
    reload: () => load(),
    more: () => load(state.cursor, state.rows ?? []),
    put: (row) =>
      setState((old) => ({ ...old, rows: old.rows?.map((r) => (r.id === row.id ? { ...r, ...row } : r)) })),
  };
}

// A list of the API that is no table: pages by cursor all the same.
export function usePages(path) {
  const [state, setState] = useState({ rows: null, cursor: null, problem: null, busy: true });
  async function load(cursor = null, before = []) {
    setState((old) => ({ ...old, busy: true, problem: null }));
    try {
      const page = await call("GET", `${API}${path}?${query({ limit: 50, cursor })}`);
      setState({ rows: [...before, ...page.items], cursor: page.next_cursor, problem: null, busy: false });
    } catch (problem) {
      setState((old) => ({ ...old, busy: false, problem }));
    }
  }
  useEffect(() => {
    load();
  }, [path]);
  return { ...state, reload: () => load(), more: () => load(state.cursor, state.rows ?? []) };
}

// What is typed, some moments after the last key.
export function useTyped(initial = "") {
  const [text, setText] = useState(initial);
  const [settled, setSettled] = useState(initial);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return [text, setText, settled];
}

export function Search({ text, setText, label }) {
  return html`<div class="search">
    <label class="unseen" for="search">${label}</label>
    <input
      class="input"
      id="search"
      type="search"
      placeholder=${label}
      value=${text}
      title="Alt+K"
      onInput=${(event) => setText(event.currentTarget.value)}
    />
  </div>`;
}

export function Choice({ id, label, value, options, onChange }) {
  return html`<label class="choice" for=${id}>
    <span>${label}</span>
    <select id=${id} class="input" value=${value} onChange=${(e) => onChange(e.currentTarget.value)}>
      ${options.map(([word, text]) => html`<option key=${word} value=${word} selected=${word === value}>${text}</option>`)}
    </select>
  </label>`;
}

// The rows, or why there are none. `children` draws them.
export function Rows({ rows, empty, children }) {
  if (rows.problem && !rows.rows) {
    return html`<div class="panel trouble" role="alert">
      <p>${sentence(rows.problem)}</p>
      <button type="button" class="button" onClick=${rows.reload}>${t("page.all.again")}</button>
    </div>`;
  }
  if (rows.rows === null) {
    return html`<div class="panel loading" aria-busy="true">
      <span class="unseen" role="status">${t("page.all.loading")}</span>
      ${[1, 2, 3, 4, 5, 6].map((n) => html`<span key=${n} class="skeleton"></span>`)}
    </div>`;
  }
  if (rows.rows.length === 0) return html`<p class="panel empty big">${empty}</p>`;
  return html`<div aria-busy=${rows.busy} class=${rows.busy ? "stale" : ""}>
    ${children(rows.rows)}
    ${rows.problem && html`<p class="notice bad" role="alert">${sentence(rows.problem)}</p>`}
    ${rows.cursor &&
    html`<button type="button" class="button more" disabled=${rows.busy} onClick=${rows.more}>
      ${t("page.crm.more")}
    </button>`}
  </div>`;
}
