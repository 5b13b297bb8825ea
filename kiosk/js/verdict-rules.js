// How a verdict looks and how long it stays. Pure.
//
// tone: "go" green, "out" blue, "again" grey, "wait" amber, "stop" red.
// stays: false = goes by itself and never blocks the next scan; true = until touch,
// trigger, or a different code after 1.5 s.

export const STAYS_MS = 1_500;
export const GOES_MS = { go: 1_900, out: 1_900, again: 1_600 };

export function toneOf(answer) {
  if (answer.just_now) return "again";
  switch (answer.verdict) {
    case "admitted":
      return "go";
    case "exited":
      return "out";
    case "hold":
      return "wait";
    default:
      return "stop";
  }
}

export function mustRead(answer) {
  return answer.verdict === "admitted" ? (answer.ticket?.notes ?? []) : [];
}

export function staysUntilTouched(answer) {
  const tone = toneOf(answer);
  return tone === "wait" || tone === "stop" || mustRead(answer).length > 0 || leftOut(answer);
}

// Of a whole order somebody was not let in: a green that must be read.
export function leftOut(answer) {
  return (answer.tickets ?? []).some(({ verdict }) => verdict !== "admitted");
}

// The cause is not for the guest's eyes: it stands behind a touch.
export function isDelicate(answer) {
  return answer.sensitive === true;
}

// Who may let in what the rules do not: a supervisor behind a PIN, or nobody.
export function mayOverride(answer) {
  const stopped = answer.verdict === "refused" || answer.verdict === "hold";
  return stopped && !answer.just_now && ["supervisor", "event_manager"].includes(answer.clear_by);
}

// What the steward can answer: {kind, options: [{label, change}]}, or null. `change` is
// what the next scan of the same code carries.
export function questionOf(answer) {
  const choices = answer.choices ?? [];
  switch (answer.reason) {
    case "needs_count":
      return {
        kind: "count",
        options: choices.map((choice) => {
          const admit = choice.admit ?? choice;
          return { label: String(admit), change: { admit } };
        }),
        more: [{ change: { whole_order: true } }],
      };
    case "choose_session":
      return {
        kind: "session",
        options: choices.map((choice) => ({
          label: choice.title ?? choice.session_id,
          change: { session_id: choice.session_id },
        })),
      };
    case "unconfirmed":
      return {
        kind: "take_over",
        options: [{ change: { take_over: answer.previous?.scan_id ?? answer.id } }],
      };
    case "needs_answers":
      return { kind: "questions", options: [] };
    case "id_check":
      return { kind: "id", options: [] };
    case "unassigned_medium":
      return { kind: "band", options: [{ change: null }] };
    case "again":
      return { kind: "again", options: [{ change: {} }] };
    default:
      return null;
  }
}

// May this reading be taken up while `shown` is on the screen? A typing scanner is a
// trigger that a person pulled; a camera looks all the time.
export function mayTake(shown, code, method, nowMs) {
  if (!shown || !shown.stays || method !== "qr_code") return true;
  return code !== shown.code && nowMs - shown.shownAtMs >= STAYS_MS;
}
