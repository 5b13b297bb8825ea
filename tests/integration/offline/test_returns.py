"""What comes back from devices that were alone: conflicts, quarantine, proof."""

from __future__ import annotations

import asyncio
import itertools
import random
import struct
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.offline.kit import Phone, ids_of
from tests.small_event import SmallEvent


def alone(
    code: str,
    verdict: str = "admitted",
    reason: str = "ok",
    minutes: int = 10,
    **more: Any,
) -> dict[str, Any]:
    """What a device did `minutes` ago without the server."""
    at = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
    door = {"verdict": verdict, "reason": reason, "at": at, "lease": None}
    return {
        "id": str(uuid7()),
        "code": code,
        "scanned_at": at,
        "offline": True,
        "door": door | more.pop("door", {}),
        **more,
    }


async def upload(phone: Phone, scans: list[Any]) -> list[Any]:
    answer = await phone.post("scans/batch", {"scans": scans})
    results: list[Any] = answer["results"]
    return results


@pytest.fixture
def other(phone: Phone) -> Phone:
    """Phone 2, at the main gate as well."""
    return Phone(phone.http, phone.event, phone.event.other_device)


async def rows(database: Database, event: SmallEvent) -> list[Any]:
    return await database.pool.fetch(
        "SELECT ticket_id, scope_id, pass_no, checked_out_at IS NULL AS inside"
        " FROM check_ins WHERE event_id = $1 ORDER BY 1, 2, 3",
        event.id,
    )


async def test_three_times_in_any_order_and_in_parts_is_once(
    phone: Phone, event: SmallEvent, database: Database
) -> None:
    scans = [alone(f"T-{n}") for n in range(1, 13)]
    scans += [alone("T-1", "exited", minutes=5, direction="out")]
    scans += [alone("nobody's", "refused", "unknown_code")]
    first = await upload(phone, scans)
    assert [one["verdict"] for one in first] == ["admitted"] * 12 + [
        "exited",
        "refused",
    ]
    before = await rows(database, event)
    chance = random.Random(3)
    for _ in range(2):
        chance.shuffle(scans)
        for at in range(0, len(scans), 5):
            again = await upload(phone, scans[at : at + 5])
            assert all(one["replayed"] for one in again)
    assert await rows(database, event) == before
    conflicts = await database.pool.fetchval("SELECT count(*) FROM ops.conflicts")
    assert conflicts == 0


async def inside(database: Database, event: SmallEvent) -> int:
    found: int = await database.pool.fetchval(
        "SELECT inside FROM ops.areas WHERE id = $1", event.venue
    )
    return found


async def test_an_exit_that_comes_before_its_entry_falls_into_place(
    phone: Phone, other: Phone, event: SmallEvent, database: Database
) -> None:
    leaves = alone("T-1", "exited", minutes=5, direction="out")
    enters = alone("T-1", minutes=30)
    (first,) = await upload(other, [leaves])
    assert (first["verdict"], first["reason"]) == ("exited", "not_inside")
    (second,) = await upload(phone, [enters])
    assert second["verdict"] == "admitted"
    assert await inside(database, event) == 0, "they left"
    row = await database.pool.fetchrow(
        "SELECT exit_scan_id, exit_assumed, is_present, duration_minutes"
        " FROM check_ins WHERE event_id = $1",
        event.id,
    )
    assert str(row["exit_scan_id"]) == leaves["id"]
    assert (row["exit_assumed"], row["is_present"]) == (False, False)
    assert row["duration_minutes"] in (24, 25), "whole minutes"
    assert (await phone.scan("T-1"))["reason"] == "ok", "and may come back"
    assert await inside(database, event) == 1
    assert await database.pool.fetchval("SELECT count(*) FROM ops.conflicts") == 0


async def test_an_entry_after_the_exit_stands(
    phone: Phone, other: Phone, event: SmallEvent, database: Database
) -> None:
    """The control: an exit of before ends nobody's later entry, in either order."""
    leaves = alone("T-1", "exited", minutes=30, direction="out")
    await upload(other, [leaves])
    await upload(phone, [alone("T-1", minutes=5)])
    assert await inside(database, event) == 1
    await upload(phone, [alone("T-2", minutes=5)])
    late = alone("T-2", "exited", minutes=30, direction="out")
    (said,) = await upload(other, [late])
    assert (said["verdict"], said["reason"]) == ("exited", "not_inside")
    assert await inside(database, event) == 2


