// What stewards ask at the door: the list in its order, and a dialog with the words in each
// language of the event.
import { html, signal, useEffect, useRef, useState } from "/lib/ui.js";
import { language, t } from "/lib/i18n.js";
import { change, create, remove, sentence } from "/js/crm/model.js";
import { event, eventId, said, sentenceOf } from "/js/doors/model.js";
import { all } from "/js/plan/model.js";
import { CLASSES } from "/js/plan/rules.js";

const KINDS = ["yes_no", "choice", "text", "number", "date"];

const questions = signal(null);
const editing = signal(null);

async function read() {
  try {
    questions.value = await all("questions", { sort: "position" });
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

const inWords = (text) => text?.[language.value] ?? Object.values(text ?? {})[0] ?? "–";
const nameIn = (list, id) => list.find((one) => one.id === id)?.name;

function whom(question) {
  const { scopes, types } = event.value;
  const words = [
    nameIn(types, question.ticket_type_id),
    question.access_class && t(`page.plan.class.${question.access_class}`),
    nameIn(scopes, question.scope_id),
  ].filter(Boolean);
  return words.length ? words.join(" · ") : t("page.plan.everybody");
}

async function switchActive(question) {
  try {
    await change("questions", question, { active: !question.active });
    said.value = { bad: false, words: t("page.doors.done") };
  } catch (error) {
    said.value = { bad: true, words: sentence(error) };
  }
  read();
}

function Line({ question }) {
  const facts = [
    t(`page.plan.question.${question.kind}`),
    t(question.required ? "page.plan.required" : "page.plan.optional"),
    question.every_time && t("page.plan.every_time"),
    question.kind === "choice" && question.options.map(({ text }) => inWords(text)).join(" / "),
    question.minimum !== null && `≥ ${question.minimum}`,
    question.maximum !== null && `≤ ${question.maximum}`,
  ].filter(Boolean);
  return html`<tr class=${question.active ? "" : "gone"}>
    <th scope="row">
      <span class="name">${inWords(question.text)}</span>
      <span class="small soft name">${facts.join(" · ")}</span>
    </th>
    <td class="name">${whom(question)}</td>
    <td>
      <button type="button" class="button" aria-pressed=${question.active} onClick=${() => switchActive(question)}>
        ${t(question.active ? "page.plan.asked" : "page.plan.not_asked")}
      </button>
    </td>
    <td>
      <button
        type="button"
        class="button"
        aria-label=${t("page.plan.edit", { name: inWords(question.text) })}
        onClick=${() => (editing.value = question)}
      >
        ${t("page.plan.change")}
      </button>
    </td>
  </tr>`;
}

function Pick({ name, words, value, options, onChange, empty = null }) {
  return html`<div class="field">
    <label for=${`q-${name}`}>${t(words)}</label>
    <select class="input" id=${`q-${name}`} name=${name} onChange=${onChange}>
      ${empty && html`<option value="">${empty}</option>`}
      ${options.map(([key, word]) => html`<option key=${key} value=${key} selected=${key === value}>${word}</option>`)}
    </select>
  </div>`;
}

function Options({ options, setOptions }) {
  const set = (at, tongue) => (typed) => {
    const text = { ...options[at].text, [tongue]: typed.currentTarget.value };
    setOptions(options.map((one, n) => (n === at ? { ...one, text } : one)));
  };
  // The value is what is stored with an answer: it stays when the words are changed.
  const next = () => `o${1 + Math.max(0, ...options.map(({ value }) => Number(/^o(\d+)$/.exec(value)?.[1] ?? 0)))}`;
  return html`<fieldset class="options">
    <legend>${t("page.plan.options")}</legend>
    ${options.map(
      (option, at) => html`<div class="row" key=${option.value}>
        ${event.value.languages.map(
          (tongue) => html`<input
            class="input"
            key=${tongue}
            lang=${tongue}
            maxlength="200"
            aria-label=${t("page.plan.option_in", { n: at + 1, language: tongue })}
            placeholder=${tongue}
            value=${option.text[tongue] ?? ""}
            onInput=${set(at, tongue)}
          />`,
        )}
        <button
          type="button"
          class="button"
          aria-label=${t("page.plan.option_drop", { n: at + 1 })}
          onClick=${() => setOptions(options.filter((_, n) => n !== at))}
        >
          ✕
        </button>
      </div>`,
    )}
    <button type="button" class="button" onClick=${() => setOptions([...options, { value: next(), text: {} }])}>
      + ${t("page.plan.option")}
    </button>
  </fieldset>`;
}

const spoken = (text) => Object.fromEntries(Object.entries(text).filter(([, words]) => words.trim()));

function valuesOf(form, kind, options) {
  const { elements } = form;
  const number = (name) => elements.namedItem(name)?.value.trim() || null;
  const text = Object.fromEntries(event.value.languages.map((tongue) => [tongue, elements.namedItem(`text-${tongue}`).value.trim()]));
  return {
    kind,
    text: spoken(text),
    options: kind === "choice" ? options.map(({ value, text: said_ }) => ({ value, text: spoken(said_) })) : [],
    scope_id: elements.namedItem("scope_id").value || null,
    ticket_type_id: elements.namedItem("ticket_type_id").value || null,
    access_class: elements.namedItem("access_class").value || null,
    required: elements.namedItem("required").checked,
    every_time: elements.namedItem("every_time").checked,
    minimum: kind === "number" ? number("minimum") : null,
    maximum: kind === "number" ? number("maximum") : null,
    position: Number(number("position") ?? 0),
  };
}

function Form({ question }) {
  const dialog = useRef(null);
  const [kind, setKind] = useState(question.kind ?? "yes_no");
  const [options, setOptions] = useState(question.options ?? []);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  const close = () => (editing.value = null);
  const attempt = async (work, words) => {
    try {
      await work();
      said.value = { bad: false, words: t(words) };
      close();
      read();
    } catch (error) {
      setProblem(sentence(error));
    }
  };
  const save = (submit) => {
    submit.preventDefault();
    const values = valuesOf(submit.currentTarget, kind, options);
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
    attempt(
      () => (question.id ? change("questions", question, values) : create("questions", { event_id: eventId, ...given })),
      "page.doors.done",
    );
  };
  const check = (name, words, on) => html`<div class="field kind-check">
    <label for=${`q-${name}`}>${t(words)}</label>
    <input id=${`q-${name}`} name=${name} type="checkbox" defaultChecked=${on} />
  </div>`;
  const limit = (name, words) => html`<div class="field">
    <label for=${`q-${name}`}>${t(words)}</label>
    <input class="input" id=${`q-${name}`} name=${name} type="number" defaultValue=${question[name] ?? ""} />
  </div>`;
  const { scopes, types, languages } = event.value;
  const everybody = t("page.plan.everybody");
  return html`<dialog class="sheet wide" ref=${dialog} onClose=${close} aria-labelledby="q-title">
    <form onSubmit=${save}>
      <h2 id="q-title">${question.id ? inWords(question.text) : t("page.plan.add.questions")}</h2>
      ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
      <div class="fields">
        ${languages.map(
          (tongue) => html`<div class="field kind-long" key=${tongue}>
            <label for=${`q-text-${tongue}`}>${t("page.plan.words_in", { language: tongue })}</label>
            <input class="input" id=${`q-text-${tongue}`} name=${`text-${tongue}`} lang=${tongue} maxlength="500" defaultValue=${question.text?.[tongue] ?? ""} />
          </div>`,
        )}
        <${Pick} name="kind" words="page.crm.field.kind" value=${kind} options=${KINDS.map((one) => [one, t(`page.plan.question.${one}`)])} onChange=${(event_) => setKind(event_.currentTarget.value)} />
        <${Pick} name="ticket_type_id" words="page.plan.type" value=${question.ticket_type_id} options=${types.map(({ id, name }) => [id, name])} empty=${everybody} />
        <${Pick} name="access_class" words="page.plan.class" value=${question.access_class} options=${CLASSES.map((one) => [one, t(`page.plan.class.${one}`)])} empty=${everybody} />
        <${Pick} name="scope_id" words="page.plan.scope" value=${question.scope_id} options=${scopes.map(({ id, name }) => [id, name])} empty=${t("page.doors.everywhere")} />
        ${kind === "number" && html`${limit("minimum", "page.plan.minimum")} ${limit("maximum", "page.plan.maximum")}`}
        ${limit("position", "page.crm.field.position")} ${check("required", "page.plan.required", question.required ?? true)}
        ${check("every_time", "page.plan.every_time", question.every_time ?? false)}
      </div>
      ${kind === "choice" && html`<${Options} options=${options} setOptions=${setOptions} />`}
      <div class="actions">
        ${question.id &&
        html`<button type="button" class="button plain danger" onClick=${() => attempt(() => remove("questions", question), "page.crm.deleted")}>
          ${t("page.crm.delete")}
        </button>`}
        <span class="gap"></span>
        <button type="button" class="button" onClick=${() => dialog.current.close()}>${t("page.crm.cancel")}</button>
        <button type="submit" class="button primary">${t("page.crm.save")}</button>
      </div>
    </form>
  </dialog>`;
}

export function Questions() {
  useEffect(() => {
    read();
  }, []);
  if (!questions.value) return html`<p class="empty" role="status">${t("page.all.loading")}</p>`;
  return html`<section class="panel act-panel" aria-label=${t("page.plan.tab.questions")}>
      <div class="act-head">
        <h2>${t("page.plan.tab.questions")}</h2>
        <button type="button" class="button" onClick=${() => (editing.value = { position: questions.value.length })}>
          + ${t("page.plan.add.questions")}
        </button>
      </div>
      <p class="soft small">${t("page.plan.hint.questions")}</p>
      ${questions.value.length === 0
        ? html`<p class="empty">${t("page.plan.no_questions")}</p>`
        : html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t("page.plan.tab.questions")}>
            <table class="acts-table">
              <thead>
                <tr>
                  <th scope="col">${t("page.plan.question")}</th>
                  <th scope="col">${t("page.plan.whom")}</th>
                  <th scope="col">${t("page.doors.head.state")}</th>
                  <td></td>
                </tr>
              </thead>
              <tbody>${questions.value.map((one) => html`<${Line} key=${one.id} question=${one} />`)}</tbody>
            </table>
          </div>`}
    </section>
    ${editing.value && html`<${Form} question=${editing.value} key=${editing.value.id ?? "new"} />`}`;
}
