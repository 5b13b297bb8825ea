// Through which steps a deal or a lead came, and who moved it.
import { html, useEffect, useState } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { API } from "/js/crm/model.js";
import { dayAndTime } from "/js/crm/say.js";

export function Steps({ path, group }) {
  const [steps, setSteps] = useState([]);
  useEffect(() => {
    call("GET", `${API}/${path}/history`).then(setSteps, () => setSteps([]));
  }, [path]);
  if (steps.length === 0) return null;
  return html`<details class="steps">
    <summary>${t("page.crm.steps")} <span class="soft figure">${steps.length}</span></summary>
    <ol>${steps.map(
      (step, at) => html`<li key=${at}>
        <b>${step.to_stage ? t(`page.crm.${group}.${step.to_stage}`) : "–"}</b>
        ${step.probability !== null && html` <span class="chip figure">${step.probability} %</span>`}
        <span class="soft small"> <time datetime=${step.at}>${dayAndTime(step.at, locale())}</time>
          ${step.changed_by_name && html` · <span class="name">${step.changed_by_name}</span>`}</span>
      </li>`,
    )}</ol>
  </details>`;
}
