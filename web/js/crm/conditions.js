// Conditions of a segment as lines of a form, and as the tree of the API. Pure.

// What a kind asks for: name of the argument -> how it is asked.
export const KINDS = {
  attended: { at_least: "number" },
  no_show_last_time: {},
  spent: { more_than: "money" },
  vip: {},
  score: { at_least: "number" },
  field: { field: "field", op: "op", value: "text" },
  tag: { tag: "text" },
  consent: { purpose: "purpose" },
  not_contacted: { for_days: "number" },
};
export const FIELDS = [
  "city", "country", "industry", "job_title", "lead_source", "status", "contact_type",
  "company_name", "company_size", "account_type",
];
export const OPS = ["is", "is_not", "contains", "empty"];
export const PURPOSES = ["marketing", "email", "sms", "phone"];
const START = { field: "city", op: "is", purpose: "email", at_least: 1, for_days: 30, more_than: "100" };

export function blank(kind) {
  const line = { kind, not: false };
  for (const name of Object.keys(KINDS[kind])) line[name] = START[name] ?? "";
  return line;
}

function toNode(line) {
  const node = { type: line.kind };
  for (const [name, how] of Object.entries(KINDS[line.kind])) {
    if (line.kind === "field" && name === "value" && line.op === "empty") continue;
    node[name] = how === "number" ? Number(line[name]) : String(line[name]);
  }
  return line.not ? { type: "not", that: node } : node;
}

export function toTree(join, lines) {
  const of = lines.map(toNode);
  // Nothing said is true of everybody; "any of nothing" would be nobody.
  return of.length === 0 ? { type: "all", of } : { type: join, of };
}

// The lines of a tree, or null if it is deeper than lines can say.
export function fromTree(tree) {
  if (tree?.type !== "all" && tree?.type !== "any") return null;
  const lines = [];
  for (const node of tree.of) {
    const inner = node.type === "not" ? node.that : node;
    const asked = KINDS[inner.type];
    if (!asked) return null;
    const line = { kind: inner.type, not: node.type === "not" };
    for (const [name, value] of Object.entries(inner)) {
      if (name === "type" || value === null || value === undefined) continue;
      // What lines cannot say must not be lost by saving.
      if (!(name in asked)) {
        if (name === "currency" && value === "CAD") continue;
        return null;
      }
      if (Array.isArray(value)) return null;
      line[name] = value;
    }
    for (const name of Object.keys(asked)) line[name] ??= "";
    lines.push(line);
  }
  return { join: tree.type, lines };
}
