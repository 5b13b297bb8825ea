// Pairing: a code from the control room, typed or in the address, makes this browser
// a device of the event.
import { html, signal, useEffect, useRef } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { LanguageSwitch } from "/lib/tools.js";

const busy = signal(false);
const problem = signal(null);

function sentenceFor(reply) {
  if (reply.status === 0) return t("page.all.no_answer");
  if (reply.status === 429) return t("page.login.wait");
  return reply.data?.detail || t("page.scan.pair_failed");
}

export async function pairWith(code, { post, hardware, version, paired }) {
  busy.value = true;
  problem.value = null;
  const body = { pairing_code: code.trim(), hardware, software: version };
  const reply = await post("/api/v1/devices/pair", body, 10_000);
  busy.value = false;
  if (reply.status === 200) await paired(reply.data);
  else problem.value = sentenceFor(reply);
}

export function Pairing({ pair, preset }) {
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);
  return html`<main class="pairing">
    <form
      class="panel pairing-card"
      onSubmit=${(event) => {
        event.preventDefault();
        pair(field.current.value);
      }}
    >
      <img src="/img/mark.svg" alt="" width="48" height="48" />
      <h1>${t("page.scan.pair_title")}</h1>
      <p class="soft">${t("page.scan.pair_hint")}</p>
      ${problem.value && html`<p class="notice bad" role="alert">${problem.value}</p>`}
      <div class="field">
        <label for="pairing-code">${t("page.scan.pair_code")}</label>
        <input
          class="input code"
          id="pairing-code"
          ref=${field}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
          required
          minlength="4"
          maxlength="64"
          value=${preset}
        />
      </div>
      <button class="button primary large" type="submit" disabled=${busy.value}>
        ${t(busy.value ? "page.scan.pair_busy" : "page.scan.pair_go")}
      </button>
      <${LanguageSwitch} />
    </form>
  </main>`;
}
