// Texts in the reader's language, from the same catalogue that the server speaks.
import { signal } from "/vendor/signals.mjs";

export const LANGUAGES = ["en", "fr"];
const LOCALES = { en: "en-CA", fr: "fr-CA" };

export const language = signal("en");
const texts = signal({});
const loaded = new Map();

// Puts values into a sentence; an unknown value is said by its `default.` word. An empty
// one without such a word was meant to be empty.
export function fill(sentence, values, words) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    if (value !== "") return String(value);
    return words[`default.${name}`] ?? (values[name] === "" ? "" : name);
  });
}

export function t(key, values = {}) {
  const sentence = texts.value[key];
  return sentence === undefined ? key : fill(sentence, values, texts.value);
}

export function has(key) {
  return texts.value[key] !== undefined;
}

export async function loadLanguage(name = document.documentElement.lang) {
  const wanted = LANGUAGES.includes(name) ? name : "en";
  if (!loaded.has(wanted)) {
    const answer = await fetch(`/i18n/${wanted}.json`);
    loaded.set(wanted, await answer.json());
  }
  texts.value = loaded.get(wanted);
  language.value = wanted;
  document.documentElement.lang = wanted;
}

export async function chooseLanguage(name) {
  await loadLanguage(name);
  try {
    localStorage.setItem("language", name);
  } catch {
    // The choice then lasts as long as the page.
  }
}

export const locale = () => LOCALES[language.value];
