// The device's line to the hub. On it the server asks for a ticket's lease: another door
// has its guest. The device keeps its word before it says it (Alone.giveBack); what it used
// while it was alone is uploaded first, so that the other door sees the entry. On the same
// line come announcements to the staff (`notices`).
import { START, receive } from "/lib/live-rules.js";

const WAIT_FIRST_MS = 1_000;
const WAIT_MOST_MS = 15_000;
const TIMEOUT_MS = 2_000;

export class Recalls {
  // device: the pairing's answer (live_url, token, event). flush(): send what waits.
  // notices: {topic, take(data, act), say}; `say` is set here: (id, what) -> sent or not.
  constructor({ device, alone, post, flush, notices = null, Socket = globalThis.WebSocket }) {
    Object.assign(this, { device, alone, post, flush, notices, Socket });
    this.tries = 0;
    this.position = START;
  }

  start() {
    if (!this.device.live_url) return this;
    const socket = new this.Socket(this.device.live_url);
    this.socket = socket;
    socket.onopen = () => this.send({ op: "hello", v: 1, token: this.device.token });
    socket.onmessage = ({ data }) => this.heard(JSON.parse(data));
    socket.onclose = ({ code }) => {
      if (code === 4100) return; // revoked: nobody asks this device any more
      this.tries += 1;
      const most = Math.min(WAIT_MOST_MS, WAIT_FIRST_MS * 2 ** this.tries);
      setTimeout(() => this.start(), WAIT_FIRST_MS + Math.random() * most);
    };
    if (this.notices) {
      this.notices.say = (id, what) => this.send({ op: "ack", announcement_id: id, what });
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
    if (this.notices && message.topic === this.notices.topic) this.follow(message);
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
    this.position = START; // whatever was missed comes with the snapshot
    if (this.notices) this.send({ op: "subscribe", topics: [this.notices.topic] });
  }

  follow(message) {
    const { state, act } = receive(this.position, message.topic, message);
    this.position = state;
    if (act === "resync") this.send({ op: "resync", topic: message.topic });
    else if (act !== "none") this.notices.take(message.data, act);
  }
}
