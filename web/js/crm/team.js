// The team: users with their role, links for new ones, and what each role may do.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { API, change, create, list, may, me, say, sentence } from "/js/crm/model.js";
import { Dialog, words } from "/js/crm/form.js";
import { Rows, Search, useRows, useTyped } from "/js/crm/list.js";
import { Members } from "/js/crm/members.js";
import { dayAndTime } from "/js/crm/say.js";

const TONE = { active: "good", suspended: "bad" };
const ACTIONS = ["read", "write", "delete"];

function Link({ invitation, onClose }) {
  const link = new URL(invitation.link, location.href).href;
  return html`<div class="notice link" role="status">
    <p>${t("page.crm.invited.link", { when: dayAndTime(invitation.expires_at, locale()) })}</p>
    <p><code class="name">${link}</code></p>
    <p class="actions">
      <button type="button" class="button" onClick=${() => navigator.clipboard.writeText(link).then(() => say(t("page.crm.copied")))}>
        ${t("page.crm.copy")}
      </button>
      <button type="button" class="button plain" onClick=${onClose}>${t("page.crm.close")}</button>
    </p>
  </div>`;
}

function User({ user, roles, onRole, onStatus, onInvite }) {
  const own = user.id === me.value?.id;
  const fixed = own || !may("users", "write");
  const id = `role-${user.id}`;
  return html`<tr>
    <th scope="row"><span class="name">${user.first_name} ${user.last_name}</span>
      <span class="soft small name"> ${user.department ?? ""}</span></th>
    <td class="name">${user.email ?? ""}</td>
    <td>
      <label class="unseen" for=${id}>${t("page.crm.role_of", { name: user.first_name })}</label>
      <select id=${id} class="input" disabled=${fixed} onChange=${(e) => onRole(user, e.currentTarget)}>
        <option value="" selected=${!user.role_id}>–</option>
        ${roles.map((role) => html`<option key=${role.id} value=${role.id} selected=${role.id === user.role_id}>${role.name}</option>`)}
      </select>
    </td>
    <td><span class=${`chip ${TONE[user.status] ?? ""}`}>${t(`page.crm.status.${user.status}`)}</span></td>
    <td class="figure small">${dayAndTime(user.last_login_at, locale())}</td>
    <td class="actions">
      ${!fixed &&
      html`<button type="button" class="button" onClick=${() => onInvite(user)}>${t("page.crm.invite")}</button>
        <button type="button" class="button plain" onClick=${() => onStatus(user)}>
          ${t(user.status === "active" ? "page.crm.close_out" : "page.crm.let_in")}
        </button>`}
    </td>
  </tr>`;
}

const MARKS = { true: "●", own: "◐" };

function Roles({ roles }) {
  const [shown, setShown] = useState(roles[0]?.id);
  const role = roles.find((one) => one.id === shown) ?? roles[0];
  if (!role) return null;
  const rows = Object.entries(role.permissions).sort();
  return html`<section class="panel roles" aria-labelledby="roles">
    <h2 id="roles">${t("page.crm.roles")}</h2>
    <ul class="role-list">
      ${roles.map((one) => html`<li key=${one.id}>
        <button type="button" class="button plain" aria-pressed=${one.id === role.id} onClick=${() => setShown(one.id)}>
          ${one.name} <span class="soft figure">${one.level}</span>
        </button>
      </li>`)}
    </ul>
    <div>
      <p class="soft">${role.description ?? ""}</p>
      <table class="grants">
        <thead><tr><th scope="col">${t("page.crm.word")}</th>${ACTIONS.map((a) => html`<th scope="col" key=${a}>${t(`page.crm.action.${a}`)}</th>`)}</tr></thead>
        <tbody>${rows.map(([word, granted]) => html`<tr key=${word}>
          <th scope="row">${word === "*" ? t("page.crm.all") : word.replaceAll("_", " ")}</th>
          ${ACTIONS.map((a) => html`<td key=${a}><span aria-hidden="true">${MARKS[granted[a]] ?? "·"}</span><span class="unseen">${t(`page.crm.yes.${granted[a] ?? false}`)}</span></td>`)}
        </tr>`)}</tbody>
      </table>
    </div>
  </section>`;
}

export function Team() {
  const [text, setText, q] = useTyped();
  const [roles, setRoles] = useState([]);
  const [fresh, setFresh] = useState(false);
  const [invitation, setInvitation] = useState(null);
  const rows = useRows("users", { q, sort: "last_name", limit: 100 });
  useEffect(() => {
    if (may("roles", "read")) list("roles", { sort: "-level", limit: 100 }).then((page) => setRoles(page.items), () => {});
  }, []);

  async function save(user, values, select) {
    try {
      rows.put(await change("users", user, values));
      say(t("page.crm.saved"));
    } catch (error) {
      if (select) select.value = user.role_id ?? "";
      say(error.code === "above_yourself" ? t("page.crm.above") : sentence(error), "bad");
    }
  }
  async function invite(user) {
    try {
      setInvitation(await call("POST", `${API}/users/${user.id}/invitation`));
    } catch (error) {
      say(sentence(error), "bad");
    }
  }
  return html`<section aria-labelledby="title">
    <div class="view-head">
      <h1 id="title">${t("page.crm.nav.team")}</h1>
      <${Search} text=${text} setText=${setText} label=${t("page.crm.search.team")} />
      ${may("users", "write") &&
      html`<button type="button" class="button primary" onClick=${() => setFresh(true)}>${t("page.crm.new")}</button>`}
    </div>
    ${invitation && html`<${Link} invitation=${invitation} onClose=${() => setInvitation(null)} />`}
    <${Rows} rows=${rows} empty=${t("page.crm.nothing_found", { words: q })}>
      ${(found) => html`<div class="panel table"><table>
        <thead><tr>
          ${["name", "email", "role_id", "status", "last_login_at"].map((name) => html`<th scope="col" key=${name}>${t(`page.crm.field.${name}`)}</th>`)}
          <th scope="col"><span class="unseen">${t("page.crm.edit")}</span></th>
        </tr></thead>
        <tbody>${found.map((user) => html`<${User} key=${user.id} user=${user} roles=${roles}
          onRole=${(one, select) => save(one, { role_id: select.value || null }, select)}
          onStatus=${(one) => save(one, { status: one.status === "active" ? "inactive" : "active" })}
          onInvite=${invite} />`)}</tbody>
      </table></div>`}
    <//>
    ${roles.length > 0 && html`<${Members} roles=${roles} users=${rows.rows ?? []} /><${Roles} roles=${roles} />`}
    ${fresh &&
    html`<${Dialog}
      title=${t("page.crm.new_user")}
      fields=${[
        ["first_name", "text"],
        ["last_name", "text"],
        ["email", "email"],
        ["role_id", "choice", roles.map((role) => [role.id, role.name])],
        ["department", "text"],
        ["language", "choice", words("language", ["en", "fr"])],
      ]}
      required=${["first_name", "last_name", "email"]}
      onClose=${() => setFresh(false)}
      onSave=${async (wanted) => {
        const user = await create("users", wanted);
        setFresh(false);
        rows.reload();
        await invite(user);
      }}
    />`}
  </section>`;
}
