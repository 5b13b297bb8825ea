// Calls for help on the control room's wall: above everything until somebody says "seen",
// louder after a minute.
import { effect, html, signal } from "/lib/ui.js";
import { call as ask } from "/lib/api.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { alerts, attendance, eventId, now } from "/js/control/model.js";

const LOUD_MS = 60_000;
const CHIRP_MS = 4_000;
const trouble = signal(null);
let context = null;
let chirped = 0;

function isLoud(call, nowMs) {
  return nowMs - Date.parse(call.received_at) > LOUD_MS;
}

async function see(call) {
  try {
    await ask("POST", `/api/v1/events/${eventId}/help-calls/${call.id}/seen`);
    trouble.value = null;
  } catch (error) {
    trouble.value = error.detail || t("page.all.no_answer");
  }
}

function chirp(loud) {
  if (context?.state !== "running") return;
  const tone = context.createOscillator();
  const gain = context.createGain();
  tone.frequency.value = loud ? 988 : 659;
  gain.gain.setValueAtTime(loud ? 0.5 : 0.15, context.currentTime);
  gain.gain.linearRampToValueAtTime(0, context.currentTime + (loud ? 0.6 : 0.25));
  tone.connect(gain).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.6);
}

// A browser lets a page make a sound only after a touch.
export function listenForCalls() {
  addEventListener(
    "pointerdown",
    () => {
      context ??= new AudioContext();
      context.resume();
    },
    { passive: true },
  );
  effect(() => {
    const open = (alerts.value?.calls ?? []).filter(({ seen_at: seen }) => !seen);
    if (open.length === 0 || now.value - chirped < CHIRP_MS) return;
    chirped = now.value;
    chirp(open.some((call) => isLoud(call, now.value)));
  });
}

export function Calls() {
  const open = (alerts.value?.calls ?? []).filter(({ seen_at: seen }) => !seen);
  if (open.length === 0) return null;
  const zone = attendance.value?.event.timezone;
  return html`<section class="help-calls" role="alert" aria-label=${t("page.doors.calls")}>
    ${trouble.value && html`<p>${trouble.value}</p>`}
    ${open.slice(0, 4).map(
      (call) => html`<div class=${`help-call ${isLoud(call, now.value) ? "loud" : ""}`} key=${call.id} data-call=${call.id}>
        <b>${t(`page.help.kind.${call.kind}`)}${call.queue ? ` · ${t(`page.help.queue.${call.queue}`)}` : ""}</b>
        <span class="name">${[call.gate, call.operator ?? call.device].filter(Boolean).join(" · ")}</span>
        <span class="figure small">${clock(call.called_at, zone, true)}</span>
        <button type="button" class="button" onClick=${() => see(call)}>${t("page.doors.see")}</button>
      </div>`,
    )}
    ${open.length > 4 && html`<a href=${`/doors.html?event=${eventId}#calls`}>${t("page.doors.more_calls", { n: open.length - 4 })}</a>`}
  </section>`;
}