async def logged(database: Database, records: list[Any]) -> None:
    """Wait until each of these stands in the log: a refusal is late by 0.1 s."""
    ids = [UUID(record["id"]) for record in records]
    for _ in range(400):
        found = await database.pool.fetchval(
            "SELECT count(*) FROM ops.scan_log WHERE scan_id = ANY ($1)", ids
        )
        if found == len(ids):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("not all was logged")


async def open_conflicts(database: Database, ticket: UUID) -> list[str]:
    found = await database.pool.fetch(
        "SELECT kind FROM ops.conflicts WHERE ticket_id = $1 AND resolved_at IS NULL",
        ticket,
    )
    return [row["kind"] for row in found]


ORDERS = list(itertools.permutations(range(3)))
SECOND_BEFORE_EXIT = (0, 2, 1)
"""The one order that leaves a conflict for a person: both entries were here first."""


@pytest.mark.parametrize("minutes", [(30, 20, 10), (30, 10, 20)])
async def test_two_in_out_and_in_again_at_three_doors_in_any_order(
    phone: Phone,
    other: Phone,
    event: SmallEvent,
    database: Database,
    minutes: tuple[int, int, int],
) -> None:
    """Tickets of two people (of one: `test_falling_into_place`), in each of the six
    orders. The control: where the exit was after both entries, a person must look."""
    third = Phone(phone.http, event, event.lounge_device)
    await event.add_tickets(
        database.pool, [(f"D-{n}", event.group, "Two", 2) for n in range(1, 7)]
    )
    both = {"admit": 2, "door": {"people": 2}, "gate_id": str(event.main_gate)}
    first_in, out, second_in = minutes
    for n, order in enumerate(ORDERS, 1):
        leaves = both | {"direction": "out"}
        records = (
            (phone, alone(f"D-{n}", minutes=first_in, **both)),
            (other, alone(f"D-{n}", "exited", minutes=out, **leaves)),
            (third, alone(f"D-{n}", minutes=second_in, **both)),
        )
        for turn in order:
            door, record = records[turn]
            await upload(door, [record])
            await logged(database, [record])
        left = await open_conflicts(database, event.tickets[f"D-{n}"])
        twice = not first_in > out > second_in
        assert left == ["double_entry"] * (twice or order == SECOND_BEFORE_EXIT), order
    counted = await database.pool.fetchrow(
        "SELECT inside + disputed AS people, disputed FROM ops.areas WHERE id = $1",
        event.venue,
    )
    if first_in > out > second_in:
        assert tuple(counted) == (12, 2), "each of the six pairs is inside, once"
    else:
        assert counted["disputed"] == 12


async def test_who_was_turned_away_does_not_come_in_afterwards(
    phone: Phone, event: SmallEvent, database: Database
) -> None:
    """The control: the same record without the door's word is an entry."""
    [said] = await upload(phone, [alone("T-1", "refused", "already_inside")])
    assert (said["verdict"], said["reason"]) == ("refused", "already_inside")
    assert await rows(database, event) == []
    logged = await database.pool.fetchrow(
        "SELECT verdict, offline, door ->> 'reason' AS door FROM ops.scan_log"
    ) or await _until_logged(database)
    assert (logged["verdict"], logged["offline"]) == ("refused", True)
    control = alone("T-1", "refused", "already_inside")
    del control["door"]
    assert (await upload(phone, [control]))[0]["verdict"] == "admitted"


async def _until_logged(database: Database) -> Any:
    for _ in range(100):
        row = await database.pool.fetchrow(
            "SELECT verdict, offline, door ->> 'reason' AS door FROM ops.scan_log"
        )
        if row is not None:
            return row
        await asyncio.sleep(0.05)
    raise AssertionError("nothing was logged")


