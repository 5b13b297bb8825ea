"""Alerts from what really happened at doors: raised once, ended, seen by people."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from ops.db.engine import Database
from ops.ids import uuid7
from ops.live.alerts import read_alerts
from ops.watch.watcher import Watcher
from tests.small_event import SmallEvent

Headers = dict[str, str]


async def no_mode(_: UUID) -> str | None:
    """The cache says nothing."""
    return None


@pytest.fixture
def watcher(database: Database) -> Watcher:
    """One that looks whenever it is asked."""
    return Watcher(database, no_mode, look_s=0.0)


async def scan(
    http: httpx.AsyncClient, event: SmallEvent, code: str, device: str = "device"
) -> Any:
    answer = await http.post(
        f"/api/v1/events/{event.id}/scans",
        json={"id": str(uuid7()), "code": code},
        headers={"Authorization": f"Device dev_{getattr(event, device)}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def alerts(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, **query: Any
) -> list[Any]:
    answer = await http.get(
        f"/api/v1/events/{event.id}/alerts", headers=bearer, params=query
    )
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def rules_open(database: Database, event: SmallEvent) -> set[str]:
    rows = await database.pool.fetch(
        "SELECT rule FROM ops.alerts WHERE event_id = $1 AND cleared_at IS NULL",
        event.id,
    )
    return {row["rule"] for row in rows}


async def logged(database: Database, event: SmallEvent, scans: int) -> None:
    """Wait for so many: a refusal is in the log within 0.1 s of its answer."""
    count = "SELECT count(*) FROM ops.scan_log WHERE event_id = $1"
    for _ in range(1000):
        if await database.pool.fetchval(count, event.id) >= scans:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{scans} scans are not in the log")


async def passed(database: Database, event: SmallEvent, *minutes: int) -> None:
    """Admissions at the main gate as they stand in the log: n in each minute, the
    newest first."""
    now = datetime.now(UTC)
    rows = [
        (
            uuid7(),
            event.id,
            b"x",
            event.main_gate,
            now - timedelta(minutes=m, seconds=9),
        )
        for m, people in enumerate(minutes)
        for _ in range(people)
    ]
    await database.pool.executemany(
        "INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason,"
        " gate_id, direction, decided_at)"
        " VALUES ($1, $2, $3, 'admitted', 'ok', $4, 'in', $5)",
        rows,
    )


async def test_a_full_area_says_how_many_may_enter_and_ends_lower(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    database: Database,
    watcher: Watcher,
) -> None:
    await database.pool.execute(
        "UPDATE ops.areas SET capacity = 4 WHERE id = $1", event.venue
    )
    for n in range(1, 5):
        assert (await scan(http, event, f"T-{n}"))["verdict"] == "admitted"
    await watcher.look(event.id)
    found = {one["rule"]: one for one in await alerts(http, bearer, event)}
    assert {"capacity_80", "capacity_95", "area_full"} <= found.keys()
    full = found["area_full"]
    assert full["args"] == {"inside": 4, "capacity": 4, "may_enter": 0}
    assert (full["area"], full["gravity"]) == ("Venue", "bad")
    # One out: it stands until 97 %, and says that one may enter.
    await database.pool.execute(
        "UPDATE ops.areas SET capacity = 200, inside = 195 WHERE id = $1", event.venue
    )
    await watcher.look(event.id)
    assert "area_full" in await rules_open(database, event)
    [full] = await alerts(http, bearer, event, rule="area_full")
    assert full["args"]["may_enter"] == 5
    await database.pool.execute(
        "UPDATE ops.areas SET inside = 100 WHERE id = $1", event.venue
    )
    for setting in ("area_full", "capacity_95", "capacity_80"):
        await choose(http, bearer, event, setting, clear_s=0)
    await watcher.look(event.id)
    assert not {"area_full", "capacity_80"} & await rules_open(database, event)
    [ended] = await alerts(http, bearer, event, rule="area_full")
    assert ended["cleared_at"] is not None
    assert await alerts(http, bearer, event, open_only=True, rule="area_full") == []


async def choose(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    rule: str,
    status: int = 200,
    **changes: Any,
) -> Any:
    url = f"/api/v1/events/{event.id}/alert-rules"
    known = (await http.get(url, headers=bearer)).json()["rules"]
    [now] = [one["setting"] for one in known if one["rule"] == rule]
    answer = await http.put(f"{url}/{rule}", json={**now, **changes}, headers=bearer)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_rules_are_set_for_an_event_and_forgotten_again(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    database: Database,
    watcher: Watcher,
) -> None:
    await database.pool.execute(
        "UPDATE ops.areas SET capacity = 10, inside = 5 WHERE id = $1", event.venue
    )
    await watcher.look(event.id)
    assert await rules_open(database, event) == set()
    done = await choose(http, bearer, event, "capacity_80", threshold=50, clear_at=40)
    assert [one["rule"] for one in done["rules"] if one["chosen"]] == ["capacity_80"]
    await watcher.look(event.id)
    assert await rules_open(database, event) == {"capacity_80"}
    bad = await choose(
        http, bearer, event, "capacity_80", status=422, threshold=50, clear_at=60
    )
    assert bad["errors"][0]["field"] == "clear_at"
    url = f"/api/v1/events/{event.id}/alert-rules"
    body = {"enabled": True, "threshold": 1, "clear_at": 1, "for_s": 0, "clear_s": 0}
    none = await http.put(f"{url}/no_such_rule", json=body, headers=bearer)
    assert none.status_code == 404
    gone = await http.delete(f"{url}/capacity_80", headers=bearer)
    assert gone.status_code == 204
    audited = await database.pool.fetchval(
        "SELECT count(*) FROM ops.audit_log WHERE action = 'alerts.rule'"
    )
    assert audited == 2


async def test_patterns_of_fraud_are_found_in_what_the_doors_did(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    database: Database,
    watcher: Watcher,
) -> None:
    second, third = uuid7(), uuid7()
    for gate, name, device in ((second, "North", uuid7()), (third, "South", uuid7())):
        await database.pool.execute(
            "INSERT INTO ops.gates (id, event_id, area_id, name, direction)"
            " VALUES ($1, $2, $3, $4, 'in')",
            gate,
            event.id,
            event.venue,
            name,
        )
        await event.add_device(database.pool, device, name, gate)
        setattr(event, name, device)
    order = uuid7()
    await database.pool.execute(
        "INSERT INTO orders (id, event_id, order_number) VALUES ($1, $2, 'A-1')",
        order,
        event.id,
    )
    await database.pool.execute(
        "UPDATE tickets SET order_id = $1 WHERE id = ANY ($2)",
        order,
        [event.tickets["T-1"], event.tickets["T-2"]],
    )
    assert (await scan(http, event, "T-1"))["verdict"] == "admitted"
    for device in ("North", "South", "other_device"):
        assert (await scan(http, event, "T-1", device))["verdict"] != "admitted"
    await database.pool.execute(
        "UPDATE check_ins SET confirmed_at = now() WHERE event_id = $1", event.id
    )
    for device in ("North", "South", "other_device", "North"):
        again = await scan(http, event, "T-1", device)
        assert again["verdict"] == "refused", again
    for n in range(9):
        await scan(http, event, f"guess {n}", "South")
    # The same code at the lounge inside the venue, a moment later, is no case.
    assert (await scan(http, event, "V-1"))["verdict"] == "admitted"
    assert (await scan(http, event, "V-1", "lounge_device"))["verdict"] == "admitted"
    await logged(database, event, 19)
    await watcher.look(event.id)
    found = await alerts(http, bearer, event)
    by_rule: dict[str, list[Any]] = {}
    for one in found:
        by_rule.setdefault(one["rule"], []).append(one)
    [fast] = by_rule["two_gates_fast"]
    assert fast["ticket_id"] == str(event.tickets["T-1"])
    assert {"first_scan", "second_scan", "walk_s"} <= fast["args"].keys()
    assert {fast["gate"], fast["first_gate"]} <= {"Main gate", "North", "South"}
    assert fast["holder"] == "Guest 1"
    [guessing] = by_rule["code_guessing"]
    assert (guessing["device"], guessing["value"]) == ("South", 9)
    [refused] = by_rule["refused_at_gates"]
    assert (refused["value"], refused["ticket_id"]) == (
        3,
        str(event.tickets["T-1"]),
    )
    [order_of] = by_rule["order_duplicates"]
    assert (order_of["args"]["order_id"], order_of["args"]["tickets"]) == (
        str(order),
        1,
    )
    await records_are_whole(http, bearer, event, by_rule)


async def records_are_whole(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    by_rule: dict[str, list[Any]],
) -> None:
    """Each case has its record; what is no case has none."""
    root = f"/api/v1/events/{event.id}/alerts"
    cases = ["two_gates_fast", "code_guessing", "refused_at_gates", "order_duplicates"]
    for rule in cases:
        [one] = by_rule[rule]
        assert one["case"]
        got = await http.get(f"{root}/{one['id']}/evidence", headers=bearer)
        assert got.status_code == 200, got.text
        record = got.json()
        first, second = (
            next(scan for scan in record["scans"] if scan["part"] == part)
            for part in ("first", "second")
        )
        assert first["at"] <= second["at"]
        assert {first["gate"], second["gate"]} <= {"Main gate", "North", "South"}
        assert first["device"]
        assert second["device"]
        again = await http.get(f"{root}/{one['id']}/evidence", headers=bearer)
        assert again.json()["digest"] == record["digest"]
        if rule != "code_guessing":
            assert first["holder"] == "Guest 1"
            # The fastest pair may be of two later scans.
            assert rule == "two_gates_fast" or first["verdict"] == "admitted"
            assert first["order_number"] == "A-1"
        else:
            assert len(record["scans"]) == 9
    [vip] = by_rule["vip_arrived"]
    none = await http.get(f"{root}/{vip['id']}/evidence", headers=bearer)
    assert none.status_code == 404


async def test_a_walk_that_was_set_holds_between_two_gates(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    database: Database,
    watcher: Watcher,
) -> None:
    assert (await scan(http, event, "V-1"))["verdict"] == "admitted"
    assert (await scan(http, event, "V-1", "lounge_device"))["verdict"] == "admitted"
    await watcher.look(event.id)
    assert "two_gates_fast" not in await rules_open(database, event)
    url = f"/api/v1/events/{event.id}/gate-walks"
    body = {
        "gate_id": str(event.main_gate),
        "other_gate_id": str(event.lounge_gate),
        "walk_s": 300,
    }
    done = await http.put(url, json=body, headers=bearer)
    assert done.json()["walks"][0]["walk_s"] == 300, done.text
    bad = await http.put(url, json={**body, "gate_id": str(uuid7())}, headers=bearer)
    assert (bad.status_code, bad.json()["code"]) == (422, "unknown_gate")
    await watcher.look(event.id)
    assert "two_gates_fast" in await rules_open(database, event)


async def test_a_refunded_ticket_inside_and_at_the_door(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    database: Database,
    watcher: Watcher,
) -> None:
    await scan(http, event, "T-1")
    for code in ("T-1", "T-2"):
        await database.pool.execute(
            "UPDATE tickets SET state = 'refunded' WHERE id = $1", event.tickets[code]
        )
    assert (await scan(http, event, "T-2"))["reason"] == "refunded"
    await logged(database, event, 2)
    await watcher.look(event.id)
    found = {one["rule"]: one for one in await alerts(http, bearer, event)}
    assert found["voided_inside"]["ticket_id"] == str(event.tickets["T-1"])
    assert found["refund_then_scan"]["ticket_id"] == str(event.tickets["T-2"])


async def test_a_silent_gate_rings_only_while_the_doors_are_open(
    event: SmallEvent, database: Database, watcher: Watcher
) -> None:
    await passed(database, event, 0, 0, 0, *[6] * 12)
    await database.pool.execute(
        "UPDATE events SET doors_state = 'held' WHERE id = $1", event.id
    )
    await watcher.look(event.id)
    assert await rules_open(database, event) == set()
    await database.pool.execute(
        "UPDATE events SET doors_state = 'open' WHERE id = $1", event.id
    )
    await watcher.look(event.id)
    assert {"gate_silent", "gate_drop"} <= await rules_open(database, event)


async def test_devices_that_are_gone_empty_or_full(
    event: SmallEvent, database: Database, watcher: Watcher
) -> None:
    now = datetime.now(UTC)
    await database.pool.execute(
        "UPDATE ops.devices SET battery = 9, pending = 12, last_seen_at = $2"
        " WHERE id = $1",
        event.device,
        now - timedelta(minutes=7),
    )
    await watcher.look(event.id)
    assert await rules_open(database, event) == {"device_gone", "low_battery"}
    # Unsent for five minutes, by the clock of the store.
    await database.pool.execute(
        "UPDATE ops.watches SET state = jsonb_set(state, ARRAY['unsent_scans',"
        " $2::text, 'since_s'], to_jsonb($3::float8)) WHERE event_id = $1",
        event.id,
        str(event.device),
        now.timestamp() - 301,
    )
    await watcher.look(event.id)
    assert "unsent_scans" in await rules_open(database, event)


async def test_vips_and_parties_arrive_and_a_speaker_does_not(
    http: httpx.AsyncClient,
    bearer: Headers,
    owner: UUID,
    event: SmallEvent,
    database: Database,
    watcher: Watcher,
) -> None:
    pool = database.pool
    contact, speaker = uuid7(), uuid7()
    await pool.execute(
        "INSERT INTO contacts (id, email, first_name, last_name)"
        " VALUES ($1, 'lin@example.org', 'Lin', 'Ó Briain')",
        contact,
    )
    await pool.execute(
        "INSERT INTO speakers (id, event_id, contact_id, status)"
        " VALUES ($1, $2, $3, 'confirmed')",
        speaker,
        event.id,
        contact,
    )
    await pool.execute(
        "UPDATE sessions SET speaker_id = $1, end_time = now() + interval '2 hours',"
        " start_time = now() + interval '30 minutes' WHERE id = $2",
        speaker,
        event.session,
    )
    guest_list = uuid7()
    await pool.execute(
        "INSERT INTO ops.guest_lists (id, event_id, name, host, host_user_id,"
        " ticket_type_id, quota) VALUES ($1, $2, 'Band', 'Sam', $3, $4, 10)",
        guest_list,
        event.id,
        owner,
        event.group,
    )
    await pool.execute(
        "INSERT INTO ops.guest_list_entries (id, list_id, event_id, ticket_id, people,"
        " state) VALUES ($1, $2, $3, $4, 4, 'approved')",
        uuid7(),
        guest_list,
        event.id,
        event.tickets["G-1"],
    )
    await scan(http, event, "V-2")
    answer = await http.post(
        f"/api/v1/events/{event.id}/scans",
        json={"id": str(uuid7()), "code": "G-1", "admit": 3},
        headers={"Authorization": f"Device dev_{event.device}"},
    )
    assert answer.json()["verdict"] == "admitted", answer.text
    await watcher.look(event.id)
    found = {one["rule"]: one for one in await alerts(http, bearer, event)}
    assert found["vip_arrived"]["holder"] == "李小龙"
    party = found["party_arrived"]
    assert (party["list"], party["value"], party["args"]["of"]) == ("Band", 3, 4)
    assert party["host"] is not None
    missing = found["speaker_missing"]
    assert (missing["holder"], missing["session"]) == ("Lin Ó Briain", "Opening")
    assert 28 <= missing["value"] <= 30


async def test_the_screens_show_it_and_somebody_takes_it(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    database: Database,
    watcher: Watcher,
) -> None:
    await scan(http, event, "V-1")
    await watcher.look(event.id)
    shown = await read_alerts(database.pool, event.id)
    assert shown is not None
    [one] = shown.raised
    assert (one.rule, one.holder, one.acknowledged_by) == (
        "vip_arrived",
        "O'Brien-Łukasz",
        None,
    )
    url = f"/api/v1/events/{event.id}/alerts/{one.id}/acknowledge"
    first = await http.post(url, json={"note": "Dana meets them"}, headers=bearer)
    assert first.status_code == 200, first.text
    again = await http.post(url, json={}, headers=bearer)
    assert again.json()["acknowledged_at"] == first.json()["acknowledged_at"]
    assert again.json()["note"] == "Dana meets them"
    other = f"/api/v1/events/{event.id}/alerts/{uuid7()}/acknowledge"
    assert (await http.post(other, json={}, headers=bearer)).status_code == 404
    shown = await read_alerts(database.pool, event.id)
    assert shown is not None
    assert shown.raised[0].acknowledged_by is not None


async def test_mode_d_and_a_relay_that_is_behind(
    event: SmallEvent, database: Database
) -> None:
    async def mode(_: UUID) -> str | None:
        return "D"

    watcher = Watcher(database, mode, look_s=0.0)
    await watcher.look(event.id)
    assert await rules_open(database, event) == {"journal_mode"}
    watcher = Watcher(database, no_mode, look_s=0.0)
    await watcher.look(event.id)
    assert await rules_open(database, event) == set()


async def test_an_event_that_cannot_be_looked_at_hides_no_other(
    event: SmallEvent, database: Database, watcher: Watcher
) -> None:
    """The first to begin cannot be looked at; the second has its turn, then a rest."""
    pool = database.pool
    other = await SmallEvent.make(pool)
    await pool.execute(
        "UPDATE events SET starts_at = starts_at - interval '1 minute' WHERE id = $1",
        event.id,
    )
    await pool.execute(
        "INSERT INTO ops.watches (event_id, state) VALUES ($1, '{\"area_full\": 5}')",
        event.id,
    )
    await pool.execute(
        "UPDATE ops.areas SET capacity = 10, inside = 9 WHERE id = $1", other.venue
    )
    with pytest.raises(msgspec.ValidationError):
        await watcher.turn()
    assert await rules_open(database, other) == {"capacity_80"}
    assert await watcher.turn() == 0  # a look that failed is rested from as well


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
    event: SmallEvent,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    claimed: bool,
) -> None:
    """Without the claim and the key, each of them raises it (negative control)."""
    if not claimed:
        await database.pool.execute("DROP INDEX ops.uq_alerts_open")
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
    await database.pool.execute(
        "UPDATE ops.areas SET capacity = 10, inside = 9 WHERE id = $1", event.venue
    )
    # Both have begun before either writes: the first waits for the row of the second.
    pool: asyncpg.Pool = database.pool
    async with pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE ops.alerts IN EXCLUSIVE MODE")
        looks = [
            asyncio.create_task(Watcher(database, no_mode, 60.0).look(event.id))
            for _ in range(2)
        ]
        await until_waiting(blocker, 1 if claimed else 2)
    await asyncio.gather(*looks)
    raised = await pool.fetchval(
        "SELECT count(*) FROM ops.alerts WHERE event_id = $1 AND rule = 'capacity_80'",
        event.id,
    )
    assert raised == (1 if claimed else 2)
