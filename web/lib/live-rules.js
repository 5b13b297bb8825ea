// The rules of a topic on the live socket. Pure: a state and a frame in, a state and
// what to do with the data out. No socket, no clock.
//
// A topic's state: {epoch, offset, waiting}; `waiting` means that a snapshot was asked
// for and updates are of no use until it comes.

// Topics whose updates carry absolute values: a gap is no loss.
const CONFLATED = new Set(["attendance", "sessions", "devices", "alerts", "reach", "offline", "forecast", "doors"]);

export const START = Object.freeze({ epoch: null, offset: -1, waiting: true });

export function kindOf(topic) {
  return topic.slice(topic.lastIndexOf(":") + 1);
}

// -> {state, act}; act is "replace", "merge", "none" or "resync".
export function receive(state, topic, frame) {
  switch (frame.op) {
    case "snapshot":
      return {
        state: { epoch: frame.epoch, offset: frame.offset, waiting: false },
        act: "replace",
      };
    case "resumed":
      return { state: { ...state, waiting: false }, act: "none" };
    case "update":
      return update(state, CONFLATED.has(kindOf(topic)), frame);
    case "mark":
      // The tail of the stream was lost if the server is further than we are.
      return !state.waiting && frame.offset > state.offset
        ? { state: { ...state, waiting: true }, act: "resync" }
        : { state, act: "none" };
    default:
      return { state, act: "none" };
  }
}

function update(state, conflated, { prev, offset }) {
  if (state.waiting || offset <= state.offset) return { state, act: "none" };
  const fits = conflated ? prev <= state.offset : prev === state.offset;
  return fits
    ? { state: { ...state, offset }, act: "merge" }
    : { state: { ...state, waiting: true }, act: "resync" };
}

// What hello says about the topics that were held before the connection broke.
export function resumeOf(states) {
  const resume = {};
  for (const [topic, { epoch, offset }] of states) {
    if (epoch !== null) resume[topic] = { epoch, offset };
  }
  return resume;
}

// Full jitter: thousands of pages that lost one server must not come back together.
export function delayMs(attempt, random, firstMs = 500, mostMs = 10_000) {
  return Math.floor(random * Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 10)));
}

// What a close code asks of the page: "again" or a reason to stop for good.
export function afterClose(code) {
  if (code === 4003) return "forbidden";
  if (code === 4100) return "revoked";
  return "again";
}
