// The device's line to the hub. On it the server asks for a ticket's lease: another door
// has its guest. The device keeps its word before it says it (Alone.giveBack); what it used
// while it was alone is uploaded first, so that the other door sees the entry. On the same
// line come announcements to the staff (`notices`) and the state of the doors (`door-line`).
import { START, receive } from "/lib/live-rules.js";

const WAIT_FIRST_MS = 1_000;
const WAIT_MOST_MS = 15_000;
const TIMEOUT_MS = 2_000;

export class Recalls {
  // device: the pairing's answer (live_url, token, event). flush(): send what waits.
  // follows: topics, each {topic, take(data, act), lost?()}; one with `say` gets it set
  // here: (announcement id, what) -> sent or not.
  constructor({ device, alone, post, flush, follows = [], Socket = globalThis.WebSocket }) {
    Object.assign(this, { device, alone, post, flush, follows, Socket });
    this.tries = 0;
    this.positions = new Map();
  }

  start() {
    if (!this.device.live_url) return this;
    const socket = new this.Socket(this.device.live_url);
    this.socket = socket;
    socket.onopen = () => this.send({ op: "hello", v: 1, token: this.device.token });
    socket.onmessage = ({ data }) => this.heard(JSON.parse(data));
    socket.onclose = ({ code }) => {
      for (const one of this.follows) one.lost?.();
      if (code === 4100) return; // revoked: nobody asks this device any more
      this.tries += 1;
      const most = Math.min(WAIT_MOST_MS, WAIT_FIRST_MS * 2 ** this.tries);
      setTimeout(() => this.start(), WAIT_FIRST_MS + Math.random() * most);
    };
    for (const one of this.follows) {
      if (one.say) one.say = (id, what) => this.send({ op: "ack", announcement_id: id, what });
    }
    return this;
  }

  send(message) {
    if (this.socket.readyState !== 1) return false; // not open
    this.socket.send(JSON.stringify(message));
    return true;
  }

  async heard(message) {
    if (message.op === "welcome") this.welcomed();
    const followed = this.follows.find(({ topic }) => topic === message.topic);
    if (followed) this.follow(followed, message);
    if (message.op !== "recall" || message.event_id !== this.device.event.id) return;
    const word = await this.alone.giveBack(message.ticket_id);
    if (word.state === "used") this.flush();
    await this.post(
      `/api/v1/events/${message.event_id}/leases/answers`,
      { answers: [word] },
      TIMEOUT_MS,
    );
  }

  welcomed() {
    this.tries = 0;
    this.positions.clear(); // whatever was missed comes with the snapshots
    const topics = this.follows.map(({ topic }) => topic);
    if (topics.length > 0) this.send({ op: "subscribe", topics });
  }

  follow(one, message) {
    if (message.op === "error") one.lost?.(); // the store is away: nothing old is shown
    const { state, act } = receive(this.positions.get(one.topic) ?? START, one.topic, message);
    this.positions.set(one.topic, state);
    if (act === "resync") this.send({ op: "resync", topic: one.topic });
    else if (act !== "none") one.take(message.data, act);
  }
}
