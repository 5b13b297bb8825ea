// The one place where pages get their view library from.
import { h, render } from "/vendor/preact.mjs";
import htm from "/vendor/htm.mjs";

export { render };
export { useEffect, useLayoutEffect, useRef, useState } from "/vendor/preact-hooks.mjs";
export { batch, computed, effect, signal } from "/vendor/signals.mjs";
export const html = htm.bind(h);
