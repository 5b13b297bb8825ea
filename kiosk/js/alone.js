// What the device does without the server: decides by its package, keeps what it did, and
// spends what it was allowed. Everything it promises is kept before it is said.
import { keyIdOf, lookUp, readCode, signatureOf, signedPart, ticketIdOf } from "/scan/js/codes.js";
import { give, givenKey } from "/scan/js/giving.js";
import { decide, full } from "/scan/js/engine/decision.js";
import { say } from "/scan/js/engine/outcome.js";
import { Plan } from "/scan/js/engine/plan.js";
import { CLOSED, OPEN } from "/scan/js/engine/presence.js";
import { hex, open, Tickets, uuidOf, verify } from "/scan/js/package.js";
import { namesKey } from "/scan/js/vault.js";
import { left, settled, takenBy } from "/scan/js/shares.js";

const DELTAS_MAX = 60;
const NOTHING = { visits: {}, used: [], returned: [], spent: 0, admitted: 0, exited: 0, turned_away: 0, taken: [], given: {} };

export class Alone {
  // store: fact(key), keep(key, value), strict; scans(): those that wait for the server.
  // bytes(path) -> {status, buffer}. unsent(): ids of redemptions that wait as well.
  constructor({ store, bytes, eventId, unsent = async () => [] }) {
    Object.assign(this, { store, bytes, unsent });
    this.path = `/api/v1/events/${eventId}/offline-package`;
    this.tickets = null;
    this.names = null;
    this.turn = Promise.resolve();
  }

  async load() {
    this.done = { ...NOTHING, ...((await this.store.fact("alone")) ?? {}) };
    this.parts = (await this.store.fact("package")) ?? [];
    this.keys = (await this.store.fact("package_keys")) ?? null;
    for (const part of this.parts) await this.take(part);
  }

  get head() {
    return this.tickets?.head ?? null;
  }

  async take(buffer) {
    const part = await open(buffer, this.keys);
    if (part.head.kind === "full") this.tickets = new Tickets(part);
    else this.tickets.add(part);
    this.plan = new Plan(this.tickets.plan);
    return part;
  }

  // Asks for what has changed; a new whole one after many deltas. True if there is news.
  async refresh() {
    const since = this.head && this.parts.length < DELTAS_MAX ? this.head.cursor : null;
    const query = since ? `?since=${encodeURIComponent(since)}` : "";
    const told = await this.told();
    const { status, buffer } = await this.bytes(this.path + query);
    if (status !== 200) return false;
    const { head } = await this.take(buffer);
    await this.settle(told);
    this.parts = head.kind === "full" ? [buffer] : [...this.parts, buffer];
    this.keys = { ...this.keys, ...Object.fromEntries(head.keys) };
    await this.store.keep("package_keys", this.keys);
    await this.store.keep("package", this.parts);
    return true;
  }

  // What this device took alone and has told the server: the next package counts it.
  async told() {
    const waiting = new Set([...(await this.store.scans()).map(({ id }) => id), ...(await this.unsent())]);
    return this.done.taken.map(({ id }) => id).filter((id) => !waiting.has(id));
  }

  settle(told) {
    return this.inTurn(async () => {
      if (!told.length) return;
      const done = { ...this.done, taken: settled(this.done.taken, told) };
      await this.store.keep("alone", done);
      this.done = done;
    });
  }

  // The admission, or that this device's share of a limit on its way has no room for it.
  withinShares(ask, made) {
    const { mode, shares } = this.head;
    if (mode === "open" || !shares || made.verdict !== "admitted") return made;
    let fits = null;
    for (const [id, people] of Object.entries(takenBy(this.plan, made))) {
      const room = left(shares[id] ?? 0, this.done.taken, id);
      if (people > room) fits = Math.min(fits ?? room, Math.max(0, room));
    }
    return fits === null ? made : full(ask, made, this.plan, fits);
  }

