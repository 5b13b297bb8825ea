// Calls for help: two touches, kept and sent even without a network, and the answer that
// comes back ("Seen by Dana, 21:04") on a band above the camera.
import { html, signal } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { uuid7 } from "/lib/uuid.js";
import { closeSheet, Sheet } from "/scan/js/dialog.js";
import * as state from "/scan/js/state.js";
import { vibrate } from "/scan/js/sound.js";

const KINDS = ["supervisor", "security", "medical", "technical", "queue"];
const QUEUES = ["none", "short", "long", "over_barrier"];
const ASK_MS = 2_000;
const SEEN_STAYS_MS = 60_000;

// {id, kind, queue, at, sent, seen_by, seen_at, closed_at}
export const calls = signal([]);
const asking = signal(false);

export function forgetCall(id) {
  calls.value = calls.value.filter((call) => call.id !== id);
}

export function callSent(id) {
  calls.value = calls.value.map((call) => (call.id === id ? { ...call, sent: true } : call));
}

// Asks who has seen the open calls, as long as there are any.
export function watchCalls(post) {
  const ask = async () => {
    if (calls.value.some(({ sent, seen_at: seen }) => sent && !seen)) {
      const { status, data } = await post("/api/v1/devices/help-calls", undefined, 4_000);
      if (status === 200) learn(data);
    }
    const now = Date.now();
    calls.value = calls.value.filter(
      ({ closed_at: closed, seenHere }) => !closed && !(seenHere && now - seenHere > SEEN_STAYS_MS),
    );
    setTimeout(ask, ASK_MS);
  };
  ask();
}

function learn(list) {
  const known = new Map(list.map((call) => [call.id, call]));
  calls.value = calls.value.map((call) => {
    const told = known.get(call.id);
    if (!told?.seen_at || call.seen_at) return { ...call, closed_at: told?.closed_at };
    vibrate([40, 60, 40]);
    return { ...call, ...told, sent: true, seenHere: Date.now() };
  });
}

export function HelpSheet({ outbox }) {
  const call = async (kind, queue = null) => {
    const id = uuid7();
    const at = new Date(Date.now() + state.skewMs.value).toISOString();
    calls.value = [{ id, kind, queue, at, sent: false }, ...calls.value].slice(0, 5);
    closeSheet();
    asking.value = false;
    vibrate(40);
    await outbox.add({
      id,
      kind: "help",
      path: `/api/v1/events/${state.device.value.event.id}/help-calls`,
      body: { id, kind, queue, called_at: at },
    });
  };
  const big = (words, act, tone = "") => html`<button type="button" class=${`button big-act ${tone}`} key=${words} onClick=${act}>
    ${t(words)}
  </button>`;
  const close = () => {
    asking.value = false;
    closeSheet();
  };
  if (asking.value) {
    return html`<${Sheet} title=${t("page.help.queue_title")} onClose=${close}>
      <div class="big-acts">
        ${QUEUES.map((queue) => big(`page.help.queue.${queue}`, () => call("queue", queue)))}
      </div>
    <//>`;
  }
  return html`<${Sheet} title=${t("page.help.title")} onClose=${close}>
    <p class="soft">${t("page.help.hint")}</p>
    <div class="big-acts">
      ${KINDS.map((kind) =>
        big(
          `page.help.kind.${kind}`,
          () => {
            if (kind === "queue") asking.value = true;
            else call(kind);
          },
          kind === "medical" || kind === "security" ? "urgent" : "",
        ),
      )}
    </div>
  <//>`;
}

export function HelpBand() {
  const zone = state.device.value.event.timezone;
  return calls.value.map((call) => {
    const what = t(`page.help.kind.${call.kind}`);
    const words = call.seen_at
      ? t("page.help.seen", { what, name: call.seen_by, when: clock(call.seen_at, zone) })
      : t(call.sent ? "page.help.sent" : "page.help.kept", { what });
    return html`<p class=${`help-band ${call.seen_at ? "seen" : ""}`} role="status" key=${call.id}>
      <span>${words}</span>
      ${call.seen_at &&
      html`<button type="button" class="status-button" aria-label=${t("page.all.close")} onClick=${() => forgetCall(call.id)}>
        ✕
      </button>`}
    </p>`;
  });
}
