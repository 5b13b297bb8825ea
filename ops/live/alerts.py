"""The topic alerts: what waits for somebody (alerts, calls, incidents, conflicts).

It comes from PostgreSQL alone (`polled`): a call is a row before it is anything else,
so that one made while this process was away is not lost. Half a second between two
readings brings it to the screen within the second that a steward was promised.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.plan import CALL_TIMEOUT_S
from ops.watch.rules import CASES, RANKS, RULES, covered_by
from ops.watch.statements import VIEW

READ_EVERY_S = 0.5
OPEN_MAX = 100
RAISED_MAX, OF_RULE_MAX = 120, 10
"""With their names; how many more there are of a rule is counted beside them, so that
two hundred of one kind hide no other."""

_GRADES = [(name, RANKS[rule.gravity]) for name, rule in RULES.items()]
_COVERED = [(name, by) for name in RULES for by in covered_by(name)]

# What stands, one alert a case: where a graver rule says the same of the same subject,
# that one alone. What is for information comes last, whatever else was seen already.
_ALERTS = """
WITH standing AS (
  SELECT a.id, a.rule, a.raised_at, a.acknowledged_at,
         coalesce(k.rank, $7) AS rank
    FROM ops.alerts a
    LEFT JOIN unnest($3::text[], $4::int[]) AS k(rule, rank) ON k.rule = a.rule
   WHERE a.event_id = $1 AND a.cleared_at IS NULL AND NOT EXISTS (
     SELECT FROM unnest($5::text[], $6::text[]) AS c(rule, by)
       JOIN ops.alerts b ON b.event_id = $1 AND b.cleared_at IS NULL
        AND b.subject = a.subject AND b.rule = c.by
      WHERE c.rule = a.rule)
), of_rule AS (
  SELECT *, row_number() OVER (PARTITION BY rule
              ORDER BY acknowledged_at IS NOT NULL, raised_at DESC, id DESC) AS nth
    FROM standing
), first AS (
  SELECT id, row_number() OVER (
           ORDER BY rank = $7, acknowledged_at IS NOT NULL, rank, raised_at DESC,
                    id DESC) AS n
    FROM of_rule WHERE nth <= $9 ORDER BY n LIMIT $8
)
SELECT e.id,
       (SELECT count(*) FROM ops.conflicts c
         WHERE c.event_id = e.id AND c.resolved_at IS NULL)::int AS conflicts,
       (SELECT floor(extract(epoch FROM now() - o.created_at) / 5)::int * 5
          FROM ops.outbox o WHERE o.event_id = e.id ORDER BY o.id LIMIT 1) AS waiting_s,
       (SELECT coalesce(sum(d.pending), 0) FROM ops.device_events x
          JOIN ops.devices d ON d.id = x.device_id AND d.state = 'active'
         WHERE x.event_id = e.id)::int AS unsent,
       EXISTS (SELECT FROM ops.watches w WHERE w.event_id = e.id
                  AND w.looked_at > now() - interval '30 seconds') AS watched,
       (SELECT coalesce(json_agg(row_to_json(k)), '[]')::text FROM (
          SELECT h.id, h.kind, h.queue, h.note, g.name AS gate, d.name AS device,
                 o.name AS operator, h.called_at, h.received_at, h.seen_at,
                 u.first_name AS seen_by
            FROM ops.help_calls h
            LEFT JOIN ops.gates g ON g.id = h.gate_id
            LEFT JOIN ops.devices d ON d.id = h.device_id
            LEFT JOIN ops.operators o ON o.id = h.operator_id
            LEFT JOIN public.users u ON u.id = h.seen_by
           WHERE h.event_id = e.id AND h.closed_at IS NULL
           ORDER BY h.received_at DESC, h.id DESC LIMIT $2) k) AS calls,
       (SELECT coalesce(json_agg(row_to_json(k)), '[]')::text FROM (
          SELECT i.id, i.kind, i.summary, i.owner, a.name AS area, g.name AS gate,
                 i.started_at
            FROM ops.incidents i
            LEFT JOIN ops.areas a ON a.id = i.area_id
            LEFT JOIN ops.gates g ON g.id = i.gate_id
           WHERE i.event_id = e.id AND i.state = 'open'
           ORDER BY i.started_at DESC, i.id DESC LIMIT $2) k) AS incidents,
       (SELECT coalesce(json_agg(row_to_json(k)), '[]')::text FROM (
         SELECT s.rule, count(*)::int AS standing,
                count(*) FILTER (WHERE s.acknowledged_at IS NULL)::int AS unseen,
                max(s.raised_at) AS newest_at
           FROM standing s GROUP BY s.rule, s.rank ORDER BY s.rank, s.rule) k)
         AS rules,
       (SELECT coalesce(json_agg(row_to_json(k)), '[]')::text FROM (
"""
_ALERTS += VIEW
_ALERTS += """
           JOIN first ON first.id = a.id ORDER BY first.n) k) AS raised,
       (SELECT row_to_json(k)::text FROM (
          SELECT m.id, m.drill, m.reason, coalesce(a.name, g.name) AS place,
                 m.started_at, m.cleared_at
            FROM ops.emergencies m
            LEFT JOIN ops.areas a ON a.id = m.area_id
            LEFT JOIN ops.gates g ON g.id = m.gate_id
           WHERE m.event_id = e.id AND m.closed_at IS NULL) k) AS emergency
  FROM public.events e WHERE e.id = $1
