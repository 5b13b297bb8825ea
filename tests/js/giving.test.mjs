import assert from "node:assert/strict";
import test from "node:test";
import { give, givenKey, unitsOf } from "../../kiosk/js/giving.js";
import { left, settled, takenBy } from "../../kiosk/js/shares.js";

const AT = Date.parse("2026-06-12T20:00:00Z");
const ITEM = { id: "beer", name: "Bière 🍺", min_age: null };
const ticket = (rules = {}) => ({ id: "aa11", rules: { admits: 1, state: "valid", type_no: 1, ...rules } });
const items = (entitlements, item = ITEM) => ({ items: [item], entitlements });
const two = { item_id: "beer", type_no: 1, ticket_id: null, quantity: 2 };
const known = (change = {}) => ({ items: items([two]), shares: { beer: 5 }, taken: [], given: {}, ...change });
const asked = (change = {}) => ({ itemId: "beer", quantity: 1, atMs: AT, idSeen: false, ...change });
const said = (know, found, ask = asked()) => {
  const { verdict, reason } = give(know, found, ask);
  return `${verdict}/${reason}`;
};

test("a group has its units for each of its people, a ticket's own once", () => {
  const own = { item_id: "beer", type_no: null, ticket_id: "AA11", quantity: 3 };
  assert.equal(unitsOf(items([two, own]), ticket({ admits: 4 }), "beer", AT).units, 11);
  assert.equal(unitsOf(items([two]), ticket({ type_no: 2 }), "beer", AT).units, 0);
});

test("what the ticket, its code and its state say comes before the share", () => {
  const found = { ticket: ticket(), state: 0 };
  assert.equal(said(known(), found), "redeemed/ok");
  assert.equal(said(known(), null), "refused/unknown_code");
  assert.equal(said(known(), { ...found, state: 2 }), "refused/exchanged");
  assert.equal(said(known(), { ticket: ticket({ state: "blocked" }), state: 0 }), "hold/blocked");
  assert.equal(said(known(), { ticket: ticket({ state: "refunded" }), state: 0 }), "refused/refunded");
  assert.equal(said(known({ given: { [givenKey("aa11", "beer")]: 2 } }), found), "refused/nothing_left");
  assert.equal(said(known({ items: { items: [], entitlements: [] } }), found), "hold/no_share");
});

test("times and ages", () => {
  const found = { ticket: ticket(), state: 0 };
  const later = { ...two, starts_at: "2026-06-12T21:00:00Z" };
  const over = { ...two, ends_at: "2026-06-12T20:00:00Z" };
  assert.equal(said(known({ items: items([later]) }), found), "refused/too_early");
  assert.equal(said(known({ items: items([over]) }), found), "refused/too_late");
  const grown = known({ items: items([two], { ...ITEM, min_age: 19 }) });
  assert.equal(give(grown, found, asked()).minAge, 19);
  assert.equal(said(grown, found), "hold/id_check");
  assert.equal(said(grown, found, asked({ idSeen: true })), "redeemed/ok");
});

test("the share counts what was taken and not told", () => {
  const taken = [{ id: "r1", places: { beer: 3 } }, { id: "r2", places: { beer: 2, room: 1 } }];
  assert.equal(left(5, taken, "beer"), 0);
  assert.equal(left(5, settled(taken, ["r1"]), "beer"), 3);
  assert.equal(said(known({ taken }), { ticket: ticket(), state: 0 }), "hold/no_share");
  assert.equal(said(known({ shares: {} }), { ticket: ticket(), state: 0 }), "hold/no_share");
});

test("a change of place counts there and here, an act past the limits nowhere", () => {
  const plan = { limits: ({ id }) => [[id, 10]] };
  const [hall, room] = [{ id: "hall" }, { id: "room" }];
  const made = { closes: [{ scope: hall, must: true }], opens: [{ scope: room }, { scope: room }] };
  assert.deepEqual(takenBy(plan, made), { hall: -1, room: 2 });
  assert.deepEqual(takenBy(plan, { ...made, past_limits: true }), {});
  const again = { closes: [{ scope: hall, must: true }], opens: [{ scope: hall }] };
  assert.deepEqual(takenBy(plan, again), {});
});
