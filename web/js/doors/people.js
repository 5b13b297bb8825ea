// Somebody must be found, put out, kept out, or let in again: search, ejection, bans.
import { html, signal, useEffect } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { clock, day } from "/lib/format.js";
import { uuid7 } from "/lib/uuid.js";
import { fromField } from "/lib/zoned.js";
import { act, base, busy, said, sentenceOf, zone } from "/js/doors/model.js";

const found = signal(null);
// The ticket that is about to be ejected: {ticket, person, id}; the id makes a repeat harmless.
const ejecting = signal(null);
const bans = signal(null);
const lifted = signal(false);
const banning = signal("email");
// What is needed to lift a ban: asked at the line itself.
const lifting = signal(null);

async function look(submit) {
  submit.preventDefault();
  const words = submit.currentTarget.elements.q.value.trim();
  try {
    found.value = await call("GET", `${base}/attendees?${new URLSearchParams({ q: words })}`);
    said.value = null;
  } catch (error) {
    found.value = null;
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

async function readBans() {
  try {
    const page = await call("GET", `${base}/bans?limit=100&lifted=${lifted.value}`);
    bans.value = page;
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

function EjectForm() {
  const { ticket, name, id } = ejecting.value;
  const eject = async (submit) => {
    submit.preventDefault();
    const { reason, ban, until } = submit.currentTarget.elements;
    const body = { id, reason: reason.value.trim(), ban: ban.value };
    if (until.value && ban.value !== "none") body.until = fromField(until.value, zone.value);
    const done = await act("POST", `${base}/tickets/${ticket.id}/eject`, body, { words: "page.people.ejected" });
    if (!done) return;
    if (done.not_banned) said.value = { bad: true, words: t("page.people.ejected_not_banned") };
    ejecting.value = null;
    const states = found.value.items.map((person) => ({
      ...person,
      tickets: person.tickets.map((one) => (one.id === ticket.id ? { ...one, state: done.state, inside: false } : one)),
    }));
    found.value = { ...found.value, items: states };
    readBans();
  };
  return html`<form class="report eject" onSubmit=${eject} aria-label=${t("page.people.eject_of", { name })}>
    <p class="wide"><b>${t("page.people.eject_of", { name })}</b> <span class="soft">${t("page.people.eject_hint")}</span></p>
    <div class="field wide">
      <label for="eject-reason">${t("page.people.reason")}</label>
      <input class="input" id="eject-reason" name="reason" required maxlength="500" autocomplete="off" />
    </div>
    <div class="field">
      <label for="eject-ban">${t("page.people.with_ban")}</label>
      <select class="input" id="eject-ban" name="ban">
        ${["none", "event", "all"].map((word) => html`<option key=${word} value=${word}>${t(`page.people.ban.${word}`)}</option>`)}
      </select>
    </div>
    <div class="field">
      <label for="eject-until">${t("page.people.until")}</label>
      <input class="input" id="eject-until" name="until" type="datetime-local" />
    </div>
    <div class="row wide">
      <button type="submit" class="button danger" disabled=${busy.value}>${t("page.people.eject_now")}</button>
      <button type="button" class="button" onClick=${() => (ejecting.value = null)}>${t("page.crm.cancel")}</button>
    </div>
  </form>`;
}

function Person({ person }) {
  const name = [person.first_name, person.last_name].filter(Boolean).join(" ") || "–";
  const facts = [person.company, person.email, person.phone_end && `…${person.phone_end}`].filter(Boolean);
  return html`<li class="incident">
    <p><b class="name">${name}</b> <span class="small soft name">${facts.join(" · ")}</span></p>
    ${person.tickets.map(
      (ticket) => html`<div class="row" key=${ticket.id} data-ticket=${ticket.id}>
        <span class="name">${ticket.type}</span>
        <span class="figure soft">${[ticket.code_hint, ticket.order_number].filter(Boolean).join(" · ")}</span>
        <span class=${`chip ${ticket.state === "valid" ? "good" : "bad"}`}>${t(`page.people.state.${ticket.state}`)}</span>
        ${ticket.inside && html`<span class="chip">${t("page.people.inside")}</span>`}
        <button
          type="button"
          class="button danger"
          aria-label=${t("page.people.eject_of", { name })}
          onClick=${() => (ejecting.value = { ticket, name, id: uuid7() })}
        >
          ${t("page.people.eject")}
        </button>
        ${ejecting.value?.ticket.id === ticket.id && html`<${EjectForm} key=${ejecting.value.id} />`}
      </div>`,
    )}
  </li>`;
}

function Find() {
  return html`<section class="panel act-panel" aria-label=${t("page.people.find")}>
    <h2>${t("page.people.find")}</h2>
    <form class="row" onSubmit=${look}>
      <div class="field grow">
        <label for="people-q">${t("page.people.find_hint")}</label>
        <input class="input" id="people-q" name="q" type="search" required autocomplete="off" />
      </div>
      <button type="submit" class="button primary">${t("page.people.look")}</button>
    </form>
    ${found.value &&
    (found.value.items.length === 0
      ? html`<p class="empty" role="status">${t("page.people.nobody")}</p>`
      : html`<ul class="incidents" role="status">
            ${found.value.items.map((person) => html`<${Person} key=${person.attendee_id} person=${person} />`)}
          </ul>
          ${found.value.more > 0 && html`<p class="soft small">${t("page.people.more", { n: found.value.more })}</p>`}`)}
  </section>`;
}

const WAYS = { email: ["email"], phone: ["phone"], name: ["first_name", "last_name", "birth_date"] };
const TYPES = { email: "email", phone: "tel", birth_date: "date" };

function BanForm() {
  const ban = async (submit) => {
    submit.preventDefault();
    const form = submit.currentTarget;
    const body = { reason: form.elements.namedItem("reason").value.trim(), all_events: form.elements.namedItem("all_events").checked };
    for (const name of WAYS[banning.value]) {
      const value = form.elements.namedItem(name).value.trim();
      if (value) body[name] = value;
    }
    const until = form.elements.namedItem("until").value;
    if (until) body.until = fromField(until, zone.value);
    if (await act("POST", `${base}/bans`, body, { words: "page.people.banned" })) {
      form.reset();
      readBans();
    }
  };
  return html`<form class="report" onSubmit=${ban} aria-label=${t("page.people.ban_somebody")}>
    <div class="field">
      <label for="ban-by">${t("page.people.ban_by")}</label>
      <select class="input" id="ban-by" value=${banning.value} onChange=${(change) => (banning.value = change.currentTarget.value)}>
        ${Object.keys(WAYS).map((way) => html`<option key=${way} value=${way}>${t(`page.people.by.${way}`)}</option>`)}
      </select>
    </div>
    ${WAYS[banning.value].map(
      (name) => html`<div class="field" key=${name}>
        <label for=${`ban-${name}`}>${t(`page.people.field.${name}`)}</label>
        <input class="input" id=${`ban-${name}`} name=${name} type=${TYPES[name] ?? "text"} required=${name !== "first_name"} autocomplete="off" />
      </div>`,
    )}
    <div class="field">
      <label for="ban-reason">${t("page.people.reason")}</label>
      <input class="input" id="ban-reason" name="reason" required maxlength="500" autocomplete="off" />
    </div>
    <div class="field">
      <label for="ban-until">${t("page.people.until")}</label>
      <input class="input" id="ban-until" name="until" type="datetime-local" />
    </div>
    <div class="field kind-check">
      <label for="ban-all">${t("page.people.ban.all")}</label>
      <input id="ban-all" name="all_events" type="checkbox" />
    </div>
    <button type="submit" class="button" disabled=${busy.value}>${t("page.people.ban_now")}</button>
    ${banning.value === "name" && html`<p class="small soft wide">${t("page.people.name_hint")}</p>`}
  </form>`;
}

const whom = (ban) =>
  [[ban.first_name, ban.last_name].filter(Boolean).join(" "), ban.email, ban.phone].filter(Boolean).join(" · ") ||
  t("page.people.a_contact");

function Ban({ ban }) {
  const lift = async (submit) => {
    submit.preventDefault();
    const reason = submit.currentTarget.elements.reason.value.trim();
    if (await act("POST", `${base}/bans/${ban.id}/lift`, { reason }, { words: "page.people.lifted" })) {
      lifting.value = null;
      readBans();
    }
  };
  const until = ban.until && `${day(ban.until, locale(), zone.value)} ${clock(ban.until, zone.value)}`;
  return html`<tr class=${ban.lifted_at ? "gone" : ""} data-ban=${ban.id}>
    <th scope="row"><span class="name">${whom(ban)}</span><span class="small soft name">${ban.reason}</span></th>
    <td>${t(ban.event_id ? "page.people.ban.event" : "page.people.ban.all")}</td>
    <td>${until ?? t("page.people.no_end")}</td>
    <td>
      ${ban.lifted_at
        ? html`<span class="chip">${t("page.people.is_lifted")}</span>`
        : lifting.value === ban.id
          ? html`<form class="row" onSubmit=${lift}>
              <label class="unseen" for=${`lift-${ban.id}`}>${t("page.people.reason")}</label>
              <input class="input" id=${`lift-${ban.id}`} name="reason" required maxlength="500" placeholder=${t("page.people.reason")} />
              <button type="submit" class="button" disabled=${busy.value}>${t("page.people.lift")}</button>
            </form>`
          : html`<button type="button" class="button" aria-label=${t("page.people.lift_of", { name: whom(ban) })} onClick=${() => (lifting.value = ban.id)}>
              ${t("page.people.lift")}
            </button>`}
    </td>
  </tr>`;
}

function Bans() {
  const items = bans.value?.items ?? [];
  return html`<section class="panel act-panel" aria-label=${t("page.people.bans")}>
    <div class="act-head">
      <h2>${t("page.people.bans")}</h2>
      <button
        type="button"
        class="button"
        aria-pressed=${lifted.value}
        onClick=${() => {
          lifted.value = !lifted.value;
          readBans();
        }}
      >
        ${t("page.people.with_lifted")}
      </button>
    </div>
    <${BanForm} />
    ${items.length === 0
      ? html`<p class="empty">${t(bans.value ? "page.people.no_bans" : "page.all.loading")}</p>`
      : html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t("page.people.bans")}>
          <table class="acts-table">
            <thead>
              <tr>
                ${["who", "where", "until"].map((head) => html`<th scope="col" key=${head}>${t(head === "until" ? "page.people.until" : `page.doors.head.${head}`)}</th>`)}
                <td></td>
              </tr>
            </thead>
            <tbody>${items.map((ban) => html`<${Ban} key=${ban.id} ban=${ban} />`)}</tbody>
          </table>
        </div>`}
  </section>`;
}

export function People() {
  useEffect(() => {
    readBans();
  }, []);
  return html`<${Find} /><${Bans} />`;
}
