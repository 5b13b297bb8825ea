// Announcements: write, choose whom, send, see how far it has come.
import { Compose } from "/js/announcements/compose.js";
import { readAll, sent, take } from "/js/announcements/model.js";
import { Sent } from "/js/announcements/sent.js";
import { Templates } from "/js/announcements/templates.js";
import { openPage } from "/js/doors/shell.js";

const tabs = { write: Compose, sent: Sent, templates: Templates };
const badge = (name) => (name === "sent" ? sent.value.filter(({ status }) => status === "scheduled").length : 0);

await openPage({ word: "announce", tabs, topics: ["reach"], badge, hear: take, ready: readAll });
