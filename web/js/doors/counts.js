// People in each place, scanned and counted apart; and the counted correction: a person
// counted heads, and the figure is set to that number, with a reason.
import { html, signal, useEffect } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { count } from "/lib/format.js";
import { uuid7 } from "/lib/uuid.js";
import { act, base, busy, said, sentenceOf } from "/js/doors/model.js";

const READ_MS = 3_000;

const places = signal(null);
// The place that is being set: {area_id, id}; the id makes a repeated request harmless.
const setting = signal(null);

async function read() {
  try {
    places.value = await call("GET", `${base}/counts`);
  } catch (error) {
    said.value = { bad: true, words: sentenceOf(error) };
  }
}

function Correct({ place }) {
  const correct = async (submit) => {
    submit.preventDefault();
    const { inside, reason } = submit.currentTarget.elements;
    const body = { id: setting.value.id, inside: Number(inside.value), reason: reason.value.trim() };
    const done = await act("POST", `${base}/areas/${place.area_id}/inside`, body, { words: "page.counts.done" });
    if (!done) return;
    setting.value = null;
    read();
  };
  const id = `inside-${place.area_id}`;
  return html`<form class="row" onSubmit=${correct} aria-label=${t("page.counts.set_of", { area: place.area })}>
    <div class="field">
      <label for=${id}>${t("page.counts.counted_now")}</label>
      <input class="input figure" id=${id} name="inside" type="number" min="0" max="1000000" required />
    </div>
    <div class="field grow">
      <label for=${`${id}-why`}>${t("page.people.reason")}</label>
      <input class="input" id=${`${id}-why`} name="reason" required maxlength="500" autocomplete="off" />
    </div>
    <button type="submit" class="button primary" disabled=${busy.value}>${t("page.counts.set")}</button>
    <button type="button" class="button" onClick=${() => (setting.value = null)}>${t("page.crm.cancel")}</button>
  </form>`;
}

function Place({ place }) {
  const n = (value) => count(value, locale());
  return html`<tr data-area=${place.area_id}>
      <th scope="row" class="name">${place.area}</th>
      <td class="figure">${n(place.scanned)}</td>
      <td class="figure">${place.counted > 0 ? "+" : ""}${n(place.counted)}</td>
      <td class="figure">
        <b>${n(place.inside)}</b>
        ${place.disputed > 0 && html` <span class="chip">${t("page.counts.disputed", { n: n(place.disputed) })}</span>`}
      </td>
      <td class="figure">
        ${place.capacity === null ? "–" : n(place.capacity)}
        ${place.over > 0 && html` <span class="chip bad">${t("page.counts.over", { n: n(place.over) })}</span>`}
      </td>
      <td>
        <button
          type="button"
          class="button"
          aria-label=${t("page.counts.set_of", { area: place.area })}
          aria-expanded=${setting.value?.area_id === place.area_id}
          onClick=${() => (setting.value = { area_id: place.area_id, id: uuid7() })}
        >
          ${t("page.counts.correct")}
        </button>
      </td>
    </tr>
    ${setting.value?.area_id === place.area_id &&
    html`<tr>
      <td colspan="6"><${Correct} place=${place} key=${setting.value.id} /></td>
    </tr>`}`;
}

export function Counts() {
  useEffect(() => {
    read();
    const timer = setInterval(read, READ_MS);
    return () => clearInterval(timer);
  }, []);
  if (!places.value) return html`<p class="empty" role="status">${t("page.all.loading")}</p>`;
  return html`<section class="panel act-panel" aria-label=${t("page.doors.tab.counts")}>
    <h2>${t("page.counts.title")}</h2>
    <p class="soft small">${t("page.counts.hint")}</p>
    <div class="scroll-x" tabindex="0" role="region" aria-label=${t("page.counts.title")}>
      <table class="acts-table">
        <thead>
          <tr>
            ${["area", "scanned", "counted", "inside", "limit"].map((head) => html`<th scope="col" key=${head}>${t(`page.counts.head.${head}`)}</th>`)}
            <td></td>
          </tr>
        </thead>
        <tbody>${places.value.map((place) => html`<${Place} key=${place.area_id} place=${place} />`)}</tbody>
      </table>
    </div>
  </section>`;
}
