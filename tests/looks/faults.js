// What is wrong with a page as it stands now, as [kind, what] pairs. Only what a machine
// can say for certain; whether a page is any good is for people who look at it.
() => {
  const COMPARED_MAX = 200; // pairs; a list goes on as it began
  const found = [];
  const tell = (kind, node, more = "") => {
    const text = (node.innerText ?? node.value ?? "").trim().replace(/\s+/g, " ").slice(0, 50);
    const name = `${node.tagName.toLowerCase()}.${[...node.classList].join(".")}`;
    found.push([kind, `${name} "${text}" ${more}`.trim()]);
  };
  const root = document.documentElement;
  const clipped = (node) => {
    for (let up = node; up; up = up.parentElement) {
      if (getComputedStyle(up).clipPath.startsWith("inset(50%")) return true;
    }
    return false;
  };
  const seen = (node) => {
    const box = node.getBoundingClientRect();
    return !clipped(node) && box.width > 1 && box.height > 1 && node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  };
  const all = [...document.body.querySelectorAll("*")].filter(seen);
  const inside = (node, selector) => node.closest(selector) !== null;

  // Nothing sticks out sideways but what scrolls by itself.
  const scrolls = (node) => {
    for (let up = node; up; up = up.parentElement) {
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX) && up !== root && up !== document.body) return true;
    }
    return false;
  };
  if (root.scrollWidth > root.clientWidth) {
    for (const node of all) {
      if (node.getBoundingClientRect().right > root.clientWidth + 1 && !scrolls(node)) tell("sticks-out", node);
    }
  }

  // Text that is cut, by itself or by what it stands in.
  const direct = (node) => [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
  for (const node of all) {
    const style = getComputedStyle(node);
    if (!direct(node) || inside(node, ".unseen, .skip, svg, .u-wrap, option, [aria-hidden=true]")) continue;
    const hides = ["hidden", "clip"];
    if (hides.includes(style.overflowX) && node.scrollWidth > node.clientWidth + 1 && !node.title) tell("cut", node);
    else if (hides.includes(style.overflowY) && node.scrollHeight > node.clientHeight + 2 && !node.title && style.webkitLineClamp === "none") tell("cut-below", node);
    const box = node.getBoundingClientRect();
    if (style.display === "inline") continue;
    for (let up = node.parentElement; up && up !== document.body; up = up.parentElement) {
      const outer = getComputedStyle(up);
      if (["auto", "scroll"].includes(outer.overflowX) || ["auto", "scroll"].includes(outer.overflowY)) break;
      if (!hides.includes(outer.overflowX)) continue;
      const frame = up.getBoundingClientRect();
      if (!node.title && (box.right > frame.right + 2 || box.left < frame.left - 2)) tell("cut-by", node, `in .${[...up.classList].join(".")}`);
      break;
    }
  }

  // Words that no person should read.
  const text = document.body.innerText;
  for (const pattern of [/\b(?:NaN|undefined|Invalid Date|Infinity)\b/g, /\[object \w+\]/g, /(?<![\w{])\{[a-z_]+\}/g, /\b(?:page|default|verdict|guest|problem|push)\.[a-z_]+(?:\.[a-z_0-9]+)+\b/g, /\bnull\b/g]) {
    for (const [hit] of text.matchAll(pattern)) found.push(["word", hit]);
  }

  // Hands: 24 px, and nothing on top of what is pressed.
  const controls = all.filter((node) => node.matches("button, a[href], input, select, textarea, summary, [role=button], [role=radio]"));
  for (const node of controls) {
    const box = node.getBoundingClientRect();
    const label = node.matches("input[type=checkbox], input[type=radio]") && node.labels[0]?.getBoundingClientRect();
    const high = Math.max(box.height, label?.height ?? 0);
    const wide = Math.max(box.width, label?.width ?? 0);
    // A link in a sentence is as high as the sentence.
    const prose = node.matches("a") && getComputedStyle(node).display === "inline";
    if ((high < 24 || wide < 24) && !prose && !inside(node, ".unseen, .skip")) tell("small", node, `${Math.round(wide)}x${Math.round(high)}`);
    const named = node.getAttribute("aria-label") || node.getAttribute("aria-labelledby") || node.innerText?.trim() || node.labels?.length || node.title;
    if (!named) tell("nameless", node, node.outerHTML.slice(0, 80));
  }
  // What is scrolled out of its frame covers nothing.
  const shown = (node) => {
    const { left, top, right, bottom } = node.getBoundingClientRect();
    const box = { left, top, right, bottom };
    for (let up = node.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowX === "visible" && getComputedStyle(up).overflowY === "visible") continue;
      const frame = up.getBoundingClientRect();
      box.left = Math.max(box.left, frame.left);
      box.top = Math.max(box.top, frame.top);
      box.right = Math.min(box.right, frame.right);
      box.bottom = Math.min(box.bottom, frame.bottom);
    }
    return box;
  };
  for (const [at, one] of controls.slice(0, COMPARED_MAX).entries()) {
    const a = shown(one);
    for (const other of controls.slice(at + 1, COMPARED_MAX)) {
      if (one.contains(other) || other.contains(one)) continue;
      if (getComputedStyle(one).position === "fixed" || getComputedStyle(other).position === "fixed") continue;
      const b = shown(other);
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 3 && high > 3 && !inside(one, ".skip") && !inside(one, "dialog") && !inside(other, "dialog")) tell("overlap", one, `and "${other.innerText?.slice(0, 30)}"`);
    }
  }

  // Contrast of text with what lies behind it, where that is one colour.
  const rgb = (value) => {
    const parts = value.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return value.startsWith("color(srgb") ? [parts[0] * 255, parts[1] * 255, parts[2] * 255, parts[3] ?? 1] : [parts[0], parts[1], parts[2], parts[3] ?? 1];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const told = new Set();
  for (const node of all) {
    if (!direct(node) || node.matches(":disabled, option") || inside(node, ":disabled, [aria-disabled=true], .unseen, .skip, .u-wrap, svg")) continue;
    const layers = [];
    let plain = true;
    for (let up = node; up; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.backgroundImage !== "none" || Number(style.opacity) < 1) plain = false;
      const colour = rgb(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    if (!plain) continue;
    const back = layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
    const style = getComputedStyle(node);
    const front = over(rgb(style.color), back);
    const [hi, lo] = [light(front), light(back)].sort((a, b) => b - a);
    const ratio = (hi + 0.05) / (lo + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const key = `${style.color} ${back}`;
    if (ratio < (large ? 3 : 4.5) && !told.has(key)) {
      told.add(key);
      tell("contrast", node, ratio.toFixed(2));
    }
    if (size < 11) tell("tiny", node, style.fontSize);
  }

  const ids = new Map();
  for (const node of document.querySelectorAll("[id]")) ids.set(node.id, (ids.get(node.id) ?? 0) + 1);
  for (const [id, n] of ids) if (n > 1) found.push(["same-id", id]);
  for (const image of document.querySelectorAll("img:not([alt])")) tell("no-alt", image);
  if (!document.querySelector("h1")) found.push(["no-heading", document.title]);
  if (!document.title) found.push(["no-title", location.pathname]);
  return [...new Set(found.map((one) => JSON.stringify(one)))].map((one) => JSON.parse(one));
}