"""


Mode = Literal["normal", "no-redis", "journal", "down"]


class Call(msgspec.Struct, frozen=True):
    """A call for help that is not closed; `seen_by` is a first name."""

    id: UUID
    kind: str
    queue: str | None
    note: str | None
    gate: str | None
    device: str | None
    operator: str | None
    called_at: datetime
    received_at: datetime
    seen_at: datetime | None
    seen_by: str | None


class OpenIncident(msgspec.Struct, frozen=True):
    """An incident that is not closed."""

    id: UUID
    kind: str
    summary: str
    owner: str | None
    area: str | None
    gate: str | None
    started_at: datetime


class Raised(msgspec.Struct, frozen=True):
    """An alert that stands; `case`: it has a record of evidence."""

    id: UUID
    rule: str
    subject: str
    value: float
    args: dict[str, Any]
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    gate_id: UUID | None
    area_id: UUID | None
    gate: str | None
    first_gate: str | None
    area: str | None
    device: str | None
    operator: str | None
    session: str | None
    list: str | None
    holder: str | None
    host: str | None
    gravity: str = "info"
    case: bool = False


class Standing(msgspec.Struct, frozen=True):
    """How many alerts of a rule stand, one a case; nobody looks after `unseen`."""

    rule: str
    standing: int
    unseen: int
    newest_at: datetime
    gravity: str = "info"


class Emergency(msgspec.Struct, frozen=True):
    """The emergency or drill that is open; place null: everywhere."""

    id: UUID
    drill: bool
    reason: str
    place: str | None
    started_at: datetime
    cleared_at: datetime | None


class Sync(msgspec.Struct, frozen=True):
    """How the parts keep up: seconds that the oldest change has waited for the doors
    (in steps of five), scans that devices hold, whether alerts are looked for."""

    waiting_s: int
    unsent: int
    watched: bool


class Alerts(msgspec.Struct, frozen=True):
    """`data` of the topic, newest first; `conflicts` are those nobody has settled.

    `raised`: what asks for somebody first, at most `OF_RULE_MAX` of a rule and
    `RAISED_MAX` in all; `rules` counts every one.
    `mode` is that of the event, as `/readyz` words it; `old`: PostgreSQL is away, and
    the lists are those of before.
    """

    calls: tuple[Call, ...]
    incidents: tuple[OpenIncident, ...]
    conflicts: int
    raised: tuple[Raised, ...] = ()
    rules: tuple[Standing, ...] = ()
    emergency: Emergency | None = None
    sync: Sync = Sync(0, 0, False)
    mode: Mode = "normal"
    old: bool = False


_calls = msgspec.json.Decoder(tuple[Call, ...])
_incidents = msgspec.json.Decoder(tuple[OpenIncident, ...])
_emergency = msgspec.json.Decoder(Emergency)
_raised = msgspec.json.Decoder(tuple[Raised, ...])
_rules = msgspec.json.Decoder(tuple[Standing, ...])


async def read_alerts(pool: asyncpg.Pool, event_id: UUID) -> Alerts | None:
    """What waits for somebody; None if there is no such event.

    Raises:
        StoreUnavailable: PostgreSQL did not answer.
    """
    try:
        row = await pool.fetchrow(
            _ALERTS,
            event_id,
            OPEN_MAX,
            [name for name, _ in _GRADES],
            [rank for _, rank in _GRADES],
            [name for name, _ in _COVERED],
            [by for _, by in _COVERED],
            RANKS["info"],
            RAISED_MAX,
            OF_RULE_MAX,
            timeout=CALL_TIMEOUT_S,
        )
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(f"alerts: {type(error).__name__}") from error
    if row is None:
        return None
    return Alerts(
        _calls.decode(row["calls"]),
        _incidents.decode(row["incidents"]),
        row["conflicts"],
        tuple(_graded(one) for one in _raised.decode(row["raised"])),
        tuple(_counted(one) for one in _rules.decode(row["rules"])),
        _emergency.decode(row["emergency"]) if row["emergency"] else None,
        Sync(max(0, row["waiting_s"] or 0), row["unsent"], row["watched"]),
    )


def _counted(one: Standing) -> Standing:
    rule = RULES.get(one.rule)
    return msgspec.structs.replace(one, gravity=rule.gravity if rule else one.gravity)


def _graded(one: Raised) -> Raised:
    rule = RULES.get(one.rule)
    gravity = rule.gravity if rule else one.gravity
    return msgspec.structs.replace(one, gravity=gravity, case=one.rule in CASES)