async def conflicts_of(phone: Phone, bearer: dict[str, str], wanted: int) -> list[Any]:
    """The list, once it is so long: refusals are logged within 0.1 s."""
    for _ in range(200):
        answer = await phone.http.get(f"{phone.base}/conflicts", headers=bearer)
        items: list[Any] = answer.json()["items"]
        if len(items) >= wanted:
            break
    return items


async def test_a_double_entry_is_told_with_both_sides_and_counted_inside(
    phone: Phone,
    other: Phone,
    event: SmallEvent,
    database: Database,
    bearer: dict[str, str],
) -> None:
    assert (await phone.scan("T-1"))["verdict"] == "admitted"
    [said] = await upload(other, [alone("T-1", minutes=25)])
    assert said["verdict"] in ("refused", "hold")
    [found] = await conflicts_of(phone, bearer, 1)
    assert found["kind"] == "double_entry"
    assert found["holder"] == "Guest 1"
    assert (found["entry"]["device"], found["before"]["device"]) == (
        "Phone 2",
        "Phone 1",
    )
    assert found["entry"]["gate"] == found["before"]["gate"] == "Main gate"
    assert found["minutes"] == 25
    assert found["people"] == 1
    fact = await database.pool.fetchrow(
        "SELECT payload FROM ops.facts WHERE kind = 'conflict'"
    )
    assert fact is not None
    counted = (
        "SELECT value FROM ops.counters_v1($1) WHERE name ="
        " (SELECT 'c:' || no FROM ops.areas WHERE id = $2)"
    )
    assert await database.pool.fetchval(counted, event.id, event.venue) == 1
    # The places show two people, and a number that was counted by hand is the sum.
    occupancy = await phone.http.get(f"{phone.base}/occupancy", headers=bearer)
    [venue] = [a for a in occupancy.json()["areas"] if a["id"] == str(event.venue)]
    assert (venue["inside"], venue["disputed"], venue["total"]) == (1, 1, 2)
    by_hand = {"id": str(uuid7()), "inside": 5, "reason": "counted"}
    path = f"{phone.base}/areas/{event.venue}/inside"
    place = (await phone.http.post(path, json=by_hand, headers=bearer)).json()["place"]
    shown = [place[name] for name in ("scanned", "counted", "disputed", "inside")]
    assert shown == [1, 3, 1, 5]
    path = f"{phone.base}/conflicts/{found['id']}/resolve"
    body = {"resolution": "left", "note": "found her at the bar"}
    resolved = await phone.http.post(path, json=body, headers=bearer)
    assert resolved.json() == {"id": found["id"], "replayed": False}
    again = await phone.http.post(path, json=body, headers=bearer)
    assert again.json()["replayed"] is True
    assert await database.pool.fetchval(counted, event.id, event.venue) == 3


async def test_a_late_upload_of_the_loser_changes_nobody_elses_answer(
    phone: Phone, other: Phone, bearer: dict[str, str]
) -> None:
    scan = alone("T-1")
    await phone.scan("T-1")
    await upload(other, [scan])
    await upload(other, [scan])
    assert len(await conflicts_of(phone, bearer, 1)) == 1


async def test_limits_do_not_ask_again(
    http: httpx.AsyncClient, database: Database
) -> None:
    event = await SmallEvent.make(database.pool, capacity=2)
    phone = Phone(http, event, event.device)
    said = await upload(phone, [alone(f"T-{n}") for n in range(1, 6)])
    assert [one["verdict"] for one in said] == ["admitted"] * 5
    assert (await phone.scan("T-6"))["reason"] == "area_full"


