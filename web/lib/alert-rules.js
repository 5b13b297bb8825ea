// What an open alert says, and in which order alerts stand. Pure.

const GRAVITY = { bad: 0, warn: 1, info: 2 };
// The graver rule that says the same of the same subject hides the other.
const COVERED_BY = { capacity_80: "capacity_95", capacity_95: "area_full" };

function covered(alert, standing) {
  let graver = COVERED_BY[alert.rule];
  while (graver) {
    if (standing.has(`${graver} ${alert.subject}`)) return true;
    graver = COVERED_BY[graver];
  }
  return false;
}

// Nobody looks after it yet, then the gravest, then the newest.
export function inOrder(raised) {
  const standing = new Set(raised.map(({ rule, subject }) => `${rule} ${subject}`));
  return raised
    .filter((alert) => !covered(alert, standing))
    .sort(
      (a, b) =>
        Number(Boolean(a.acknowledged_at)) - Number(Boolean(b.acknowledged_at)) ||
        (GRAVITY[a.gravity] ?? 2) - (GRAVITY[b.gravity] ?? 2) ||
        Date.parse(b.raised_at) - Date.parse(a.raised_at),
    );
}

export function unseen(raised) {
  return inOrder(raised).filter((alert) => !alert.acknowledged_at);
}

// The parameters of an alert's sentence; `say` formats a number.
export function parameters(alert, say, unknown) {
  const { args, value } = alert;
  // Names are other people's text: one that turns the writing around turns only itself.
  const named = (name) => `\u2068${name ?? unknown}\u2069`;
  const table = args.table === undefined ? "" : [args.section, args.table].filter(Boolean).join(" ");
  return {
    n: say(Math.round(Number(value) * 10) / 10),
    place: named(alert.area ?? alert.session),
    gate: named(alert.gate),
    first_gate: named(alert.first_gate),
    device: named(alert.device),
    operator: named(alert.operator),
    holder: named(alert.holder),
    session: named(alert.session),
    host: alert.host ? ` (${named(alert.host)})` : "",
    party: named(alert.list ?? (table || null)),
    inside: say(args.inside ?? null),
    capacity: say(args.capacity ?? null),
    may_enter: say(args.may_enter ?? 0),
    of: say(args.of ?? null),
    tickets: say(args.tickets ?? null),
    attempts: say(args.attempts ?? null),
    walk: say(Math.round(args.walk_s ?? 0)),
  };
}

// How many may enter a place that is full, "one out, one in"; null while it is not full.
export function mayEnter(raised, areaId) {
  const full = (raised ?? []).find(({ rule, area_id: id }) => rule === "area_full" && id === areaId);
  return full && areaId ? full.args.may_enter ?? 0 : null;
}
