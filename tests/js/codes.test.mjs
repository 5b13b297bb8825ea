// What a text is, on the device: NFC tags have one UID, sellers' codes are exact.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { hashOf, lookUp, uidOf } from "/scan/js/codes.js";

const UIDS = JSON.parse(readFileSync(new URL("../contract/uids.json", import.meta.url), "utf8"));
const hex = (bytes) => Buffer.from(bytes).toString("hex");

test("a tag has one UID, whatever reader spelled it", () => {
  for (const [text, wanted] of UIDS) assert.equal(uidOf(text), wanted, JSON.stringify(text));
});

test("every spelling finds the tag, and a seller's code stays exact", async () => {
  const known = new Map([
    [hex(await hashOf("nfc-uid/04A2B9C1D2E380")), "band"],
    [hex(await hashOf("DEADBEEF")), "ticket"],
  ]);
  const find = (hash) => known.get(hex(hash)) ?? null;
  for (const text of ["04A2B9C1D2E380", "04:a2:b9:c1:d2:e3:80", "04 A2 B9 C1 D2 E3 80"]) {
    assert.equal(await lookUp(text, find), "band");
  }
  assert.equal(await lookUp("DEADBEEF", find), "ticket");
  assert.equal(await lookUp("deadbeef", find), null, "another code");
  assert.equal(await lookUp("04A2B9C1D2E381", find), null);
});
