// How long one walks between two gates: one code at both sooner than that is a case.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { call } from "/lib/api.js";
import { act, base, gates, said, sentenceOf } from "/js/doors/model.js";

const SAVED = { words: "page.watch.saved" };

const walks = signal([]);

export function Walks() {
  useEffect(() => {
    call("GET", `${base}/gate-walks`)
      .then((found) => {
        walks.value = found.walks;
      })
      .catch((error) => {
        said.value = { bad: true, words: sentenceOf(error) };
      });
  }, []);
  const save = async (submit) => {
    submit.preventDefault();
    const { one, other, walk } = submit.currentTarget.elements;
    const body = { gate_id: one.value, other_gate_id: other.value, walk_s: Number(walk.value) };
    const found = await act("PUT", `${base}/gate-walks`, body, SAVED);
    if (found) walks.value = found.walks;
  };
  const options = gates.value.map((gate) => html`<option key=${gate.id} value=${gate.id}>${gate.name}</option>`);
  return html`<section class="panel act-panel" aria-label=${t("page.watch.tab.walks")}>
    <h2>${t("page.watch.tab.walks")}</h2>
    <p class="soft">${t("page.watch.walks_note")}</p>
    <form class="row" onSubmit=${save}>
      <span class="field grow"><label for="walk-one">${t("page.watch.from")}</label><select class="input" id="walk-one" name="one">${options}</select></span>
      <span class="field grow"><label for="walk-other">${t("page.watch.to")}</label><select class="input" id="walk-other" name="other">${options}</select></span>
      <span class="field"><label for="walk-s">${t("page.watch.walk_s")}</label><input class="input" id="walk-s" name="walk" type="number" min="0" max="86400" value="120" required /></span>
      <button class="button primary">${t("page.watch.save")}</button>
    </form>
    <table class="acts-table">
      <tbody>
        ${walks.value.map(
          (walk) => html`<tr key=${walk.gate_id + walk.other_gate_id}>
            <th scope="row" class="name">${walk.gate} ↔ ${walk.other_gate}</th>
            <td class="figure">${t("page.watch.seconds", { n: walk.walk_s })}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}
