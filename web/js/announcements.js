// Announcements: write, choose whom, send, see how far it has come.
import { html } from "/lib/ui.js";
import { openDesk, Tabs } from "/js/event-desk.js";
import { Compose } from "/js/announcements/compose.js";
import { readAll, sent, tab, take } from "/js/announcements/model.js";
import { Sent } from "/js/announcements/sent.js";
import { Templates } from "/js/announcements/templates.js";

const PARTS = { write: Compose, sent: Sent, templates: Templates };

function Body() {
  const waiting = sent.value.filter(({ status }) => status === "scheduled").length;
  return html`<${Tabs} name="announce" tabs=${Object.keys(PARTS)} chosen=${tab} counts=${{ sent: waiting }} />
    <${PARTS[tab.value]} />`;
}

await openDesk({ title: "page.announce.title", topics: ["reach"], take, Body, ready: readAll });
