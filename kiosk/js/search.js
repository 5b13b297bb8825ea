// Search by name, and the admission of somebody whose code cannot be read. The same
// rules hold: it is a scan with the method "manual".
import { html, signal, useEffect, useRef } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { closeSheet, Problem, problem, sentenceOf, Sheet } from "/scan/js/dialog.js";
import * as state from "/scan/js/state.js";

const WAIT_MS = 250;
const LETTERS_MIN = 3;

const words = signal("");
const found = signal(null);
const picked = signal(null);
const busy = signal(false);
let timer = null;
let asked = 0;

// Three letters, or one whole short word, as some names are (Ng, Wu, 李).
export function enough(text) {
  const trimmed = text.trim();
  return trimmed.length >= LETTERS_MIN || /^\p{L}{1,2}$/u.test(trimmed);
}

// One line a ticket: somebody with two has two.
function ticketsOf(person) {
  const holder = [person.first_name, person.last_name].filter(Boolean).join(" ");
  return person.tickets.map(({ id, ...ticket }) => ({ ...person, ...ticket, ticket_id: id, holder }));
}

async function ask(post) {
  const mine = ++asked;
  if (!enough(words.value)) {
    found.value = null;
    return;
  }
  busy.value = true;
  const path = `/api/v1/events/${state.device.value.event.id}/attendees?q=${encodeURIComponent(words.value.trim())}`;
  const reply = await post(path, undefined, 4_000);
  if (mine !== asked) return;
  busy.value = false;
  if (reply.status === 200) {
    problem.value = null;
    found.value = { more: reply.data.more, items: reply.data.items.flatMap(ticketsOf) };
  } else {
    problem.value = sentenceOf(reply);
  }
}

function Person({ person }) {
  const details = [person.type, person.company, person.order_number, person.email].filter(Boolean);
  return html`<li>
    <button type="button" class="person" onClick=${() => (picked.value = person)}>
      <bdi class="name">${person.holder}</bdi>
      <span class="small soft name">${details.join(" · ")}</span>
      ${person.state !== "valid" && html`<span class="chip warn">${t(`page.search.state.${person.state}`)}</span>`}
      ${person.inside && html`<span class="chip good">${t("page.search.inside")}</span>`}
    </button>
  </li>`;
}

export function SearchSheet({ post, desk }) {
  const field = useRef(null);
  useEffect(() => {
    field.current?.focus();
    return () => {
      words.value = "";
      found.value = picked.value = null;
    };
  }, []);
  const typed = (event) => {
    words.value = event.currentTarget.value;
    clearTimeout(timer);
    timer = setTimeout(() => ask(post), WAIT_MS);
  };
  const people = found.value?.items ?? [];
  if (picked.value) {
    const person = picked.value;
    const admit = () => {
      closeSheet();
      desk.scan(person.ticket_id, "manual");
    };
    return html`<${Sheet} title=${t("page.search.sure")} wide onClose=${() => (picked.value = null)}>
      <p class="picked"><bdi class="name">${person.holder}</bdi></p>
      <p class="soft">${[person.type, person.company].filter(Boolean).join(" · ")}</p>
      <p>${t("page.search.look")}</p>
      <button type="button" class="button primary large" onClick=${admit}>
        ${t(state.direction.value === "out" ? "page.search.let_out" : "page.search.admit")}
      </button>
    <//>`;
  }
  return html`<${Sheet} title=${t("page.search.title")} wide>
    <div class="field">
      <label for="search-words">${t("page.search.words")}</label>
      <input class="input" id="search-words" ref=${field} autocomplete="off" spellcheck="false" enterkeyhint="search" onInput=${typed} />
    </div>
    <${Problem} />
    <div role="status" class="soft small">
      ${busy.value && t("page.scan.checking")}
      ${!busy.value && found.value && people.length === 0 && t("page.search.nobody")}
      ${!busy.value && found.value?.more > 0 && t("page.search.more", { n: found.value.more })}
    </div>
    <ul class="people">
      ${people.map((person) => html`<${Person} key=${person.ticket_id} person=${person} />`)}
    </ul>
  <//>`;
}
