// The held steps, and which devices have not confirmed: those are told by radio.
import { html, signal } from "/lib/ui.js";
import { language, t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { Hold } from "/lib/hold.js";
import { busy, event, zone } from "/js/doors/model.js";
import { answers, emergency, take, texts } from "/js/emergency/model.js";

const place = signal("event");
const reason = signal("");
const drill = signal(false);
const publish = signal("");
const clear = signal("");
const readmit = signal(false);

const said = (text) => text.translations?.[language.value] ?? text;
const pick = (list, chosen, none) => list.find(({ name }) => name === chosen.value) ?? (none ? null : list[0]);

function StepButton({ step, body, disabled = false, tone, word = step }) {
  return html`<${Hold}
    name=${step}
    words=${t(`page.emergency.act.${word}`)}
    hint=${t("page.emergency.hold")}
    disabled=${disabled || busy.value || !answers.value}
    tone=${tone}
    done=${(heldMs) => take(step, { held_ms: heldMs, ...body })}
  />`;
}

function Start() {
  const [kind, id] = place.value.split(" ");
  const body = {
    reason: reason.value.trim(),
    drill: drill.value,
    ...(kind === "area" ? { area_id: id } : {}),
    ...(kind === "gate" ? { gate_id: id } : {}),
  };
  return html`<section class="panel act-panel" aria-label=${t("page.emergency.act.start")}>
    <p class="soft">${t("page.emergency.calm")}</p>
    <div class="row">
      <div class="field">
        <label for="place">${t("page.doors.stop_where")}</label>
        <select class="input" id="place" value=${place.value} onChange=${(input) => (place.value = input.currentTarget.value)}>
          <option value="event">${t("page.doors.everywhere")}</option>
          ${event.value.areas.map(({ id: area, name }) => html`<option key=${area} value=${`area ${area}`}>${name}</option>`)}
          ${event.value.gates.map(({ id: gate, name }) => html`<option key=${gate} value=${`gate ${gate}`}>${name}</option>`)}
        </select>
      </div>
      <div class="field grow">
        <label for="reason">${t("page.emergency.reason")}</label>
        <input class="input" id="reason" maxlength="200" value=${reason.value} onInput=${(input) => (reason.value = input.currentTarget.value)} />
      </div>
    </div>
    <label class="choice">
      <input type="checkbox" checked=${drill.value} onChange=${() => (drill.value = !drill.value)} />
      <span>${t("page.emergency.is_drill")}</span>
    </label>
    ${drill.value && html`<p class="notice warn">${t("page.emergency.drill_words")}</p>`}
    <${StepButton} step="start" body=${body} disabled=${!body.reason} tone=${drill.value ? "warn" : "bad"} word=${drill.value ? "start_drill" : "start"} />
  </section>`;
}

function TextChoice({ id, list, chosen, none = false }) {
  const picked = pick(list, chosen, none);
  return html`<div class="field">
      <label for=${id}>${t("page.emergency.which")}</label>
      <select class="input" id=${id} value=${picked?.name ?? ""} onChange=${(input) => (chosen.value = input.currentTarget.value)}>
        ${none && html`<option value="">${t("page.emergency.no_text")}</option>`}
        ${list.map((text) => html`<option key=${text.name} value=${text.name}>${said(text).title}</option>`)}
      </select>
    </div>
    ${picked && html`<blockquote class="text name" dir="auto"><b>${said(picked).title}</b><span>${said(picked).content}</span></blockquote>`}`;
}

function Done({ step, at }) {
  return html`<p class=${`step-done ${at ? "good" : ""}`} data-done=${at ? step : undefined}>
    <span aria-hidden="true">${at ? "✓" : "·"}</span>
    <span>${t(`page.emergency.did.${step}`)}</span>
    <time class="figure">${at ? clock(at, zone.value, true) : "–"}</time>
  </p>`;
}

function Next({ found }) {
  const may = (step) => found.next_steps.includes(step);
  const second = found.two_people && !found.cleared_at && !may("publish");
  return html`
    ${may("freeze") && html`<${StepButton} step="freeze" body=${{}} />`}
    ${second && html`<p class="notice warn">${t("page.emergency.second")}</p>`}
    ${may("publish") &&
    html`<div class="step-text">
      <${TextChoice} id="publish-text" list=${texts.value.emergency} chosen=${publish} />
      <${StepButton} step="publish" word=${found.published_at ? "publish_again" : "publish"} body=${{ text: pick(texts.value.emergency, publish, false) }} />
    </div>`}
    ${may("all_clear") &&
    html`<div class="step-text">
      <${TextChoice} id="clear-text" list=${texts.value.all_clear} chosen=${clear} none />
      <${StepButton} step="all_clear" body=${{ text: pick(texts.value.all_clear, clear, true) }} tone="good" />
    </div>`}
    ${may("reopen") &&
    html`<div class="step-text">
      ${found.frozen_at &&
      html`<label class="choice">
        <input type="checkbox" checked=${readmit.value} onChange=${() => (readmit.value = !readmit.value)} />
        <span>${t("page.emergency.readmit")}</span>
      </label>`}
      <${StepButton} step="reopen" body=${{ readmit: Boolean(found.frozen_at) && readmit.value }} tone="good" />
    </div>`}
    ${may("close") && html`<${StepButton} step="close" body=${{}} tone="good" />`}
  `;
}

function Devices({ found }) {
  const state = (one) =>
    one.understood_at ? ["good", "understood"] : one.heard ? ["good", "heard"] : ["bad", "silent"];
  return html`<section class="panel act-panel" aria-label=${t("page.emergency.told")}>
    <h2 role="status" class=${found.unconfirmed ? "bad-text" : ""} data-unconfirmed=${found.unconfirmed}>
      ${found.unconfirmed ? t("page.emergency.unconfirmed", { n: found.unconfirmed }) : t("page.emergency.all_confirmed")}
    </h2>
    ${found.unconfirmed > 0 && html`<p class="soft">${t("page.emergency.by_radio")}</p>`}
    <ul class="told">
      ${found.devices.map((one) => {
        const [tone, word] = state(one);
        return html`<li key=${one.id}>
          <span class=${`chip ${tone}`}>${t(`page.emergency.${word}`)}</span>
          <b class="name">${one.name}</b>
          <span class="soft name">${[one.gate, one.operator].filter(Boolean).join(" · ")}</span>
        </li>`;
      })}
    </ul>
  </section>`;
}

export function Steps() {
  const found = emergency.value;
  if (!found) return html`<${Start} />`;
  return html`<section class=${`panel act-panel emergency ${found.drill ? "drill" : found.cleared_at ? "cleared" : "live"}`} aria-label=${t("page.emergency.tab.steps")}>
      <p class="banner">
        <strong>${t(found.drill ? "page.emergency.drill" : "page.emergency.live")}</strong>
        ${found.cleared_at && html`<strong>${t("page.emergency.did.cleared")}</strong>`}
        <span class="name">${found.area ?? found.gate ?? t("page.doors.everywhere")} · ${found.reason}</span>
        <span>${t("page.emergency.since", { when: clock(found.started_at, zone.value, true) })}</span>
      </p>
      <div class="done">
        ${["started", "stopped", "frozen", "published", "cleared", "reopened"].map(
          (step) => html`<${Done} key=${step} step=${step} at=${found[`${step}_at`]} />`,
        )}
      </div>
      ${found.reopened_at && found.listed > 0 && html`<p class="figure">${t("page.emergency.returned", { n: found.returned, all: found.listed })}</p>`}
      <${Next} found=${found} />
    </section>
    <${Devices} found=${found} />`;
}
