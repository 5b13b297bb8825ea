// What a ticket may at a scope: ops/admission/terms.py in JavaScript. Times in ms, 0 and
// null: no such rule.

const EXEMPTION = [
  "scope_no",
  "allowed",
  "opens_ms",
  "closes_ms",
  "passes_total",
  "passes_per_day",
  "re_entry",
];
const SPECIAL = [
  "exemptions",
  "ban",
  "ban_until_ms",
  "born",
  "age_seen",
  "due",
  "answered",
  "released",
];

export const NOTHING_SPECIAL = {
  exemptions: [],
  ban: "",
  ban_until_ms: 0,
  born: "",
  age_seen: 0,
  due: "",
  answered: [],
  released: [],
};

// The server packs both as arrays.
function named(names, row) {
  if (!Array.isArray(row)) return row;
  return Object.fromEntries(row.map((value, at) => [names[at], value]));
}

export function specialOf(ticket) {
  if (!ticket?.special) return NOTHING_SPECIAL;
  const special = { ...NOTHING_SPECIAL, ...named(SPECIAL, ticket.special) };
  special.exemptions = special.exemptions.map((row) => named(EXEMPTION, row));
  return special;
}

export const latest = (...times) => {
  const given = times.filter(Boolean);
  return given.length ? Math.max(...given) : null;
};

export const earliest = (...times) => {
  const given = times.filter(Boolean);
  return given.length ? Math.min(...given) : null;
};

// Whoever is given a re-entry rule of their own waits for nothing between entries.
const free = (one) => Boolean(one.re_entry) && one.re_entry !== "never";

// With what this ticket is exempted from; the one for the scope wins.
export function ofTicket(terms, special, scopeNo) {
  return special.exemptions
    .filter((one) => one.scope_no === 0 || one.scope_no === scopeNo)
    .sort((a, b) => a.scope_no - b.scope_no)
    .reduce(
      (made, one) => ({
        ...made,
        allowed: one.allowed ?? made.allowed,
        opens: one.opens_ms || made.opens,
        closes: one.closes_ms || made.closes,
        passes_total: one.passes_total || made.passes_total,
        passes_per_day: one.passes_per_day || made.passes_per_day,
        re_entry: one.re_entry || made.re_entry,
        gap: free(one) ? null : made.gap,
      }),
      terms,
    );
}
