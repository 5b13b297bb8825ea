// The key to the names across a reload, behind the PIN of whoever is signed on (core.md
// item 30). What lies in the store is the shift's key, sealed twice: by the PIN, and by a
// key of this device that cannot be read out. It is gone at the end of the shift, on
// signing off, on a lock, and after ten wrong PINs; each try is counted before it is made.

export const WRONG_MAX = 10;
const ROUNDS = 310_000;
const FACT = "vault";
const text = new TextEncoder();

const random = (length) => crypto.getRandomValues(new Uint8Array(length));

async function sealedBy(key, plain) {
  const iv = random(12);
  return { iv, body: new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain)) };
}

const openedBy = async (key, { iv, body }) =>
  new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, body));

async function keyOf(pin, salt, rounds) {
  const raw = await crypto.subtle.importKey("raw", text.encode(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds };
  return crypto.subtle.deriveKey(how, raw, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

// Names are opened with this, and nothing else: the bytes cannot be taken out again.
export async function namesKey({ id, key, valid_until: until }) {
  const raw = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0));
  const made = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
  raw.fill(0);
  return { id, key: made, untilMs: Date.parse(until) };
}

export class Vault {
  // store: fact(key), keep(key, value) with null for nothing, strict.
  constructor({ store, rounds = ROUNDS, now = Date.now }) {
    Object.assign(this, { store, rounds, now });
    this.behind = null;
    this.turn = Promise.resolve();
  }

  inTurn(work) {
    const mine = this.turn.then(work, work);
    this.turn = mine.catch(() => {});
    return mine;
  }

  // Somebody signed on with this PIN: what is kept from now on lies behind it. The PIN
  // itself is not kept.
  hold(pin) {
    return this.inTurn(async () => {
      const salt = random(16);
      this.behind = { salt, key: await keyOf(pin, salt, this.rounds) };
    });
  }

  // The shift's key as the server gave it; without a PIN in hand nothing is kept.
  keep(given) {
    return this.inTurn(async () => {
      if (!this.behind) return;
      const device = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
      const inner = await sealedBy(this.behind.key, text.encode(JSON.stringify(given)));
      const outer = await sealedBy(device, inner.body);
      await this.store.keep(FACT, {
        device,
        outer,
        iv: inner.iv,
        salt: this.behind.salt,
        rounds: this.rounds,
        untilMs: Date.parse(given.valid_until),
        wrong: 0,
      });
    });
  }

  async kept() {
    const vault = await this.store.fact(FACT);
    if (vault && this.now() < vault.untilMs) return vault;
    if (vault) await this.drop();
    return null;
  }

  // {names} by the right PIN; {left: n} tries after a wrong one; {gone: true} if there is
  // nothing to open.
  open(pin) {
    return this.inTurn(async () => {
      const vault = await this.kept();
      if (!vault) return { gone: true };
      const counted = { ...vault, wrong: vault.wrong + 1 };
      await this.store.keep(FACT, counted);
      const key = await keyOf(pin, vault.salt, vault.rounds);
      try {
        const body = await openedBy(vault.device, vault.outer);
        const given = JSON.parse(new TextDecoder().decode(await openedBy(key, { iv: vault.iv, body })));
        await this.store.keep(FACT, { ...vault, wrong: 0 });
        this.behind = { salt: vault.salt, key };
        return { names: await namesKey(given) };
      } catch {
        return this.after(counted);
      }
    });
  }

  // The server said that a PIN was wrong: it counts like one that was tried here.
  wrong() {
    return this.inTurn(async () => {
      const vault = await this.kept();
      if (!vault) return { gone: true };
      const counted = { ...vault, wrong: vault.wrong + 1 };
      await this.store.keep(FACT, counted);
      return this.after(counted);
    });
  }

  async after({ wrong }) {
    if (wrong < WRONG_MAX) return { left: WRONG_MAX - wrong };
    await this.drop();
    return { gone: true };
  }

  // Seals what must be read after a reload behind the same PIN; null without a PIN in
  // hand: then it is not kept.
  seal(value) {
    return this.inTurn(async () => {
      if (!this.behind) return null;
      const device = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
      const inner = await sealedBy(this.behind.key, text.encode(JSON.stringify(value)));
      const outer = await sealedBy(device, inner.body);
      return { device, outer, iv: inner.iv, salt: this.behind.salt };
    });
  }

  // What was sealed; null where the PIN in hand is not the one that it lies behind.
  unseal(sealed) {
    return this.inTurn(async () => {
      if (!this.behind || !sealed) return null;
      try {
        const body = await openedBy(sealed.device, sealed.outer);
        const plain = await openedBy(this.behind.key, { iv: sealed.iv, body });
        return JSON.parse(new TextDecoder().decode(plain));
      } catch {
        return null;
      }
    });
  }

  forget() {
    return this.inTurn(() => this.drop());
  }

  async drop() {
    this.behind = null;
    await this.store.keep(FACT, null);
  }
}
