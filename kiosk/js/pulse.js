// The heartbeat: tells the server how this device is, and learns how it is set.
import * as state from "/scan/js/state.js";

const BEAT_MS = 10_000;
const TIMEOUT_MS = 4_000;

export class Pulse {
  constructor({ post, version, changed }) {
    Object.assign(this, { post, version, changed });
    this.operatorAtMs = 0;
  }

  start() {
    addEventListener("online", () => this.beat());
    addEventListener("offline", () => {
      state.link.value = "offline";
    });
    state.operator.subscribe(() => {
      this.operatorAtMs = Date.now();
    });
    this.beat();
  }

  async beat() {
    clearTimeout(this.timer);
    const begin = Date.now();
    const reply = await this.post("/api/v1/devices/heartbeat", await this.report(), TIMEOUT_MS);
    if (reply.status === 200) this.learn(reply.data, begin);
    else if (reply.status === 401) state.link.value = "revoked";
    else state.link.value = navigator.onLine ? "silent" : "offline";
    this.timer = setTimeout(() => this.beat(), BEAT_MS);
  }

  learn(data, begin) {
    state.link.value = "online";
    const middle = (begin + Date.now()) / 2;
    state.skewMs.value = Math.round(Date.parse(data.server_time) - middle);
    if (data.config) {
      // Who signed on or off while this beat was under way knows better than its answer.
      const operator = begin < this.operatorAtMs ? state.operator.value : data.config.operator;
      state.config.value = { ...data.config, operator };
      state.operator.value = operator;
    }
    this.changed();
  }

  async report() {
    const report = {
      pending: state.waitingCount.value,
      software: this.version,
      clock: new Date().toISOString(),
    };
    const battery = await navigator.getBattery?.().catch(() => null);
    if (battery) report.battery = Math.round(battery.level * 100);
    return report;
  }
}
