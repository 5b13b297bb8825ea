// What the control room tells the staff: above the camera until somebody touches
// "Understood". That it arrived is said at once, that it was read by the touch; a touch
// without a network is kept on the device and said when the line is back.
import { html, signal } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { merged, remembered, waiting } from "/scan/js/notice-rules.js";
import { signalTone, vibrate } from "/scan/js/sound.js";
import * as state from "/scan/js/state.js";

const KEPT = "understood";
const SHOWN_MAX = 3;

const items = signal([]);
const understood = signal(new Set());

export class Notices {
  constructor({ store, eventId }) {
    this.store = store;
    this.topic = `event:${eventId}:announcements`;
    this.say = () => false;
  }

  async open() {
    understood.value = new Set((await this.store.fact(KEPT)) ?? []);
  }

  take(data, act) {
    const before = new Set(items.value.map(({ id }) => id));
    items.value = merged(items.value, data.items, act);
    for (const { id } of data.items) {
      this.say(id, understood.value.has(id) ? "opened" : "delivered");
    }
    const fresh = waiting(items.value, understood.value, this.now()).filter(({ id }) => !before.has(id));
    if (fresh.length === 0) return;
    vibrate(fresh[0].priority === "urgent" ? [300, 100, 300, 100, 300] : [120, 60, 120]);
    signalTone(fresh[0].priority === "urgent" ? "stop" : "note");
  }

  understand(id) {
    const kept = remembered(understood.value, id);
    understood.value = new Set(kept);
    this.store.keep(KEPT, kept);
    this.say(id, "opened");
  }

  now() {
    return Date.now() + state.skewMs.value;
  }
}

export function NoticeBand({ notices }) {
  const zone = state.device.value.event.timezone;
  const open = waiting(items.value, understood.value, notices.now());
  return open.slice(0, SHOWN_MAX).map(
    (item) => html`<section class=${`notice-band ${item.priority}`} role="alert" key=${item.id} data-notice=${item.id}>
      <div>
        <p class="notice-title"><bdi class="name">${item.title}</bdi></p>
        <p><bdi class="name">${item.content}</bdi></p>
        <p class="small figure">
          ${item.corrects_id && html`<b>${t("page.me.correction")}</b> · `}<time datetime=${item.at}>${clock(item.at, zone)}</time>
        </p>
      </div>
      <button type="button" class="button" onClick=${() => notices.understand(item.id)}>${t("page.scan.understood")}</button>
    </section>`,
  );
}
