// The line on which the server asks for a ticket's lease: another door has its guest.
// The device keeps its word before it says it (Alone.giveBack); what it used while it was
// alone is uploaded first, so that the other door sees the entry.

const WAIT_FIRST_MS = 1_000;
const WAIT_MOST_MS = 15_000;
const TIMEOUT_MS = 2_000;

export class Recalls {
  // device: the pairing's answer (live_url, token, event). flush(): send what waits.
  constructor({ device, alone, post, flush, Socket = globalThis.WebSocket }) {
    Object.assign(this, { device, alone, post, flush, Socket });
    this.tries = 0;
  }

  start() {
    if (!this.device.live_url) return this;
    const socket = new this.Socket(this.device.live_url);
    socket.onopen = () =>
      socket.send(JSON.stringify({ op: "hello", v: 1, token: this.device.token }));
    socket.onmessage = ({ data }) => this.heard(JSON.parse(data));
    socket.onclose = ({ code }) => {
      if (code === 4100) return; // revoked: nobody asks this device any more
      this.tries += 1;
      const most = Math.min(WAIT_MOST_MS, WAIT_FIRST_MS * 2 ** this.tries);
      setTimeout(() => this.start(), WAIT_FIRST_MS + Math.random() * most);
    };
    return this;
  }

  async heard(message) {
    if (message.op === "welcome") this.tries = 0;
    if (message.op !== "recall" || message.event_id !== this.device.event.id) return;
    const word = await this.alone.giveBack(message.ticket_id);
    if (word.state === "used") this.flush();
    await this.post(
      `/api/v1/events/${message.event_id}/leases/answers`,
      { answers: [word] },
      TIMEOUT_MS,
    );
  }
}
