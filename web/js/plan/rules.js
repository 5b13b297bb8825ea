// Which rule holds for a type (or class) at a scope: what the matrix shows. Pure; the door's
// own look-up is ops/admission/plan.py (`Plan.rule`), and this says the same.

// Every class that a ticket may be of.
export const CLASSES = ["guest", "crew", "artist", "press", "exhibitor", "emergency", "companion", "child"];

const ofDays = (rules) => rules.filter(({ day }) => day).sort((a, b) => a.day.localeCompare(b.day));
const ofAll = (rules) => rules.find(({ day }) => !day) ?? null;

// column: {type} or {access}. -> {allowed, origin, rule, own, days}; origin says whose word
// it is: own (of this cell), class, unlisted (others are listed, so this one is shut out),
// scope (nobody wrote a rule: the scope's own settings hold).
export function cellOf(rules, scopeId, column) {
  const here = rules.filter(({ scope_id: id }) => id === scopeId);
  const access = column.type ? column.type.access_class : column.access;
  const byClass = here.filter((rule) => !rule.ticket_type_id && rule.access_class === access);
  const own = column.type ? here.filter(({ ticket_type_id: id }) => id === column.type.id) : byClass;
  const days = ofDays(own);
  const found = ofAll(own);
  const base = { own, days };
  if (found) return { ...base, allowed: found.allowed, origin: "own", rule: found };
  const inherited = column.type ? ofAll(byClass) : null;
  if (inherited) return { ...base, allowed: inherited.allowed, origin: "class", rule: inherited };
  if (here.length > 0) return { ...base, allowed: false, origin: "unlisted", rule: null };
  return { ...base, allowed: true, origin: "scope", rule: null };
}

// What a rule restricts, as [word, values] for the catalogue.
export function briefs(rule, time) {
  if (!rule?.allowed) return [];
  const found = [];
  const edge = (name) => {
    const at = rule[`${name}_at`];
    const anchor = rule[`${name}_anchor`];
    const minutes = rule[`${name}_offset_minutes`] ?? 0;
    if (at) found.push([`page.plan.brief.${name}`, { when: time(at) }]);
    else if (anchor) found.push([`page.plan.brief.${name}_${anchor}`, { n: signed(minutes) }]);
  };
  edge("opens");
  edge("closes");
  if (rule.passes_total) found.push(["page.plan.brief.passes", { n: rule.passes_total }]);
  if (rule.passes_per_day) found.push(["page.plan.brief.per_day", { n: rule.passes_per_day }]);
  if (rule.re_entry) found.push([`page.plan.brief.re_entry_${rule.re_entry}`, {}]);
  if (rule.pass_gap_minutes) found.push(["page.plan.brief.gap", { n: rule.pass_gap_minutes }]);
  if (rule.anti_passback_minutes) found.push(["page.plan.brief.passback", { n: rule.anti_passback_minutes }]);
  if (rule.min_age) found.push(["page.plan.brief.age", { n: rule.min_age }]);
  return found;
}

function signed(minutes) {
  if (minutes === 0) return "";
  return minutes > 0 ? ` +${minutes} min` : ` −${-minutes} min`;
}

// The columns: all types, and those classes that a rule names (or all of them).
export function columnsOf(types, rules, everyClass) {
  const named = new Set(rules.filter(({ ticket_type_id: id }) => !id).map(({ access_class: name }) => name));
  const classes = CLASSES.filter((name) => everyClass || named.has(name));
  return [
    ...types.map((type) => ({ key: type.id, type })),
    ...classes.map((access) => ({ key: access, access })),
  ];
}

// The rows: places first, then sessions; those without rules only if asked for.
export function rowsOf(scopes, rules, everySession) {
  const ruled = new Set(rules.map(({ scope_id: id }) => id));
  const order = { venue: 0, zone: 1, session: 2 };
  return scopes
    .filter(({ id, kind }) => kind !== "session" || everySession || ruled.has(id))
    .sort((a, b) => order[a.kind] - order[b.kind]);
}

// Where one would stand to be let into a scope; null: no gate leads there.
export function gateOf(scope, gates) {
  const leads = ({ session_id: session, area_id: area, direction }) =>
    direction !== "out" && (scope.session_id ? session === scope.session_id || area === scope.area_id : area === scope.area_id && !session);
  return gates.find(leads) ?? null;
}
