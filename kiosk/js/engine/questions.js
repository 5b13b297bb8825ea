// Questions at the door: ops/admission/questions.py in JavaScript.

export const AGE = "age";
const TEXT_LENGTH_MAX = 500;

export const keyOf = (question) => question.id ?? AGE;

export function ageCheck(years) {
  return { ...BLANK, id: null, no: 0, kind: "yes_no", years };
}

const BLANK = {
  text: {},
  required: true,
  every_time: false,
  options: [],
  minimum: null,
  maximum: null,
  scope_id: null,
  ticket_type_id: null,
  access_class: null,
  years: 0,
};

export const whole = (question) => ({ ...BLANK, ...question });

// The answer as it is stored; null if it is none.
export function accepted(question, value) {
  switch (question.kind) {
    case "yes_no":
      return typeof value === "boolean" ? value : null;
    case "number":
      return number(question, value);
    case "text": {
      const text = typeof value === "string" ? value.trim() : "";
      const fits = text.length > 0 && [...text].length <= TEXT_LENGTH_MAX;
      return fits && !text.includes("\0") ? text : null;
    }
    case "choice":
      return question.options.some((option) => option.value === value) ? value : null;
    case "date":
      return isDate(value) ? value : null;
    default:
      return null;
  }
}

function number(question, value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  const low = question.minimum ?? -Infinity;
  const high = question.maximum ?? Infinity;
  return low <= value && value <= high ? value : null;
}

function isDate(value) {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  const at = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(value);
}

// What is still open, and what was answered now.
export function settle(questions, answers, answered) {
  const open = [];
  const given = [];
  for (const question of questions) {
    const known = answered.includes(question.no) && !question.every_time;
    const said = answers === null ? null : (answers[keyOf(question)] ?? null);
    const value = said === null ? null : accepted(question, said);
    if (value !== null) given.push({ question_id: question.id, value, years: 0 });
    else if (!known && (answers === null || question.required || said !== null)) open.push(question);
  }
  return { open, given };
}
