// Emergency: held steps, the roll-call, reports. Rare, so every word is large and plain.
import { html } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { openDesk, Tabs } from "/js/event-desk.js";
import { answers, emergency, readAll, tab } from "/js/emergency/model.js";
import { Roll } from "/js/emergency/roll.js";
import { Past, Settings } from "/js/emergency/settings.js";
import { Steps } from "/js/emergency/steps.js";

const PARTS = { steps: Steps, roll: Roll, past: Past, settings: Settings };

function Body() {
  const open = emergency.value ? 1 : 0;
  return html`<${Tabs} name="emergency" tabs=${Object.keys(PARTS)} chosen=${tab} counts=${{ steps: open }} />
    ${!answers.value && html`<p class="notice bad" role="alert">${t("page.emergency.old")}</p>`}
    <${PARTS[tab.value]} />`;
}

await openDesk({ title: "page.emergency.title", topics: ["alerts"], take: () => {}, Body, ready: readAll });
