// Rows under a tab of the plan: their table, and the form in which one is made, changed
// or taken away.
import { html } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { Dialog } from "/js/crm/form.js";
import { change, create, remove } from "/js/crm/model.js";
import { said, zone } from "/js/doors/model.js";

// heads: fields of the catalogue, in their order; Line draws a row with one cell more,
// for `Edit`.
export function Rows({ tab, heads, rows, Line }) {
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t(`page.plan.tab.${tab}`)}>
    <table class="acts-table">
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col" key=${head}>${t(`page.crm.field.${head}`)}</th>`)}
          <td></td>
        </tr>
      </thead>
      <tbody>${rows.map((row) => html`<${Line} key=${row.id} row=${row} />`)}</tbody>
    </table>
  </div>`;
}

export function Edit({ name, onClick }) {
  return html`<td>
    <button type="button" class="button" aria-label=${t("page.plan.edit", { name })} onClick=${onClick}>
      ${t("page.plan.change")}
    </button>
  </td>`;
}

const same = (values) => values;

// row: what is made, changed or taken away; read: the list anew; asForm and asRow: a row
// as the form has it and back; whole(values): what a new one is made of.
export function RowForm({ resource, row, close, read, title, fields, required, asForm = same, asRow = same, whole = same }) {
  const after = async (words) => {
    close();
    said.value = { bad: false, words: t(words) };
    await read();
  };
  return html`<${Dialog}
    title=${title}
    fields=${fields}
    row=${asForm(row)}
    required=${required}
    zone=${zone.value}
    onClose=${close}
    onSave=${async (values) => {
      if (row.id) await change(resource, row, asRow(values));
      else await create(resource, whole(asRow(values)));
      await after("page.doors.done");
    }}
    onDelete=${row.id &&
    (async () => {
      await remove(resource, row);
      await after("page.crm.deleted");
    })}
  />`;
}
