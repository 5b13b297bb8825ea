// What a steward asks before the door opens: questions with their kinds, and the age
// check by yes or no. Which answers are missing is pure and tested.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { language } from "/lib/i18n.js";
import { answersOf, keyOf, missing, wordsOf } from "/scan/js/question-rules.js";

const given = signal({});

function Field({ question, at }) {
  const key = keyOf(question);
  const id = `question-${at}`;
  const set = (value) => {
    given.value = { ...given.value, [key]: value };
  };
  const label = html`<span>${wordsOf(question.text ?? question.label, language.value)}${question.required === false ? "" : " *"}</span>`;
  switch (question.kind) {
    case "yes_no":
      return html`<fieldset class="ask">
        <legend>${label}</legend>
        <div class="ask-two">
          ${[true, false].map(
            (value) => html`<button type="button" key=${value} class="choice" aria-pressed=${given.value[key] === value} onClick=${() => set(value)}>
              ${t(value ? "page.all.yes" : "page.all.no")}
            </button>`,
          )}
        </div>
      </fieldset>`;
    case "choice":
      return html`<fieldset class="ask">
        <legend>${label}</legend>
        <div class="ask-many">
          ${(question.options ?? []).map(
            (option) => html`<button
              type="button"
              key=${option.value}
              class="choice"
              aria-pressed=${given.value[key] === option.value}
              onClick=${() => set(option.value)}
            >
              ${wordsOf(option.text, language.value) || option.value}
            </button>`,
          )}
        </div>
      </fieldset>`;
    default:
      return html`<div class="ask">
        <label for=${id}>${label}</label>
        <input
          class="input"
          id=${id}
          type=${{ number: "number", date: "date" }[question.kind] ?? "text"}
          inputmode=${question.kind === "number" ? "decimal" : undefined}
          maxlength="500"
          onInput=${(event) => set(event.currentTarget.value)}
        />
      </div>`;
  }
}

// Inside the verdict: touches here answer, they do not send it away.
export function Questions({ view, choose }) {
  const questions = view.answer.questions ?? view.answer.choices ?? [];
  useEffect(() => {
    given.value = {};
  }, [view.id]);
  const left = missing(questions, given.value);
  return html`<form
    class="asks"
    onClick=${(event) => event.stopPropagation()}
    onSubmit=${(event) => {
      event.preventDefault();
      if (left.length === 0) choose({ answers: answersOf(questions, given.value) });
    }}
  >
    ${questions.map((question, at) => html`<${Field} key=${keyOf(question)} question=${question} at=${at} />`)}
    <button class="choice send" type="submit" disabled=${left.length > 0}>
      ${t(left.length > 0 ? "page.scan.ask.missing" : "page.scan.ask.send", { n: left.length })}
    </button>
  </form>`;
}

export function IdCheck({ view, choose }) {
  const years = view.answer.min_age ?? "";
  const asked = view.answer.questions?.[0]?.text ?? t("page.scan.ask.id", { years });
  return html`<div class="asks" onClick=${(event) => event.stopPropagation()}>
    <p class="verdict-say">${asked}</p>
    <div class="ask-two">
      ${[true, false].map(
        (age) => html`<button type="button" class="choice" key=${age} onClick=${() => choose({ answers: { age } })}>
          ${t(age ? "page.all.yes" : "page.all.no")}
        </button>`,
      )}
    </div>
  </div>`;
}
