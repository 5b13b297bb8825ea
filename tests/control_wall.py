"""Every other number of the control room's page, and that none is left out.

`tests/control_figures.py` has the figures of door.md; here are the numbers around them:
limits, shares, alerts, forecast, queues, devices, what is unsent, the ticker. Each is
claimed in the page and compared; a number that nobody claims is listed, so a new one on
the wall fails the test until it is held against the record as well.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from ops.pages_dir import find

TEXTS: dict[str, str] = json.loads((find().web / "i18n" / "en.json").read_text())
# Which alert is the lesser part of which, as docs/subsystems/watch.md says it.
LESSER = (
    ("capacity_80", "capacity_95"),
    ("capacity_80", "area_full"),
    ("capacity_95", "area_full"),
    ("gate_drop", "gate_silent"),
    ("low_battery", "device_gone"),
    ("refund_then_scan", "voided_inside"),
    ("refused_at_gates", "two_gates_fast"),
)
INFO = ("capacity_80", "vip_arrived", "party_arrived")
MANY, NAMES = 3, 3

WALL = r"""() => {
  const claimed = new Set();
  const room = document.querySelector('.room');
  const digits = (text) => ((text ?? '').replace(/\u2068[^\u2069]*\u2069/g, '')
    .match(/-?\d[\d,]*(\.\d+)?/g) ?? []).map((one) => Number(one.replaceAll(',', '')));
  const claim = (node) => { if (node) claimed.add(node); return node; };
  // Each text by itself: two spans side by side are two numbers.
  const texts = (node) => {
    const found = [], inner = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    while (inner.nextNode()) found.push(inner.currentNode.textContent);
    return found.join(' ');
  };
  const take = (node) => claim(node) ? digits(texts(node)) : [];
  const one = (css, within = room) => within.querySelector(css);
  const all = (css, within = room) => [...within.querySelectorAll(css)];
  const byName = (nodes, values) => Object.fromEntries(nodes.map(
    (node) => [one('.name', node).textContent.trim(), values(node)]));
  const full = (nodes) => nodes.map(take).filter((found) => found.length > 0);
  // The figures of door.md, which tests/control_figures.py compares.
  for (const css of ['.hero .huge', '.tile', '.place-figures > .figure', '.gates td'])
    all(css).forEach(claim);
  const [areas, sessions] = all('.panel.places');
  const place = (node) => ({
    limit: take(one('.place-figures > .soft:not(.place-part)', node)),
    part: take(one('.place-part', node)),
  });
  const result = {
    capacity: take(one('.hero-of')),
    percent: take(one('.hero-head .chip')),
    outlook: take(one('.hero-outlook')),
    ahead: take(one('.curve-ahead')),
    entered_said: digits(one('.curve-box').getAttribute('aria-label'))[0],
    bars: all('[role=meter]').map((node) => [
      node.getAttribute('aria-label'), Number(node.getAttribute('aria-valuenow'))]),
    areas: byName(all('.place', areas), (node) => ({
      ...place(node), counted: take(one('.place-name > .small', node)) })),
    sessions: byName(all('.place', sessions), place),
    open: take(one('.alert-tools .chip')),
    alerts: all('.alert-list.scroll > .alert').map((node) => {
      const rule = node.dataset.rule;
      if (!node.dataset.n) return [rule, take(one('.alert-text > .name', node))];
      const names = one('.alert-names', node);
      const said = digits(names.textContent.replace(/\d\d:\d\d:\d\d/g, ''));
      claim(one('.alert-text', node));
      const n = take(one('summary .chip', node));
      return [rule, [Number(node.dataset.n), ...n, ...said]];
    }).sort(),
    gates: byName(all('.gates tbody'), (node) => ({
      queue: take(one('.queue', node)), chips: full(all('.beneath .chip', node)) })),
    devices: byName(all('.devices tbody tr'), (node) => ({
      battery: take(one('td', node)), chips: full(all('.chip', node)) })),
    ill: take(one('.devices .panel-head .chip')),
    price: take(one('.price a')),
    conflicts: take(one('.price .chip')),
    lines: Object.fromEntries(all('.line').map(
      (line) => [line.dataset.scan, take(one('.chip', line))[0] ?? 1])),
    sync: take(one('.sync')),
    calls: all('.help-call').length,
  };
  // Words, not figures: names, and the moment when something was or will be.
  const words = '.name, time, .gates th .small, .devices td:last-child, .sync,'
    + ' .places + .places .place-name > .small';
  const walker = document.createTreeWalker(room, NodeFilter.SHOW_TEXT);
  result.unclaimed = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.replace(/\d\d:\d\d(:\d\d)?/g, '');
    const at = walker.currentNode.parentElement;
    let node = at;
    if (!/\d/.test(text) || node.closest(words)) continue;
    while (node && !claimed.has(node)) node = node.parentElement;
    if (!node) result.unclaimed.push(`${at.className}: ${text}`);
  }
  return result;
}"""
"""Numbers as the page shows them; run in the browser."""

RATES = r"""() => {
  const rate = (node) => node.textContent === '–' ? null : Number(node.textContent);
  return {
    all: rate(document.querySelectorAll('.tile-figure')[1]),
    gates: Object.fromEntries([...document.querySelectorAll('.gates tbody')].map(
      (body) => [body.querySelector('.name').textContent.trim(),
                 rate(body.querySelector('td'))])),
  };
}"""

EVENT = """
SELECT e.timezone, coalesce(s.capacity, a.capacity, e.capacity) AS capacity,
       f.data AS forecast
  FROM events e
  JOIN ops.scopes s ON s.event_id = e.id AND s.kind = 'venue'
  JOIN ops.areas a ON a.id = s.area_id
  LEFT JOIN ops.forecasts f ON f.event_id = e.id
 WHERE e.id = $1
