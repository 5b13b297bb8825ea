// Templates: what is in the form, kept under a name; the emergency's texts among them.
import { html, signal } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { act, base, busy } from "/js/doors/model.js";
import { tab } from "/js/doors/shell.js";
import { draftOf, formOf } from "/js/announcements/draft.js";
import { count, form, own, readTemplates, ready, templates } from "/js/announcements/model.js";

const PURPOSES = ["ordinary", "emergency", "all_clear"];
const KEPT = { words: "page.announce.template_kept" };
const sure = signal(null);

async function save(submit) {
  submit.preventDefault();
  const { name, purpose } = submit.currentTarget.elements;
  const draft = draftOf(form.value, own.value);
  const body = {
    name: name.value.trim(),
    purpose: purpose.value,
    title: draft.title,
    content: draft.content,
    translations: draft.translations,
    priority: draft.priority,
    delivery_method: draft.delivery_method,
    target_audience: draft.target_audience,
    target_segments: draft.target_segments,
  };
  const known = templates.value.find((one) => one.name === body.name);
  const path = `${base}/announcement-templates`;
  const kept = known
    ? await act("PUT", `${path}/${known.id}`, body, KEPT)
    : await act("POST", path, body, KEPT);
  if (kept) await readTemplates();
}

async function remove(one) {
  if (sure.value !== one.id) {
    sure.value = one.id;
    return;
  }
  sure.value = null;
  if (await act("DELETE", `${base}/announcement-templates/${one.id}`, undefined, { words: "page.all.done" })) await readTemplates();
}

function take(one) {
  form.value = formOf(one, own.value);
  count();
  tab.value = "write";
}

export function Templates() {
  return html`<section class="panel act-panel" aria-label=${t("page.announce.tab.templates")}>
    <form class="row" onSubmit=${save}>
      <div class="field grow">
        <label for="template-name">${t("page.announce.template_name")}</label>
        <input class="input" id="template-name" name="name" required maxlength="80" />
      </div>
      <div class="field">
        <label for="template-purpose">${t("page.announce.purpose")}</label>
        <select class="input" id="template-purpose" name="purpose">
          ${PURPOSES.map((name) => html`<option key=${name} value=${name}>${t(`page.announce.purpose.${name}`)}</option>`)}
        </select>
      </div>
      <button type="submit" class="button primary" disabled=${busy.value || !ready.value}>${t("page.announce.template_keep")}</button>
    </form>
    <p class="soft small">${t(ready.value ? "page.announce.template_words" : "page.announce.template_first")}</p>
    ${templates.value.length === 0
      ? html`<p class="empty">${t("page.announce.no_templates")}</p>`
      : html`<ul class="sent">
          ${templates.value.map(
            (one) => html`<li key=${one.id} class="sent-line">
              <div class="sent-head">
                <strong class="name">${one.name}</strong>
                <span class=${`chip ${one.purpose === "ordinary" ? "" : "bad"}`}>${t(`page.announce.purpose.${one.purpose}`)}</span>
                <span class="soft small">${Object.keys(one.translations).join(", ")}</span>
              </div>
              <p class="name">${one.title}</p>
              <span class="row">
                <button type="button" class="button" onClick=${() => take(one)}>${t("page.announce.use")}</button>
                <button type="button" class="button danger" disabled=${busy.value} onClick=${() => remove(one)}>
                  ${t(sure.value === one.id ? "page.doors.sure" : "page.announce.delete")}
                </button>
              </span>
            </li>`,
          )}
        </ul>`}
  </section>`;
}
