// A device as a process: {op, ..} a line in, its answer a line out. The store keeps what
// it is given; `off` drops the rest of the world (nothing here ever asks it).
import { createInterface } from "node:readline";
import { Alone } from "/scan/js/alone.js";

const kept = new Map();
const store = {
  fact: async (key) => structuredClone(kept.get(key)),
  keep: async (key, value) => void kept.set(key, structuredClone(value)),
  scans: async () => waiting.map((id) => ({ id })),
};
let waiting = [];
let next = null;
const bytes = async () => ({ status: 200, buffer: next });
let alone = null;

const buffer = (text) => Uint8Array.from(Buffer.from(text, "base64")).buffer;

async function act({ op, ...given }) {
  if (op === "package") {
    next = buffer(given.bytes);
    waiting = given.waiting ?? [];
    if (!alone) {
      alone = new Alone({ store, bytes, eventId: given.event });
      await alone.load();
    }
    await alone.refresh();
    return { head: alone.head, leases: [...alone.tickets.leases] };
  }
  if (op === "reload") {
    alone = new Alone({ store, bytes, eventId: given.event });
    await alone.load();
    return { spent: alone.done.spent };
  }
  if (op === "scan") {
    const { made, door } = await alone.decide(given.body, given.context);
    return { verdict: made.verdict, reason: made.reason, args: made.args, door };
  }
  if (op === "give") return alone.giveUnits(given.asked);
  if (op === "unlock") {
    if (given.key) await alone.unlock(given.key);
    else alone.forgetNames();
    return {};
  }
  if (op === "person") return { person: await alone.person({ id: given.ticket }) };
  if (op === "give_back") return alone.giveBack(given.ticket);
  return alone.counts(given.waiting ?? 0);
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await act(JSON.parse(line));
  } catch (error) {
    said = { failed: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
