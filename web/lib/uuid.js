// UUIDv7 made here: a scan has its id before any server knows of it.

let last = 0;
let counter = 0;

// Ids of one page sort by the moment they were made, also within one millisecond.
export function uuid7(nowMs = Date.now(), random = crypto.getRandomValues(new Uint8Array(10))) {
  if (nowMs > last) {
    last = nowMs;
    counter = ((random[0] & 0x07) << 8) | random[1];
  } else {
    counter += 1;
    if (counter > 0xfff) {
      last += 1;
      counter = 0;
    }
  }
  const bytes = new Uint8Array(16);
  for (let i = 0, rest = last; i < 6; i += 1, rest = Math.floor(rest / 256)) {
    bytes[5 - i] = rest % 256;
  }
  bytes[6] = 0x70 | (counter >> 8);
  bytes[7] = counter & 0xff;
  bytes.set(random.subarray(2, 10), 8);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
