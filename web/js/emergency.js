// Emergency: held steps, the roll-call, reports. Rare, so every word is large and plain.
import { html } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { openPage } from "/js/doors/shell.js";
import { answers, emergency, readAll } from "/js/emergency/model.js";
import { Roll } from "/js/emergency/roll.js";
import { Past, Settings } from "/js/emergency/settings.js";
import { Steps } from "/js/emergency/steps.js";

const tabs = { steps: Steps, roll: Roll, past: Past, settings: Settings };
const badge = (name) => (name === "steps" && emergency.value ? 1 : 0);
const Notice = () => !answers.value && html`<p class="notice bad" role="alert">${t("page.emergency.old")}</p>`;

await openPage({ word: "emergency", tabs, topics: ["alerts"], badge, ready: readAll, Notice });