async def test_a_revoked_device_is_kept_and_decided_by_a_person(
    phone: Phone, event: SmallEvent, database: Database, bearer: dict[str, str]
) -> None:
    await phone.package()
    answer = await phone.http.post(
        f"/api/v1/devices/{event.device}/revoke", headers=bearer
    )
    assert answer.status_code == 200
    scans = [alone("T-1"), alone("T-2"), alone("T-3")]
    live = {"id": str(uuid7()), "code": "T-4"}
    for _ in range(3):
        said = await upload(phone, [*scans, live])
        assert [one.get("quarantined") for one in said[:3]] == [s["id"] for s in scans]
        assert said[3]["error"]["code"] == "device_revoked"
    assert await rows(database, event) == []
    path = f"{phone.base}/quarantine"
    waiting = (await phone.http.get(path, headers=bearer)).json()["items"]
    assert len(waiting) == 3
    waiting.sort(key=lambda record: record["record"]["code"])
    for record, accept in zip(waiting, (True, True, False), strict=True):
        decided = await phone.http.post(
            f"{path}/{record['id']}/decide", json={"accept": accept}, headers=bearer
        )
        assert decided.status_code == 200, decided.text
        wanted = "accepted" if accept else "rejected"
        assert decided.json()["state"] == wanted
        if accept:
            assert decided.json()["result"]["verdict"] == "admitted"
    found = {row["ticket_id"] for row in await rows(database, event)}
    assert found == {event.tickets["T-1"], event.tickets["T-2"]}
    other_way = await phone.http.post(
        f"{path}/{waiting[2]['id']}/decide", json={"accept": True}, headers=bearer
    )
    assert other_way.json()["state"] == "rejected", "the first decision stands"


async def test_the_device_and_the_server_agree(
    phone: Phone, other: Phone, bearer: dict[str, str]
) -> None:
    await phone.scan("T-1")
    scans = [
        alone("T-1"),
        alone("T-2"),
        alone("T-3"),
        alone("T-4", "refused", "refunded"),
    ]
    await upload(other, scans)
    await conflicts_of(phone, bearer, 1)
    counts = {"admitted": 3, "exited": 0, "turned_away": 1, "waiting": 0}
    proof = await other.post("offline-proof", counts)
    assert (proof["entries"], proof["conflicts"]) == (2, 1)
    assert proof["agrees"] is True
    lost = await other.post("offline-proof", counts | {"admitted": 4})
    assert lost["agrees"] is False, "a lost entry is seen"
    waiting = await other.post("offline-proof", counts | {"waiting": 1})
    assert waiting["agrees"] is None
    answer = await phone.http.get(f"{phone.base}/offline-proof", headers=bearer)
    assert [one["device"] for one in answer.json()] == ["Phone 2"]


async def mode(
    phone: Phone, bearer: dict[str, str], name: str, budget: int = 50
) -> None:
    answer = await phone.http.put(
        f"{phone.base}/offline-mode",
        json={"mode": name, "budget": budget},
        headers=bearer,
    )
    assert answer.status_code == 200, answer.text


async def leased(phone: Phone) -> set[UUID]:
    """The tickets that only this phone may admit."""
    head, whole = await phone.package()
    ids = ids_of(whole["ids"])
    places = struct.unpack(f"<{len(whole['leases']) // 4}I", whole["leases"])
    _, delta = await phone.package(head["cursor"])
    return {ids[at] for at in places} | set(ids_of(delta["leases_held"]))


async def test_a_leased_ticket_waits_for_its_holder(
    phone: Phone,
    other: Phone,
    event: SmallEvent,
    database: Database,
    bearer: dict[str, str],
) -> None:
    await mode(phone, bearer, "strict")
    mine, theirs = await leased(phone), await leased(other)
    assert mine
    assert theirs
    assert not mine & theirs, "one device each"
    assert mine | theirs == set(event.tickets.values())
    code = next(code for code, ticket in event.tickets.items() if ticket in mine)
    # The holder is out of reach: amber, to its gate, and nothing is written.
    held = await other.scan(code)
    assert (held["verdict"], held["reason"]) == ("hold", "other_door")
    assert "Main gate" in held["message"]
    # The holder itself is not asked.
    assert (await phone.scan(code))["verdict"] == "admitted"
    second = next(c for c, t in event.tickets.items() if t in mine and c != code)
    word = {"answers": [{"ticket_id": str(event.tickets[second]), "state": "released"}]}
    assert (await phone.post("leases/answers", word))["changed"] == 1
    assert (await other.scan(second))["verdict"] == "admitted"
    # The control: without the lease's row nobody waits.
    third = next(
        c
        for c, t in event.tickets.items()
        if t in mine - {event.tickets[code]} and c != second
    )
    await database.pool.execute(
        "DELETE FROM ops.leases WHERE ticket_id = $1", event.tickets[third]
    )
    assert (await other.scan(third))["verdict"] == "admitted"


