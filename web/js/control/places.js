// Areas and sessions, each with its bar.
import { html } from "/lib/ui.js";
import { locale, t } from "/lib/i18n.js";
import { clock, count, level, percent, share } from "/lib/format.js";
import { Bar } from "/js/control/bar.js";
import { Figure } from "/js/control/number.js";
import { sessionsInOrder } from "/js/control/derive.js";
import { attendance, now, sessions } from "/js/control/model.js";

function Place({ name, note, people, limit, dim = false, mark }) {
  const part = share(people, limit);
  return html`<li class=${`place ${dim ? "dim" : ""}`}>
    <div class="place-name">
      <span class="name" title=${name}>${name}</span>
      <span class="small soft">${note}${mark}</span>
    </div>
    <div class="place-figures figure">
      <${Figure} value=${people} class=${level(part)} />
      ${limit && html`<span class="soft"> / ${count(limit, locale())}</span>`}
      <span class="small soft place-part">${part === null ? "" : percent(part, locale())}</span>
    </div>
    ${limit ? html`<${Bar} part=${part} label=${name} />` : html`<span class="bar none"></span>`}
  </li>`;
}

function areaNote(area) {
  const words = [t(`page.control.kind.${area.kind}`)];
  if (area.capacity && area.limit === "soft") words.push(t("page.control.soft"));
  if (area.counted) {
    words.push(t("page.control.with_counted", { n: count(area.counted, locale()) }));
  }
  return words.join(" · ");
}

export function Areas() {
  const areas = attendance.value?.areas ?? [];
  return html`<section class="panel places" aria-label=${t("page.control.areas")}>
    <div class="panel-head"><h2>${t("page.control.areas")}</h2></div>
    <ul class="scroll" tabindex="0" aria-label=${t("page.control.areas")}>
      ${areas.length === 0 && html`<li class="empty">${t("page.control.no_areas")}</li>`}
      ${areas.map(
        (area) => html`<${Place}
          key=${area.id}
          name=${area.name}
          note=${areaNote(area)}
          people=${area.inside}
          limit=${area.capacity}
        />`,
      )}
    </ul>
  </section>`;
}

export function Sessions() {
  const zone = attendance.value?.event.timezone;
  const time = (moment) => clock(moment, zone);
  // By the minute: an order that is computed each second would cost for nothing.
  const ordered = sessionsInOrder(
    sessions.value?.sessions ?? [],
    Math.floor(now.value / 5_000) * 5_000,
  );
  return html`<section class="panel places" aria-label=${t("page.control.sessions")}>
    <div class="panel-head"><h2>${t("page.control.sessions")}</h2></div>
    <ul class="scroll" tabindex="0" aria-label=${t("page.control.sessions")}>
      ${sessions.value && ordered.length === 0 &&
      html`<li class="empty">${t("page.control.no_sessions")}</li>`}
      ${ordered.map(
        ({ session, phase }) => html`<${Place}
          key=${session.id}
          name=${session.title}
          note=${`${time(session.starts_at)}–${time(session.ends_at)} · ${session.room ?? ""}`}
          mark=${phase === "now" &&
          html` <span class="chip good">${t("page.control.now")}</span>`}
          people=${session.inside}
          limit=${session.capacity}
          dim=${phase === "over"}
        />`,
      )}
    </ul>
  </section>`;
}
