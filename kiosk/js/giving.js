// Redemptions without the network: what a ticket is good for by the package, less what this
// device has given, and never more than the device's share of the item. Pure.
import { left } from "/scan/js/shares.js";

const PEOPLE_MOST = 100;
const CODE_STATES = [null, "reissued", "exchanged", "reissued"];

export const givenKey = (ticketId, itemId) => `${ticketId} ${itemId}`;

// The units of an item that a ticket has at a time, and what they ask for.
export function unitsOf({ entitlements }, ticket, itemId, atMs) {
  const plain = ticket.id.toLowerCase();
  const mine = entitlements.filter(
    (one) =>
      one.item_id === itemId &&
      (one.ticket_id ? one.ticket_id.replaceAll("-", "").toLowerCase() === plain : one.type_no === ticket.rules.type_no),
  );
  const begins = (one) => (one.starts_at ? Date.parse(one.starts_at) : -Infinity);
  const ends = (one) => (one.ends_at ? Date.parse(one.ends_at) : Infinity);
  const now = mine.filter((one) => begins(one) <= atMs && atMs < ends(one));
  const places = Math.min(ticket.rules.admits, PEOPLE_MOST);
  return {
    units: now.reduce((sum, one) => sum + one.quantity * (one.ticket_id ? 1 : places), 0),
    minAge: Math.max(0, ...now.map((one) => one.min_age ?? 0)),
    early: mine.some((one) => begins(one) > atMs),
    late: mine.length > 0 && mine.every((one) => ends(one) <= atMs),
  };
}

// asked: {itemId, quantity, atMs, idSeen}. known: {items, shares, taken, given}.
// Gives {verdict, reason, left, item, minAge}, in the order of ops.redeem_v1.
export function give(known, found, asked) {
  const item = known.items.items.find(({ id }) => id === asked.itemId) ?? null;
  const said = (verdict, reason, more = {}) => ({ verdict, reason, left: 0, item, minAge: 0, ...more });
  if (!found?.ticket) return said("refused", "unknown_code");
  const dead = CODE_STATES[found.state ?? 0];
  if (dead) return said("refused", dead);
  const { ticket } = found;
  const state = ticket.rules.state;
  if (state === "cancelled" || state === "refunded") return said("refused", state);
  if (state === "blocked") return said("hold", "blocked");
  if (state !== "valid") return said("hold", "unpaid");
  // Only what the organiser lets devices give alone is in the package.
  if (!item) return said("hold", "no_share");
  const { units, minAge, early, late } = unitsOf(known.items, ticket, item.id, asked.atMs);
  const rest = units - (known.given[givenKey(ticket.id, item.id)] ?? 0);
  if (rest <= 0 && early) return said("refused", "too_early");
  if (rest <= 0 && late) return said("refused", "too_late");
  if (rest < asked.quantity) return said("refused", "nothing_left", { left: Math.max(0, rest) });
  const least = Math.max(minAge, item.min_age ?? 0);
  if (least && !asked.idSeen) return said("hold", "id_check", { left: rest, minAge: least });
  if (left(known.shares[item.id] ?? 0, known.taken, item.id) < asked.quantity) {
    return said("hold", "no_share", { left: rest });
  }
  return said("redeemed", "ok", { left: rest - asked.quantity });
}
