// What door managers do: doors, devices, people, help, the log, and why somebody would be
// refused.
import { html } from "/lib/ui.js";
import { Bulk } from "/js/doors/bulk.js";
import { Calls } from "/js/doors/calls.js";
import { Counts } from "/js/doors/counts.js";
import { Fleet } from "/js/doors/fleet.js";
import { Log } from "/js/doors/log.js";
import { alerts, price } from "/js/doors/model.js";
import { Offline } from "/js/doors/offline.js";
import { People } from "/js/doors/people.js";
import { openPage } from "/js/doors/shell.js";
import { States } from "/js/doors/states.js";
import { Stops } from "/js/doors/stops.js";
import { Why } from "/js/doors/why.js";

const tabs = {
  states: () => html`<${States} /><${Stops} />`,
  people: People,
  bulk: Bulk,
  counts: Counts,
  fleet: Fleet,
  calls: Calls,
  offline: Offline,
  log: Log,
  why: Why,
};

const badge = (name) => {
  if (name === "calls") return alerts.value.calls.filter(({ seen_at: seen }) => !seen).length;
  return name === "offline" ? (price.value?.conflicts ?? 0) : 0;
};

await openPage({ word: "doors", tabs, topics: ["attendance", "devices", "alerts", "offline"], badge });
