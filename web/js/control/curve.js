// The arrival curve: people a minute as bars, people in all as a line.
import { effect, html, useEffect, useRef } from "/lib/ui.js";
import uPlot from "/vendor/uplot.mjs";
import { language, locale, t } from "/lib/i18n.js";
import { clock, count } from "/lib/format.js";
import { theme } from "/lib/theme.js";
import { curveSeries } from "/js/control/derive.js";
import { attendance, now } from "/js/control/model.js";

// A curve of three minutes would be three walls.
const SPAN_MIN_S = 10 * 60;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// From the data itself: for a single minute the library would show a whole day.
function minutesShown(plot) {
  const [x] = plot.data;
  const nowS = Math.floor(now.value / 60_000) * 60;
  if (x.length === 0) return [nowS - 30, nowS + SPAN_MIN_S];
  return [x[0] - 30, Math.max(x.at(-1) + 30, x[0] - 30 + SPAN_MIN_S)];
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
        values: (_, splits) => splits.map((s) => clock(s * 1000, zone)),
      },
      { ...axis, scale: "each", size: size * 2.9, values: figures },
      { ...axis, scale: "all", side: 1, size: size * 3.4, grid: { show: false }, values: figures },
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
    ],
  };
}

// Draws into the box until told to stop; theme, language and size make a new drawing.
function keepDrawn(box, reading) {
  let plot = null;
  let made = "";
  const redraw = (data, minute) => {
    const zone = data.event.timezone;
    const key = [theme.value, language.value, zone, box.clientWidth, box.clientHeight].join();
    const series = curveSeries(data.curve, minute * 60_000);
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

export function Curve() {
  const box = useRef(null);
  const caption = useRef(null);
  useEffect(
    () =>
      keepDrawn(box.current, (u, zone) => {
        const at = u.cursor.idx;
        const known = at !== null && at !== undefined && u.data[0][at] !== undefined;
        caption.current.textContent = known
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
    <div class="curve-box" ref=${box} role="img" aria-label=${summary}></div>
    ${none && html`<p class="empty over">${t("page.control.nobody_yet")}</p>`}
  </section>`;
}
