"""Forecast and rates against the record: plain SQL, written from door.md's figures.

The evening goes through the real door; then its times are moved back, so that people
came over half an hour and not within a second.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from ops.live.forecast import read_forecast
from ops.live.plan import read_plan
from ops.live.sources import count
from ops.live.state import GateRates, attendance
from ops.watch.forecaster import Forecaster
from tests.integration.watch.watch_kit import Evening

GUESTS = """
SELECT count(*) FROM (
  SELECT DISTINCT c.ticket_id, c.person_no FROM check_ins c
    JOIN ops.scopes s ON s.id = c.scope_id AND s.kind = 'venue'
    JOIN tickets t ON t.id = c.ticket_id
   WHERE c.event_id = $1 AND c.undone_at IS NULL AND t.access_class = 'guest') x
"""
EXPECTED = """
SELECT round(sum(t.admits) * max(e.show_rate)) FROM tickets t
  JOIN events e ON e.id = t.event_id
 WHERE t.event_id = $1 AND t.state = 'valid' AND t.access_class = 'guest'
"""
# Attempts to come in at each gate in the three minutes before the forecast was made.
TRIED = """
SELECT g.name, count(l.scan_id)::int AS tried FROM ops.gates g
  LEFT JOIN ops.scan_log l ON l.gate_id = g.id AND l.decided_at <= $2
       AND l.decided_at > $2::timestamptz - interval '3 minutes'
       AND l.direction IS DISTINCT FROM 'out' AND NOT l.offline
       AND NOT coalesce((l.args ->> 'just_now')::bool, false)
 WHERE g.event_id = $1 GROUP BY g.name
"""
# Who came in for the first time in the running minute and the four before it.
LATELY = """
SELECT count(*) FROM (
  SELECT min(c.checked_in_at) AS at FROM check_ins c
    JOIN ops.scopes s ON s.id = c.scope_id AND s.kind = 'venue'
   WHERE c.event_id = $1 AND c.undone_at IS NULL
   GROUP BY c.ticket_id, c.person_no) f
 WHERE f.at >= date_trunc('minute', $2::timestamptz) - interval '4 minutes'
   AND f.at <= $2
"""


async def spread_over(evening: Evening, minutes: int) -> None:
    """Let what happened have happened over so long, in the same order."""
    for table, at in (("check_ins", "checked_in_at"), ("ops.scan_log", "decided_at")):
        await evening.pool.execute(
            f"""WITH ordered AS (
                  SELECT ctid, row_number() OVER (ORDER BY {at}) AS n,
                         count(*) OVER () AS all_of FROM {table} WHERE event_id = $1)
                UPDATE {table} x SET {at} = now()
                       - interval '1 minute' * $2 * (o.all_of - o.n) / o.all_of
                       - interval '2 seconds'
                  FROM ordered o WHERE o.ctid = x.ctid""",
            *(evening.event.id, minutes),
        )


async def play(evening: Evening) -> None:
    """Guests, a group in part, a VIP through two gates, a stranger, one who goes and
    comes back, one by mistake."""
    for n in range(1, 13):
        await evening.admitted(f"T-{n}")
    await evening.admitted("V-1")
    await evening.admitted("V-1", "lounge_device")
    await evening.admitted("G-1", admit=3)
    await evening.scan("a stranger")
    await evening.scan("T-1", direction="out")
    await evening.admitted("T-1", "other_device")
    mistaken = await evening.scan("T-20")
    undone = await evening.http.post(
        f"{evening.root}/scans/{mistaken['id']}/undo",
        json={"reason": "the wrong line"},
        headers={"Authorization": f"Device dev_{evening.event.device}"},
    )
    assert undone.status_code == 200, undone.text
    await evening.logged(19)


async def test_forecast_and_rates_are_what_the_record_says(evening: Evening) -> None:
    pool, event = evening.pool, evening.event
    await pool.execute(
        "UPDATE events SET doors_open_at = now() - interval '40 minutes',"
        " starts_at = now() + interval '20 minutes' WHERE id = $1",
        event.id,
    )
    await play(evening)
    await spread_over(evening, 30)
    assert await Forecaster(evening.database).fit(event.id)
    made_at = await pool.fetchval(
        "SELECT made_at FROM ops.forecasts WHERE event_id = $1", event.id
    )
    shown = await read_forecast(pool, event.id)
    assert shown is not None
    forecast = shown.forecast
    assert forecast is not None
    entered = await pool.fetchval(GUESTS, event.id)
    assert forecast["entered"] == entered == 16
    assert forecast["expected"] == await pool.fetchval(EXPECTED, event.id)
    assert forecast["ahead"] == entered - forecast["planned"]
    assert forecast["total"]["low"] >= entered
    tried = {
        row["name"]: row["tried"] for row in await pool.fetch(TRIED, event.id, made_at)
    }
    rates = {gate["name"]: gate["per_min"] for gate in forecast["gates"]}
    assert rates == {name: round(times / 3, 1) for name, times in tried.items()}
    assert sum(tried.values()) > 0

    # The wall's own rate, of everybody, from the same definition of the counters.
    plan = await read_plan(pool, event.id)
    assert plan is not None
    now = await pool.fetchval("SELECT now()")
    counters = await count(pool, event.id)
    wall: dict[str, Any] = json.loads(
        json.dumps(attendance(plan, counters, GateRates(), now, 0.0), default=str)
    )
    lately = await pool.fetchval(LATELY, event.id, now)
    seconds = 240 + now.timestamp() % 60
    assert wall["rate_per_min"] == round(lately * 60 / seconds, 1)
    assert lately > 0

    # Negative control: a row that changes is seen as a difference, and then followed.
    await pool.execute(
        "UPDATE check_ins SET undone_at = now() WHERE event_id = $1 AND ticket_id = $2",
        *(event.id, event.tickets["T-3"]),
    )
    assert forecast["entered"] != await pool.fetchval(GUESTS, event.id)
    await pool.execute(
        "UPDATE ops.forecasts SET made_at = $2 WHERE event_id = $1",
        *(event.id, made_at - timedelta(minutes=1)),
    )
    assert await Forecaster(evening.database).fit(event.id)
    again = await read_forecast(pool, event.id)
    assert again is not None
    assert again.forecast is not None
    assert again.forecast["entered"] == entered - 1
