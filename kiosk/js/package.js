// An offline package as the server writes it (ops/offline/package.py): read, verified,
// looked up. No DOM, no store. Columns stay as they came; a look-up is a binary search.

const CONTEXT = "event-day-ops/offline-package/1\0";
const HASH_LENGTH = 12;
const SIGNATURE_LENGTH = 64;
const NAMES_PER_BLOCK = 1_000;
const VISIT_COLUMNS = [
  "ticket",
  "scope_no",
  "person_no",
  "pass_no",
  "state",
  "entered_s",
  "gate_no",
  "device_no",
  "left_s",
  "day",
  "day_used",
];
const text = new TextEncoder();

export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export function bytesOf(hexText) {
  return Uint8Array.from(hexText.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function uuidOf(bytes) {
  const all = hex(bytes);
  return [8, 12, 16, 20, 32].map((end, at) => all.slice([0, 8, 12, 16, 20][at], end)).join("-");
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export async function verify(keyHex, message, signature) {
  const key = await crypto.subtle.importKey("raw", bytesOf(keyHex), "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

// The head and the sections. `pinned` are keys that this device knows already, by id: a
// package that none of them signed is refused; the first one brings its own.
export async function open(buffer, pinned = null) {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  if (hex(bytes.slice(0, 4)) !== "4f505350" || bytes[4] !== 1) throw new Error("no package");
  const length = view.getUint32(5, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.slice(9, 9 + length)));
  const body = bytes.slice(0, -SIGNATURE_LENGTH);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const message = new Uint8Array([...text.encode(CONTEXT), ...digest]);
  const keys = pinned ?? Object.fromEntries(head.keys);
  const key = keys[head.signed_by];
  if (!key || !(await verify(key, message, bytes.slice(-SIGNATURE_LENGTH)))) {
    throw new Error("not signed by a key of ours");
  }
  const sections = {};
  let at = 9 + length;
  for (const [name, size, deflated] of head.sections) {
    const part = bytes.slice(at, at + size);
    sections[name] = deflated ? await inflate(part) : part;
    at += size;
  }
  return { head, sections: { ...sections, ...decoded(sections) } };
}

const words = (bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const json = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

function decoded(sections) {
  const made = {};
  for (const name of ["plan", "shapes"]) made[name] = json(sections[name]);
  made.items = sections.items ? json(sections.items) : { items: [], entitlements: [] };
  for (const name of ["shape_of", "code_tickets", "leases"]) {
    if (sections[name]) made[name] = words(sections[name]);
  }
  const all = words(sections.visits);
  const count = all.length / VISIT_COLUMNS.length;
  made.visits = Object.fromEntries(
    VISIT_COLUMNS.map((name, at) => [name, all.subarray(at * count, (at + 1) * count)]),
  );
  return made;
}

// The first place at which `less` does not hold any more.
function lowerBound(count, less) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (less(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(column, width, at, wanted) {
  for (let byte = 0; byte < width; byte += 1) {
    const differ = column[at * width + byte] - wanted[byte];
    if (differ) return differ;
  }
  return 0;
}

function find(column, width, wanted) {
  const count = column.length / width;
  const at = lowerBound(count, (place) => compare(column, width, place, wanted) < 0);
  return at < count && compare(column, width, at, wanted) === 0 ? at : -1;
}

// One package's columns.
export class Columns {
  constructor({ head, sections }) {
    Object.assign(this, sections);
    this.namesKey = head.names_key;
  }

  ticketAt(place) {
    const id = hex(this.ids.slice(place * 16, place * 16 + 16));
    return { id, place, rules: this.shapes[this.shape_of[place]], visits: this.visitsAt(place) };
  }

  ticket(idHex) {
    const place = find(this.ids, 16, bytesOf(idHex));
    return place < 0 ? null : this.ticketAt(place);
  }

  // {ticket, state} of a code's hash, or null.
  code(hash) {
    const at = find(this.code_hashes, HASH_LENGTH, hash);
    if (at < 0) return null;
    const ticket = this.ticketAt(this.code_tickets[at]);
    return { ticket, state: this.code_states[at] };
  }

  // Who the ticket is for: [name, company, seat, flags, notes, language], or null without
  // the key of the shift that sealed this package.
  async person(place, keyId, key) {
    const wanted = Math.floor(place / NAMES_PER_BLOCK);
    const view = new DataView(this.names.buffer, this.names.byteOffset, this.names.length);
    let at = 0;
    for (let block = 0; block < wanted; block += 1) at += 4 + view.getUint32(at, true);
    const sealed = this.names.slice(at + 4, at + 4 + view.getUint32(at, true));
    const additionalData = bytesOf(keyId.replaceAll("-", ""));
    const opening = { name: "AES-GCM", iv: sealed.slice(0, 12), additionalData };
    const plain = await crypto.subtle.decrypt(opening, key, sealed.slice(12));
    return json(await inflate(new Uint8Array(plain)))[place % NAMES_PER_BLOCK];
  }

  visitsAt(place) {
    const v = this.visits;
    const found = {};
    let at = lowerBound(v.ticket.length, (one) => v.ticket[one] < place);
    for (; at < v.ticket.length && v.ticket[at] === place; at += 1) {
      found[`${v.scope_no[at]}.${v.person_no[at]}`] = {
        pass_no: v.pass_no[at],
        phase: v.state[at] & 3,
        confirmed: (v.state[at] & 4) !== 0,
        undone: v.state[at] >> 3,
        entered_ms: v.entered_s[at] * 1000,
        gate_no: v.gate_no[at],
        device_no: v.device_no[at],
        left_ms: v.left_s[at] * 1000,
        day: v.day[at],
        day_used: v.day_used[at],
      };
    }
    return found;
  }
}

// A whole package and the deltas after it: the newest word about each ticket.
export class Tickets {
  constructor(whole) {
    this.head = whole.head;
    this.plan = whole.sections.plan;
    this.items = whole.sections.items;
    this.parts = [new Columns(whole)];
    this.gone = new Set();
    this.leases = new Set(
      [...whole.sections.leases].map((at) => this.parts[0].ticketAt(at).id),
    );
  }

  add(delta) {
    this.head = { ...this.head, ...delta.head };
    this.plan = delta.sections.plan;
    this.items = delta.sections.items;
    const { gone, leases_held: held, leases_ended: ended, ids } = delta.sections;
    const each = (bytes, what) => {
      for (let at = 0; at < bytes.length; at += 16) what(hex(bytes.slice(at, at + 16)));
    };
    each(ids, (id) => this.gone.delete(id));
    each(gone, (id) => this.gone.add(id));
    each(held, (id) => this.leases.add(id));
    each(ended, (id) => this.leases.delete(id));
    if (ids.length) this.parts.push(new Columns(delta));
  }

  // The newest row of a ticket; its codes are those of the same row.
  ticket(idHex) {
    if (this.gone.has(idHex)) return null;
    for (let at = this.parts.length - 1; at >= 0; at -= 1) {
      const found = this.parts[at].ticket(idHex);
      if (found) return { ...found, part: at };
    }
    return null;
  }

  code(hash) {
    for (let at = this.parts.length - 1; at >= 0; at -= 1) {
      const found = this.parts[at].code(hash);
      if (!found) continue;
      const newest = this.ticket(found.ticket.id);
      // A later row of the ticket that has not this code any more: it is dead.
      if (newest === null) return null;
      return { ticket: newest, state: newest.part > at ? 1 : found.state };
    }
    return null;
  }
}
