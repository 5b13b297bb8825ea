// Who looks at their own page: the token of the private link, and what it opened.
import { signal } from "/vendor/signals.mjs";
import { call } from "/lib/api.js";

const KEPT = "attendee_token";
const CACHED = "attendee_last";

export const token = signal(null);
// view: "loading", "page", "sign_in", "trouble"
export const view = signal("loading");
export const me = signal(null);
export const tickets = signal([]);
export const agenda = signal([]);
export const materials = signal([]);
export const loadedAt = signal(0);
export const problem = signal(null);

// The link's fragment never reaches a server's log; it leaves the address bar at once.
export function takeToken() {
  const found = /^#(att_[\w-]+)$/.exec(location.hash)?.[1];
  if (found) {
    keep(found);
    history.replaceState(null, "", location.pathname + location.search);
  } else {
    try {
      token.value = localStorage.getItem(KEPT);
    } catch {
      token.value = null;
    }
  }
}

export function keep(found) {
  token.value = found;
  try {
    if (found) localStorage.setItem(KEPT, found);
    else {
      localStorage.removeItem(KEPT);
      localStorage.removeItem(CACHED);
    }
  } catch {
    // A private window: the token lives as long as the page.
  }
}

export const ask = (method, path, body) =>
  call(method, `/api/v1/me${path}`, body, { Authorization: `Attendee ${token.value}` });

function show(found) {
  me.value = found.me;
  tickets.value = found.tickets;
  agenda.value = found.agenda;
  materials.value = found.materials;
  loadedAt.value = found.at;
  view.value = "page";
}

function last() {
  try {
    return JSON.parse(localStorage.getItem(CACHED));
  } catch {
    return null;
  }
}

export async function load() {
  if (!token.value) {
    view.value = "sign_in";
    return;
  }
  try {
    const [who, programme, papers] = await Promise.all([
      ask("GET", ""),
      ask("GET", "/agenda"),
      ask("GET", "/materials"),
    ]);
    const found = { ...who, agenda: programme, materials: papers, at: Date.now() };
    show(found);
    problem.value = null;
    try {
      localStorage.setItem(CACHED, JSON.stringify(found));
    } catch {
      // Full or private: then there is nothing to show without a network.
    }
  } catch (error) {
    if (error.status === 401) {
      keep(null);
      view.value = "sign_in";
      return;
    }
    problem.value = error;
    const known = last();
    if (view.value === "page") return;
    if (known) show(known);
    else view.value = "trouble";
  }
}
