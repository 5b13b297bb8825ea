// The devices: those that need somebody stand first.
import { html } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { count } from "/lib/format.js";
import { devicesInOrder } from "/js/control/derive.js";
import { devices, now } from "/js/control/model.js";
import { Price } from "/js/control/price.js";

const TONE = { silent: "bad", revoked: "", pairing: "", pending: "warn", battery: "warn" };

function ago(moment, nowMs) {
  if (!moment) return t("page.control.never");
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(moment)) / 1000));
  if (seconds < 60) return t("page.control.ago_s", { n: seconds });
  return t("page.control.ago_min", { n: Math.floor(seconds / 60) });
}

function Battery({ value }) {
  if (value === null || value === undefined) return html`<span class="soft">–</span>`;
  const tone = value < 20 ? "bad" : value < 40 ? "warn" : "good";
  return html`<span class=${`battery figure ${tone}`}>
    <svg width="22" height="11" viewBox="0 0 22 11" aria-hidden="true">
      <rect x=".75" y=".75" width="17.5" height="9.5" rx="2" fill="none" stroke="currentColor" stroke-width="1.5" />
      <rect x="19" y="3.5" width="2" height="4" rx="1" fill="currentColor" />
      <rect x="2.5" y="2.5" width=${(14 * value) / 100} height="6" rx="1" fill="currentColor" />
    </svg>
    ${value} %
  </span>`;
}

function Device({ entry, at }) {
  const { device, trouble } = entry;
  const where = [device.gate, device.operator].filter(Boolean).join(" · ");
  return html`<tr class=${trouble.length ? "trouble" : ""}>
    <th scope="row">
      <span class="name" title=${device.name}>${device.name}</span>
      <span class="small soft name" title=${where}>${where}</span>
      ${trouble.map(
        (word) => html`<span class=${`chip ${TONE[word]}`} key=${word}>
          ${t(`page.control.device.${word}`, { n: count(device.pending, locale()) })}
        </span>`,
      )}
    </th>
    <td><${Battery} value=${device.battery} /></td>
    <td class="soft">${ago(device.last_seen_at, at)}</td>
  </tr>`;
}

export function Devices() {
  const at = Math.floor(now.value / 5_000) * 5_000;
  const list = devices.value?.devices;
  const total = devices.value?.total;
  const ordered = devicesInOrder(list ?? [], at);
  const ill = ordered.filter(({ trouble }) =>
    trouble.some((word) => word !== "pairing" && word !== "revoked"),
  ).length;
  return html`<section class="panel devices" data-old=${devices.value?.old === true} aria-label=${t("page.control.devices")}>
    <div class="panel-head">
      <h2>${t("page.control.devices")}</h2>
      ${devices.value?.old
        ? html`<span class="chip bad">${t("page.control.devices_old")}</span>`
        : list?.length > 0 &&
      html`<span class=${`chip ${ill ? "warn" : "good"}`}>
        ${ill
          ? t("page.control.devices_ill", { n: ill, total })
          : t("page.control.devices_well", { total })}
      </span>`}
    </div>
    <${Price} />
    <div class="scroll" tabindex="0" role="region" aria-label=${t("page.control.devices")}>
      ${list?.length === 0
        ? html`<p class="empty">
            ${t(devices.value.refused ? "page.live.forbidden" : "page.control.no_devices")}
          </p>`
        : html`<table class="figures">
            <thead class="unseen">
              <tr>
                <th scope="col">${t("page.control.head.device")}</th>
                <th scope="col">${t("page.control.head.battery")}</th>
                <th scope="col">${t("page.control.head.seen")}</th>
              </tr>
            </thead>
            <tbody>
              ${ordered.map(
                (entry) => html`<${Device} key=${entry.device.id} entry=${entry} at=${at} />`,
              )}
            </tbody>
          </table>`}
    </div>
  </section>`;
}
