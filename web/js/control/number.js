// A figure that moves to its new value instead of jumping. Its width does not change
// while it moves: digits are of one width, and only the text of one node is touched.
import { html, useLayoutEffect, useRef } from "/lib/ui.js";
import { count } from "/lib/format.js";
import { locale } from "/lib/i18n.js";

const MOVE_MS = 420;
const still = matchMedia("(prefers-reduced-motion: reduce)");

export function Figure({ value, format = count, class: name = "" }) {
  const node = useRef(null);
  const shown = useRef(null);
  const where = locale();
  useLayoutEffect(() => {
    const write = (number) => {
      shown.current = number;
      node.current.textContent = format(number, where);
    };
    const from = shown.current;
    const known = typeof value === "number" && typeof from === "number";
    if (!known || still.matches || document.hidden || from === value) {
      write(value);
      return undefined;
    }
    const begin = performance.now();
    const whole = Number.isInteger(value);
    let frame = requestAnimationFrame(function step(now) {
      const part = Math.min(1, Math.max(0, (now - begin) / MOVE_MS));
      const eased = 1 - (1 - part) ** 3;
      const between = from + (value - from) * eased;
      write(part === 1 ? value : whole ? Math.round(between) : between);
      if (part < 1) frame = requestAnimationFrame(step);
    });
    return () => {
      // The next value is here before this one arrived: never fall further behind.
      cancelAnimationFrame(frame);
      write(value);
    };
  }, [value, where]);
  return html`<span class=${`figure ${name}`} ref=${node}></span>`;
}
