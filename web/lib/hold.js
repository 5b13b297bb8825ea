// A button that must be held: pointer or key, two seconds, and a bar that fills meanwhile.
// Letting go, leaving it, or losing the window gives up. `done(heldMs)` is called once.
import { html, useEffect, useRef, useState } from "/lib/ui.js";

export const HOLD_MS = 2_000;
const KEYS = [" ", "Enter"];

export function Hold({ words, hint, done, disabled = false, tone = "bad", name }) {
  const [since, setSince] = useState(null);
  const timer = useRef(null);
  const give = () => {
    clearTimeout(timer.current);
    timer.current = null;
    setSince(null);
  };
  const take = (event) => {
    if (disabled || timer.current !== null || event.button > 0) return;
    event.preventDefault();
    event.currentTarget.focus();
    const began = performance.now();
    setSince(began);
    timer.current = setTimeout(() => {
      give();
      done(Math.round(performance.now() - began));
    }, HOLD_MS);
  };
  useEffect(() => {
    addEventListener("blur", give);
    return () => {
      removeEventListener("blur", give);
      clearTimeout(timer.current);
    };
  }, []);
  return html`<button
    type="button"
    class=${`button hold ${tone}`}
    data-hold=${name}
    data-holding=${since !== null}
    disabled=${disabled}
    aria-describedby=${`hold-${name}`}
    onPointerDown=${take}
    onPointerUp=${give}
    onPointerLeave=${give}
    onPointerCancel=${give}
    onContextMenu=${(event) => event.preventDefault()}
    onKeyDown=${(event) => KEYS.includes(event.key) && !event.repeat && take(event)}
    onKeyUp=${(event) => KEYS.includes(event.key) && give()}
    onBlur=${give}
  >
    <span class="hold-bar" aria-hidden="true"></span>
    <span class="hold-words">${words}<small id=${`hold-${name}`}>${hint}</small></span>
  </button>`;
}
