// Questions at the door, without a view: names, words, and what is still missing.

export function keyOf(question) {
  return question.key ?? question.id ?? "age";
}

// A text by language, or a text: the reader's language, else English, else any.
export function wordsOf(text, language) {
  if (!text || typeof text === "string") return text ?? "";
  return text[language] ?? text.en ?? Object.values(text)[0] ?? "";
}

function valueOf(question, value) {
  if (value === undefined || value === "") return undefined;
  if (question.kind === "number") {
    const number = Number(value);
    return Number.isFinite(number) ? number : undefined;
  }
  return typeof value === "string" ? value.trim() || undefined : value;
}

// What a scan carries: each given answer under its key, in the type of its question.
export function answersOf(questions, given) {
  const found = {};
  for (const question of questions) {
    const value = valueOf(question, given[keyOf(question)]);
    if (value !== undefined) found[keyOf(question)] = value;
  }
  return found;
}

export function missing(questions, given) {
  return questions.filter(
    (question) => question.required !== false && valueOf(question, given[keyOf(question)]) === undefined,
  );
}