async def test_a_lease_that_was_used_waits_for_its_entry(
    phone: Phone,
    other: Phone,
    event: SmallEvent,
    database: Database,
    bearer: dict[str, str],
) -> None:
    """The holder let the guest in alone; it says so before its upload is here."""
    await mode(phone, bearer, "strict")
    mine = await leased(phone)
    await leased(other)
    first, second = [c for c, t in event.tickets.items() if t in mine and c[0] == "T"][
        :2
    ]
    word = {"answers": [{"ticket_id": str(t), "state": "used"} for t in mine]}
    assert (await phone.post("leases/answers", word))["changed"] == 0
    held = await other.scan(first)
    assert (held["verdict"], held["reason"]) == ("hold", "other_door")
    # A person's decision is not settled by the word either: the entry is still to come.
    path = f"{phone.base}/devices/{event.device}/leases/end"
    await phone.http.post(path, json={"reason": "lost"}, headers=bearer)
    await phone.post("leases/answers", word)
    risk = (await phone.http.get(f"{phone.base}/offline-risk", headers=bearer)).json()
    assert risk["double_entries_possible"] == len(mine)
    [done] = await upload(phone, [alone(first, door={"lease": "held"})])
    assert done["verdict"] == "admitted"
    assert (await other.scan(first))["reason"] in ("already_inside", "unconfirmed")
    risk = (await phone.http.get(f"{phone.base}/offline-risk", headers=bearer)).json()
    assert risk["double_entries_possible"] == len(mine) - 1
    # The control: a lease that the word had ended would let the guest in once more.
    await database.pool.execute(
        "UPDATE ops.leases SET state = 'used' WHERE ticket_id = $1",
        event.tickets[second],
    )
    assert (await other.scan(second))["verdict"] == "admitted"
    [late] = await upload(phone, [alone(second, door={"lease": "held"})])
    assert late["verdict"] != "admitted", "it was the second entry"


async def test_a_lease_that_a_person_ended_counts_until_the_device_speaks(
    phone: Phone, other: Phone, event: SmallEvent, bearer: dict[str, str]
) -> None:
    await mode(phone, bearer, "strict")
    mine = await leased(phone)
    path = f"{phone.base}/devices/{event.device}/leases/end"
    ended = await phone.http.post(path, json={"reason": "lost"}, headers=bearer)
    assert ended.json() == {"changed": len(mine)}
    risk = (await phone.http.get(f"{phone.base}/offline-risk", headers=bearer)).json()
    assert risk["double_entries_possible"] == len(mine)
    code = next(code for code, ticket in event.tickets.items() if ticket in mine)
    assert (await other.scan(code))["verdict"] in ("admitted", "hold")
    word = {"answers": [{"ticket_id": str(one), "state": "released"} for one in mine]}
    await phone.post("leases/answers", word)
    risk = (await phone.http.get(f"{phone.base}/offline-risk", headers=bearer)).json()
    assert risk["double_entries_possible"] == 0


async def test_the_number_shown_is_the_budgets_of_those_who_are_away(
    phone: Phone, other: Phone, database: Database, bearer: dict[str, str]
) -> None:
    await mode(phone, bearer, "bounded", 7)
    for one in (phone, other):
        await one.package()
    await phone.http.post(
        "/api/v1/devices/heartbeat", json={"pending": 0}, headers=phone.headers
    )

    async def number() -> Any:
        answer = await phone.http.get(f"{phone.base}/offline-risk", headers=bearer)
        return answer.json()["double_entries_possible"]

    assert await number() == 7, "phone 2 was never heard of"
    await upload(other, [alone("T-1"), alone("T-2")])
    assert await number() == 5, "what was reported is no risk any more"
    assert (await other.package())[0]["granted"] == 9, "its budget is full again"
    assert await number() == 7
    await database.pool.execute(
        "UPDATE ops.offline_devices SET mode = 'open' WHERE device_id = $1",
        other.device,
    )
    assert await number() is None, "nothing bounds an open device"
