// The scanner's screen: a line that tells the truth, the camera, a field, what was.
import { html, signal, useEffect, useRef } from "/lib/ui.js";
import { t } from "/lib/i18n.js";
import { clock } from "/lib/format.js";
import { openSheet } from "/scan/js/dialog.js";
import { HelpBand } from "/scan/js/help.js";
import { FullBand } from "/scan/js/door-line.js";
import { NoticeBand } from "/scan/js/notices.js";
import { soundReady, unlockSound } from "/scan/js/sound.js";
import * as state from "/scan/js/state.js";

const undoProblem = signal(null);
const SKEW_MAX_MS = 60_000;

const AGE_SHOWN_MS = 120_000;

// How old what the device knows is; null while that does not matter.
function packageAge() {
  const packed = state.packed.value;
  if (!packed) return t("page.scan.package.none");
  const now = Date.now() + state.skewMs.value;
  const minutes = Math.floor((now - packed.made_at) / 60_000);
  if (now >= packed.expires_at) return t("page.scan.package.expired", { n: minutes });
  return now - packed.made_at > AGE_SHOWN_MS ? t("page.scan.package.age", { n: minutes }) : null;
}

function statusOf() {
  const link = state.link.value;
  const waiting = state.waitingCount.value;
  if (link === "revoked") return ["bad", t("page.scan.link.revoked")];
  if (link === "offline" || link === "silent") {
    const words = [
      t(`page.scan.link.${link}`),
      waiting ? t("page.scan.waiting", { n: waiting }) : null,
      packageAge(),
    ];
    return ["bad", words.filter(Boolean).join(" · ")];
  }
  if (state.durable.value === "journal") return ["bad", t("page.scan.link.journal")];
  if (state.proof.value?.agrees === false) return ["bad", t("page.scan.proof.differs")];
  if (waiting) return ["warn", t("page.scan.waiting", { n: waiting })];
  const doors = state.doors.value;
  if (doors !== "open") {
    const other = state.door.value?.use_instead;
    const words = [t(`page.control.doors.${doors}`), other && t("page.scan.use_instead", { gate: `\u2068${other}\u2069` })];
    return ["warn", words.filter(Boolean).join(" · ")];
  }
  if (Math.abs(state.skewMs.value) > SKEW_MAX_MS) return ["warn", t("page.scan.clock_wrong")];
  return ["good", t("page.scan.link.online")];
}

function StatusLine() {
  const [tone, words] = statusOf();
  return html`<header class=${`status ${tone}`} data-package=${state.packed.value?.mode ?? "none"} data-leases=${state.packed.value?.leases ?? 0}>
    <span class="status-words" role="status"><i class="dot"></i>${words}</span>
    <span class="status-place">
      <b class="name">${state.gate.value?.name ?? t("page.scan.no_gate")}</b>
    </span>
    <button type="button" class="status-button" onClick=${() => openSheet("sign-on")}>
      <span class="name">${state.operator.value?.name ?? t("page.scan.sign_on")}</span>
    </button>
  </header>`;
}

function Direction() {
  const way = state.direction.value;
  const both = state.gateDirection.value === "both";
  const inner = html`<svg viewBox="0 0 40 24" aria-hidden="true">
      <path d=${way === "in" ? "M3 12h30M24 4l9 8-9 8" : "M37 12H7M16 4l-9 8 9 8"} />
    </svg>
    ${t(`page.scan.direction.${way}`)}`;
  return both
    ? html`<button type="button" class=${`direction ${way}`} onClick=${() => openSheet("setup")}>
        ${inner}<span class="unseen">${t("page.scan.turn")}</span>
      </button>`
    : html`<span class=${`direction ${way}`}>${inner}</span>`;
}

// guest: who stands before it alone is not asked which way a door leads.
export function CameraView({ camera, guest = false }) {
  const video = useRef(null);
  useEffect(() => {
    camera.start(video.current);
    return () => camera.stop();
  }, []);
  const word = camera.state.value;
  const trouble = ["denied", "missing", "failed", "off"].includes(word);
  return html`<section class=${`camera ${state.checking.value ? "checking" : ""}`} aria-label=${t("page.scan.camera")}>
    <video ref=${video} muted playsinline aria-hidden="true"></video>
    ${word === "on" &&
    html`<svg class="aim" viewBox="0 0 100 100" aria-hidden="true">
      <path d="M2 22V8a6 6 0 0 1 6-6h14M78 2h14a6 6 0 0 1 6 6v14M98 78v14a6 6 0 0 1-6 6H78M22 98H8a6 6 0 0 1-6-6V78" />
    </svg>`}
    ${trouble &&
    html`<div class="camera-trouble">
      <p>${t(`page.scan.camera.${word}`)}</p>
      <button type="button" class="button" onClick=${() => camera.start(video.current)}>
        ${t("page.scan.camera.start")}
      </button>
    </div>`}
    ${!guest && html`<${Direction} />`}
    <div class="camera-tools">
      ${!soundReady.value &&
      html`<button type="button" class="pill" onClick=${unlockSound}>${t("page.scan.sound")}</button>`}
      ${camera.torch.value !== null &&
      html`<button
        type="button"
        class="pill"
        aria-pressed=${camera.torch.value}
        onClick=${() => camera.switchTorch()}
      >
        ${t("page.scan.torch")}
      </button>`}
    </div>
    ${state.checking.value && html`<p class="camera-checking" role="status">${t("page.scan.checking")}</p>`}
  </section>`;
}

