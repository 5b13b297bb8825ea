// What was decided: the verdict, its reason, its arguments and the visits to write.
import { verdictOf } from "/scan/js/engine/registry.js";

export function decision(fields) {
  return {
    args: {},
    scope: null,
    opens: [],
    closes: [],
    people: 0,
    just_now: false,
    choices: [],
    overridden: "",
    against: "",
    questions: [],
    given: [],
    counted: null,
    past_limits: false,
    ...fields,
  };
}

// An answer that writes nothing; arguments that are null are left out.
export function say(reason, ask, scope = null, choices = [], args = {}) {
  const kept = Object.entries(args).filter(([, value]) => value !== null && value !== undefined);
  return decision({
    verdict: verdictOf(reason, ask.direction),
    reason,
    scope,
    choices,
    args: Object.fromEntries(kept),
  });
}

export function writes(made) {
  return made.opens.length > 0 || made.closes.length > 0 || made.counted !== null;
}
