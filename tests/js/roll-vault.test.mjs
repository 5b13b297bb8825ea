import assert from "node:assert/strict";
import test from "node:test";
import { Vault } from "../../kiosk/js/vault.js";

const given = { id: "k1", key: btoa(String.fromCharCode(...new Uint8Array(32).fill(7))), valid_until: "2026-06-12T22:00:00Z" };
const now = () => Date.parse("2026-06-12T21:00:00Z");

function memory() {
  const kept = new Map();
  return { kept, fact: async (key) => kept.get(key), keep: async (key, value) => void kept.set(key, value) };
}

test("a roll-call is sealed behind the PIN and opens with it after a reload", async () => {
  const store = memory();
  const first = new Vault({ store, rounds: 1_000, now });
  assert.equal(await first.seal({ people: ["李小龙"] }), null, "no PIN in hand, nothing kept");
  await first.hold("4711");
  await first.keep(given);
  const sealed = await first.seal({ people: ["李小龙"] });
  assert.ok(!JSON.stringify([...sealed.outer.body]).includes("李"));
  assert.equal(sealed.device.extractable, false);
  assert.deepEqual(await first.unseal(sealed), { people: ["李小龙"] });

  const after = new Vault({ store, rounds: 1_000, now });
  assert.equal(await after.unseal(sealed), null, "not before the PIN");
  await after.open("0000");
  assert.equal(await after.unseal(sealed), null, "not by another one");
  await after.open("4711");
  assert.deepEqual(await after.unseal(sealed), { people: ["李小龙"] });
});
