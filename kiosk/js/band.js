// A wristband or badge for a ticket: the ticket first, then the band, each by scan.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { closeSheet, Problem, problem, sentenceOf, Sheet } from "/scan/js/dialog.js";
import * as state from "/scan/js/state.js";
import { vibrate } from "/scan/js/sound.js";

const ticket = signal("");
const band = signal("");
const done = signal(null);

// While this sheet is open, codes come here and not to the door.
export function takesCodes() {
  return state.sheet.value === "band";
}

export function takeCode(code) {
  done.value = null;
  problem.value = null;
  if (!ticket.value) ticket.value = code;
  else if (code !== ticket.value) band.value = code;
}

// A band that was read at the door and belongs to nobody yet.
export function beginWithBand(code) {
  band.value = code;
  ticket.value = "";
}

const hint = (code) => (code.length > 6 ? `…${code.slice(-4)}` : code);

export function BandSheet({ post }) {
  useEffect(
    () => () => {
      ticket.value = band.value = "";
      done.value = null;
    },
    [],
  );
  const bind = async () => {
    const path = `/api/v1/events/${state.device.value.event.id}/media/bind`;
    const reply = await post(path, { code: band.value, ticket_code: ticket.value }, 6_000);
    if (reply.status === 200) {
      done.value = reply.data;
      ticket.value = band.value = "";
      vibrate([60, 40, 60]);
    } else {
      problem.value = sentenceOf(reply);
      band.value = "";
    }
  };
  useEffect(() => {
    if (ticket.value && band.value) bind();
  }, [ticket.value, band.value]);
  const field = (words, value, set) => html`<form
    class="band-row ${value ? "have" : ""}"
    onSubmit=${(event) => {
      event.preventDefault();
      set(event.currentTarget.elements[0].value.trim());
    }}
  >
    <span class="band-mark" aria-hidden="true">${value ? "✓" : "…"}</span>
    ${value
      ? html`<span>${t(words)} <b class="figure">${hint(value)}</b></span>`
      : html`<label class="unseen" for=${words}>${t(words)}</label>
          <input class="input code" id=${words} placeholder=${t(words)} autocomplete="off" />`}
  </form>`;
  return html`<${Sheet} title=${t("page.scan.band")} onClose=${closeSheet}>
    <p class="soft">${t("page.band.hint")}</p>
    <${Problem} />
    ${done.value && html`<p class="notice" role="status">${t("page.band.done", { hint: done.value.hint })}</p>`}
    ${field("page.band.ticket", ticket.value, (code) => (ticket.value = code))}
    ${field("page.band.band", band.value, (code) => (band.value = code))}
  <//>`;
}
