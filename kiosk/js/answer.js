// The answer of the device itself, in the shape of the server's (ops/checkin/answers.py).
import { clock } from "/lib/format.js";
import { has, t } from "/lib/i18n.js";
import { SENSITIVE } from "/scan/js/engine/registry.js";

const TIMES = new Set(["when", "since"]);
const NEXT_DAY = new Set(["passes_used", "already_used", "already_inside", "re_entry_not_allowed"]);

// The nearer cause that the arguments tell, or "": as ops/checkin/wording.py says it.
export function variantOf({ reason, args, just_now: justNow }) {
  if (justNow || args.just_now) return "just_now";
  if (args.perhaps_banned) return "perhaps_banned";
  if (reason === "wrong_area" && args.unplanned) return "unplanned";
  if ((reason === "wrong_area" || reason === "doors_closed") && args.gate) return "use_instead";
  if (reason === "doors_closed" && args.held) return "held";
  if (reason === "area_full" && args.overflow) return "overflow";
  if (reason === "area_full" && args.fits) return "some_fit";
  if (reason === "not_registered" && args.at_door) return "at_door";
  if (reason === "needs_count" && args.leaving) return "leaving";
  if (reason === "too_early" && args.gap) return "gap";
  if (reason === "admission_stopped" && ["area", "gate"].includes(args.where)) return `at_${args.where}`;
  return NEXT_DAY.has(reason) && args.when ? "next_day" : "";
}

// person: {name, company, seat, notes, ..} where the names are open, else null.
export function answerOf(scan, made, { plan, found, person, zone, hint }) {
  const args = { ...made.args };
  for (const name of TIMES) if (args[name]) args[name] = clock(args[name], zone);
  args.name = person?.name ?? null;
  const key = `verdict.${made.verdict}.${made.reason}`;
  const which = variantOf(made);
  const say = (part) => {
    const nearer = part === "message" ? which : `${which}_${part}`;
    const word = which && has(`${key}.${nearer}`) ? nearer : part;
    return has(`${key}.${word}`) ? t(`${key}.${word}`, args) : "";
  };
  const { ticket } = found.facts;
  const type = ticket && plan.typesByNo.get(ticket.type_no);
  return {
    id: scan.id,
    verdict: made.verdict,
    reason: made.reason,
    message: say("message"),
    guest_message: say("guest"),
    action: say("action"),
    durable: "device",
    alone: true,
    just_now: made.just_now,
    sensitive: SENSITIVE.has(made.reason),
    at: scan.body.door.at,
    method: scan.body.method,
    previous: made.args.previous ? { scan_id: made.args.previous, at: made.args.since, gate: made.args.gate } : null,
    choices: choicesOf(made, plan),
    questions: made.questions.map(asked),
    ticket: ticket && {
      code_hint: hint,
      type: type?.name ?? "",
      holder: person?.name ?? "",
      company: person?.company ?? "",
      seat: person?.seat ?? "",
      notes: person?.notes ?? [],
      admits: { total: ticket.admits, inside: made.people, used: made.people },
    },
  };
}

// A question in all its languages; that for the age has its words in the catalogue.
function asked(question) {
  const { years } = question;
  return years ? { ...question, text: t("question.age", { years }) } : question;
}

function choicesOf(made, plan) {
  if (made.reason !== "choose_session") return made.choices;
  return made.choices.map((session_id) => ({
    session_id,
    title: plan.scopeOfSession.get(session_id)?.name,
  }));
}
