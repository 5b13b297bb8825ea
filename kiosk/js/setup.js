// Gate, direction and session of this device: behind a PIN, because a steward who turns
// them by accident ruins the count.
import { html, signal, useEffect } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { closeSheet, Problem, problem, sentenceOf, Sheet, SignOnForm } from "/scan/js/dialog.js";
import * as state from "/scan/js/state.js";

const open = signal(false);
const plan = signal(null);
const busy = signal(false);

function Choice({ words, value, options, choose }) {
  return html`<div class="field">
    <label for=${words}>${t(words)}</label>
    <select class="input" id=${words} value=${value ?? ""} disabled=${busy.value} onChange=${(event) => choose(event.currentTarget.value || null)}>
      ${options.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
    </select>
  </div>`;
}

export function SetupSheet({ post }) {
  useEffect(() => {
    post(`/api/v1/events/${state.device.value.event.id}`, undefined, 6_000).then((reply) => {
      if (reply.status === 200) plan.value = reply.data;
      else problem.value = sentenceOf(reply);
    });
    return () => {
      open.value = false;
    };
  }, []);
  if (!open.value) {
    return html`<${Sheet} title=${t("page.scan.setup")}>
      <p class="soft">${t("page.scan.turn_hint")}</p>
      <${SignOnForm} post=${post} then=${() => (open.value = true)} />
    <//>`;
  }
  const change = async (body) => {
    busy.value = true;
    const reply = await post("/api/v1/devices/me", body, 6_000, "PATCH");
    busy.value = false;
    if (reply.status === 200) {
      problem.value = null;
      state.override.value = null;
      state.config.value = reply.data;
    } else {
      problem.value = sentenceOf(reply);
    }
  };
  const config = state.config.value ?? {};
  const gates = plan.value?.gates ?? [];
  const gate = gates.find(({ id }) => id === state.gate.value?.id);
  const zone = state.device.value.event.timezone;
  const sessions = (plan.value?.sessions ?? []).filter(({ area_id: room }) => room === gate?.area_id);
  const ways = gate?.direction === "both" ? ["in", "out"] : [gate?.direction ?? "in"];
  return html`<${Sheet} title=${t("page.scan.setup")}>
    <${Problem} />
    <${Choice}
      words="page.scan.setup.gate"
      value=${state.gate.value?.id}
      options=${gates}
      choose=${(id) => change({ gate_id: id })}
    />
    <${Choice}
      words="page.scan.setup.direction"
      value=${state.direction.value}
      options=${ways.map((id) => ({ id, name: t(`page.scan.direction.${id}`) }))}
      choose=${(id) => change({ direction: id })}
    />
    ${sessions.length > 0 &&
    html`<${Choice}
      words="page.scan.setup.session"
      value=${config.session_id}
      options=${[
        { id: "", name: t("page.scan.setup.by_time") },
        ...sessions.map(({ id, title, starts_at: at }) => ({ id, name: `${clock(at, zone)} ${title}` })),
      ]}
      choose=${(id) => change({ session_id: id })}
    />`}
    <button type="button" class="button primary large" onClick=${closeSheet}>${t("page.all.done")}</button>
  <//>`;
}
