// Where the outbox keeps what waits: a database of its own, written durably.
import { openDB } from "/vendor/idb.mjs";

const NAME = "handheld-outbox";
const VERSION = 1;

export async function openOutbox() {
  const db = await openDB(NAME, VERSION, {
    upgrade(fresh) {
      fresh.createObjectStore("entries", { keyPath: "id" });
    },
  });
  async function strictly(change) {
    const run = db.transaction("entries", "readwrite", { durability: "strict" });
    await Promise.all([change(run.objectStore("entries")), run.done]);
  }
  return {
    all: () => db.getAll("entries"),
    put: (entry) => strictly((store) => store.put(entry)),
    drop: (id) => strictly((store) => store.delete(id)),
    clear: () => strictly((store) => store.clear()),
  };
}
