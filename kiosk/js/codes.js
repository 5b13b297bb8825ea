// What a text is, as scanned or typed: ops/checkin/codes.py for a device. Pure.

const CANONICAL = /^[I-P][A-Z2-7]{130}[AQ]$/;
const ADDRESS = /^https?:\/\/[^/\s]+\/t\/([^/?#]*)(?:[/?#].*)?$/i;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const TEXT_LENGTH_MAX = 512;
const CONTEXT = new TextEncoder().encode("event-day-ops/ticket-code/1\0");

// {kind: "own" | "foreign" | "malformed", text, raw}
export function readCode(given) {
  if (given.length > TEXT_LENGTH_MAX) return { kind: "malformed" };
  const exact = given.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (!exact) return { kind: "malformed" };
  const spelled = ADDRESS.exec(exact)?.[1] ?? exact;
  const text = spelled.replace(/[\s-]+/g, "").toUpperCase();
  if (CANONICAL.test(text)) return { kind: "own", text, raw: decode(text) };
  if ([...exact].some((letter) => letter < " " || (letter >= "\x7f" && letter <= "\x9f"))) {
    return { kind: "malformed" };
  }
  if (/^(BEGIN:VCARD|MECARD:|BEGIN:VCALENDAR|WIFI:)/i.test(exact)) return { kind: "malformed" };
  return { kind: "foreign", text: exact };
}

function decode(text) {
  const raw = new Uint8Array(82);
  let [bits, value, at] = [0, 0, 0];
  for (const letter of text) {
    value = ((value << 5) | BASE32.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits >= 8 && at < raw.length) {
      bits -= 8;
      raw[at] = (value >> bits) & 0xff;
      at += 1;
    }
  }
  return raw;
}

export async function hashOf(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).slice(0, 12);
}

// The one form of an NFC tag's UID, whatever reader spelled it; null: it is none.
export function uidOf(text) {
  const found = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "").toUpperCase();
  if (!/^[0-9A-F]{2}(?:([:\-. ]?)[0-9A-F]{2})(?:\1[0-9A-F]{2})+$/.test(found)) return null;
  const digits = found.replace(/[^0-9A-F]/g, "");
  return [8, 14, 20].includes(digits.length) ? digits : null;
}

// What `find` says of a code: by the exact text, else by the tag that it may be.
export async function lookUp(text, find) {
  const found = find(await hashOf(text));
  const digits = found ? null : uidOf(text);
  return digits ? find(await hashOf(`nfc-uid/${digits}`)) : found;
}

export const keyIdOf = (raw) => raw[0] & 63;
export const ticketIdOf = (raw) => raw.slice(1, 17);
export const signedPart = (raw) => new Uint8Array([...CONTEXT, ...raw.slice(0, 18)]);
export const signatureOf = (raw) => raw.slice(18);
