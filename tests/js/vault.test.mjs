import assert from "node:assert/strict";
import test from "node:test";
import { Vault, WRONG_MAX } from "../../kiosk/js/vault.js";

const SHIFT = Date.parse("2026-06-12T22:00:00Z");
const given = { id: "k1", key: btoa(String.fromCharCode(...new Uint8Array(32).fill(7))), valid_until: "2026-06-12T22:00:00Z" };

function memory() {
  const kept = new Map();
  return { kept, fact: async (key) => kept.get(key), keep: async (key, value) => void kept.set(key, value) };
}

function vault(store, now = () => SHIFT - 60_000) {
  return new Vault({ store, rounds: 1_000, now });
}

async function filled() {
  const store = memory();
  const first = vault(store);
  await first.hold("4711");
  await first.keep(given);
  return store;
}

test("the PIN opens the key after a reload, another PIN does not", async () => {
  const store = await filled();
  const after = vault(store);
  assert.deepEqual(await after.open("0000"), { left: WRONG_MAX - 1 });
  const { names } = await after.open("4711");
  assert.equal(names.id, "k1");
  assert.equal(names.key.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("raw", names.key));
  assert.equal(store.kept.get("vault").wrong, 0, "the right one begins anew");
});

test("what lies in the store holds neither key nor PIN, and its own key cannot be read out", async () => {
  const store = await filled();
  const { device, outer, iv, salt } = store.kept.get("vault");
  assert.equal(device.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("raw", device));
  const bytes = Buffer.concat([outer.body, outer.iv, iv, salt]).toString("latin1");
  assert.ok(!bytes.includes("4711"));
  assert.ok(!bytes.includes(given.key) && !bytes.includes("\u0007".repeat(8)));
});

test("ten wrong PINs delete it, over reloads, and the right one comes too late", async () => {
  const store = await filled();
  for (let n = 1; n < WRONG_MAX; n += 1) {
    assert.deepEqual(await vault(store).open(`${n}`), { left: WRONG_MAX - n });
  }
  assert.deepEqual(await vault(store).open("x"), { gone: true });
  assert.equal(store.kept.get("vault"), null);
  assert.deepEqual(await vault(store).open("4711"), { gone: true });
});

test("a try is counted before it is made: pulling the plug gains nothing", async () => {
  const store = await filled();
  const cut = { ...store, keep: async (key, value) => {
    await store.keep(key, value);
    throw new Error("the battery is out");
  } };
  for (let n = 0; n < 3; n += 1) await assert.rejects(vault(cut).open("0"));
  assert.equal(store.kept.get("vault").wrong, 3);
});

test("PINs that the server refused count as well", async () => {
  const store = await filled();
  for (let n = 1; n < WRONG_MAX; n += 1) assert.deepEqual(await vault(store).wrong(), { left: WRONG_MAX - n });
  assert.deepEqual(await vault(store).wrong(), { gone: true });
  assert.equal(store.kept.get("vault"), null);
});

test("the end of the shift, a lock and signing off delete it", async () => {
  const over = await filled();
  assert.deepEqual(await vault(over, () => SHIFT).open("4711"), { gone: true });
  assert.equal(over.kept.get("vault"), null);
  const off = await filled();
  await vault(off).forget();
  assert.equal(off.kept.get("vault"), null);
});

test("without a PIN in hand nothing is kept", async () => {
  const store = memory();
  await vault(store).keep(given);
  assert.equal(store.kept.size, 0);
});
