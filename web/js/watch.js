// Alerts in full: their history, the numbers of each rule, the walks between gates, shifts.
import { openPage } from "/js/doors/shell.js";
import { History } from "/js/watch/history.js";
import { Rules } from "/js/watch/rules.js";
import { Shifts } from "/js/watch/shifts.js";
import { Walks } from "/js/watch/walks.js";

const tabs = { history: History, shifts: Shifts, rules: Rules, walks: Walks };

await openPage({ word: "watch", tabs, topics: ["alerts"] });