  // The facts of a code: the newest of what the server told and what was done here.
  async facts(body, context) {
    const reading = body.method === "manual" && isId(body.code)
      ? { kind: "ticket", text: body.code }
      : readCode(body.code);
    let found = null;
    if (reading.kind === "ticket") {
      const ticket = this.tickets.ticket(reading.text.replaceAll("-", "").toLowerCase());
      found = ticket && { ticket, state: 0 };
    } else if (reading.text) found = await lookUp(reading.text, (hash) => this.tickets.code(hash));
    const facts = {
      device: { no: this.head.device.no, operator_role: context.role },
      code_state: found?.state ?? 0,
      ticket: found && { ...found.ticket.rules, name: "" },
      visits: found ? this.visits(found.ticket) : {},
      other_event: null,
      device_names: {},
      people: null,
    };
    let id = found?.ticket.id ?? null;
    let forged = false;
    if (!found && reading.kind === "own") {
      forged = !(await this.genuine(reading.raw));
      if (!forged) {
        // Sold after the download: its signature is the ticket.
        id = hex(ticketIdOf(reading.raw));
        facts.ticket = this.unknownTicket(context);
        facts.visits = this.done.visits[id] ?? {};
      }
    }
    return { facts, id, kind: reading.kind, forged };
  }

  async genuine(raw) {
    const key = this.keys?.[keyIdOf(raw)];
    return Boolean(key) && verify(key, signedPart(raw), signatureOf(raw));
  }

  // A ticket of which only the signature is known: of a type that may enter here.
  unknownTicket({ gate, atMs }) {
    const scope = gate && this.plan.ownScope(gate.area_id);
    const kind = [...this.plan.typesByNo.values()].find(
      (type) => scope && this.plan.terms(scope, type, type.access_class ?? "guest", atMs).allowed,
    );
    return {
      admits: 1,
      state: "valid",
      type_no: kind?.no ?? 0,
      access_class: kind?.access_class ?? "guest",
      valid_from_ms: 0,
      valid_to_ms: 0,
      registered: [],
      name: "",
    };
  }

  visits(ticket) {
    const made = { ...ticket.visits };
    for (const [key, mine] of Object.entries(this.done.visits[ticket.id] ?? {})) {
      const theirs = made[key];
      const rank = (visit) => visit.pass_no * 4 + visit.phase;
      if (!theirs || rank(mine) >= rank(theirs)) made[key] = mine;
    }
    return made;
  }

  ask(body, context, found) {
    return {
      scan: body,
      direction: body.direction,
      gate: context.gate && (this.plan.gates.get(context.gate.id) ?? null),
      at_ms: context.atMs,
      code_kind: found.kind,
      forged: () => found.forged,
      profile: this.head.device.profile,
    };
  }

  // One after the other: two readings of one ticket must not see the same past.
  async inTurn(work) {
    const mine = this.turn.then(work, work);
    this.turn = mine.catch(() => {});
    return mine;
  }

  // The device's own verdict, kept before it is given: {made, door, found}; null without a
  // package. context: {gate, role, atMs, scanId}.
  decide(body, context) {
    return this.inTurn(async () => {
      if (!this.tickets) return null;
      const found = await this.facts(body, context);
      const ask = this.ask(body, context, found);
      let made = this.withinShares(ask, decide(this.plan, ask, found.facts));
      let lease = null;
      if (made.verdict === "admitted") {
        const allowed = this.allowed(found.id);
        if (!allowed) made = say("other_door", ask, made.scope);
        else lease = allowed === "lease" ? "held" : null;
      }
      await this.note(made, found, context, lease, true);
      const door = {
        verdict: made.verdict,
        reason: made.reason,
        at: new Date(context.atMs).toISOString(),
        package: this.head.cursor,
        lease,
        people: made.people,
        gate_id: context.gate?.id ?? null,
      };
      return { made, door, found };
    });
  }

  // "lease", "budget" or "": strict admits leases alone, bounded a budget beside them.
  allowed(id) {
    const { mode, granted } = this.head;
    if (id && this.tickets.leases.has(id) && !this.done.used.includes(id)) return "lease";
    if (mode === "open") return "budget";
    return mode === "bounded" && this.done.spent < granted ? "budget" : "";
  }

  // Units of an item without the server: kept before they are handed out. asked: {code,
  // itemId, quantity, atMs, idSeen, id}; null without a package.
  giveUnits(asked) {
    return this.inTurn(async () => {
      if (!this.tickets) return null;
      const reading = readCode(asked.code);
      const found = reading.text ? await lookUp(reading.text, (hash) => this.tickets.code(hash)) : null;
      const known = {
        items: this.tickets.items,
        shares: this.head.shares ?? {},
        taken: this.done.taken,
        given: this.done.given,
      };
      const made = give(known, found, asked);
      if (made.verdict === "redeemed") {
        await this.noteUnits(found.ticket.id, asked, true);
      }
      return { ...made, ticketId: found?.ticket.id ?? null };
    });
  }

