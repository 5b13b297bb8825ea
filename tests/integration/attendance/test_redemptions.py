"""Redemptions over HTTP: each unit once, whatever races."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from asyncpg import InternalClientError

from ops.attendance import redemptions
from ops.attendance.redemptions import Redemptions
from ops.ids import uuid7
from tests.integration.attendance.kit import Doors


class Bar:
    """A bar with one item that regular tickets have `quantity` of."""

    def __init__(self, doors: Doors, item: str, point: str) -> None:
        self.doors, self.item, self.point = doors, item, point
        self.path = f"{doors.base}/redemptions"

    async def redeem(self, code: str = "T-1", **fields: Any) -> Any:
        body = {"id": str(uuid7()), "code": code, "point_id": self.point, **fields}
        return await self.doors.ok(self.path, body, self.doors.at())

    async def entitle(self, **fields: Any) -> Any:
        body = {"item_id": self.item, **fields}
        return await self.doors.ok(f"{self.doors.base}/entitlements", body)


@pytest.fixture
async def bar(doors: Doors) -> Bar:
    item = await doors.ok(f"{doors.base}/items", {"name": "Bière 🍺"})
    point = await doors.ok(
        f"{doors.base}/redemption-points",
        {"name": "Bar A", "item_id": item["id"], "vendor": "=Lumière"},
    )
    return Bar(doors, item["id"], point["id"])


async def test_two_drinks_and_no_third(bar: Bar) -> None:
    await bar.entitle(ticket_type_id=str(bar.doors.event.regular), quantity=2)
    first = await bar.redeem()
    assert (first["verdict"], first["left"]) == ("redeemed", 1)
    assert first["message"] == "Bière 🍺: 1 given, 1 left"
    soon = await bar.redeem()
    assert (soon["verdict"], soon["reason"]) == ("hold", "again")
    second = await bar.redeem(again=True)
    assert (second["verdict"], second["left"]) == ("redeemed", 0)
    third = await bar.redeem(again=True)
    assert (third["verdict"], third["reason"]) == ("refused", "nothing_left")
    assert (await bar.redeem("nobody's"))["reason"] == "unknown_code"
    assert (await bar.redeem("V-1"))["reason"] == "nothing_left"


async def test_the_same_id_is_the_same_answer(bar: Bar) -> None:
    await bar.entitle(ticket_type_id=str(bar.doors.event.regular), quantity=1)
    body = {"id": str(uuid7()), "code": "T-1", "point_id": bar.point}
    first = await bar.doors.ok(bar.path, body, bar.doors.at())
    again = await bar.doors.ok(bar.path, body, bar.doors.at())
    assert (first["replayed"], again["replayed"]) == (False, True)
    same = ("verdict", "reason", "left", "at", "ticket_id")
    assert [first[name] for name in same] == [again[name] for name in same]
    other = {**body, "code": "T-2"}
    assert await bar.doors.refused(bar.path, other, bar.doors.at()) == (
        409,
        "redemption_id_reused",
    )


async def test_undo_gives_the_unit_back_for_two_minutes(bar: Bar) -> None:
    await bar.entitle(ticket_type_id=str(bar.doors.event.regular), quantity=1)
    first = await bar.redeem()
    path = f"{bar.path}/{first['id']}/undo"
    undone = await bar.doors.ok(path, {"reason": "spilled"}, bar.doors.at())
    assert (undone["undone"], undone["replayed"]) == (True, False)
    again = await bar.doors.ok(path, {"reason": "spilled"}, bar.doors.at())
    assert again["replayed"] is True
    second = await bar.redeem()
    assert (second["verdict"], second["left"]) == ("redeemed", 0)
    bar.doors.clock.shift += timedelta(minutes=2, seconds=1)
    path = f"{bar.path}/{second['id']}/undo"
    assert await bar.doors.refused(path, {"reason": "late"}, bar.doors.at()) == (
        422,
        "too_late_to_undo",
    )


async def test_ages_and_times(bar: Bar) -> None:
    now = bar.doors.clock.now()
    ticket = str(bar.doors.event.tickets["T-1"])
    await bar.entitle(
        ticket_id=ticket, starts_at=(now + timedelta(hours=1)).isoformat(), min_age=19
    )
    early = await bar.redeem()
    assert (early["verdict"], early["reason"]) == ("refused", "too_early")
    bar.doors.clock.shift += timedelta(hours=2)
    held = await bar.redeem()
    assert (held["reason"], held["min_age"]) == ("id_check", 19)
    assert (await bar.redeem(id_seen=True))["verdict"] == "redeemed"
    # An add-on of another time has units of its own.
    await bar.entitle(ticket_id=ticket, source="add_on", quantity=3)
    left = await bar.doors.get(f"{bar.doors.base}/tickets/{ticket}/entitlements")
    assert left.json() == [
        {"item_id": bar.item, "item": "Bière 🍺", "units": 4, "left": 3}
    ]


async def test_a_group_has_its_units_for_each_of_its_people(bar: Bar) -> None:
    await bar.entitle(ticket_type_id=str(bar.doors.event.group), quantity=1)
    assert (await bar.redeem("G-1", quantity=3))["left"] == 1
    over = await bar.redeem("G-1", quantity=2, again=True)
    assert (over["reason"], over["left"]) == ("nothing_left", 1)


async def test_never_below_zero(bar: Bar) -> None:
    assert await _race(bar) == 5


async def test_without_lock_and_key_more_is_given_than_there_is(bar: Bar) -> None:
    """Negative control."""
    pool = bar.doors.database.pool
    source = await pool.fetchval(
        "SELECT pg_get_functiondef('ops.redeem_v1'::regproc::oid)"
    )
    source = source.replace("PERFORM pg_advisory_xact_lock(7304, p_event_no);", "")
    source = source.replace(
        "IF v_verdict = 'redeemed' THEN",
        "IF v_verdict = 'redeemed' THEN PERFORM pg_sleep(0.2);",
    )
    await pool.execute(source)
    await pool.execute(
        "ALTER TABLE ops.redemption_units DROP CONSTRAINT pk_redemption_units"
    )
    assert await _race(bar) > 5


async def _race(bar: Bar) -> int:
    """Units given by two processes' batches at once, of five there are."""
    doors = bar.doors
    await bar.entitle(ticket_id=str(doors.event.tickets["T-3"]), quantity=5)
    event = doors.event.id
    number = await doors.value("SELECT no FROM events WHERE id = $1", event)
    code = await doors.value(
        "SELECT encode(code_hash, 'hex') FROM ops.ticket_codes WHERE ticket_id = $1",
        doors.event.tickets["T-3"],
    )

    async def process() -> None:
        for _ in range(4):
            rows = [
                {
                    "i": at,
                    "id": str(uuid7()),
                    "ch": "00" * 16,
                    "h": code,
                    "po": bar.point,
                    "n": 1,
                    "again": True,
                }
                for at in range(2)
            ]
            await doors.database.pool.fetchval(
                "SELECT ops.redeem_v1($1, $2, now(), $3)", event, number, rows
            )

    await asyncio.gather(
        process(), process(), *(bar.redeem("T-3", again=True) for _ in range(10))
    )
    given: int = await doors.value(
        "SELECT coalesce(sum(quantity), 0)::int FROM ops.redemptions"
        " WHERE verdict = 'redeemed'"
    )
    return given


