// What the device keeps: who it is, and every scan until the server has answered it.
// Scans are written with strict durability: on disk before they are sent.
import { openDB } from "/vendor/idb.mjs";

const NAME = "handheld";
const VERSION = 1;

export async function openStore() {
  const db = await openDB(NAME, VERSION, {
    upgrade(fresh) {
      fresh.createObjectStore("facts");
      fresh.createObjectStore("scans", { keyPath: "id" });
    },
  });
  // Asked for, not waited for: some browsers put a question to the person.
  navigator.storage?.persist?.().catch(() => {});

  async function strictly(name, change) {
    const run = db.transaction(name, "readwrite", { durability: "strict" });
    await Promise.all([change(run.objectStore(name)), run.done]);
  }

  return {
    fact: (key) => db.get("facts", key),
    keep: (key, value) => strictly("facts", (store) => store.put(value, key)),
    scans: () => db.getAll("scans"),
    putScan: (scan) => strictly("scans", (store) => store.put(scan)),
    dropScan: (id) => strictly("scans", (store) => store.delete(id)),
    async forgetAll() {
      await strictly("facts", (store) => store.clear());
      await strictly("scans", (store) => store.clear());
    },
  };
}
