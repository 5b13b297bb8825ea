// Who has which role in one event, from when until when.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { API, create, may, remove, say, sentence } from "/js/crm/model.js";
import { Dialog } from "/js/crm/form.js";
import { Choice, Rows, useRows } from "/js/crm/list.js";
import { dayAndTime } from "/js/crm/say.js";

export function Members({ roles, users }) {
  const [events, setEvents] = useState([]);
  const [event, setEvent] = useState("");
  const [fresh, setFresh] = useState(false);
  useEffect(() => {
    call("GET", `${API}/events?limit=100`).then((page) => {
      setEvents(page.items);
      setEvent(page.items[0]?.id ?? "");
    }, () => {});
  }, []);
  const rows = useRows("members", { event_id: event || null, limit: 100 });
  if (!may("members", "read") || events.length === 0) return null;

  async function end(member) {
    try {
      await remove("members", member);
      say(t("page.crm.deleted"));
      rows.reload();
    } catch (error) {
      say(sentence(error), "bad");
    }
  }
  return html`<section class="panel members" aria-labelledby="members">
    <div class="timeline-head">
      <h2 id="members">${t("page.crm.members")}</h2>
      <${Choice} id="event" label=${t("page.crm.field.event_id")} value=${event} onChange=${setEvent}
        options=${events.map((one) => [one.id, one.title])} />
      <div class="adds">
        ${may("members", "write") &&
        html`<button type="button" class="button" onClick=${() => setFresh(true)}>+ ${t("page.crm.new_member")}</button>`}
      </div>
    </div>
    <${Rows} rows=${rows} empty=${t("page.crm.none.members")}>
      ${(found) => html`<div class="table"><table><tbody>${found.map(
        (one) => html`<tr key=${one.id}>
          <th scope="row" class="name">${one.labels?.user_id ?? "–"}</th>
          <td>${one.labels?.role_id ?? ""}</td>
          <td class="name">${one.labels?.area_id ?? ""}</td>
          <td class="small figure">${one.valid_from ? dayAndTime(one.valid_from, locale()) : "…"} – ${one.valid_to ? dayAndTime(one.valid_to, locale()) : "…"}</td>
          <td class="actions">${may("members", "delete") &&
          html`<button type="button" class="button plain" onClick=${() => end(one)}>${t("page.crm.delete")}</button>`}</td>
        </tr>`,
      )}</tbody></table></div>`}
    <//>
    ${fresh &&
    html`<${Dialog}
      title=${t("page.crm.new_member")}
      fields=${[
        ["user_id", "choice", users.map((user) => [user.id, `${user.first_name} ${user.last_name}`])],
        ["role_id", "choice", roles.map((role) => [role.id, role.name])],
        ["valid_from", "datetime"],
        ["valid_to", "datetime"],
      ]}
      required=${["user_id", "role_id"]}
      onClose=${() => setFresh(false)}
      onSave=${async (wanted) => {
        await create("members", { ...wanted, event_id: event });
        setFresh(false);
        say(t("page.crm.saved"));
        rows.reload();
      }}
    />`}
  </section>`;
}
