// The device's engine as a process: a JSON line of questions in, a line of decisions out.
// A question: {plan, ask, facts, full?}; times of an ask are milliseconds.
import { createInterface } from "node:readline";
import { decide, full } from "/scan/js/engine/decision.js";
import { Plan } from "/scan/js/engine/plan.js";

function answer({ plan: rows, ask, facts, full: fits }, plans) {
  const key = JSON.stringify(rows);
  if (!plans.has(key)) plans.set(key, new Plan(rows));
  const plan = plans.get(key);
  const asked = { ...ask, forged: () => ask.forged };
  let made = decide(plan, asked, facts);
  if (fits !== undefined) made = full(asked, made, plan, fits);
  const rowsOf = (list) => list.map(({ scope, ...row }) => ({ ...row, scope: scope.id }));
  return {
    ...made,
    scope: made.scope?.id ?? null,
    opens: rowsOf(made.opens),
    closes: rowsOf(made.closes),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const plans = new Map();
  const said = JSON.parse(line).map((question) => answer(question, plans));
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
