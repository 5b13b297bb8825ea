// A scanner that types. Pure: keys and their moments in, a code out.
//
// It types what the code says, control characters included, faster than a person can.
// Only printable ASCII counts; a burst ended by Enter is a code; anything slower is a
// person at a keyboard and none of our business.

// Bluetooth scanners pause up to 50 ms between keys; a busy phone adds its own.
export const GAP_MS = 100;
export const LENGTH_MIN = 4;
export const LENGTH_MAX = 1_024;
const PRINTABLE = /^[\x20-\x7e]$/;

export class Wedge {
  constructor() {
    this.text = "";
    this.lastMs = -Infinity;
  }

  // Returns {code} when a burst ends, {inBurst} otherwise.
  key(key, atMs) {
    if (key === "Shift" || key === "CapsLock") return { inBurst: this.text.length > 1 };
    if (atMs - this.lastMs > GAP_MS) this.text = "";
    this.lastMs = atMs;
    if (key === "Enter") {
      const code = this.text.trim();
      this.text = "";
      return code.length >= LENGTH_MIN ? { code, inBurst: true } : { inBurst: false };
    }
    if (PRINTABLE.test(key) && this.text.length < LENGTH_MAX) this.text += key;
    return { inBurst: this.text.length > 1 };
  }
}
