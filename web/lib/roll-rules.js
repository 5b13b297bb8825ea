// The roll-call on a page or a device: who is shown, and the sums after marks that the
// server may not know yet. Pure: the roll as the server told it, and marks, in.

export const keyOf = ({ ticket_id: ticket, person_no: person }) => `${ticket} ${person}`;

// marks: [{kind: "person" | "staff" | "area", key, on}], oldest first; the last one counts.
export function marked(roll, marks, at) {
  const people = new Map();
  const staff = new Map();
  const areas = new Map();
  const by = { person: people, staff, area: areas };
  for (const { kind, key, on } of marks) by[kind].set(key, on);
  const said = (map, key, before) => (map.has(key) ? (map.get(key) ? (before ?? at) : null) : before);
  return {
    ...roll,
    people: roll.people.map((one) => ({ ...one, safe_at: said(people, keyOf(one), one.safe_at) })),
    staff: roll.staff.map((one) => ({ ...one, safe_at: said(staff, one.operator_id, one.safe_at) })),
    areas: roll.areas.map((one) => ({ ...one, clear_at: said(areas, one.area_id, one.clear_at) })),
  };
}

// The sums anew: per area and in all.
export function summed(roll) {
  const lines = roll.areas.map((area) => {
    const people = roll.people.filter((one) => (one.area_id ?? null) === area.area_id);
    const safe = people.filter((one) => one.safe_at).length;
    return { ...area, people: people.length, safe, missing: people.length - safe };
  });
  const listed = roll.people.length;
  const safe = roll.people.filter((one) => one.safe_at).length;
  return {
    ...roll,
    areas: lines,
    totals: {
      ...roll.totals,
      people: listed,
      safe,
      missing: listed - safe,
      needs_missing: roll.people.filter((one) => one.needs && !one.safe_at).length,
      clear: lines.filter((one) => one.clear_at).length,
      staff_safe: roll.staff.filter((one) => one.safe_at).length,
    },
  };
}

const folded = (text) =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase();

// Who needs help stands first, then by name; the safe stand last.
export function chosen(roll, { words = "", area = null, needs = false, missing = false } = {}) {
  const wanted = folded(words.trim());
  return roll.people
    .filter(
      (one) =>
        (!wanted || folded(one.name).includes(wanted)) &&
        (area === null || one.area_id === area) &&
        (!needs || one.needs) &&
        (!missing || !one.safe_at),
    )
    .sort(
      (a, b) =>
        Boolean(a.safe_at) - Boolean(b.safe_at) ||
        Boolean(b.needs) - Boolean(a.needs) ||
        a.name.localeCompare(b.name),
    );
}