function Manual({ desk }) {
  const field = useRef(null);
  return html`<form
    class="manual"
    onSubmit=${(event) => {
      event.preventDefault();
      if (desk.read(field.current.value, "manual")) {
        field.current.value = "";
        field.current.blur();
      }
    }}
  >
    <label class="unseen" for="manual-code">${t("page.scan.manual")}</label>
    <input
      class="input code"
      id="manual-code"
      ref=${field}
      autocomplete="off"
      autocapitalize="characters"
      autocorrect="off"
      spellcheck="false"
      enterkeyhint="go"
      placeholder=${t("page.scan.manual")}
    />
    <button class="button primary" type="submit">${t("page.scan.check")}</button>
  </form>`;
}

const GLYPH = { go: "✓", out: "→", again: "↻", wait: "!", stop: "✕" };

function Line({ entry, undo }) {
  const zone = state.device.value.event.timezone;
  return html`<li class=${`past ${entry.tone}`}>
    <span class=${`past-mark ${entry.tone}`} aria-hidden="true">${GLYPH[entry.tone]}</span>
    <span class="past-text">
      <bdi class="name">${entry.who}</bdi>
      <span class="small soft">
        ${entry.what}
        ${entry.late && html` <b class="late">${t("page.scan.late")}</b>`}
      </span>
    </span>
    <time class="small soft figure">${clock(entry.at, zone, true)}</time>
    ${undo &&
    html`<button type="button" class="button" onClick=${undo}>${t("page.scan.undo")}</button>`}
  </li>`;
}

function Past({ desk }) {
  const list = state.history.value;
  const last = list.findIndex((entry) => entry.undo);
  const undo = async (entry) => {
    undoProblem.value = await desk.undo(entry);
  };
  return html`<section class="history" aria-label=${t("page.scan.last")}>
    <h2>${t("page.scan.last")}</h2>
    ${undoProblem.value && html`<p class="notice bad" role="alert">${undoProblem.value}</p>`}
    ${list.length === 0
      ? html`<p class="soft">${t("page.scan.none_yet")}</p>`
      : html`<ol>
          ${list.map(
            (entry, at) => html`<${Line}
              key=${entry.id}
              entry=${entry}
              undo=${at === last ? () => undo(entry) : null}
            />`,
          )}
        </ol>`}
  </section>`;
}

const ACTS = [
  ["search", html`<circle cx="10" cy="10" r="6.5" /><path d="m15 15 6 6" />`],
  ["count", html`<path d="M12 5v14M5 12h14" />`],
  ["help", html`<path d="M12 3 2 20h20L12 3zM12 10v4M12 17v.2" />`],
  ["menu", html`<path d="M4 7h16M4 12h16M4 17h16" />`],
];

// At the thumb: what a steward needs most, each one touch away.
function Acts() {
  return html`<nav class="acts" aria-label=${t("page.scan.acts")}>
    ${ACTS.map(
      ([name, shape]) => html`<button type="button" class=${`act ${name}`} key=${name} onClick=${() => openSheet(name)}>
        <svg viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>
        ${t(`page.scan.act.${name}`)}
      </button>`,
    )}
  </nav>`;
}

function ModeBand() {
  const mode = state.mode.value;
  return (
    mode &&
    html`<p class="mode-band" role="status">
      <span>${mode.kind === "order" ? t("page.scan.orders_now") : t("page.redeem.now", { point: mode.point })}</span>
      <button type="button" class="status-button" onClick=${() => (state.mode.value = null)}>
        ${t(mode.kind === "order" ? "page.scan.orders_stop" : "page.redeem.stop")}
      </button>
    </p>`
  );
}

export function Scanner({ desk, camera, notices }) {
  return html`<main class="scanner">
    <h1 class="unseen">${t("page.scan.title")}</h1>
    <div class="bands"><${StatusLine} /><${NoticeBand} notices=${notices} /><${FullBand} /><${HelpBand} /><${ModeBand} /></div>
    <${CameraView} camera=${camera} />
    <div class="under">
      <${Manual} desk=${desk} />
      <${Past} desk=${desk} />
    </div>
    <${Acts} />
  </main>`;
}
