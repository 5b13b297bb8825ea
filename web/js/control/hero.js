// The one glance from three metres: how many are inside, of how many, how fast.
import { html } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { clock, count, level, minutesUntilFull, percent, rate, share } from "/lib/format.js";
import { Bar } from "/js/control/bar.js";
import { Figure } from "/js/control/number.js";
import { attendance, forecast, now } from "/js/control/model.js";

function outlook(data) {
  const { figures, capacity, rate_per_min: perMinute, event } = data;
  const inside = figures.inside;
  if (!capacity) return t("page.control.no_limit");
  const free = Math.max(0, capacity - inside);
  if (free === 0) return t("page.control.full_now");
  const fit = forecast.value;
  if (fit?.full?.at) {
    const { at, low, high } = fit.full;
    return t(high ? "page.control.full_between" : "page.control.full_from", {
      when: clock(at, event.timezone),
      low: clock(low, event.timezone),
      high: high && clock(high, event.timezone),
    });
  }
  if (fit) return t("page.control.never_full", { n: count(free, locale()) });
  const coming = Math.max(0, figures.expected - figures.entered);
  const minutes = minutesUntilFull(inside, capacity, perMinute, coming);
  if (minutes === null || minutes > 12 * 60) {
    return t("page.control.room_for", { n: count(free, locale()) });
  }
  const when = clock(now.value + minutes * 60_000, event.timezone);
  return t("page.control.full_at", { when, n: count(free, locale()) });
}

export function Hero() {
  const data = attendance.value;
  const figures = data?.figures;
  const inside = figures?.inside;
  const part = data ? share(inside, data.capacity) : null;
  return html`<section class="panel hero" aria-label=${t("page.control.inside")}>
    <div class="hero-head">
      <h2>${t("page.control.inside")}</h2>
      ${part !== null &&
      html`<span class=${`chip figure ${level(part)}`}>${percent(part, locale())}</span>`}
    </div>
    <p class="hero-figure">
      <${Figure} value=${inside} class=${`huge ${level(part)}`} />
      ${data?.capacity &&
      html`<span class="hero-of figure">
        ${t("page.control.of", { n: count(data.capacity, locale()) })}
      </span>`}
    </p>
    <${Bar} part=${part} label=${t("page.control.capacity")} marks=${true} />
    <p class="hero-outlook">${data ? outlook(data) : t("page.all.loading")}</p>
  </section>`;
}

function Tile({ name, value, format, note, part, wide = false }) {
  return html`<div class=${`tile ${wide ? "wide" : ""}`}>
    <dt>${name}</dt>
    <dd class="tile-figure"><${Figure} value=${value} format=${format} /></dd>
    ${note !== undefined && html`<dd class="soft small figure">${note || "\u00a0"}</dd>`}
    ${part !== undefined &&
    html`<dd><${Bar} part=${part} label=${name} plain=${true} /></dd>`}
  </div>`;
}

// Of an event of several days also who came on this one.
function ofExpected({ expected, entered, entered_today: today }, n) {
  const all = t("page.control.of_expected", { n: n(expected) });
  return today === undefined || today === entered ? all : `${all} · ${t("page.control.today", { n: n(today) })}`;
}

export function Tiles() {
  const data = attendance.value;
  const figures = data?.figures ?? {};
  // Once the event is over, who never came; the server says from when on it is known.
  const over = typeof figures.no_show === "number";
  const n = (value) => count(value, locale());
  const expected = figures.expected;
  return html`<section class="panel tiles-panel" aria-label=${t("page.control.figures")}>
    <dl class="tiles">
      <${Tile}
        name=${t("page.control.entered")}
        value=${figures.entered}
        note=${ofExpected(figures, n)}
        part=${share(figures.entered ?? 0, expected)}
        wide=${true}
      />
      <${Tile}
        name=${t("page.control.rate")}
        value=${data?.rate_per_min}
        format=${rate}
        note=${t("page.control.rate_note")}
        wide=${true}
      />
      <${Tile} name=${t("page.control.exits")} value=${figures.exits} />
      <${Tile} name=${t("page.control.re_entries")} value=${figures.re_entries} />
      <${Tile}
        name=${t("page.control.refused")}
        value=${figures.refused_attempts}
        note=${t("page.control.refused_people", { n: n(figures.refused_people) })}
      />
      <${Tile}
        name=${over ? t("page.control.no_show") : t("page.control.counted")}
        value=${over ? figures.no_show : figures.counted}
        note=${over ? "" : t("page.control.counted_note")}
      />
    </dl>
  </section>`;
}
