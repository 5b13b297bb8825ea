"""Counting, ejecting, banning, stopping, bulk, guest lists, stories, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.attendance.kit import Doors

WHY = {"reason": "threw a chair"}


def tap(doors: Doors, delta: int, **fields: Any) -> dict[str, Any]:
    gate = str(doors.event.main_gate)
    return {"id": str(uuid7()), "gate_id": gate, "delta": delta, **fields}


async def test_taps_count_once_and_beside_the_scans(doors: Doors) -> None:
    path = f"{doors.base}/counts"
    await doors.scan("T-1")
    five = tap(doors, 5)
    first = await doors.ok(path, five, doors.at())
    again = await doors.ok(path, five, doors.at())
    assert (first["replayed"], again["replayed"]) == (False, True)
    place = again["place"]
    assert (place["scanned"], place["counted"], place["inside"]) == (1, 5, 6)
    undone = await doors.ok(f"{path}/{five['id']}/undo", None, doors.at())
    assert (undone["delta"], undone["place"]["inside"]) == (-5, 1)
    twice = await doors.ok(f"{path}/{five['id']}/undo", None, doors.at())
    assert twice["replayed"] is True
    # Nobody leaves a place where nobody is.
    out = await doors.ok(path, tap(doors, -9), doors.at())
    assert (out["delta"], out["place"]["inside"]) == (-1, 0)
    figures = (await doors.get(path)).json()
    assert next(f for f in figures if f["area"] == "Venue")["counted"] == -1
    assert await doors.value(
        "SELECT manual = (SELECT sum(delta) FROM ops.counts) FROM ops.areas"
        " WHERE id = $1",
        doors.event.venue,
    )


async def test_taps_and_scans_share_the_limit(doors: Doors) -> None:
    await doors.database.pool.execute(
        "UPDATE ops.areas SET capacity = 3 WHERE id = $1", doors.event.venue
    )
    await doors.ok(f"{doors.base}/counts", tap(doors, 3), doors.at())
    full = await doors.scan("T-1")
    assert (full["verdict"], full["reason"]) == ("hold", "area_full")
    over = await doors.ok(f"{doors.base}/counts", tap(doors, 2), doors.at())
    assert over["place"]["over"] == 2


async def test_an_upload_of_taps_three_times_over(doors: Doors) -> None:
    taps = [tap(doors, 1) for _ in range(50)]
    bad = {**tap(doors, 1), "gate_id": str(uuid7())}
    for _ in range(3):
        results = await doors.ok(
            f"{doors.base}/counts/batch", {"counts": [*taps, bad]}, doors.at()
        )
    assert results[-1]["error"]["code"] == "place_not_found"
    manual = "SELECT manual FROM ops.areas WHERE id = $1"
    assert await doors.value(manual, doors.event.venue) == 50


async def test_a_counted_number_needs_a_door_manager(doors: Doors) -> None:
    path = f"{doors.base}/areas/{doors.event.venue}/inside"
    body = {"id": str(uuid7()), "inside": 40, "reason": "counted by hand"}
    await doors.scan("T-1")
    await doors.sign_on("supervisor")
    assert await doors.refused(path, body, doors.at()) == (403, "needs_door_manager")
    await doors.sign_on("door_manager")
    answer = await doors.ok(path, body, doors.at())
    place = answer["place"]
    assert (place["scanned"], place["counted"], place["inside"]) == (1, 39, 40)
    assert (await doors.ok(path, body, doors.at()))["replayed"] is True


async def test_taps_at_once_are_all_counted(doors: Doors) -> None:
    await asyncio.gather(
        *(
            doors.ok(f"{doors.base}/counts", tap(doors, 1), doors.at())
            for _ in range(40)
        )
    )
    manual = "SELECT manual FROM ops.areas WHERE id = $1"
    assert await doors.value(manual, doors.event.venue) == 40


async def test_eject_is_one_action(doors: Doors) -> None:
    ticket = doors.event.tickets["T-1"]
    await doors.database.pool.execute(
        "UPDATE attendees SET email = 'guest1@example.org' WHERE id ="
        " (SELECT attendee_id FROM tickets WHERE id = $1)",
        ticket,
    )
    await doors.ok(f"{doors.base}/media/bind", {"code": "BAND-1", "ticket_code": "T-1"})
    await doors.scan("BAND-1")
    path = f"{doors.base}/tickets/{ticket}/eject"
    body = {"id": str(uuid7()), **WHY, "ban": "event"}
    assert await doors.refused(path, body, doors.at()) == (403, "needs_supervisor")
    operator = await doors.sign_on("supervisor")
    answer = await doors.ok(path, body, doors.at())
    assert (answer["let_out"], answer["state"]) == (1, "blocked")
    assert answer["ban_id"]
    again = await doors.ok(path, body, doors.at())
    assert (again["replayed"], again["ban_id"]) == (True, answer["ban_id"])
    inside = "SELECT inside FROM ops.areas WHERE id = $1"
    assert await doors.value(inside, doors.event.venue) == 0
    for code in ("BAND-1", "T-1"):
        assert (await doors.scan(code))["verdict"] != "admitted"
    incident = await doors.database.pool.fetchrow(
        "SELECT kind, ticket_id, operator_id FROM ops.incidents WHERE id = $1",
        answer["incident_id"],
    )
    assert tuple(incident) == ("ejection", ticket, operator)
    alert = await doors.value("SELECT payload FROM ops.facts WHERE kind = 'alert'")
    assert (alert["alert"], alert["banned"]) == ("ejected", True)


async def test_who_can_not_be_banned_is_put_out_all_the_same(doors: Doors) -> None:
    """Nothing is known that a ban could match: no reason to let somebody stay."""
    ticket = doors.event.tickets["T-3"]
    await doors.scan("T-3")
    await doors.sign_on("supervisor")
    path = f"{doors.base}/tickets/{ticket}/eject"
    body = {"id": str(uuid7()), **WHY, "ban": "event"}
    for replayed in (False, True):
        answer = await doors.ok(path, body, doors.at())
        assert answer["state"] == "blocked"
        assert (answer["ban_id"], answer["not_banned"]) == (None, "nothing_to_ban")
        assert answer["replayed"] is replayed
    assert (await doors.scan("T-3"))["reason"] == "blocked"
    # The control: without the wish for a ban nothing is missing.
    other = {"id": str(uuid7()), **WHY}
    path = f"{doors.base}/tickets/{doors.event.tickets['T-4']}/eject"
    assert (await doors.ok(path, other, doors.at()))["not_banned"] is None


async def test_a_ban_holds_by_mail_until_it_is_lifted(doors: Doors) -> None:
    path = f"{doors.base}/bans"
    await doors.database.pool.execute(
        "UPDATE attendees SET email = 'two@example.org' WHERE first_name = 'Guest 2'"
    )
    made = await doors.ok(path, {**WHY, "email": "TWO@example.org"})
    assert (await doors.scan("T-2"))["reason"] == "banned"
    listed = (await doors.get(path)).json()["items"]
    assert [ban["id"] for ban in listed] == [made["id"]]
    lifted = await doors.ok(f"{path}/{made['id']}/lift", WHY)
    assert lifted["replayed"] is False
    assert (await doors.ok(f"{path}/{made['id']}/lift", WHY))["replayed"] is True
    assert (await doors.scan("T-2"))["verdict"] == "admitted"
    nothing = {**WHY, "first_name": "Guest", "last_name": "2"}
    assert await doors.refused(path, nothing) == (422, "nothing_to_match")
    everywhere = {**WHY, "email": "x@example.org", "all_events": True}
    assert (await doors.refused(path, everywhere, await doors.staff("supervisor")))[
        0
    ] == 403


async def test_stop_and_reopen_by_scope(doors: Doors) -> None:
    await doors.scan("T-1")
    stop = {**WHY, "gate_id": str(doors.event.main_gate)}
    holding = await doors.ok(f"{doors.base}/admission/stop", stop)
    assert holding[0]["gate"] == "Main gate"
    assert "Phone 2" in holding[0]["unconfirmed"]
    assert len(await doors.ok(f"{doors.base}/admission/stop", stop)) == 1
    assert (await doors.scan("T-2"))["reason"] == "admission_stopped"
    assert (await doors.scan("T-1", direction="out"))["verdict"] == "exited"
    lounge = doors.event.lounge_device
    assert (await doors.scan("V-1", lounge))["verdict"] == "admitted"
    await doors.sign_on("supervisor")
    path = f"{doors.base}/admission/reopen"
    assert await doors.refused(path, WHY, doors.at()) == (403, "needs_door_manager")
    assert await doors.ok(path, WHY) == []
    assert (await doors.scan("T-2"))["verdict"] == "admitted"


async def test_bulk_goes_through_the_rules(doors: Doors) -> None:
    await doors.ok(f"/tickets/{doors.event.tickets['T-3']}/block", WHY)
    tickets = [str(doors.event.tickets[f"T-{n}"]) for n in range(1, 6)]
    body = {
        "id": str(uuid7()),
        "direction": "in",
        "tickets": [*tickets, str(uuid7())],
        "reason": "came by bus",
    }
    path = f"{doors.base}/bulk"
    answer = await doors.ok(path, body)
    assert (answer["done"], answer["turned_away"], answer["failed"]) == (4, 2, 0)
    reasons = [row["reason"] for row in answer["results"]]
    assert reasons == ["ok", "ok", "blocked", "ok", "ok", "unknown_code"]
    again = await doors.ok(path, body)
    assert all(row["replayed"] for row in again["results"])
    assert await doors.value("SELECT inside FROM ops.areas WHERE kind = 'venue'") == 4
    # The same people at a door are already inside: the greens were confirmed.
    assert (await doors.scan("T-1"))["reason"] == "already_inside"
    out = {**body, "id": str(uuid7()), "direction": "out", "tickets": tickets}
    assert (await doors.ok(path, out))["done"] == 5
    assert await doors.value("SELECT inside FROM ops.areas WHERE kind = 'venue'") == 0
    assert (await doors.refused(path, body, await doors.staff("viewer")))[0] == 403


async def test_a_quota_holds_and_a_guest_waits_for_approval(doors: Doors) -> None:
    host = await doors.staff("viewer")
    me = (await doors.get("/auth/me", host)).json()
    lists = f"{doors.base}/guest-lists"
    made = await doors.ok(
        lists,
        {
            "name": "DJ 李 +",
            "host": "Łukasz",
            "ticket_type_id": str(doors.event.regular),
            "quota": 5,
            "host_user_id": me.get("id") or me["user"]["id"],
        },
    )
    entries = f"{lists}/{made['id']}/entries"
    guest = {"guest": {"first_name": "Zoë"}, "people": 2}
    answers = await asyncio.gather(*(doors.post(entries, guest, host) for _ in "12345"))
    assert sorted(a.status_code for a in answers) == [201, 201, 422, 422, 422]
    one, other = (a.json() for a in answers if a.status_code == 201)
    held = await doors.scan(one["code"])
    assert (held["verdict"], held["reason"]) == ("hold", "blocked")
    approve = f"{entries}/{one['id']}/approve"
    assert (await doors.refused(approve, WHY, host))[0] == 403
    assert (await doors.ok(approve, WHY))["state"] == "approved"
    assert (await doors.ok(approve, WHY))["replayed"] is True
    assert (await doors.scan(one["code"]))["verdict"] in ("admitted", "hold")
    assert await doors.refused(f"/tickets/{other['ticket_id']}/unblock", WHY) == (
        422,
        "awaiting_approval",
    )
    await doors.ok(f"{entries}/{other['id']}/withdraw", WHY, host)
    assert (await doors.scan(other["code"]))["reason"] == "cancelled"
    shown = (await doors.get(lists, host)).json()["items"][0]
    assert (shown["used"], shown["pending"]) == (2, 0)
    listed = (await doors.get(entries, host)).json()["items"]
    assert [entry["state"] for entry in listed].count("withdrawn") == 1


async def test_the_story_of_a_ticket(doors: Doors, database: Database) -> None:
    ticket = doors.event.tickets["T-1"]
    await doors.scan("T-1")
    await doors.scan("T-1", doors.event.other_device)
    logged = "SELECT count(*) FROM ops.scan_log WHERE ticket_id = $1"
    for _ in range(500):  # a refusal is logged beside the answer
        if await doors.value(logged, ticket) == 2:
            break
        await asyncio.sleep(0.02)
    await doors.ok(f"/tickets/{ticket}/block", WHY)
    await doors.ok(f"/tickets/{ticket}/unblock", WHY)
    await doors.scan("T-1", direction="out")
    pages, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = (await doors.get(f"/tickets/{ticket}/history", **query)).json()
        pages += answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert [(line["kind"], line["what"]) for line in reversed(pages)] == [
        ("code", "imported"),
        ("scan", "admitted"),
        ("scan", "refused"),
        ("act", "tickets.block"),
        ("act", "tickets.unblock"),
        ("scan", "exited"),
    ]
    assert len({line["id"] for line in pages}) == 6
    viewer = await doors.staff("marketing")
    refused = await doors.get(f"/tickets/{ticket}/history", viewer)
    assert refused.status_code == 403
