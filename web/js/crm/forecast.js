// What is likely to come by month, and why deals ended as they did.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { count } from "/lib/format.js";
import { API, query, sentence } from "/js/crm/model.js";
import { Choice } from "/js/crm/list.js";
import { useEvents, useOwners } from "/js/crm/pick.js";
import { cents, money } from "/js/crm/say.js";

function monthName(day) {
  if (!day) return t("page.crm.pile.someday");
  const [year, month] = day.split("-").map(Number);
  return new Intl.DateTimeFormat(locale(), { month: "long", year: "numeric" }).format(new Date(year, month - 1, 1));
}

function Months({ months }) {
  if (months.length === 0) return html`<p class="panel empty big">${t("page.crm.none.opportunities")}</p>`;
  const most = months.reduce((high, one) => (cents(one.amount) > high ? cents(one.amount) : high), 1n);
  const share = (amount) => Number((cents(amount) * 100n) / most);
  return html`<div class="panel table"><table>
    <thead><tr>
      <th scope="col">${t("page.crm.field.month")}</th><th scope="col">${t("page.crm.field.deals")}</th>
      <th scope="col">${t("page.crm.open_sum")}</th><th scope="col">${t("page.crm.weighted")}</th>
      <th scope="col"><span class="unseen">${t("page.crm.weighted")}</span></th>
    </tr></thead>
    <tbody>${months.map((one) => html`<tr key=${one.month}>
      <th scope="row">${monthName(one.month)}</th>
      <td class="figure">${count(one.deals, locale())}</td>
      <td class="figure">${money(cents(one.amount), locale())}</td>
      <td class="figure"><b>${money(cents(one.weighted), locale())}</b></td>
      <td class="bar-cell"><svg class="month-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="all" width=${share(one.amount)} height="10" /><rect class="likely" width=${share(one.weighted)} height="10" />
      </svg></td>
    </tr>`)}</tbody>
  </table></div>`;
}

function Outcomes({ outcomes }) {
  if (outcomes.length === 0) return null;
  return html`<section class="panel side outcomes" aria-labelledby="outcomes">
    <h2 id="outcomes">${t("page.crm.outcomes")}</h2>
    <div class="table"><table><tbody>${outcomes.map((one, at) => html`<tr key=${at}>
      <th scope="row"><span class=${`chip ${one.stage === "closed_won" ? "good" : "bad"}`}>${t(`page.crm.stage.${one.stage}`)}</span></th>
      <td class="name">${one.reason || t("page.crm.no_reason")}</td>
      <td class="figure">${count(one.deals, locale())}</td>
      <td class="figure">${money(cents(one.amount), locale())}</td>
    </tr>`)}</tbody></table></div>
  </section>`;
}

export function Forecast() {
  const [owner, setOwner] = useState("");
  const [event, setEvent] = useState("");
  const [told, setTold] = useState({ months: null, outcomes: [], problem: null });
  const owners = useOwners(null);
  const events = useEvents();
  useEffect(() => {
    let old = false;
    Promise.all([
      call("GET", `${API}/pipeline/forecast?${query({ owner_id: owner, event_id: event })}`),
      call("GET", `${API}/pipeline/outcomes`),
    ]).then(
      ([months, outcomes]) => old || setTold({ months, outcomes, problem: null }),
      (problem) => old || setTold({ months: null, outcomes: [], problem }),
    );
    return () => {
      old = true;
    };
  }, [owner, event]);
  const all = [["", t("page.crm.all")]];
  return html`<div class="filters">
      <${Choice} id="owner" label=${t("page.crm.field.assigned_to")} value=${owner} onChange=${setOwner} options=${[...all, ...owners]} />
      <${Choice} id="event" label=${t("page.crm.field.event_id")} value=${event} onChange=${setEvent} options=${[...all, ...events]} />
    </div>
    ${told.problem && html`<p class="notice bad" role="alert">${sentence(told.problem)}</p>`}
    ${told.months === null && !told.problem && html`<div class="panel loading" aria-busy="true"><span class="skeleton"></span></div>`}
    ${told.months && html`<${Months} months=${told.months} />`}
    <${Outcomes} outcomes=${told.outcomes} />`;
}
