// Rules and times as people read them.
import { locale, t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { zone } from "/js/doors/model.js";
import { briefs } from "/js/plan/rules.js";

export const nameOf = (column) => column.type?.name ?? t(`page.plan.class.${column.access}`);

// A day and a time in the event's zone; the year where it is another one.
export function timeOf(moment) {
  const year = (when) => new Intl.DateTimeFormat("en", { year: "numeric", timeZone: zone.value }).format(when);
  const other = year(new Date(moment)) !== year(new Date());
  const day = new Intl.DateTimeFormat(locale(), {
    day: "numeric",
    month: "short",
    year: other ? "numeric" : undefined,
    timeZone: zone.value,
  });
  return `${day.format(new Date(moment))} ${clock(moment, zone.value)}`;
}

export function briefWords(rule) {
  return briefs(rule, timeOf).map(([word, values]) => t(word, values));
}
