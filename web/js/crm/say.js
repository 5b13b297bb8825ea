// Days, times and money as people read them. Pure.

export function shortDay(moment, locale) {
  if (!moment) return "–";
  const day = moment.length === 10 ? new Date(`${moment}T12:00:00`) : new Date(moment);
  return new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" }).format(day);
}

export function dayAndTime(moment, locale) {
  if (!moment) return "–";
  return new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  }).format(new Date(moment));
}

// Decimals come as texts; sums are made in cents, so that they are exact.
export function cents(text) {
  if (text === null || text === undefined) return 0n;
  const [whole, part = ""] = String(text).split(".");
  const sign = whole.startsWith("-") ? -1n : 1n;
  return sign * (BigInt(whole.replace("-", "") || "0") * 100n + BigInt(part.padEnd(2, "0").slice(0, 2)));
}

export function money(inCents, locale, currency = "CAD") {
  return new Intl.NumberFormat(locale, { style: "currency", currency, maximumFractionDigits: 0 }).format(
    Number(inCents) / 100,
  );
}

// Which pile a task lies on: overdue, today, later, or without a day.
export function pile(task, now) {
  if (!task.due_date) return "someday";
  const due = new Date(task.due_date);
  if (due < now) return "overdue";
  return due.toDateString() === now.toDateString() ? "today" : "later";
}
