// The numbers of each rule at this event: from when on, until when, for how long.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { act, base, said, sentenceOf } from "/js/doors/model.js";

const SAVED = { words: "page.watch.saved" };

const rules = signal([]);

async function load() {
  try {
    rules.value = (await call("GET", `${base}/alert-rules`)).rules;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

function NumberField({ rule, name, value, low = 0, high = 86_400, step = 1, unit }) {
  const id = `${rule}-${name}`;
  return html`<span class="field">
    <label for=${id}>${t(`page.watch.${name}`)}${unit ? ` (${unit})` : ""}</label>
    <input class="input" id=${id} name=${name} type="number" required min=${low} max=${high} step=${step} value=${value} />
  </span>`;
}

function Rule({ rule }) {
  const { setting } = rule;
  const save = async (submit) => {
    submit.preventDefault();
    const { enabled, threshold, clear_at: clearAt, for_s: forS, clear_s: clearS } = submit.currentTarget.elements;
    const found = await act("PUT", `${base}/alert-rules/${rule.rule}`, {
      enabled: enabled.checked,
      threshold: Number(threshold.value),
      clear_at: Number(clearAt.value),
      for_s: Number(forS.value),
      clear_s: Number(clearS.value),
    }, SAVED);
    if (found) rules.value = found.rules;
  };
  const forget = async () => {
    if (await act("DELETE", `${base}/alert-rules/${rule.rule}`, undefined, SAVED)) load();
  };
  const unit = t(`page.watch.unit.${rule.unit}`);
  return html`<form class=${`rule ${setting.enabled ? "" : "off"}`} data-rule=${rule.rule} onSubmit=${save} aria-label=${t(`page.alert.name.${rule.rule}`)}>
    <span class="rule-name">
      <label class="row"><input type="checkbox" name="enabled" checked=${setting.enabled} /> <b>${t(`page.alert.name.${rule.rule}`)}</b></label>
      ${rule.chosen && html`<span class="chip">${t("page.watch.chosen")}</span>`}
    </span>
    <${NumberField} rule=${rule.rule} name="threshold" value=${setting.threshold} low=${rule.low} high=${rule.high} step="any" unit=${unit} />
    <${NumberField} rule=${rule.rule} name="clear_at" value=${setting.clear_at} high=${rule.high + 1} step="any" unit=${unit} />
    <${NumberField} rule=${rule.rule} name="for_s" value=${setting.for_s} unit="s" />
    <${NumberField} rule=${rule.rule} name="clear_s" value=${setting.clear_s} unit="s" />
    <span class="row">
      <button class="button">${t("page.watch.save")}</button>
      ${rule.chosen && html`<button type="button" class="button plain" onClick=${forget}>${t("page.watch.standard")}</button>`}
    </span>
  </form>`;
}

export function Rules() {
  useEffect(() => {
    load();
  }, []);
  return html`<section class="panel act-panel" aria-label=${t("page.watch.tab.rules")}>
    <h2>${t("page.watch.tab.rules")}</h2>
    <p class="soft">${t("page.watch.rules_note")}</p>
    ${rules.value.map((rule) => html`<${Rule} key=${`${rule.rule} ${JSON.stringify(rule.setting)}`} rule=${rule} />`)}
  </section>`;
}
