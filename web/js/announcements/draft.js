// What a draft is made of, and when it can be taken back. Pure: no page, no clock.

export const AUDIENCES = ["all", "attendees", "vip", "speakers", "sponsors", "organizers"];
export const PRIORITIES = ["low", "normal", "high", "urgent"];
export const METHODS = ["in_app", "website", "email", "push", "sms"];

export const EMPTY = Object.freeze({
  words: { en: { title: "", content: "" }, fr: { title: "", content: "" } },
  who: "guests",
  audience: "all",
  checkedIn: "",
  areas: [],
  sessions: [],
  sessionState: "registered",
  types: [],
  flags: "",
  languages: [],
  gates: [],
  priority: "normal",
  methods: ["in_app", "website"],
  chain: false,
  chainAfterS: 60,
  link: "",
  commercial: false,
  corrects: null,
});

const given = (list) => (list.length ? list : undefined);

// Only what narrows is sent: the server refuses an empty list.
export function segmentsOf(form) {
  const segments =
    form.who === "staff"
      ? { devices: true, gate_ids: given(form.gates) }
      : {
          checked_in: form.checkedIn === "" ? undefined : form.checkedIn === "yes",
          area_ids: given(form.areas),
          session_ids: given(form.sessions),
          session_state: form.sessions.length ? form.sessionState : undefined,
          ticket_type_ids: given(form.types),
          flags: given(form.flags.split(",").map((flag) => flag.trim()).filter(Boolean)),
          languages: given(form.languages),
        };
  return Object.fromEntries(Object.entries(segments).filter(([, value]) => value !== undefined));
}

// The first language that has words is the announcement's own; each is kept as given.
export function draftOf(form, own = "en") {
  const said = Object.entries(form.words).filter(
    ([, { title, content }]) => title.trim() || content.trim(),
  );
  const first = said.find(([name]) => name === own) ?? said[0] ?? [own, { title: "", content: "" }];
  return {
    title: first[1].title.trim(),
    content: first[1].content.trim(),
    translations: Object.fromEntries(
      said.map(([name, { title, content }]) => [name, { title: title.trim(), content: content.trim() }]),
    ),
    priority: form.priority,
    target_audience: form.who === "staff" ? "all" : form.audience,
    target_segments: segmentsOf(form),
    delivery_method: form.who === "staff" ? ["in_app"] : form.methods,
    chain: form.chain && form.who !== "staff",
    chain_after_s: form.chainAfterS,
    link_url: form.link.trim() || null,
    commercial: form.commercial,
    corrects_id: form.corrects?.id ?? null,
  };
}

// Of a kept announcement or template: the form that would make it again.
export function formOf(kept, own = "en") {
  const segments = kept.target_segments ?? {};
  const words = { en: { title: "", content: "" }, fr: { title: "", content: "" } };
  for (const [name, said] of Object.entries(kept.translations ?? {})) {
    if (words[name]) words[name] = { title: said.title, content: said.content };
  }
  if (!words[own].title) words[own] = { title: kept.title, content: kept.content };
  return {
    ...EMPTY,
    words,
    who: segments.devices ? "staff" : "guests",
    audience: kept.target_audience ?? "all",
    checkedIn: segments.checked_in === undefined || segments.checked_in === null ? "" : segments.checked_in ? "yes" : "no",
    areas: segments.area_ids ?? [],
    sessions: segments.session_ids ?? [],
    sessionState: segments.session_state ?? "registered",
    types: segments.ticket_type_ids ?? [],
    flags: (segments.flags ?? []).join(", "),
    languages: segments.languages ?? [],
    gates: segments.gate_ids ?? [],
    priority: kept.priority ?? "normal",
    methods: kept.delivery_method ?? ["in_app", "website"],
    chain: kept.chain ?? false,
    chainAfterS: kept.chain_after_s ?? 60,
    link: kept.link_url ?? "",
    commercial: kept.commercial ?? false,
  };
}

// A correction goes to the same people by the same ways, with words of its own.
export function correctionOf(sent, own = "en") {
  return { ...formOf(sent, own), corrects: { id: sent.id, title: sent.title } };
}

// Languages whose words are begun and not finished.
export function unfinished(form) {
  const begun = Object.entries(form.words).filter(([, { title, content }]) => title.trim() || content.trim());
  if (begun.length === 0) return ["en"];
  return begun.filter(([, { title, content }]) => !title.trim() || !content.trim()).map(([name]) => name);
}

// Whole seconds in which it can still be taken back; 0 when it has gone.
export function recallableS(line, nowMs) {
  if (line.status !== "scheduled" || !line.scheduled_for) return 0;
  return Math.max(0, Math.ceil((Date.parse(line.scheduled_for) - nowMs) / 1000));
}
