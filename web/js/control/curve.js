// The arrival curve: people a minute as bars, people in all as a line.
import { effect, html, useEffect, useRef } from "/lib/ui.js";
import uPlot from "/vendor/uplot.mjs";
import { language, locale, t } from "/lib/i18n.js";
import { clock, count } from "/lib/format.js";
import { theme } from "/lib/theme.js";
import { curveSeries, withForecast } from "/js/control/derive.js";
import { attendance, forecast, now } from "/js/control/model.js";

// A curve of three minutes would be three walls.
const SPAN_MIN_S = 10 * 60;

const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((n) => n * 60);

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// From the data itself: for a single minute the library would show a whole day.
function minutesShown(plot) {
  const [x] = plot.data;
  const nowS = Math.floor(now.value / 60_000) * 60;
  if (x.length === 0) return [nowS - 30, nowS + SPAN_MIN_S];
  // The dawn of a long evening must not be a thin strip: at most twice what was.
  const passed = nowS - x[0] + SPAN_MIN_S;
  const until = Math.min(x.at(-1) + 30, nowS + 2 * passed);
  return [x[0] - 30, Math.max(until, x[0] - 30 + SPAN_MIN_S)];
}

function options(box, zone) {
  const size = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const font = `${Math.round(size * 0.78)}px ${colour("--font")}`;
  const axis = {
    stroke: colour("--ink-soft"),
    font,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const edge = {
    scale: "all",
    stroke: colour("--second"),
    width: 0.5,
    points: { show: false },
    paths: uPlot.paths.linear(),
  };
  const figures = (_, splits) =>
    splits.map((value) => (Number.isInteger(value) ? count(value, locale()) : ""));
  return {
    width: box.clientWidth,
    height: box.clientHeight,
    padding: [size * 0.6, 0, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: {
      x: { range: minutesShown },
      each: { range: (_, low, high) => [0, Math.max(5, high * 1.15)] },
      all: { range: (_, low, high) => [0, Math.max(10, high * 1.08)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: size * 1.8,
        // Whole minutes: two marks with the same time would say nothing.
        incrs: MINUTES,
        space: size * 5,
        values: (_, splits) => splits.map((s) => clock(s * 1000, zone)),
      },
      { ...axis, scale: "each", size: size * 2.9, space: size * 2.5, values: figures },
      { ...axis, scale: "all", side: 1, size: size * 3.4, space: size * 2.5, grid: { show: false }, values: figures },
    ],
    series: [
      {},
      {
        scale: "each",
        stroke: colour("--accent"),
        fill: colour("--accent"),
        width: 0,
        points: { show: false },
        paths: uPlot.paths.bars({ size: [0.78, 60], radius: 0.15 }),
      },
      {
        scale: "all",
        stroke: colour("--second"),
        width: Math.max(2, size / 7),
        points: { show: false },
        paths: uPlot.paths.linear(),
      },
      edge,
      { ...edge, width: Math.max(1.5, size / 9), dash: [size * 0.5, size * 0.35] },
      edge,
    ],
    bands: [{ series: [5, 3], fill: `${colour("--second")}33` }],
  };
}

// Draws into the box until told to stop; theme, language and size make a new drawing.
function keepDrawn(box, reading) {
  let plot = null;
  let made = "";
  const redraw = (data, minute) => {
    const zone = data.event.timezone;
    const key = [theme.value, language.value, zone, box.clientWidth, box.clientHeight].join();
    const series = withForecast(curveSeries(data.curve, minute * 60_000), forecast.value);
    if (!plot || key !== made) {
      plot?.destroy();
      const setUp = options(box, zone);
      setUp.hooks = { setCursor: [(u) => reading(u, zone)] };
      plot = new uPlot(setUp, series, box);
      made = key;
    } else {
      plot.setData(series);
    }
  };
  const draw = () => {
    const data = attendance.value;
    void theme.value;
    void language.value;
    void forecast.value;
    const minute = Math.floor(now.value / 60_000);
    if (data && box.clientWidth > 0) redraw(data, minute);
  };
  const stop = effect(draw);
  const watcher = new ResizeObserver(() => draw());
  watcher.observe(box);
  return () => {
    stop();
    watcher.disconnect();
    plot?.destroy();
  };
}

function Eta({ eta, zone }) {
  const span = eta.reached || !eta.low || !eta.high ? "" : ` (${clock(eta.low, zone)}–${clock(eta.high, zone)})`;
  return html`<span class=${eta.reached ? "soft" : ""}>${t("page.control.eta", { n: eta.percent })} <b>${clock(eta.at, zone)}</b>${span}</span>`;
}

// When most are in, and whether the evening runs ahead of what was expected.
function Ahead() {
  const data = forecast.value;
  const zone = attendance.value?.event.timezone;
  if (!data) return html`<p class="curve-ahead small soft">${t("page.control.no_forecast")}</p>`;
  const by = Math.abs(data.ahead);
  const word = by === 0 ? "as_planned" : data.ahead > 0 ? "ahead" : "behind";
  return html`<p class="curve-ahead small figure">
    ${data.day && html`<span>${t("page.control.forecast_day", { n: data.day.number, of: data.day.of })}</span>`}
    <b class=${data.ahead < 0 ? "behind" : ""}>${t(`page.control.${word}`, { n: count(by, locale()) })}</b>
    ${data.etas.map((eta) => html`<${Eta} key=${eta.percent} eta=${eta} zone=${zone} />`)}
    <span class="soft">${t("page.control.in_the_end", {
      n: count(data.total.mid, locale()),
      low: count(data.total.low, locale()),
      high: count(data.total.high, locale()),
    })} · ${t(`page.control.basis.${data.basis}`, { n: data.evenings })}</span>
  </p>`;
}

export function Curve() {
  const box = useRef(null);
  const caption = useRef(null);
  useEffect(
    () =>
      keepDrawn(box.current, (u, zone) => {
        const at = u.cursor.idx;
        const known = at !== null && at !== undefined && u.data[0][at] !== undefined;
        const ahead = known && u.data[1][at] === null;
        caption.current.textContent = ahead
          ? t("page.control.forecast_at", {
              when: clock(u.data[0][at] * 1000, zone),
              n: count(Math.round(u.data[4][at]), locale()),
              low: count(Math.round(u.data[3][at]), locale()),
              high: count(Math.round(u.data[5][at]), locale()),
            })
          : known
          ? t("page.control.curve_at", {
              when: clock(u.data[0][at] * 1000, zone),
              n: count(u.data[1][at], locale()),
              total: count(u.data[2][at], locale()),
            })
          : "";
      }),
    [],
  );
  const data = attendance.value;
  const none = data && data.curve.entered.length === 0;
  const summary = data
    ? t("page.control.curve_summary", {
        n: count(data.figures.entered, locale()),
        rate: count(Math.round(data.rate_per_min), locale()),
      })
    : "";
  return html`<section class="panel curve" aria-label=${t("page.control.curve")}>
    <div class="panel-head">
      <h2>${t("page.control.curve")}</h2>
      <span class="small soft figure" ref=${caption}></span>
      <span class="legend small soft" aria-hidden="true">
        <i class="swatch each"></i>${t("page.control.per_minute")}
        <i class="swatch total"></i>${t("page.control.in_all")}
      </span>
    </div>
    <${Ahead} />
    <div class="curve-box" ref=${box} role="img" aria-label=${summary}></div>
    ${none && html`<p class="empty over">${t("page.control.nobody_yet")}</p>`}
  </section>`;
}
