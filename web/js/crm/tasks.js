// Tasks in piles: overdue, today, later. Done by one touch.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { API, change, create, may, me, read1, remove, say, sentence } from "/js/crm/model.js";
import { Dialog, words } from "/js/crm/form.js";
import { Choice, Rows, Search, useRows, useTyped } from "/js/crm/list.js";
import { useOwners } from "/js/crm/pick.js";
import { dayAndTime, pile } from "/js/crm/say.js";

const PILES = ["overdue", "today", "later", "someday"];
const TONE = { urgent: "bad", high: "warn" };

const FIELDS = (owners) => [
  ["title", "text"],
  ["assigned_to", "choice", owners],
  ["due_date", "datetime"],
  ["reminder_date", "datetime"],
  ["contact_id", "ref", "contacts"],
  ["priority", "choice", words("priority", ["low", "medium", "high", "urgent"])],
  ["task_type", "choice", words("task_type", ["call", "email", "meeting", "follow_up", "proposal", "demo", "admin", "research"])],
  ["description", "long"],
];

const REMINDERS_EVERY_MS = 60_000;

// What I was reminded of and have not yet put away; each reminder is given once.
function Reminders({ onOpen }) {
  const [found, setFound] = useState([]);
  useEffect(() => {
    const load = () => call("GET", `${API}/me/reminders`).then((all) => setFound(all.filter((one) => !one.seen_at)), () => {});
    load();
    const timer = setInterval(load, REMINDERS_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  async function seen(one) {
    try {
      await call("POST", `${API}/me/reminders/${one.id}/seen`);
      setFound((all) => all.filter((other) => other.id !== one.id));
    } catch (error) {
      say(sentence(error), "bad");
    }
  }
  if (found.length === 0) return null;
  return html`<section class="panel pile reminders" aria-labelledby="reminders">
    <h2 id="reminders">${t("page.crm.reminders")} <span class="soft figure">${found.length}</span></h2>
    <ul>${found.map((one) => html`<li class="todo" key=${one.id}>
      <button type="button" class="task-name name" onClick=${() => onOpen(one.task_id)}>${one.title}</button>
      <span class="gap"></span>
      <time class="small figure" datetime=${one.due_at}>${dayAndTime(one.due_date ?? one.due_at, locale())}</time>
      <button type="button" class="button plain" onClick=${() => seen(one)}>${t("page.crm.reminder_seen")}</button>
    </li>`)}</ul>
  </section>`;
}

function Task({ task, onDone, onOpen }) {
  const done = task.status === "completed";
  return html`<li class=${`todo ${done ? "done" : ""}`}>
    <label class="tick">
      <input type="checkbox" checked=${done} disabled=${!may("tasks", "write")} onChange=${() => onDone(task)} />
      <span class="unseen">${t("page.crm.done", { name: task.title })}</span>
    </label>
    <button type="button" class="task-name name" onClick=${() => onOpen(task)}>${task.title}</button>
    ${TONE[task.priority] && html`<span class=${`chip ${TONE[task.priority]}`}>${t(`page.crm.priority.${task.priority}`)}</span>`}
    ${task.contact_id && html`<a class="name small" href=${`#contacts/${task.contact_id}`}>${task.labels?.contact_id ?? ""}</a>`}
    <span class="gap"></span>
    <span class="soft small name">${task.labels?.assigned_to ?? ""}</span>
    <time class="small figure">${task.due_date ? dayAndTime(task.due_date, locale()) : ""}</time>
  </li>`;
}

export function Tasks() {
  const [text, setText, q] = useTyped();
  const [whose, setWhose] = useState("mine");
  const [state, setState] = useState("open");
  const [open, setOpen] = useState(null);
  const rows = useRows("tasks", {
    q,
    assigned_to: whose === "mine" ? me.value?.id : null,
    "status[in]": state === "open" ? "pending,in_progress" : "completed,cancelled",
    sort: state === "open" ? "due_date" : "-created_at",
    limit: 100,
  });

  async function done(task) {
    const status = task.status === "completed" ? "pending" : "completed";
    try {
      const completed_at = status === "completed" ? new Date().toISOString() : null;
      rows.put(await change("tasks", task, { status, completed_at }));
      say(t(`page.crm.task.${status}`, { name: task.title }));
    } catch (error) {
      say(sentence(error), "bad");
      rows.reload();
    }
  }

  const owners = useOwners(open);
  const openById = (id) => read1("tasks", id).then(setOpen, (error) => say(sentence(error), "bad"));
  const now = new Date();
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <h1 id="title">${t("page.crm.nav.tasks")}</h1>
      <${Search} text=${text} setText=${setText} label=${t("page.crm.search.tasks")} />
      ${may("tasks", "write") &&
      html`<button type="button" class="button primary" onClick=${() => setOpen({})}>${t("page.crm.new")}</button>`}
    </div>
    <div class="filters">
      <${Choice} id="whose" label=${t("page.crm.field.assigned_to")} value=${whose} onChange=${setWhose} options=${words("whose", ["mine", "everybody"])} />
      <${Choice} id="state" label=${t("page.crm.field.status")} value=${state} onChange=${setState} options=${words("task_state", ["open", "closed"])} />
    </div>
    <${Reminders} onOpen=${openById} />
    <${Rows} rows=${rows} empty=${t("page.crm.none.tasks")}>
      ${(found) => (state === "open" ? PILES : ["all"]).map((name) => {
        const tasks = name === "all" ? found : found.filter((task) => pile(task, now) === name);
        return tasks.length === 0
          ? null
          : html`<section key=${name} class=${`panel pile ${name}`}>
              <h2>${t(`page.crm.pile.${name}`)} <span class="soft figure">${tasks.length}</span></h2>
              <ul>${tasks.map((task) => html`<${Task} key=${task.id} task=${task} onDone=${done} onOpen=${setOpen} />`)}</ul>
            </section>`;
      })}
    <//>
    ${open &&
    html`<${Dialog}
      title=${open.id ? open.title : t("page.crm.new_task")}
      fields=${FIELDS(owners)}
      row=${open.id ? open : { priority: "medium", assigned_to: me.value?.id }}
      required=${["title"]}
      onClose=${() => setOpen(null)}
      onStale=${async () => setOpen(await read1("tasks", open.id))}
      onSave=${async (wanted) => {
        if (open.id) await change("tasks", open, wanted);
        else await create("tasks", wanted);
        setOpen(null);
        say(t("page.crm.saved"));
        rows.reload();
      }}
      onDelete=${open.id && may("tasks", "delete")
        ? async () => {
            await remove("tasks", open);
            setOpen(null);
            say(t("page.crm.deleted"));
            rows.reload();
          }
        : null}
    />`}
  </section>`;
}
