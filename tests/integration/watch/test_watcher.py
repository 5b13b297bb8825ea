"""The watch itself: raised once, ended, set, seen by people, whatever happens to it."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec
import pytest

from ops.ids import uuid7
from ops.live.alerts import OF_RULE_MAX, read_alerts
from ops.watch.watcher import Watcher
from tests.integration.watch.watch_kit import TEXTS, Evening, no_mode, rules_open
from tests.small_event import SmallEvent


async def test_a_full_area_says_how_many_may_enter_and_ends_lower(
    evening: Evening,
) -> None:
    await evening.venue(4)
    for n in range(1, 5):
        await evening.admitted(f"T-{n}")
    await evening.look()
    found = await evening.by_rule()
    assert {"capacity_80", "capacity_95", "area_full"} <= found.keys()
    full = found["area_full"]
    assert full["args"] == {"inside": 4, "capacity": 4, "may_enter": 0}
    assert (full["area"], full["gravity"]) == ("Venue", "bad")
    # One out: it stands until 97 %, and says that one may enter.
    await evening.venue(200, 195)
    await evening.look()
    assert "area_full" in await evening.rules_open()
    [full] = await evening.alerts(rule="area_full")
    assert full["args"]["may_enter"] == 5
    await evening.venue(200, 100)
    for setting in ("area_full", "capacity_95", "capacity_80"):
        await evening.choose(setting, clear_s=0)
    await evening.look()
    assert not {"area_full", "capacity_80"} & await evening.rules_open()
    [ended] = await evening.alerts(rule="area_full")
    assert ended["cleared_at"] is not None
    assert await evening.alerts(open_only=True, rule="area_full") == []


async def test_rules_are_set_for_an_event_and_forgotten_again(evening: Evening) -> None:
    await evening.venue(10, 5)
    await evening.look()
    assert await evening.rules_open() == set()
    done = await evening.choose("capacity_80", threshold=50, clear_at=40)
    assert [one["rule"] for one in done["rules"] if one["chosen"]] == ["capacity_80"]
    await evening.look()
    assert await evening.rules_open() == {"capacity_80"}
    bad = await evening.choose("capacity_80", status=422, threshold=50, clear_at=60)
    assert bad["errors"][0]["field"] == "clear_at"
    url = f"{evening.root}/alert-rules"
    body = {"enabled": True, "threshold": 1, "clear_at": 1, "for_s": 0, "clear_s": 0}
    none = await evening.http.put(
        f"{url}/no_such_rule", json=body, headers=evening.bearer
    )
    assert none.status_code == 404
    gone = await evening.http.delete(f"{url}/capacity_80", headers=evening.bearer)
    assert gone.status_code == 204
    audited = await evening.pool.fetchval(
        "SELECT count(*) FROM ops.audit_log WHERE action = 'alerts.rule'"
    )
    assert audited == 2


async def test_the_screens_show_it_and_somebody_takes_it(evening: Evening) -> None:
    await evening.scan("V-1")
    await evening.look()
    shown = await read_alerts(evening.pool, evening.event.id)
    assert shown is not None
    [one] = shown.raised
    assert (one.rule, one.holder, one.acknowledged_by) == (
        "vip_arrived",
        "O'Brien-Łukasz",
        None,
    )
    url = f"{evening.root}/alerts/{one.id}/acknowledge"
    first = await evening.http.post(
        url, json={"note": "Dana meets them"}, headers=evening.bearer
    )
    assert first.status_code == 200, first.text
    again = await evening.http.post(url, json={}, headers=evening.bearer)
    assert again.json()["acknowledged_at"] == first.json()["acknowledged_at"]
    assert again.json()["note"] == "Dana meets them"
    other = f"{evening.root}/alerts/{uuid7()}/acknowledge"
    assert (
        await evening.http.post(other, json={}, headers=evening.bearer)
    ).status_code == 404
    shown = await read_alerts(evening.pool, evening.event.id)
    assert shown is not None
    assert shown.raised[0].acknowledged_by is not None


async def test_many_of_a_kind_hide_no_other_and_are_taken_together(
    evening: Evening,
) -> None:
    """130 guests of honour, 13 refunded tickets and a device that is gone."""
    rows = [
        (uuid7(), evening.event.id, rule, f"{rule} {n}", seconds + n)
        for rule, number, seconds in (
            ("device_gone", 1, 900),
            ("refund_then_scan", 13, 600),
            ("vip_arrived", 130, 0),
        )
        for n in range(number)
    ]
    await evening.pool.executemany(
        "INSERT INTO ops.alerts (id, event_id, rule, subject, value, args, raised_at)"
        " VALUES ($1, $2, $3, $4, 1, '{}', now() - $5 * interval '1 second')",
        rows,
    )

    async def wall() -> tuple[list[str], dict[str, tuple[int, int]]]:
        shown = await read_alerts(evening.pool, evening.event.id)
        assert shown is not None
        counts = {one.rule: (one.standing, one.unseen) for one in shown.rules}
        return [one.rule for one in shown.raised], counts

    first, counts = await wall()
    assert first == [
        *("device_gone" for _ in range(1)),
        *("refund_then_scan" for _ in range(OF_RULE_MAX)),
        *("vip_arrived" for _ in range(OF_RULE_MAX)),
    ]
    assert counts == {
        "device_gone": (1, 1),
        "refund_then_scan": (13, 13),
        "vip_arrived": (130, 130),
    }
    url = f"{evening.root}/alerts/acknowledge"
    newest = await evening.pool.fetchval(
        "SELECT max(raised_at) FROM ops.alerts WHERE rule = 'refund_then_scan'"
    )
    # One more comes while somebody reaches for the button: it stays to be seen.
    await evening.pool.execute(
        "INSERT INTO ops.alerts (id, event_id, rule, subject, value, args)"
        " VALUES ($1, $2, 'refund_then_scan', 'late', 1, '{}')",
        *(uuid7(), evening.event.id),
    )
    body = {"rule": "refund_then_scan", "until": newest.isoformat()}
    done = await evening.http.post(url, json=body, headers=evening.bearer)
    assert done.json() == {"acknowledged": 13}
    again = await evening.http.post(url, json=body, headers=evening.bearer)
    assert again.json() == {"acknowledged": 0}
    first, counts = await wall()
    assert counts["refund_then_scan"] == (14, 1)
    assert first[:3] == ["device_gone", "refund_then_scan", "refund_then_scan"]
    none = await evening.http.post(
        url, json={**body, "rule": "no_such_rule"}, headers=evening.bearer
    )
    assert none.status_code == 404


async def test_an_event_that_cannot_be_looked_at_hides_no_other(
    evening: Evening,
) -> None:
    """The first to begin cannot be looked at; the second has its turn, then a rest."""
    pool = evening.pool
    other = await SmallEvent.make(pool)
    await pool.execute(
        "UPDATE events SET starts_at = starts_at - interval '1 minute' WHERE id = $1",
        evening.event.id,
    )
    await pool.execute(
        "INSERT INTO ops.watches (event_id, state) VALUES ($1, '{\"area_full\": 5}')",
        evening.event.id,
    )
    await pool.execute(
        "UPDATE ops.areas SET capacity = 10, inside = 9 WHERE id = $1", other.venue
    )
    with pytest.raises(msgspec.ValidationError):
        await evening.watcher.turn()
    assert await rules_open(evening.pool, other.id) == {"capacity_80"}
    # A look that failed is rested from as well.
    assert await evening.watcher.turn() == 0


async def until_waiting(connection: asyncpg.Connection, wanted: int) -> None:
    """Until so many wait for the table of alerts."""
    waiting = (
        "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
        " WHERE c.relname = 'alerts' AND NOT l.granted"
    )
    while await connection.fetchval(waiting) < wanted:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("claimed", [True, False])
async def test_two_processes_raise_an_alert_once(
    evening: Evening, monkeypatch: pytest.MonkeyPatch, claimed: bool
) -> None:
    """Without the claim and the key, each of them raises it (negative control)."""
    if not claimed:
        await evening.pool.execute("DROP INDEX ops.uq_alerts_open")
        monkeypatch.setattr(
            "ops.watch.statements.CLAIM",
            "SELECT state, now() AS at, $3::interval IS NOT NULL AS patterns"
            " FROM ops.watches WHERE event_id = $1 AND $2::interval IS NOT NULL",
        )
        monkeypatch.setattr(
            "ops.watch.statements.RAISE",
            "INSERT INTO ops.alerts (id, event_id, rule, subject, value, args, gate_id,"
            " area_id, device_id, operator_id, ticket_id, session_id, raised_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
    await evening.venue(10, 9)
    # Both have begun before either writes: the first waits for the row of the second.
    pool: asyncpg.Pool = evening.pool
    async with pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE ops.alerts IN EXCLUSIVE MODE")
        looks = [
            asyncio.create_task(
                Watcher(evening.database, no_mode, TEXTS, 60.0).look(evening.event.id)
            )
            for _ in range(2)
        ]
        await until_waiting(blocker, 1 if claimed else 2)
    await asyncio.gather(*looks)
    raised = await pool.fetchval(
        "SELECT count(*) FROM ops.alerts WHERE event_id = $1 AND rule = 'capacity_80'",
        evening.event.id,
    )
    assert raised == (1 if claimed else 2)
