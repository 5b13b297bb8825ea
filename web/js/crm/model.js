// What all views share: who is signed in, the address, rows from the API, what is said.
import { signal } from "/lib/ui.js";
import { call } from "/lib/api.js";
import { t } from "/lib/i18n.js";
import { uuid7 } from "/lib/uuid.js";

export const API = "/api/v1";
export const VIEWS = ["contacts", "companies", "pipeline", "tasks", "segments", "team", "privacy"];

export const me = signal(null);
export const told = signal(null);
export const route = signal(read());

function read() {
  const [view, id] = location.hash.replace(/^#/, "").split("/");
  return VIEWS.includes(view) ? { view, id: id || null } : { view: "contacts", id: null };
}

addEventListener("hashchange", () => {
  route.value = read();
});

let timer = null;

export function say(text, tone = "good") {
  clearTimeout(timer);
  told.value = { text, tone };
  timer = setTimeout(() => {
    told.value = null;
  }, 6_000);
}

// A role without the word gets no button; the server refuses in any case.
export function may(word, action) {
  const granted = (permissions) =>
    permissions?.[word]?.[action] === true || permissions?.["*"]?.[action] === true;
  const who = me.value;
  return granted(who?.permissions) || (who?.memberships ?? []).some((m) => granted(m.permissions));
}

// A problem of the API as a sentence, with the fields that it names.
export function sentence(error) {
  if (error.code === "no_answer") return t("page.all.no_answer");
  if (error.code === "changed_meanwhile") return t("page.crm.changed");
  if (error.code === "forbidden" || error.code === "private_field") return t("page.crm.forbidden");
  const fields = (error.fields ?? []).map((f) => `${f.field}: ${f.detail}`);
  return fields.length ? fields.join(" ") : error.detail || error.message;
}

export function query(values) {
  const pairs = Object.entries(values).filter(([, v]) => v !== null && v !== undefined && v !== "");
  return new URLSearchParams(pairs).toString();
}

export const list = (name, values) => call("GET", `${API}/${name}?${query(values)}`);
export const read1 = (name, id) => call("GET", `${API}/${name}/${id}?labels=true`);

export function create(name, values) {
  // The same key with each try: a lost answer makes no second row.
  return call("POST", `${API}/${name}`, values, { "Idempotency-Key": uuid7() });
}

export function change(name, row, values) {
  return call("PATCH", `${API}/${name}/${row.id}`, values, { "If-Match": `"${row.etag}"` });
}

export const remove = (name, row) => call("DELETE", `${API}/${name}/${row.id}`);
