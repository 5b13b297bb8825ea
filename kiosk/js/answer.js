// The answer of the device itself, in the shape of the server's (ops/checkin/answers.py).
import { clock } from "/lib/format.js";
import { has, t } from "/lib/i18n.js";
import { SENSITIVE } from "/scan/js/engine/registry.js";

const TIMES = new Set(["when", "since"]);

// person: {name, company, seat, notes, ..} where the names are open, else null.
export function answerOf(scan, made, { plan, found, person, zone, hint }) {
  const args = { ...made.args };
  for (const name of TIMES) if (args[name]) args[name] = clock(args[name], zone);
  args.name = person?.name ?? null;
  const key = `verdict.${made.verdict}.${made.reason}`;
  const say = (part) => (has(`${key}.${part}`) ? t(`${key}.${part}`, args) : "");
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
    choices: choicesOf(made, plan),
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

function choicesOf(made, plan) {
  if (made.reason !== "choose_session") return made.choices;
  return made.choices.map((session_id) => ({
    session_id,
    title: plan.scopeOfSession.get(session_id)?.name,
  }));
}
