// What was sent: how far each has come, by channel; who was not reached, by name; and what
// can still be done about it.
import { html, signal, useEffect } from "/lib/ui.js";
import { call } from "/lib/api.js";
import { locale, t } from "/lib/i18n.js";
import { clock, count as number, day } from "/lib/format.js";
import { base, busy, now, said, zone } from "/js/doors/model.js";
import { tab } from "/js/doors/shell.js";
import { correctionOf, formOf, recallableS } from "/js/announcements/draft.js";
import { count, form, more, own, reach, readSent, recall, sent } from "/js/announcements/model.js";

const TONES = { sent: "good", scheduled: "warn", cancelled: "", draft: "" };
const open = signal(null);
const detail = signal(null);
const missed = signal(null);

async function readDetail(id) {
  const found = await call("GET", `${base}/announcements/${id}`);
  if (open.value === id) detail.value = found;
}

async function readMissed(channel, cursor = null) {
  const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  const page = await call(
    "GET",
    `${base}/announcements/${open.value}/recipients?reached=false&limit=50&channel=${channel}${query}`,
  );
  const before = cursor ? missed.value.items : [];
  missed.value = { channel, items: [...before, ...page.items], next: page.next_cursor };
}

// A share of people: "812 / 1,204", a bar, and the missed in words.
function Reached({ label, counted, delivered, failed }) {
  const part = counted ? delivered / counted : 0;
  return html`<div class="reach">
    <span>${label}</span>
    <span class="figure" data-figure="reach">${number(delivered, locale())} / ${number(counted, locale())}</span>
    <span class="bar" role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.floor(part * 100)}>
      <span class="fill" style=${{ width: `${part * 100}%` }}></span>
    </span>
    <span class="small soft">
      ${failed > 0 ? t("page.announce.failed", { n: number(failed, locale()) }) : ""}
    </span>
  </div>`;
}

function Missed() {
  const { channel, items, next } = missed.value;
  return html`<div class="missed">
    <h4>${t("page.announce.missed_by", { way: t(`page.announce.way.${channel}`) })}</h4>
    ${items.length === 0
      ? html`<p class="soft">${t("page.announce.all_reached")}</p>`
      : html`<ul class="missed-list">
          ${items.map(
            (one) => html`<li key=${one.id}>
              <bdi class="name">${one.name ?? "–"}</bdi>
              ${one.failure && html` <span class="chip warn">${t(`page.announce.failure.${one.failure.split(" ")[0]}`)}</span>`}
            </li>`,
          )}
        </ul>`}
    ${next && html`<button type="button" class="button" onClick=${() => readMissed(channel, next)}>${t("page.announce.more")}</button>`}
  </div>`;
}

function Detail({ line }) {
  const figures = reach.value.get(line.id);
  // Read again when the figures of the whole have moved.
  useEffect(() => {
    readDetail(line.id).catch(() => {});
  }, [line.id, figures?.delivered, figures?.opened, figures?.failed, line.status]);
  const found = detail.value?.id === line.id ? detail.value : null;
  return html`<div class="detail">
    <p class="news-text name">${line.content}</p>
    ${found?.channels.map(
      (one) => html`<div key=${one.channel} class="row">
        <${Reached} label=${t(`page.announce.way.${one.channel}`)} ...${one} />
        <button type="button" class="button small" data-missed=${one.channel} onClick=${() => readMissed(one.channel)}>
          ${t("page.announce.show_missed", { n: number(one.missed, locale()) })}
        </button>
      </div>`,
    )}
    ${missed.value && html`<${Missed} />`}
  </div>`;
}

function Acts({ line }) {
  const left = recallableS(line, now.value);
  const again = (make) => () => {
    said.value = null;
    form.value = make(line, own.value);
    count();
    tab.value = "write";
  };
  return html`<span class="row">
    ${line.status === "scheduled" &&
    html`<button type="button" class="button danger" data-act="recall" disabled=${busy.value} onClick=${() => recall(line)}>
      ${left <= 60 ? t("page.announce.recall", { n: left }) : t("page.announce.cancel")}
    </button>`}
    ${line.status === "sent" &&
    html`<button type="button" class="button" onClick=${again(correctionOf)}>${t("page.announce.correct")}</button>`}
    ${(line.status === "draft" || line.status === "cancelled") &&
    html`<button type="button" class="button" onClick=${again(formOf)}>${t("page.announce.again")}</button>`}
  </span>`;
}

function Line({ line }) {
  const figures = reach.value.get(line.id) ?? { counted: line.counted ?? 0, delivered: line.delivered, opened: line.opened, failed: 0 };
  const at = line.sent_at ?? line.scheduled_for ?? line.created_at;
  const corrected = sent.value.find((one) => one.corrects_id === line.id);
  const corrects = sent.value.find((one) => one.id === line.corrects_id);
  const isOpen = open.value === line.id;
  const flip = () => {
    open.value = isOpen ? null : line.id;
    detail.value = null;
    missed.value = null;
  };
  return html`<li class="sent-line" data-status=${line.status}>
    <div class="sent-head">
      <button type="button" class="link name" aria-expanded=${isOpen} onClick=${flip}>${line.title}</button>
      <span class=${`chip ${TONES[line.status]}`}>${t(`page.announce.status.${line.status}`)}</span>
      ${line.priority === "urgent" && html`<span class="chip bad">${t("page.announce.priority.urgent")}</span>`}
      ${line.target_segments?.devices && html`<span class="chip">${t("page.announce.who.staff")}</span>`}
      <time class="soft small figure" datetime=${at}>${day(at, locale(), zone.value)}, ${clock(at, zone.value, true)}</time>
    </div>
    ${corrects && html`<p class="small">↳ ${t("page.announce.corrects", { title: corrects.title })}</p>`}
    ${corrected && html`<p class="small">✎ ${t("page.announce.corrected", { title: corrected.title })}</p>`}
    <div class="row">
      ${line.status === "sent" && html`<${Reached} label=${t("page.announce.delivered")} ...${figures} />`}
      ${line.status === "sent" && html`<span class="small soft figure">${t("page.announce.opened", { n: number(figures.opened, locale()) })}</span>`}
      <${Acts} line=${line} />
    </div>
    ${isOpen && html`<${Detail} line=${line} />`}
  </li>`;
}

export function Sent() {
  return html`<section class="panel act-panel" aria-label=${t("page.announce.tab.sent")}>
    ${sent.value.length === 0
      ? html`<p class="empty">${t("page.announce.nothing")}</p>`
      : html`<ol class="sent">${sent.value.map((line) => html`<${Line} key=${line.id} line=${line} />`)}</ol>`}
    ${more.value && html`<button type="button" class="button" onClick=${() => readSent(more.value)}>${t("page.announce.more")}</button>`}
  </section>`;
}
