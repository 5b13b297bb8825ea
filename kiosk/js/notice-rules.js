// Which announcements to the staff stand on a handheld. Pure: a list, what was understood
// and the time in; what is shown out.

const SHOWN_MS = 12 * 3600 * 1000;
const KEPT_MAX = 200;
const RANK = { urgent: 0, high: 1, normal: 2, low: 3 };

// known: what is held, by id. A snapshot is all that there is; an update adds to it.
export function merged(known, items, act) {
  const held = act === "replace" ? [] : known.filter(({ id }) => !items.some((one) => one.id === id));
  return [...held, ...items].slice(-KEPT_MAX);
}

// The ones that wait for "Understood": the most urgent first, then the newest. What was
// corrected is shown by its correction alone, what is half a day old by nothing.
export function waiting(items, understood, nowMs) {
  const corrected = new Set(items.map(({ corrects_id: id }) => id).filter(Boolean));
  const rank = ({ priority }) => RANK[priority] ?? RANK.normal;
  return items
    .filter(({ id, at }) => !understood.has(id) && !corrected.has(id) && nowMs - Date.parse(at) < SHOWN_MS)
    .sort((a, b) => rank(a) - rank(b) || Date.parse(b.at) - Date.parse(a.at));
}

export function remembered(understood, id) {
  return [...understood, id].slice(-KEPT_MAX);
}