  // What the server let this device hand out.
  rememberUnits(ticketId, asked) {
    return this.inTurn(() => this.noteUnits(ticketId.replaceAll("-", ""), asked, false));
  }

  async noteUnits(ticketId, { id, itemId, quantity }, alone) {
    const key = givenKey(ticketId, itemId);
    const given = { ...this.done.given, [key]: (this.done.given[key] ?? 0) + quantity };
    const done = { ...this.done, given };
    if (alone) done.taken = [...done.taken, { id, places: { [itemId]: quantity } }];
    await this.store.keep("alone", done);
    this.done = done;
  }

  // What the server let in or out is known here as well, for the time without it.
  remember(body, context) {
    return this.inTurn(async () => {
      if (!this.tickets) return;
      const found = await this.facts(body, context);
      if (found.facts.ticket === null) return;
      const made = decide(this.plan, this.ask(body, context, found), found.facts);
      if (made.verdict === body.expected) await this.note(made, found, context, "held", false);
    });
  }

  async note(made, found, context, lease, alone) {
    const done = { ...this.done };
    const entered = made.verdict === "admitted";
    if (entered && found.id && this.tickets.leases.has(found.id)) done.used = [...done.used, found.id];
    if (alone) {
      if (entered && !lease) done.spent += 1;
      if (entered) done.admitted += 1;
      else if (made.verdict === "exited") done.exited += 1;
      else done.turned_away += 1;
      const places = takenBy(this.plan, made);
      if (Object.keys(places).length) done.taken = [...done.taken, { id: context.scanId, places }];
    }
    if (found.id && (made.opens.length || made.closes.length)) {
      const visits = { ...this.visitsOf(found) };
      for (const { scope, person_no } of made.closes) {
        const key = `${scope.no}.${person_no}`;
        if (visits[key]?.phase === OPEN) {
          visits[key] = { ...visits[key], phase: CLOSED, left_ms: context.atMs };
        }
      }
      for (const { scope, person_no, pass_no, undone, day, day_used } of made.opens) {
        visits[`${scope.no}.${person_no}`] = {
          pass_no,
          phase: OPEN,
          confirmed: true,
          undone,
          entered_ms: context.atMs,
          gate_no: (context.gate && this.plan.gates.get(context.gate.id)?.no) ?? 0,
          device_no: this.head.device.no,
          left_ms: 0,
          scan_id: context.scanId,
          day,
          day_used,
        };
      }
      done.visits = { ...done.visits, [found.id]: visits };
    }
    await this.store.keep("alone", done);
    this.done = done;
  }

  visitsOf(found) {
    const ticket = this.tickets.ticket(found.id);
    return ticket ? this.visits(ticket) : (this.done.visits[found.id] ?? {});
  }

  // The server asks for a ticket's lease: kept first, then said. What was given back is not
  // used here any more (`used`), and `returned` tells it from what was used for an entry.
  giveBack(ticketId) {
    return this.inTurn(async () => {
      const id = ticketId.replaceAll("-", "");
      // Asked again it says the same: the word may have been lost on its way.
      const used = this.done.used.includes(id) && !this.done.returned.includes(id);
      if (!used && !this.done.returned.includes(id)) {
        const done = { ...this.done, used: [...this.done.used, id], returned: [...this.done.returned, id] };
        await this.store.keep("alone", done);
        this.done = done;
      }
      return { ticket_id: uuidOf(Uint8Array.from(id.match(/../g), (pair) => parseInt(pair, 16))), state: used ? "used" : "released" };
    });
  }

  // The key of a shift opens the names while somebody is signed on. Here it is in memory
  // and cannot be taken out again; over a reload it lies in the vault.
  async unlock(given) {
    this.names = await namesKey(given);
  }

  forgetNames() {
    this.names = null;
  }

  // {name, company, seat, notes} of a ticket; null without the key.
  async person(found) {
    const ticket = found.id && this.tickets.ticket(found.id);
    if (!ticket || !this.names || Date.now() >= this.names.untilMs) return null;
    const part = this.tickets.parts[ticket.part];
    if (part.namesKey !== this.names.id) return null;
    const [name, company, seat, , notes] = await part.person(ticket.place, this.names.id, this.names.key);
    return { name, company, seat, notes };
  }

  counts(waiting) {
    const { admitted, exited, turned_away } = this.done;
    return { admitted, exited, turned_away, waiting };
  }
}

function isId(text) {
  return /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(text);
}
