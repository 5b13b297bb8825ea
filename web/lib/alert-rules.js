// What an open alert says, and how alerts stand on a wall. Pure. The server sends one a
// case, in the order in which people should look: what asks for somebody, then what somebody
// sees to, then what is for information. From so many of a rule on they are one line.

export const MANY = 3;
const NAMES = 3;

function counted(raised, rules) {
  if (rules) return new Map(rules.map((one) => [one.rule, one]));
  const found = new Map();
  for (const alert of raised) {
    const one = found.get(alert.rule) ?? { standing: 0, unseen: 0, newest_at: alert.raised_at };
    one.standing += 1;
    one.unseen += alert.acknowledged_at ? 0 : 1;
    if (Date.parse(alert.raised_at) > Date.parse(one.newest_at)) one.newest_at = alert.raised_at;
    found.set(alert.rule, one);
  }
  return found;
}

// Lines of the wall: {alert} or {rule, gravity, standing, unseen, newest_at, alerts}; those
// that ask for somebody, and those that are for information, one a rule.
export function wall(raised, rules) {
  const counts = counted(raised, rules);
  const groups = new Map();
  const lines = [];
  const told = [];
  for (const alert of raised) {
    const { standing, unseen, newest_at: newest } = counts.get(alert.rule) ?? { standing: 1 };
    const info = alert.gravity === "info";
    if (!info && standing < MANY) {
      lines.push({ key: alert.id, gravity: alert.gravity, alert });
      continue;
    }
    let group = groups.get(alert.rule);
    if (!group) {
      group = { key: alert.rule, rule: alert.rule, gravity: alert.gravity, standing, unseen, newest_at: newest, alerts: [] };
      groups.set(alert.rule, group);
      (info ? told : lines).push(group);
    }
    group.alerts.push(alert);
  }
  return { lines, told };
}

// How many lines ask for somebody: thirteen of a kind are one thing to see to.
export function toSee({ lines }) {
  return lines.filter((line) => (line.alert ? !line.alert.acknowledged_at : line.unseen > 0)).length;
}

// Whom or what the alerts of a line are about: the first few, and how many more.
export function about(line) {
  const names = line.alerts
    .map((one) => one.holder ?? one.operator ?? one.session ?? one.device ?? one.gate ?? one.area)
    .filter(Boolean);
  const first = [...new Set(names)].slice(0, NAMES).map((name) => `\u2068${name}\u2069`);
  return { names: first.join(", "), more: first.length ? Math.max(0, line.standing - first.length) : 0 };
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
    machine: named(args.machine),
  };
}

// How many may enter a place that is full, "one out, one in"; null while it is not full.
export function mayEnter(raised, areaId) {
  const full = (raised ?? []).find(({ rule, area_id: id }) => rule === "area_full" && id === areaId);
  return full && areaId ? full.args.may_enter ?? 0 : null;
}
