// What the page of announcements holds: the form, what was sent, how far it has come.
import { computed, signal } from "/lib/ui.js";
import { call } from "/lib/api.js";
import { kindOf } from "/lib/live-rules.js";
import { t } from "/lib/i18n.js";
import { act, base, event, said } from "/js/doors/model.js";
import { tab } from "/js/doors/shell.js";
import { EMPTY, draftOf, unfinished } from "/js/announcements/draft.js";

const PREVIEW_MS = 350;

export const form = signal(EMPTY);
export const preview = signal(null);
export const sent = signal([]);
export const more = signal(null);
export const reach = signal(new Map());
export const templates = signal([]);
export const channels = signal([]);

export const own = computed(() => (event.value?.languages?.[0] === "fr" ? "fr" : "en"));
export const ready = computed(() => unfinished(form.value).length === 0);

let timer = null;
let asked = 0;

export function change(fields) {
  form.value = { ...form.value, ...fields };
  count();
}

// Counted again whenever whom it is for changes; an answer that was overtaken is dropped.
export function count() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    asked += 1;
    const mine = asked;
    const words = { title: "–", content: "–" };
    const draft = { ...draftOf(form.value, own.value), ...words, translations: {}, link_url: null };
    try {
      const found = await call("POST", `${base}/announcements/preview`, draft);
      if (mine === asked) preview.value = found;
    } catch {
      if (mine === asked) preview.value = null;
    }
  }, PREVIEW_MS);
}

export async function readSent(cursor = null) {
  const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  const page = await call("GET", `${base}/announcements?limit=30${query}`);
  const known = cursor ? sent.value : [];
  sent.value = [...known, ...page.items];
  more.value = page.next_cursor;
}

export async function readTemplates() {
  templates.value = (await call("GET", `${base}/announcement-templates?limit=200`)).items;
}

export async function readAll() {
  const [ways] = await Promise.all([
    call("GET", `${base}/announcement-channels`),
    readSent(),
    readTemplates(),
  ]);
  channels.value = ways;
  count();
}

export function replace(line) {
  const known = sent.value.some(({ id }) => id === line.id);
  sent.value = known ? sent.value.map((one) => (one.id === line.id ? line : one)) : [line, ...sent.value];
}

// The topic says how far each has come; a line that it does not know is read once.
export function take(topic, data) {
  if (kindOf(topic) !== "reach") return;
  const before = reach.value;
  reach.value = new Map(data.announcements.map((line) => [line.id, line]));
  const moved = data.announcements.some(
    (line) => before.get(line.id)?.status !== line.status && sent.value.find(({ id }) => id === line.id)?.status !== line.status,
  );
  if (moved) readSent().catch(() => {});
}

// Kept first, then sent: a lost answer leaves a draft and never a second announcement.
export async function send({ at = null, atOnce = null }) {
  const kept = await act("POST", `${base}/announcements`, draftOf(form.value, own.value), { words: "page.announce.kept" });
  if (!kept) return null;
  const line = await act("POST", `${base}/announcements/${kept.id}/send`, { at, at_once: atOnce }, { words: "page.announce.going" });
  if (!line) {
    await readSent().catch(() => {});
    return null;
  }
  if (line.status === "sent") said.value = { bad: false, words: t("page.announce.gone") };
  replace(line);
  form.value = EMPTY;
  count();
  tab.value = "sent";
  return line;
}

export async function saveDraft() {
  const kept = await act("POST", `${base}/announcements`, draftOf(form.value, own.value), { words: "page.announce.kept" });
  if (kept) replace(kept);
}

export async function recall(line) {
  const answer = await act("POST", `${base}/announcements/${line.id}/cancel`, {}, { words: "page.announce.recalled" });
  if (answer) replace(answer);
  else await readSent().catch(() => {});
}
