// A field that names another row: one types, chooses what is found, and the id is sent.
import { html, useEffect, useRef, useState } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { list, may, me } from "/js/crm/model.js";

const TYPING_MS = 200;
const FOUND_MAX = 8;

// What a row is called in a list of choices; two with one name are told apart.
const SAID = {
  contacts: (row) => [`${row.first_name} ${row.last_name}`.trim(), row.email].filter(Boolean).join(" · "),
  companies: (row) => [row.name, row.city].filter(Boolean).join(" · "),
};

// `text` is what the row that is named now is called. A text that names nothing keeps the
// form from being sent.
export function Pick({ id, name, resource, value, text, required, describedby, invalid }) {
  const [chosen, setChosen] = useState({ id: value ?? "", text: text ?? "" });
  const [found, setFound] = useState([]);
  const input = useRef(null);
  const timer = useRef(null);
  useEffect(() => () => clearTimeout(timer.current), []);

  async function look(words) {
    try {
      const page = await list(resource, { q: words, limit: FOUND_MAX });
      const now = page.items.map((row) => ({ id: row.id, text: SAID[resource](row) }));
      setFound(now);
      if (input.current) take(input.current.value, now);
    } catch {
      setFound([]);
    }
  }
  function take(words, among) {
    const hit = among.find((one) => one.text === words);
    setChosen({ id: hit?.id ?? "", text: words });
    input.current.setCustomValidity(hit || words.trim() === "" ? "" : t("page.crm.pick.none"));
    return hit;
  }
  function typed(event) {
    const words = event.currentTarget.value;
    clearTimeout(timer.current);
    if (!take(words, found) && words.trim() !== "") timer.current = setTimeout(() => look(words.trim()), TYPING_MS);
  }
  return html`<input type="hidden" name=${name} value=${chosen.id} />
    <input class="input" id=${id} type="text" autocomplete="off" ref=${input} list=${`${id}-found`} value=${chosen.text}
      required=${required} placeholder=${t("page.crm.pick.type")} aria-describedby=${describedby} aria-invalid=${invalid} onInput=${typed} />
    <datalist id=${`${id}-found`}>${found.map((one) => html`<option key=${one.id} value=${one.text}></option>`)}</datalist>`;
}

// Who may own a row: all of the team for those who may read it, else oneself and who
// owns it now. Answers choices of a form.
export function useOwners(row) {
  const [team, setTeam] = useState([]);
  useEffect(() => {
    if (may("users", "read")) list("users", { status: "active", sort: "last_name", limit: 200 }).then((page) => setTeam(page.items), () => {});
  }, []);
  const owners = new Map(team.map((one) => [one.id, `${one.first_name} ${one.last_name}`]));
  if (me.value && !owners.has(me.value.id)) owners.set(me.value.id, me.value.name);
  if (row?.assigned_to && !owners.has(row.assigned_to)) owners.set(row.assigned_to, row.labels?.assigned_to ?? "–");
  return [...owners];
}

// The events that one may see, newest first, as choices of a form.
export function useEvents() {
  const [events, setEvents] = useState([]);
  useEffect(() => {
    list("events", { limit: 100 }).then((page) => setEvents(page.items.map((one) => [one.id, one.title])), () => {});
  }, []);
  return events;
}
