// Reads an OpenAPI document for people: groups, fields, examples. Pure.

const VERBS = ["get", "post", "put", "patch", "delete"];
// Schemas may contain themselves.
const DEPTH_MAX = 6;

export function resolved(schema, root) {
  let found = schema ?? {};
  for (let i = 0; found.$ref && i < DEPTH_MAX; i += 1) {
    const path = found.$ref.replace(/^#\//, "").split("/");
    found = path.reduce((at, part) => at?.[part.replaceAll("~1", "/").replaceAll("~0", "~")], root) ?? {};
  }
  const options = found.oneOf ?? found.anyOf;
  const real = options?.filter((option) => option.type !== "null") ?? [];
  if (real.length === 1) return { ...resolved(real[0], root), nullable: real.length < options.length };
  return found;
}

export function typeOf(schema, root) {
  const found = resolved(schema, root);
  const types = [found.type ?? (found.properties ? "object" : found.enum ? "string" : null)].flat();
  const known = types.filter((type) => type && type !== "null");
  const nullable = found.nullable || types.includes("null") ? " | null" : "";
  if (found.enum) return `${found.enum.map((value) => JSON.stringify(value)).join(" | ")}${nullable}`;
  if (known[0] === "array") return `${typeOf(found.items, root)}[]${nullable}`;
  const options = found.oneOf ?? found.anyOf;
  if (!known.length && options) return options.map((option) => typeOf(option, root)).join(" | ");
  return `${found.format ?? known.join(" | ") ?? "any"}${nullable}` || "any";
}

export function limitsOf(schema, root) {
  const found = resolved(schema, root);
  const words = {
    minLength: "≥ {} characters",
    maxLength: "≤ {} characters",
    minimum: "≥ {}",
    maximum: "≤ {}",
    maxItems: "≤ {} items",
    pattern: "matches {}",
  };
  return Object.entries(words)
    .filter(([name]) => found[name] !== undefined)
    .map(([name, word]) => word.replace("{}", found[name]))
    .join(", ");
}

export function fieldsOf(schema, root) {
  const found = resolved(schema, root);
  const wanted = new Set(found.required ?? []);
  return Object.entries(found.properties ?? {}).map(([name, field]) => ({
    name,
    type: typeOf(field, root),
    limits: limitsOf(field, root),
    required: wanted.has(name),
    text: field.description ?? resolved(field, root).description ?? "",
  }));
}

const SAMPLES = {
  uuid: "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
  "date-time": "2026-11-22T18:02:11.120Z",
  date: "2026-11-22",
  email: "dana@example.org",
};

export function exampleOf(schema, root, depth = 0) {
  const found = resolved(schema, root);
  if (found.example !== undefined) return found.example;
  if (found.examples?.length) return found.examples[0];
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  if (depth > DEPTH_MAX) return null;
  const type = [found.type].flat().find((word) => word && word !== "null");
  if (type === "object" || found.properties) {
    const pairs = Object.entries(found.properties ?? {});
    return Object.fromEntries(pairs.map(([name, field]) => [name, exampleOf(field, root, depth + 1)]));
  }
  if (type === "array") return [exampleOf(found.items, root, depth + 1)];
  if (type === "integer" || type === "number") return found.minimum ?? 1;
  if (type === "boolean") return false;
  if (type === "string") return SAMPLES[found.format] ?? "text";
  return null;
}

// [{name, operations: [{id, verb, path, summary, ...}]}], in the document's order.
export function groupsOf(root) {
  const groups = new Map();
  for (const [path, item] of Object.entries(root.paths ?? {})) {
    for (const verb of VERBS.filter((word) => item[word])) {
      const operation = item[verb];
      const name = operation.tags?.[0] ?? "other";
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push({
        id: `${verb}${path.replaceAll(/[^\w]+/g, "-")}`,
        verb,
        path,
        summary: operation.summary ?? "",
        text: operation.description ?? "",
        parameters: (operation.parameters ?? []).map((parameter) => ({
          name: parameter.name,
          place: parameter.in,
          required: parameter.required === true,
          type: typeOf(parameter.schema, root),
          text: parameter.description ?? "",
        })),
        body: Object.values(operation.requestBody?.content ?? {})[0]?.schema ?? null,
        answers: Object.entries(operation.responses ?? {}).map(([status, answer]) => ({
          status,
          text: answer.description ?? "",
          schema: Object.values(answer.content ?? {})[0]?.schema ?? null,
        })),
      });
    }
  }
  return [...groups].map(([name, operations]) => ({ name, operations }));
}
