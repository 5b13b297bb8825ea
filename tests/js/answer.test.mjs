import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { ageCheck, whole } from "/scan/js/engine/questions.js";
import { decision } from "/scan/js/engine/outcome.js";
import { loadLanguage } from "/lib/i18n.js";
import { answerOf } from "/scan/js/answer.js";
import { keyOf, missing, wordsOf } from "/scan/js/question-rules.js";

const CATALOGUE = new URL("../../web/i18n/", import.meta.url);
const scan = { id: "1", body: { method: "qr_code", door: { at: "2026-06-12T20:00:00Z" } } };
const around = { plan: { typesByNo: new Map() }, found: { facts: { ticket: null } }, person: null, zone: "UTC", hint: "" };
const answer = (fields) => answerOf(scan, decision({ verdict: "hold", ...fields }), around);

test.before(async () => {
  globalThis.fetch = async (path) => ({
    json: async () => JSON.parse(readFileSync(new URL(path.split("/").at(-1), CATALOGUE), "utf-8")),
  });
  globalThis.document = { documentElement: { lang: "en" } };
  await loadLanguage("en");
});

test("a device by itself asks for the age of the rule, in the question as in the message", () => {
  const made = answer({ reason: "id_check", args: { years: 19 }, questions: [ageCheck(19)] });
  assert.equal(made.message, "Check the photo ID: 19 or over?");
  const [question] = made.questions;
  assert.equal(wordsOf(question.text, "en"), "ID seen, 19 or over?");
  assert.equal(keyOf(question), "age");
});

test("a device by itself shows the questions that it waits for", () => {
  const meal = whole({ id: "m", no: 1, kind: "yes_no", text: { en: "Vegan?", fr: "Végane ?" } });
  const { questions } = answer({ reason: "needs_answers", args: { count: 1 }, questions: [meal] });
  assert.deepEqual(missing(questions, {}).map(keyOf), ["m"]);
  assert.equal(wordsOf(questions[0].text, "fr"), "Végane ?");
});

test("an answer that asks nothing has no questions", () => {
  assert.deepEqual(answer({ verdict: "admitted", reason: "ok" }).questions, []);
});
