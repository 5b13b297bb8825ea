import assert from "node:assert/strict";
import test from "node:test";
import { EMPTY, correctionOf, draftOf, formOf, recallableS, segmentsOf, unfinished } from "/js/announcements/draft.js";

const WORDS = { en: { title: " Doors open ", content: "Come in." }, fr: { title: "Ouvert", content: "Entrez." } };

test("only what narrows is sent", () => {
  assert.deepEqual(segmentsOf(EMPTY), {});
  const form = { ...EMPTY, checkedIn: "no", flags: " press, ,vip ", sessions: ["s"], sessionState: "waitlist" };
  assert.deepEqual(segmentsOf(form), {
    checked_in: false,
    flags: ["press", "vip"],
    session_ids: ["s"],
    session_state: "waitlist",
  });
});

test("staff are devices, of some gates or all, and of nothing else", () => {
  const form = { ...EMPTY, who: "staff", areas: ["a"], methods: ["email"], chain: true };
  assert.deepEqual(segmentsOf(form), { devices: true });
  assert.deepEqual(segmentsOf({ ...form, gates: ["g"] }), { devices: true, gate_ids: ["g"] });
  const draft = draftOf({ ...form, words: WORDS });
  assert.deepEqual([draft.delivery_method, draft.chain], [["in_app"], false]);
});

test("each language is kept, and the event's first is the announcement's own", () => {
  const draft = draftOf({ ...EMPTY, words: WORDS }, "fr");
  assert.equal(draft.title, "Ouvert");
  assert.deepEqual(draft.translations.en, { title: "Doors open", content: "Come in." });
  const one = draftOf({ ...EMPTY, words: { ...WORDS, fr: { title: "", content: " " } } }, "fr");
  assert.equal(one.title, "Doors open");
  assert.deepEqual(Object.keys(one.translations), ["en"]);
});

test("what was kept makes the same draft again", () => {
  const form = { ...EMPTY, words: WORDS, checkedIn: "yes", types: ["t"], priority: "high", methods: ["email"], chain: true };
  const draft = draftOf(form);
  assert.deepEqual(draftOf(formOf(draft)), draft);
});

test("a correction names what it corrects and keeps whom it is for", () => {
  const form = correctionOf({ ...draftOf({ ...EMPTY, words: WORDS, audience: "vip" }), id: "x" });
  assert.equal(draftOf(form).corrects_id, "x");
  assert.equal(draftOf(form).target_audience, "vip");
});

test("a language that was begun must be finished", () => {
  assert.deepEqual(unfinished({ ...EMPTY, words: WORDS }), []);
  assert.deepEqual(unfinished({ ...EMPTY, words: { ...WORDS, fr: { title: "Ouvert", content: "" } } }), ["fr"]);
  assert.deepEqual(unfinished(EMPTY), ["en"]);
});

test("it can be taken back until its time", () => {
  const line = { status: "scheduled", scheduled_for: "2026-11-22T18:00:10Z" };
  const at = Date.parse("2026-11-22T18:00:00.200Z");
  assert.equal(recallableS(line, at), 10);
  assert.equal(recallableS(line, at + 60_000), 0);
  assert.equal(recallableS({ ...line, status: "sent" }, at), 0);
});
