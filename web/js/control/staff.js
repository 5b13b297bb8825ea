// How many are short at each gate, by the plan of shifts; who may not see it sees none.
import { signal } from "/lib/ui.js";
import { call } from "/lib/api.js";
import { eventId } from "/js/control/model.js";

const READ_MS = 10_000;
const gates = signal([]);

export function short(gateId) {
  return gates.value.find((gate) => gate.gate_id === gateId)?.short ?? 0;
}

export async function readStaff() {
  try {
    gates.value = (await call("GET", `/api/v1/events/${eventId}/staffing`)).gates;
  } catch (error) {
    gates.value = [];
    if (error.status === 403) return;
  }
  setTimeout(readStaff, READ_MS);
}