"""
AREAS = """
SELECT a.name, a.capacity,
       (SELECT coalesce(sum(delta), 0) FROM ops.counts n WHERE n.area_id = a.id)::int
         AS counted
  FROM ops.areas a WHERE a.event_id = $1
"""
SESSIONS = "SELECT title, max_attendees FROM sessions WHERE event_id = $1"
STANDING = """
SELECT a.rule, a.subject, a.value, a.args, a.acknowledged_at,
       concat_ws(' ', nullif(t.first_name, ''), nullif(t.last_name, '')) AS holder
  FROM ops.alerts a
  LEFT JOIN tickets k ON k.id = a.ticket_id
  LEFT JOIN attendees t ON t.id = k.attendee_id
 WHERE a.event_id = $1 AND a.cleared_at IS NULL
"""
GATES = """
SELECT g.id, g.name, g.area_id,
       (SELECT count(*) FROM ops.shifts s
         WHERE s.gate_id = g.id AND s.starts_at <= now() AND s.ends_at > now()
           AND NOT EXISTS (SELECT FROM ops.devices d
                WHERE d.operator_id = s.operator_id AND d.gate_id = g.id))::int AS short
  FROM ops.gates g WHERE g.event_id = $1
"""
DEVICES = """
SELECT d.name, d.battery, d.pending,
       d.last_seen_at IS NULL OR d.last_seen_at < now() - interval '60 seconds'
         OR d.pending > 0 OR d.battery < 20 AS ill
  FROM ops.device_events e JOIN ops.devices d ON d.id = e.device_id
 WHERE e.event_id = $1
"""
LINES = """
SELECT scan_id, greatest(people, 1) AS people FROM ops.scan_log
 WHERE event_id = $1 ORDER BY decided_at DESC LIMIT 200
"""
OTHERS = """
SELECT (SELECT count(*) FROM ops.conflicts
         WHERE event_id = $1 AND resolved_at IS NULL)::int AS conflicts,
       (SELECT count(*) FROM ops.help_calls
         WHERE event_id = $1 AND seen_at IS NULL AND closed_at IS NULL)::int AS calls,
       p.possible, p.devices_away
  FROM ops.offline_price_v1($1, now()) p
