"""Every figure of the control room, by plain SQL over PostgreSQL.

Written from door.md's table of figures and not from the program's own statements, so
that the two can be held against each other.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg

FIGURES = {
    "inside": """
        SELECT (SELECT count(*) FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id
                 WHERE c.event_id = $1 AND s.kind = 'venue' AND c.undone_at IS NULL
                   AND c.checked_out_at IS NULL)
             + (SELECT coalesce(sum(n.delta), 0) FROM ops.counts n
                  JOIN ops.areas a ON a.id = n.area_id
                 WHERE n.event_id = $1 AND a.kind = 'venue')
             + (SELECT coalesce(sum(x.people), 0) FROM ops.conflicts x
                  JOIN ops.areas a ON a.id = x.area_id AND a.kind = 'venue'
                 WHERE x.event_id = $1 AND x.resolved_at IS NULL)""",
    "entered": """
        SELECT count(*) FROM (SELECT DISTINCT c.ticket_id, c.person_no
          FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id
         WHERE c.event_id = $1 AND s.kind = 'venue' AND c.undone_at IS NULL) x""",
    "expected": """
        SELECT coalesce(sum(round(y.people * e.show_rate)), 0) FROM events e
          JOIN LATERAL (SELECT sum(t.admits) AS people FROM tickets t
             WHERE t.event_id = e.id AND t.state = 'valid' AND t.access_class = 'guest'
             GROUP BY t.ticket_type_id) y ON true
         WHERE e.id = $1""",
    "exits": """
        SELECT count(*) FROM check_ins c JOIN ops.gates g ON g.id = c.exit_gate_id
          JOIN ops.areas a ON a.id = g.area_id AND a.kind = 'venue'
         WHERE c.event_id = $1 AND c.undone_at IS NULL AND NOT c.exit_assumed""",
    "re_entries": """
        SELECT count(*) - count(DISTINCT (c.ticket_id, c.person_no))
          FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id
         WHERE c.event_id = $1 AND s.kind = 'venue' AND c.undone_at IS NULL""",
    "refused_attempts": """
        SELECT count(*) FROM ops.scan_log
         WHERE event_id = $1 AND verdict = 'refused'
           AND NOT coalesce((args ->> 'just_now')::bool, false)""",
    "refused_people": """
        SELECT count(DISTINCT coalesce(ticket_id::text, code_hash::text))
          FROM ops.scan_log WHERE event_id = $1 AND verdict = 'refused'
           AND NOT coalesce((args ->> 'just_now')::bool, false)""",
    "counted": """
        SELECT coalesce(sum(n.delta), 0) FROM ops.counts n
          JOIN ops.areas a ON a.id = n.area_id AND a.kind = 'venue'
         WHERE n.event_id = $1""",
    "devices": """
        SELECT count(*) FROM ops.device_events WHERE event_id = $1""",
}

AREAS = """
SELECT a.name,
       (SELECT count(*) FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id
         WHERE s.area_id = a.id AND c.undone_at IS NULL AND c.checked_out_at IS NULL
           AND (s.kind <> 'session' OR NOT EXISTS (SELECT FROM ops.scopes o
                 WHERE o.area_id = a.id AND o.kind <> 'session')))
       + (SELECT coalesce(sum(delta), 0) FROM ops.counts n WHERE n.area_id = a.id)
         AS inside
  FROM ops.areas a WHERE a.event_id = $1
"""
SESSIONS = """
SELECT p.title, (SELECT count(*) FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id
                  WHERE s.session_id = p.id AND c.undone_at IS NULL
                    AND c.checked_out_at IS NULL) AS inside
  FROM sessions p WHERE p.event_id = $1
"""
GATES = """
SELECT g.name,
       (SELECT count(*) FROM check_ins c
         WHERE c.gate_id = g.id AND c.area_id = g.area_id AND c.undone_at IS NULL)
         AS entered,
       (SELECT count(*) FROM check_ins c
         WHERE c.exit_gate_id = g.id AND c.undone_at IS NULL AND NOT c.exit_assumed)
         AS exited,
       (SELECT count(*) FROM ops.scan_log l
         WHERE l.gate_id = g.id AND l.verdict = 'refused'
           AND NOT coalesce((l.args ->> 'just_now')::bool, false)) AS refused,
       (SELECT count(*) FROM ops.devices d
         WHERE d.gate_id = g.id AND d.state = 'active') AS devices
  FROM ops.gates g WHERE g.event_id = $1
"""

SHOWN = """() => {
  const number = (node) => {
    const digits = (node?.textContent ?? '').replace(/[^0-9.-]/g, '');
    return digits === '' || digits === '-' ? 0 : Number(digits);
  };
  const tiles = [...document.querySelectorAll('.tile')];
  const tile = (n) => number(tiles[n].querySelector('.tile-figure'));
  const note = (n) => number(tiles[n].querySelector('.soft.small'));
  const places = (n) => Object.fromEntries(
    [...document.querySelectorAll('.panel.places')[n].querySelectorAll('.place')].map(
      (li) => [li.querySelector('.name').textContent.trim(),
               number(li.querySelector('.place-figures .figure'))]));
  return {
    figures: {
      inside: number(document.querySelector('.hero .huge')),
      entered: tile(0), expected: note(0), exits: tile(2), re_entries: tile(3),
      refused_attempts: tile(4), refused_people: note(4), counted: tile(5),
      devices: document.querySelectorAll('.devices tbody tr').length,
    },
    areas: places(0), sessions: places(1),
    gates: Object.fromEntries([
      ...document.querySelectorAll('.gates tbody tr:first-child')].map(
      (row) => [row.querySelector('.name').textContent.trim(),
        [...row.querySelectorAll('td')].slice(1).map(number)])),
  };
}"""
"""What the page shows, as numbers; run in the browser."""


async def by_sql(pool: asyncpg.Pool, event_id: UUID) -> dict[str, Any]:
    """The same figures from PostgreSQL."""
    return {
        "figures": {
            name: int(await pool.fetchval(sql, event_id))
            for name, sql in FIGURES.items()
        },
        "areas": {
            row["name"]: int(row["inside"]) for row in await pool.fetch(AREAS, event_id)
        },
        "sessions": {
            row["title"]: int(row["inside"])
            for row in await pool.fetch(SESSIONS, event_id)
        },
        "gates": {
            row["name"]: [
                int(row[name]) for name in ("entered", "exited", "refused", "devices")
            ]
            for row in await pool.fetch(GATES, event_id)
        },
    }