async def test_an_upload_answers_each_record(bar: Bar) -> None:
    await bar.entitle(ticket_type_id=str(bar.doors.event.regular), quantity=1)
    good = {"code": "T-1", "point_id": bar.point, "offline": True}
    records = [
        {"id": str(uuid7()), **good},
        {"id": "no uuid", **good},
        {"id": str(uuid7()), **good, "point_id": str(uuid7())},
        {"id": str(uuid7()), **good},
    ]
    answer = await bar.doors.ok(
        f"{bar.path}/batch", {"redemptions": records}, bar.doors.at()
    )
    results = answer["results"]
    assert [r.get("verdict") for r in results] == ["redeemed", None, None, "refused"]
    assert [r["error"]["code"] for r in results[1:3]] == [
        "malformed_body",
        "point_not_found",
    ]
    # What was handed out beyond what there was is told to somebody.
    kinds = await bar.doors.value("SELECT array_agg(kind) FROM ops.conflicts")
    assert kinds == ["redeemed_beyond"]


async def test_the_vendors_sums(bar: Bar) -> None:
    await bar.entitle(ticket_type_id=str(bar.doors.event.regular), quantity=9)
    await bar.doors.sign_on("steward")
    undone = await bar.redeem("T-1", quantity=2)
    await bar.redeem("T-2", quantity=3)
    await bar.redeem("T-3")
    await bar.doors.ok(
        f"{bar.path}/{undone['id']}/undo", {"reason": "x"}, bar.doors.at()
    )
    sums = (await bar.doors.get(f"{bar.path}/sums")).json()
    assert sums["units"] == 4
    line = sums["items"][0]
    assert (line["point"], line["operator"], line["redemptions"]) == (
        "Bar A",
        "Dana",
        2,
    )
    text = (await bar.doors.get(f"{bar.path}/sums.csv")).text
    assert "'=Lumière" in text
    assert len(text.splitlines()) == 2