"""


def digits(text: str) -> list[float]:
    """The numbers of a sentence, in order."""
    found = re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)
    return [float(one.replace(",", "")) for one in found]


def said(key: str, **values: Any) -> list[float]:
    """The numbers of a sentence of the catalogue; what is no number is a name."""
    numbers = {k: v for k, v in values.items() if isinstance(v, int | float | str)}
    return digits(
        re.sub(r"\{(\w+)\}", lambda m: str(numbers.get(m[1], "")), TEXTS[key])
    )


def share(part: float, whole: float | None) -> list[float]:
    """Whole per cent, never rounded up to full."""
    return [] if not whole else [math.floor(max(0.0, part / whole) * 100)]


class Wall:
    """What the page should show besides the figures.

    Args:
        figures: what `control_figures.by_sql` found at the same moment.
    """

    def __init__(self, pool: asyncpg.Pool, event_id: UUID, figures: Any) -> None:
        self._pool, self._event_id, self._held = pool, event_id, figures
        self._zone = ZoneInfo("UTC")
        self._forecast: Any = None

    async def _rows(self, sql: str) -> list[Any]:
        return list(await self._pool.fetch(sql, self._event_id))

    async def read(self) -> dict[str, Any]:
        """All of it, as `WALL` words it."""
        [event] = await self._rows(EVENT)
        self._zone, self._forecast = ZoneInfo(event["timezone"]), event["forecast"]
        figures, held = self._held["figures"], self._held
        areas = {row["name"]: row for row in await self._rows(AREAS)}
        sessions = {row["title"]: row for row in await self._rows(SESSIONS)}
        alerts = await self._alerts()
        devices = await self._rows(DEVICES)
        [others] = await self._rows(OTHERS)
        unsent = sum(row["pending"] for row in devices)
        ill = sum(row["ill"] for row in devices)
        limits = [
            *(
                (name, held["areas"][name], row["capacity"])
                for name, row in areas.items()
            ),
            *(
                (title, held["sessions"][title], row["max_attendees"])
                for title, row in sessions.items()
            ),
        ]
        return {
            "capacity": [event["capacity"]],
            "percent": share(figures["inside"], event["capacity"]),
            "outlook": self._outlook(event["capacity"] - figures["inside"]),
            "ahead": self._ahead(),
            "entered_said": figures["entered"],
            "bars": [
                ["Capacity used", *share(figures["inside"], event["capacity"])],
                ["Entered", *share(figures["entered"], figures["expected"])],
                *([name, *share(n, limit)] for name, n, limit in limits if limit),
            ],
            "areas": {
                name: {
                    "limit": [row["capacity"]] if row["capacity"] else [],
                    "part": share(held["areas"][name], row["capacity"]),
                    "counted": [row["counted"]] if row["counted"] else [],
                }
                for name, row in areas.items()
            },
            "sessions": {
                title: {
                    "limit": [row["max_attendees"]] if row["max_attendees"] else [],
                    "part": share(held["sessions"][title], row["max_attendees"]),
                }
                for title, row in sessions.items()
            },
            **alerts,
            "gates": await self._gates(),
            "devices": {
                row["name"]: {
                    "battery": [] if row["battery"] is None else [row["battery"]],
                    "chips": [[row["pending"]]] if row["pending"] else [],
                }
                for row in devices
            },
            "ill": [ill, len(devices)] if ill else [len(devices)],
            "price": [others["possible"], others["devices_away"]],
            "conflicts": [others["conflicts"]] if others["conflicts"] else [],
            "lines": {
                str(row["scan_id"]): row["people"] for row in await self._rows(LINES)
            },
            "sync": [unsent] if unsent else [],
            "calls": others["calls"],
            "unclaimed": [],
        }

    def _clock(self, moment: str | None) -> str:
        if moment is None:
            return ""
        return datetime.fromisoformat(moment).astimezone(self._zone).strftime("%H:%M")

    def _outlook(self, free: int) -> list[float]:
        if free <= 0:
            return []
        full = self._forecast and self._forecast["full"]
        if full and full["at"]:
            times = {"when": full["at"], "low": full["low"], "high": full["high"]}
            return said(
                f"page.control.full_{'between' if full['high'] else 'from'}",
                **{name: self._clock(at) for name, at in times.items()},
            )
        return [free]

    def _ahead(self) -> list[float]:
        data = self._forecast
        if data is None:
            return []
        parts = [str(abs(data["ahead"]))] if data["ahead"] else []
        for eta in data["etas"]:
            parts += [str(eta["percent"]), self._clock(eta["at"])]
            if not eta["reached"] and eta["low"] and eta["high"]:
                parts += [self._clock(eta["low"]), self._clock(eta["high"])]
        parts += [str(data["total"][name]) for name in ("mid", "low", "high")]
        if data["basis"] == "past":
            parts.append(str(data["evenings"]))
        return digits(" ".join(parts))

    async def _alerts(self) -> dict[str, Any]:
        """One a case; of three or more of a rule, or for information, one line."""
        rows = await self._rows(STANDING)
        there = {(row["rule"], row["subject"]) for row in rows}
        rows = [
            row
            for row in rows
            if not any(
                lesser == row["rule"] and (graver, row["subject"]) in there
                for lesser, graver in LESSER
            )
        ]
        lines: list[Any] = []
        to_see = 0
        for rule in sorted({row["rule"] for row in rows}):
            mine = [row for row in rows if row["rule"] == rule]
            unseen = sum(row["acknowledged_at"] is None for row in mine)
            if rule in INFO or len(mine) >= MANY:
                named = len({row["holder"] for row in mine} - {""})
                more = len(mine) - min(NAMES, named) if named else 0
                count = [len(mine), len(mine)]
                lines.append([rule, [*count, *([more] if more else [])]])
                to_see += rule not in INFO and unseen > 0
            else:
                lines += [[rule, self._sentence(row)] for row in mine]
                to_see += unseen
        return {"alerts": sorted(lines), "open": [to_see] if to_see else []}

    def _sentence(self, row: Any) -> list[float]:
        value = round(float(row["value"]) * 10) / 10
        shown = int(value) if value == int(value) else value
        args = {**row["args"], "walk": round(row["args"].get("walk_s", 0))}
        return said(f"page.alert.{row['rule']}", **{**args, "n": shown})

    async def _gates(self) -> dict[str, Any]:
        queues = {gate["id"]: gate for gate in (self._forecast or {}).get("gates", ())}
        full = {
            row["subject"]: row["args"]["may_enter"]
            for row in await self._rows(STANDING)
            if row["rule"] == "area_full"
        }
        found = {}
        for row in await self._rows(GATES):
            queue = queues.get(str(row["id"]))
            known = queue if queue and queue["basis"] != "idle" else None
            chips = [[row["short"]]] if row["short"] else []
            if known and known["lanes_needed"] is not None:
                missing = known["lanes_needed"] - max(known["lanes"], 1)
                chips += [[missing]] if missing > 0 else []
            entering = full.get(str(row["area_id"]))
            chips += [[entering]] if entering is not None else []
            found[row["name"]] = {"queue": _queue(known), "chips": chips}
        return found


def _queue(queue: Any) -> list[float]:
    """The numbers of a gate's line about its queue."""
    if queue is None:
        return []
    parts: list[float] = []
    if queue["wait_s"] is not None and queue["wait_high_s"] < 60:
        parts += said("page.control.queue.little")
    elif queue["wait_s"] is not None:
        parts += [
            math.floor(queue["wait_low_s"] / 60),
            math.ceil(queue["wait_high_s"] / 60),
        ]
    parts += said(f"page.control.queue.basis.{queue['basis']}")
    service = queue["service_s"]
    parts.append(round(service, 1) if 0 < service < 9.95 else round(service))
    parts.append(queue["lanes"])
    return [*parts, *([] if queue["lanes_needed"] is None else [queue["lanes_needed"]])]
