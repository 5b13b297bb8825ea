"""Forecasts over real rows: what was fitted, once, and what the screens get."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from ops.db.engine import Database
from ops.ids import uuid7
from ops.live.forecast import read_forecast
from ops.watch.forecaster import Forecaster
from ops.watch.watcher import Watcher
from tests.integration.watch.watch_kit import TEXTS, no_mode
from tests.small_event import SmallEvent


async def came(
    database: Database, event: SmallEvent, minutes_ago: list[float], first: int = 1
) -> None:
    """Guests T-first.. entered the venue so many minutes ago, one each."""
    now = datetime.now(UTC)
    for n, ago in enumerate(minutes_ago, first):
        at = now - timedelta(minutes=ago)
        await database.pool.execute(
            "INSERT INTO check_ins (id, event_id, ticket_id, checked_in_at, scope_id,"
            " gate_id, scan_id) VALUES ($1, $2, $3, $4, $5, $6, $1)",
            uuid7(),
            event.id,
            event.tickets[f"T-{n}"],
            at,
            event.venue_scope,
            event.main_gate,
        )
        await database.pool.execute(
            "INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict,"
            " reason, gate_id, device_id, direction, decided_at)"
            " VALUES ($1, $2, 'x', 'admitted', 'ok', $3, $4, 'in', $5)",
            uuid7(),
            event.id,
            event.main_gate,
            event.device,
            at,
        )


async def test_a_forecast_is_made_once_and_reaches_the_screens(
    event: SmallEvent, database: Database
) -> None:
    pool = database.pool
    assert (await read_forecast(pool, event.id)).forecast is None  # type: ignore[union-attr]
    await pool.execute(
        "UPDATE events SET doors_open_at = now() - interval '60 minutes',"
        " starts_at = now() + interval '30 minutes' WHERE id = $1",
        event.id,
    )
    await came(database, event, [50, 40, 35, 30, 21, 20, 10, 4, 2.5, 1.5, 1.2, 0.4])
    forecasters = [Forecaster(database), Forecaster(database)]
    made = await asyncio.gather(*(one.fit(event.id) for one in forecasters))
    assert sorted(made) == [False, True]
    found = await read_forecast(pool, event.id)
    assert found is not None
    data = found.forecast
    assert data is not None
    # 20 regular, 2 VIP, a group of 4.
    assert (data["basis"], data["expected"], data["entered"]) == ("default", 26, 12)
    assert data["ahead"] == data["entered"] - data["planned"]
    assert data["total"]["low"] <= data["total"]["mid"] <= data["total"]["high"]
    assert [eta["percent"] for eta in data["etas"]] == [50, 90, 95]
    assert all(low <= mid <= high for _, low, mid, high in data["points"])
    main = next(gate for gate in data["gates"] if gate["name"] == "Main gate")
    assert (main["basis"], main["lanes"], main["share"]) == ("scans", 1, 1.0)
    assert main["lanes_needed"] >= 1
    lounge = next(gate for gate in data["gates"] if gate["name"] == "Lounge gate")
    assert (lounge["basis"], lounge["lanes_needed"]) == ("idle", 0)
    assert await read_forecast(pool, uuid7()) is None


async def test_past_evenings_give_the_curve(
    event: SmallEvent, database: Database
) -> None:
    past = await SmallEvent.make(database.pool, tickets=60)
    await database.pool.execute(
        "UPDATE events SET starts_at = now() - interval '9 days', doors_open_at ="
        " now() - interval '150 minutes', status = 'completed',"
        " ends_at = now() - interval '5 days' WHERE id = $1",
        past.id,
    )
    await came(database, past, [100 - n for n in range(55)])
    assert await Forecaster(database).fit(event.id)
    found = await read_forecast(database.pool, event.id)
    assert found is not None
    assert found.forecast is not None
    assert (found.forecast["basis"], found.forecast["evenings"]) == ("past", 1)


@pytest.mark.parametrize(("word", "rings"), [("over_barrier", True), ("none", False)])
async def test_a_stewards_word_about_a_queue_rings(
    event: SmallEvent, database: Database, word: str, rings: bool
) -> None:
    await came(database, event, [2.9, 2.0, 1.0])
    await database.pool.execute(
        "INSERT INTO ops.help_calls (id, event_id, kind, queue, gate_id, called_at)"
        " VALUES ($1, $2, 'queue', $3, $4, now())",
        uuid7(),
        event.id,
        word,
        event.main_gate,
    )
    await Forecaster(database).fit(event.id)
    watcher = Watcher(database, no_mode, TEXTS, look_s=0.0)
    await database.pool.execute(
        "INSERT INTO ops.alert_rules (event_id, rule, threshold, clear_at, for_s,"
        " clear_s) VALUES ($1, 'queue_wait', 4, 2, 0, 0)",
        event.id,
    )
    await watcher.look(event.id)
    row = await database.pool.fetchrow(
        "SELECT value, args FROM ops.alerts"
        " WHERE event_id = $1 AND rule = 'queue_wait'",
        event.id,
    )
    assert (row is not None) == rings
    if row is not None:
        # 41 to 150 people through one lane of five seconds each.
        assert row["value"] == pytest.approx(8.0, abs=0.1)
        assert row["args"]["basis"] == "report"


async def test_the_second_day_of_a_conference_is_an_evening_of_its_own(
    event: SmallEvent, database: Database
) -> None:
    """Yesterday 22 of 26 came; today the VIPs stay out, and six are in so far."""
    pool = database.pool
    # Noon everywhere: whatever hour the test runs at, both days are whole ones.
    offset = 12 - datetime.now(UTC).hour
    zone = f"Etc/GMT{-offset:+d}" if offset else "Etc/UTC"
    await pool.execute(
        "UPDATE events SET timezone = $2, doors_open_at = now() - interval '25 hours',"
        " starts_at = now() - interval '24 hours', ends_at = now() + interval '5 hours'"
        " WHERE id = $1",
        *(event.id, zone),
    )
    await pool.execute("DELETE FROM sessions WHERE event_id = $1", event.id)
    for kind, day, allowed in (
        (event.regular, None, True),
        (event.group, None, True),
        (event.vip, None, True),
        (event.vip, 0, False),
    ):
        await pool.execute(
            "INSERT INTO ops.access_rules (id, event_id, scope_id, ticket_type_id,"
            " allowed, day) VALUES ($1, $2, $3, $4, $5,"
            " (now() AT TIME ZONE $7)::date - $6::int)",
            *(uuid7(), event.id, event.venue_scope, kind, allowed, day, zone),
        )
    await came(database, event, [24 * 60 + 60 - 3 * n for n in range(20)])
    await pool.execute(
        "UPDATE check_ins SET checked_out_at = now() - interval '15 hours',"
        " event_day = event_day - 1 WHERE event_id = $1",
        event.id,
    )
    today = [50.0 - 3 * n for n in range(6)]
    for n, ago in enumerate(today, 1):
        at = datetime.now(UTC) - timedelta(minutes=ago)
        await pool.execute(
            "INSERT INTO check_ins (id, event_id, ticket_id, checked_in_at, scope_id,"
            " gate_id, scan_id, pass_no) VALUES ($1, $2, $3, $4, $5, $6, $1, 2)",
            *(uuid7(), event.id, event.tickets[f"T-{n}"], at),
            *(event.venue_scope, event.main_gate),
        )
    assert await Forecaster(database).fit(event.id)
    found = await read_forecast(pool, event.id)
    assert found is not None
    data = found.forecast
    assert data is not None
    assert (data["day"]["number"], data["day"]["of"]) == (2, 2)
    # Of 26 who might have come yesterday 20 did; today 24 may.
    assert (data["entered"], data["expected"]) == (6, round(24 * 20 / 26))
    # Yesterday is the curve: everybody was in within the first hour.
    assert (data["basis"], data["evenings"]) == ("past", 1)
    assert data["ahead"] == data["entered"] - data["planned"]
    assert data["total"]["high"] <= 24
    assert [eta["percent"] for eta in data["etas"]] == [50, 90, 95]
    # As one evening it would be over: all 20 of yesterday, and nobody new today.
    await pool.execute(
        "UPDATE events SET starts_at = now() - interval '2 hours',"
        " doors_open_at = now() - interval '2 hours' WHERE id = $1",
        event.id,
    )
    await pool.execute("UPDATE ops.forecasts SET made_at = now() - interval '1 minute'")
    assert await Forecaster(database).fit(event.id)
    one = await read_forecast(pool, event.id)
    assert one is not None
    assert one.forecast is not None
    assert (one.forecast["day"], one.forecast["entered"]) == (None, 20)