async def test_a_revoked_device_gives_nothing(bar: Bar) -> None:
    await bar.entitle(ticket_type_id=str(bar.doors.event.regular), quantity=1)
    await bar.doors.database.pool.execute(
        "UPDATE ops.devices SET state = 'revoked' WHERE id = $1", bar.doors.event.device
    )
    body = {"id": str(uuid7()), "code": "T-1", "point_id": bar.point}
    assert (await bar.doors.refused(bar.path, body, bar.doors.at()))[0] == 401
    other = bar.doors.event.other_device
    await bar.doors.database.pool.execute(
        "UPDATE ops.devices SET locked_at = now() WHERE id = $1", other
    )
    for path, sent in (
        (bar.path, body),
        (f"{bar.doors.base}/media/lost", {"reason": "x", "code": "B-1"}),
    ):
        refused = await bar.doors.refused(path, sent, bar.doors.at(other))
        assert refused == (423, "device_locked")


async def test_bad_entitlements(bar: Bar) -> None:
    path = f"{bar.doors.base}/entitlements"
    body = {"item_id": bar.item}
    assert (await bar.doors.refused(path, body))[1] == "type_or_ticket"
    body["ticket_id"] = str(uuid7())
    assert (await bar.doors.refused(path, body))[1] == "not_of_event"


async def test_a_scan_that_names_an_item_is_a_redemption(bar: Bar) -> None:
    await bar.entitle(ticket_type_id=str(bar.doors.event.regular), quantity=2)
    scan_id = str(uuid7())
    first = await bar.doors.scan("T-1", id=scan_id, item_id=bar.item)
    assert (first["verdict"], first["reason"], first["people"]) == ("admitted", "ok", 0)
    assert first["item"] == {
        "id": bar.item,
        "name": "Bière 🍺",
        "left": 1,
        "quantity": 1,
    }
    again = await bar.doors.scan("T-1", id=scan_id, item_id=bar.item)
    assert (again["replayed"], again["at"]) == (True, first["at"])
    soon = await bar.doors.scan("T-1", item_id=bar.item)
    assert (soon["verdict"], soon["reason"]) == ("hold", "again")
    assert soon["choices"] == [{"question": "again"}]
    second = await bar.doors.scan("T-1", item_id=bar.item, answers={"again": True})
    assert (second["verdict"], second["item"]["left"]) == ("admitted", 0)
    third = await bar.doors.scan("T-1", item_id=bar.item, answers={"again": True})
    assert (third["verdict"], third["reason"]) == ("refused", "nothing_left")
    assert await bar.doors.value("SELECT count(*) FROM check_ins") == 0, "nobody is in"
    sums = (await bar.doors.get(f"{bar.path}/sums")).json()
    assert [line["point"] for line in sums["items"]] == ["Bar A"], "the gate's point"


async def test_a_scan_id_is_not_used_again_for_an_item(bar: Bar) -> None:
    scan_id = str(uuid7())
    await bar.doors.scan("T-1", id=scan_id)
    body = {"id": scan_id, "code": "T-1", "item_id": bar.item}
    path = f"{bar.doors.base}/scans"
    assert await bar.doors.refused(path, body, bar.doors.at()) == (
        409,
        "redemption_id_reused",
    )
    batch = {
        "scans": [{**body, "id": str(uuid7())}, {"id": str(uuid7()), "code": "T-2"}]
    }
    told = await bar.doors.ok(f"{path}/batch", batch, bar.doors.at())
    assert [one["reason"] for one in told["results"]] == ["nothing_left", "ok"]


@pytest.mark.parametrize("guarded", [True, False])
async def test_an_error_that_nobody_thought_of_leaves_nobody_waiting(
    bar: Bar, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """Both who were in the batch and who came behind it; not guarded: the control."""
    regular = str(bar.doors.event.regular)
    await bar.entitle(ticket_type_id=regular, quantity=1)
    batch, stumbled = Redemptions._batch, asyncio.Event()

    async def stumbles(self: Redemptions, *args: Any) -> None:
        if not stumbled.is_set():
            stumbled.set()
            raise InternalClientError("got result for unknown protocol state")
        await batch(self, *args)

    monkeypatch.setattr(Redemptions, "_batch", stumbles)
    # Guarded nobody waits for it; else it would be over after 10 s.
    monkeypatch.setattr(redemptions, "WAIT_S", 600.0 if guarded else 1.0)
    if not guarded:
        monkeypatch.setattr(redemptions, "answering", lambda *_: nullcontext())
    began_s = time.monotonic()
    body = {"id": str(uuid7()), "code": "T-1", "point_id": bar.point}
    answer = await bar.doors.post(bar.path, body, bar.doors.at())
    assert answer.status_code == 503
    if not guarded:
        assert time.monotonic() - began_s >= 1.0
    assert (await bar.doors.ok(bar.path, body, bar.doors.at()))["left"] == 0
