"""`ops preflight EVENT`: is this event fit to open its doors? Nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
from redis.exceptions import RedisError

from ops.cache import keys
from ops.cache.client import Cache
from ops.commands.doctor import Finding, State
from ops.commands.reconcile import find_event, reconciler
from ops.db.engine import Database
from ops.errors import OpsError
from ops.settings import Settings

CALL_TIMEOUT_S = 5.0
SEEN_MINUTES = 10
NAMED_MAX = 5

_FACTS = """
SELECT e.title, e.status, e.timezone, e.starts_at, e.ends_at, e.ends_at < now() AS over,
  e.doors_state, e.capacity,
  (SELECT count(*) FROM ops.gates g WHERE g.event_id = e.id) AS gates,
  (SELECT count(*) FROM ops.gates g WHERE g.event_id = e.id AND g.area_id IS NULL)
    AS gates_nowhere,
  ARRAY(SELECT x.title FROM sessions x WHERE x.event_id = e.id
    AND x.status <> 'cancelled' AND x.end_time > now() AND NOT EXISTS (
      SELECT 1 FROM ops.scopes s WHERE s.session_id = x.id AND s.area_id IS NOT NULL)
    ORDER BY x.start_time, x.id) AS sessions_unplanned,
  ARRAY(SELECT a.name FROM ops.areas a WHERE a.event_id = e.id
    AND EXISTS (SELECT 1 FROM ops.gates g WHERE g.area_id = a.id)
    AND NOT EXISTS (SELECT 1 FROM ops.scopes s WHERE s.area_id = a.id)
    ORDER BY a.position, a.name, a.id) AS areas_unplanned,
  (SELECT count(*) FROM ops.gates g WHERE g.event_id = e.id AND g.state = 'closed')
    AS gates_closed,
  (SELECT count(*) FROM ops.scopes s WHERE s.event_id = e.id AND s.kind = 'venue')
    AS venues,
  (SELECT coalesce(sum(t.admits), 0) FROM tickets t
   WHERE t.event_id = e.id AND t.state = 'valid') AS people,
  (SELECT count(*) FROM tickets t WHERE t.event_id = e.id AND t.state = 'valid'
    AND NOT EXISTS (SELECT 1 FROM ops.ticket_codes c
      WHERE c.ticket_id = t.id AND c.revoked_at IS NULL)) AS codeless,
  (SELECT count(*) FROM ops.device_events d JOIN ops.devices x ON x.id = d.device_id
   WHERE d.event_id = e.id AND x.state = 'active') AS devices,
  (SELECT count(*) FROM ops.device_events d JOIN ops.devices x ON x.id = d.device_id
   WHERE d.event_id = e.id AND x.state = 'active' AND x.gate_id IS NULL) AS homeless,
  (SELECT count(*) FROM ops.device_events d JOIN ops.devices x ON x.id = d.device_id
   WHERE d.event_id = e.id AND x.state = 'active'
     AND x.last_seen_at > now() - make_interval(mins => $2)) AS awake,
  (SELECT count(*) FROM ops.operators o WHERE o.event_id = e.id) AS operators,
  (SELECT count(*) FROM ops.operators o WHERE o.event_id = e.id AND o.role <> 'steward')
    AS supervisors,
  (SELECT count(*) FROM ops.conflicts c
   WHERE c.event_id = e.id AND c.resolved_at IS NULL) AS conflicts,
  (SELECT count(*) FROM ops.outbox o WHERE o.event_id = e.id) AS waiting
