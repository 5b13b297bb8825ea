// When is a code in the picture a new reading? Pure: moments are arguments.

// A code counts again only after it left the picture for this long.
export const AWAY_MS = 2_000;
const REMEMBERED_MAX = 50;

export class Reader {
  constructor() {
    this.seenAt = new Map();
  }

  // The code was in the frame at `nowMs`; returns whether this is a new reading.
  see(code, nowMs) {
    const before = this.seenAt.get(code);
    this.seenAt.delete(code);
    this.seenAt.set(code, nowMs);
    if (this.seenAt.size > REMEMBERED_MAX) {
      this.seenAt.delete(this.seenAt.keys().next().value);
    }
    return before === undefined || nowMs - before > AWAY_MS;
  }

  // A reading that could not be taken up may be offered again with the next frame.
  forget(code) {
    this.seenAt.delete(code);
  }
}
