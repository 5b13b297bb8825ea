// What the page of emergencies holds: the state of the steps, the roll-call, the texts.
import { signal } from "/lib/ui.js";
import { call } from "/lib/api.js";
import { act, base, busy } from "/js/doors/model.js";

const STATE_MS = 1_500;
const ROLL_MS = 5_000;
const DONE_WORDS = { words: "page.all.done" };
const DONE = {
  start: "started",
  freeze: "frozen",
  publish: "published",
  all_clear: "cleared",
  reopen: "reopened",
  close: "closed",
};

export const emergency = signal(null);
export const roll = signal(null);
export const texts = signal({ emergency: [], all_clear: [] });
export const settings = signal({ two_people: false, assembly_points: [] });
export const past = signal([]);
// False while the server does not answer: then the doors cannot be told from here.
export const answers = signal(true);

export async function readState() {
  try {
    emergency.value = (await call("GET", `${base}/emergency`)).emergency;
    answers.value = true;
  } catch (error) {
    answers.value = error.code !== "no_answer" && error.status !== 503;
  }
}

export async function readRoll() {
  try {
    roll.value = await call("GET", `${base}/roll-call`);
  } catch {
    // The last one stays, with the time at which it was true.
  }
}

export async function readAll() {
  const [own, clear, set] = await Promise.all([
    call("GET", `${base}/emergency/texts?purpose=emergency`),
    call("GET", `${base}/emergency/texts?purpose=all_clear`),
    call("GET", `${base}/emergency/settings`),
    readState(),
    readRoll(),
  ]);
  texts.value = { emergency: own, all_clear: clear };
  settings.value = set;
  setInterval(readState, STATE_MS);
  setInterval(readRoll, ROLL_MS);
}

export async function readPast() {
  past.value = (await call("GET", `${base}/emergencies?limit=50`)).items;
}

export async function take(step, body) {
  if (busy.value) return;
  const path = step === "start" ? `${base}/emergency` : `${base}/emergency/${step.replace("_", "-")}`;
  const found = await act("POST", path, body, { words: `page.emergency.did.${DONE[step]}` });
  if (!found) return;
  emergency.value = found.closed_at ? null : found;
  readRoll();
}

export async function mark(body) {
  if (await act("POST", `${base}/emergency/marks`, body, DONE_WORDS)) readRoll();
}

export async function markArea(area, clear) {
  if (await act("POST", `${base}/emergency/areas/${area}`, { clear }, DONE_WORDS)) readRoll();
}