FROM events e WHERE e.id = $1
"""


async def run(settings: Settings, event: str) -> list[Finding]:
    """All findings, the bad ones among them.

    Raises:
        SettingsError: there is no such event.
        StoreUnavailable: PostgreSQL is away.
    """
    database = Database(settings.database_url, "ops preflight")
    cache = Cache(settings.redis_url, timeout_s=CALL_TIMEOUT_S)
    await database.start()
    try:
        event_id = await find_event(database, event)
        row = await database.pool.fetchrow(_FACTS, event_id, SEEN_MINUTES)
        found = [*_event(row), *_doors(row), *_people(row)]
        try:
            meta: list[Any] = await cache.redis.hmget(
                keys.meta(event_id), ["state", "mode"]
            )
            state, mode = ((value or b"-").decode() for value in meta)
            warm = (state, mode) == ("ready", "N")
            said = f"{state}, mode {mode}"
            found.append(_finding("cache", warm, said, "doubtful"))
            folder = Path(settings.data_dir) / "journal"
            found_off = await reconciler(database, cache, folder).compare(event_id)
            off = [one for one in found_off if one.kind != "state"]
            found.append(_finding("agreement", not off, f"{len(off)} differences"))
        except (OpsError, RedisError, OSError) as error:
            found.append(Finding("cache", "bad", str(error)))
        except asyncpg.PostgresError as error:
            found.append(Finding("agreement", "bad", type(error).__name__))
        return found
    finally:
        await cache.stop()
        await database.stop()


def _finding(
    subject: str, good: bool, detail: str, otherwise: State = "bad"
) -> Finding:
    return Finding(subject, "good" if good else otherwise, detail)


def _event(row: Any) -> list[Finding]:
    on = row["status"] in ("published", "live")
    return [
        _finding("event", on, f"{row['title']}: {row['status']}"),
        _finding(
            "time",
            not row["over"],
            f"{row['starts_at']:%Y-%m-%d %H:%M} to {row['ends_at']:%Y-%m-%d %H:%M} UTC,"
            f" {row['timezone']}",
        ),
        _finding("doors", row["doors_state"] == "open", row["doors_state"], "doubtful"),
    ]


def _doors(row: Any) -> list[Finding]:
    placed = row["gates"] > 0 and not row["gates_nowhere"] and row["venues"] == 1
    ready = row["devices"] > 0 and not row["homeless"]
    return [
        _finding(
            "gates",
            placed,
            f"{row['gates']}, {row['gates_nowhere']} lead nowhere,"
            f" {row['gates_closed']} closed",
        ),
        _planned("sessions", row["sessions_unplanned"], "its session and room"),
        _planned("places", row["areas_unplanned"], "its area"),
        _finding(
            "devices",
            ready,
            f"{row['devices']} paired, {row['homeless']} at no gate,"
            f" {row['awake']} heard of in {SEEN_MINUTES} minutes",
            "bad" if not row["devices"] else "doubtful",
        ),
        _finding(
            "operators",
            row["supervisors"] > 0,
            f"{row['operators']}, {row['supervisors']} may override",
            "doubtful",
        ),
    ]


def _planned(subject: str, unplanned: list[str], what: str) -> Finding:
    """Whether a scope says what an entry means, wherever somebody may be scanned.

    Without one every scan there is `wrong_area`, whatever its ticket.
    """
    if not unplanned:
        return Finding(subject, "good", "each has a scope")
    named = ", ".join(unplanned[:NAMED_MAX])
    more = f" and {len(unplanned) - NAMED_MAX} more" if unplanned[NAMED_MAX:] else ""
    return Finding(
        subject,
        "bad",
        f"no scope: {named}{more}. All scans there are refused (wrong_area): make one"
        f" with {what}, by POST /api/v1/scopes or on the plan's page",
    )


def _people(row: Any) -> list[Finding]:
    people, capacity = row["people"], row["capacity"]
    room = capacity is None or people <= capacity
    return [
        _finding(
            "tickets",
            people > 0 and not row["codeless"],
            f"{people} people, {row['codeless']} tickets without a code",
        ),
        _finding(
            "capacity",
            room,
            f"{people} sold, room for {'any' if capacity is None else capacity}",
            "doubtful",
        ),
        _finding(
            "conflicts", not row["conflicts"], f"{row['conflicts']} open", "doubtful"
        ),
        _finding(
            "relay",
            row["waiting"] < 100,
            f"{row['waiting']} changes wait for the cache",
            "doubtful",
        ),
    ]
