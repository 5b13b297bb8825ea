// Verdicts and reasons: the same words as ops/admission/verdicts.py, which a test compares.
// A reason fixes its verdict and who may clear it.

const hold = (clearBy) => ({ verdict: "hold", clear_by: clearBy });
const refused = (clearBy = "nobody") => ({ verdict: "refused", clear_by: clearBy });

export const REASONS = {
  ok: { verdict: "admitted", clear_by: "nobody" },
  welcome_back: { verdict: "admitted", clear_by: "nobody" },
  not_inside: { verdict: "exited", clear_by: "nobody" },
  unconfirmed: hold("steward"),
  unpaid: hold("supervisor"),
  payment_due: hold("supervisor"),
  blocked: hold("supervisor"),
  area_full: hold("event_manager"),
  needs_answers: hold("steward"),
  needs_supervisor: hold("supervisor"),
  needs_count: hold("steward"),
  choose_session: hold("steward"),
  other_door: hold("supervisor"),
  unassigned_medium: hold("steward"),
  id_check: hold("steward"),
  unknown_code: refused("supervisor"),
  malformed_code: refused("supervisor"),
  forged_code: refused(),
  other_event: refused(),
  cancelled: refused("supervisor"),
  refunded: refused("supervisor"),
  reissued: refused("supervisor"),
  exchanged: refused("supervisor"),
  banned: refused("supervisor"),
  wrong_area: refused("supervisor"),
  too_early: refused("supervisor"),
  too_late: refused("supervisor"),
  not_registered: refused("supervisor"),
  seat_released: refused("supervisor"),
  already_inside: refused("supervisor"),
  re_entry_not_allowed: refused("supervisor"),
  passes_used: refused("supervisor"),
  already_used: refused("supervisor"),
  under_age: refused(),
  nothing_left: refused(),
  admission_stopped: refused(),
  doors_closed: refused("event_manager"),
};

export const SENSITIVE = new Set(["unpaid", "blocked", "forged_code", "banned"]);

export function verdictOf(reason, direction) {
  if (reason === "ok" && direction === "out") return "exited";
  return REASONS[reason].verdict;
}
