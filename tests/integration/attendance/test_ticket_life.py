"""Ticket life over HTTP: what a door answers before and after."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.integration.attendance.kit import Doors

WHY = {"reason": "Phone lost, shown passport"}
HOLDER = {"first_name": "李", "last_name": "O'Brien-Łukasz", "email": "Li@Example.org"}


async def test_entered_reissued_and_the_new_code_is_already_inside(
    doors: Doors,
) -> None:
    ticket = doors.event.tickets["T-1"]
    assert (await doors.scan("T-1"))["verdict"] == "admitted"
    answer = await doors.ok(f"/tickets/{ticket}/reissue", WHY)
    assert answer["replayed"] is False
    old = await doors.scan("T-1", doors.event.other_device)
    assert (old["verdict"], old["reason"]) == ("refused", "reissued")
    new = await doors.scan(answer["code"], doors.event.other_device)
    assert (new["verdict"], new["reason"]) == ("refused", "already_inside")
    assert new["ticket"]["id"] == str(ticket)
    again = await doors.ok(f"/tickets/{ticket}/reissue", WHY)
    assert again["code"] != answer["code"]
    first = await doors.scan(answer["code"], doors.event.other_device)
    assert first["reason"] == "reissued"


async def test_each_act_leaves_a_story_and_tells_the_mail(doors: Doors) -> None:
    ticket = doors.event.tickets["T-2"]
    await doors.ok(f"/tickets/{ticket}/block", WHY)
    await doors.ok(f"/tickets/{ticket}/unblock", WHY)
    await doors.ok(f"/tickets/{ticket}/reissue", WHY)
    rows = await doors.database.pool.fetch(
        "SELECT action, subject_kind FROM ops.audit_log WHERE target_id = $1"
        " ORDER BY id",
        ticket,
    )
    assert [tuple(row) for row in rows] == [
        ("tickets.block", "user"),
        ("tickets.unblock", "user"),
        ("tickets.reissue", "user"),
    ]
    kinds = await doors.database.pool.fetch(
        "SELECT kind FROM ops.facts WHERE payload ->> 'ticket_id' = $1 ORDER BY id",
        str(ticket),
    )
    assert [row["kind"] for row in kinds] == [
        "ticket_changed",
        "ticket_changed",
        "code_issued",
        "ticket_changed",
    ]


async def test_block_and_unblock_at_the_door(doors: Doors) -> None:
    ticket = doors.event.tickets["T-3"]
    await doors.ok(f"/tickets/{ticket}/block", WHY)
    held = await doors.scan("T-3")
    assert (held["verdict"], held["reason"]) == ("hold", "blocked")
    assert (await doors.ok(f"/tickets/{ticket}/block", WHY))["replayed"] is True
    assert (await doors.ok(f"/tickets/{ticket}/unblock", WHY))["state"] == "valid"
    assert (await doors.ok(f"/tickets/{ticket}/unblock", WHY))["replayed"] is True
    assert (await doors.scan("T-3"))["verdict"] == "admitted"


async def test_a_block_gives_back_the_state_before_it(doors: Doors) -> None:
    ticket = await doors.event.add_ticket(
        doors.database.pool, "U-1", doors.event.regular, "Unpaid", state="unpaid"
    )
    await doors.ok(f"/tickets/{ticket}/block", WHY)
    assert (await doors.ok(f"/tickets/{ticket}/unblock", WHY))["state"] == "unpaid"


async def test_a_transfer_changes_the_holder_and_keeps_the_passes(
    doors: Doors,
) -> None:
    ticket = doors.event.tickets["T-4"]
    before = await doors.value("SELECT attendee_id FROM tickets WHERE id = $1", ticket)
    body = {**WHY, "holder": HOLDER}
    answer = await doors.ok(f"/tickets/{ticket}/transfer", body)
    assert answer["holder"] == "李 O'Brien-Łukasz"
    assert (await doors.scan("T-4"))["reason"] == "reissued"
    assert (await doors.scan(answer["code"]))["ticket"]["holder"] == answer["holder"]
    mail = await doors.database.pool.fetchrow(
        "SELECT to_address, body FROM ops.mails WHERE kind = 'ticket_code'"
    )
    assert mail["to_address"] == "li@example.org"
    assert f"/t/{answer['code']}" in mail["body"]
    # Who had it before is still somebody.
    assert await doors.value("SELECT first_name FROM attendees WHERE id = $1", before)


async def test_somebody_inside_is_transferred_by_an_event_manager(
    doors: Doors,
) -> None:
    ticket = doors.event.tickets["T-5"]
    await doors.scan("T-5")
    body = {**WHY, "holder": HOLDER}
    manager = await doors.staff("door_manager")
    path = f"/tickets/{ticket}/transfer"
    assert await doors.refused(path, body, manager) == (
        403,
        "inside_needs_event_manager",
    )
    answer = await doors.ok(path, body, await doors.staff("event_manager"))
    assert (await doors.scan(answer["code"]))["reason"] == "already_inside"


async def test_an_upgrade_opens_the_lounge(doors: Doors) -> None:
    ticket, lounge = doors.event.tickets["T-6"], doors.event.lounge_device
    assert (await doors.scan("T-6", lounge))["reason"] == "wrong_area"
    answer = await doors.ok(
        f"/tickets/{ticket}/upgrade",
        {**WHY, "ticket_type_id": str(doors.event.vip)},
    )
    assert answer["type"] == "VIP"
    assert (await doors.scan(answer["code"], lounge))["verdict"] == "admitted"


async def test_a_cancelled_ticket_is_over(doors: Doors) -> None:
    ticket = doors.event.tickets["T-7"]
    await doors.ok(f"/tickets/{ticket}/cancel", WHY)
    assert (await doors.scan("T-7"))["reason"] == "cancelled"
    assert (await doors.ok(f"/tickets/{ticket}/cancel", WHY))["replayed"] is True
    for act in ("reissue", "block", "unblock"):
        refused = await doors.refused(f"/tickets/{ticket}/{act}", WHY)
        assert refused == (422, "ticket_cancelled")


@pytest.mark.parametrize(
    ("act", "body", "status", "code"),
    [
        ("reissue", {}, 400, "malformed_body"),
        ("reissue", {"reason": ""}, 400, "malformed_body"),
        ("reissue", {"reason": "x", "colour": 1}, 400, "unknown_field"),
        ("reissue", {"reason": "a\x00b"}, 422, "nul_character"),
        ("transfer", WHY, 422, "holder_missing"),
        ("upgrade", WHY, 422, "ticket_type_missing"),
        (
            "upgrade",
            {**WHY, "ticket_type_id": str(uuid4())},
            422,
            "ticket_type_not_found",
        ),
    ],
)
async def test_a_bad_act(doors: Doors, act: str, body, status: int, code: str) -> None:
    ticket = doors.event.tickets["T-8"]
    assert await doors.refused(f"/tickets/{ticket}/{act}", body) == (status, code)
    assert (await doors.scan("T-8"))["verdict"] == "admitted"


async def test_who_may(doors: Doors) -> None:
    path = f"/tickets/{doors.event.tickets['T-9']}/block"
    for role in ("steward", "supervisor", "viewer"):
        assert (await doors.refused(path, WHY, await doors.staff(role)))[0] == 403
    assert (await doors.refused(path, WHY, doors.at()))[0] == 403
    assert await doors.refused(f"/tickets/{uuid4()}/block", WHY) == (
        404,
        "ticket_not_found",
    )


async def test_two_reissues_at_once_leave_one_live_code(doors: Doors) -> None:
    ticket = doors.event.tickets["T-10"]
    await asyncio.gather(
        *(doors.ok(f"/tickets/{ticket}/reissue", WHY) for _ in range(5))
    )
    live = "SELECT count(*) FROM ops.ticket_codes WHERE ticket_id = $1"
    assert await doors.value(live + " AND revoked_at IS NULL", ticket) == 1
    assert await doors.value(live, ticket) == 6


async def test_one_band_two_tickets_one_winner(doors: Doors) -> None:
    winners = await _race(doors, "BAND-1")
    assert winners == 1


async def test_without_the_key_two_tickets_have_the_band(doors: Doors) -> None:
    """Negative control."""
    await doors.database.pool.execute(
        "ALTER TABLE ops.ticket_codes"
        " DROP CONSTRAINT uq_ticket_codes_code_hash_event_id"
    )
    assert await _race(doors, "BAND-1") > 1


async def _race(doors: Doors, band: str) -> int:
    answers = await asyncio.gather(
        *(
            doors.post(
                f"{doors.base}/media/bind",
                {"code": band, "ticket_code": f"T-{n}"},
                doors.at(doors.event.device if n % 2 else doors.event.other_device),
            )
            for n in range(11, 19)
        )
    )
    assert {a.status_code for a in answers} <= {200, 409}
    return sum(a.status_code == 200 for a in answers)


async def test_after_the_exchange_the_old_code_is_dead_or_not(doors: Doors) -> None:
    bind = f"{doors.base}/media/bind"
    await doors.ok(bind, {"code": "BAND-2", "ticket_code": "T-11"}, doors.at())
    again = await doors.ok(
        bind,
        {"code": "BAND-2", "ticket_id": str(doors.event.tickets["T-11"])},
        doors.at(),
    )
    assert again["replayed"] is True
    assert (await doors.scan("T-11"))["reason"] == "exchanged"
    assert (await doors.scan("BAND-2"))["verdict"] == "admitted"
    await doors.database.pool.execute(
        "UPDATE ticket_types SET after_exchange = 'both' WHERE id = $1",
        doors.event.vip,
    )
    await doors.ok(bind, {"code": "BAND-3", "ticket_code": "V-1"}, doors.at())
    assert (await doors.scan("V-1"))["verdict"] == "admitted"
    assert (await doors.scan("BAND-3"))["reason"] == "already_inside"


async def test_a_lost_band_is_dead_and_the_new_one_opens(doors: Doors) -> None:
    lost = f"{doors.base}/media/lost"
    await doors.ok(
        f"{doors.base}/media/bind", {"code": "BAND-4", "ticket_code": "T-12"}
    )
    body = {"code": "BAND-4", "new_code": "BAND-5", "reason": "torn off"}
    assert await doors.refused(lost, body, doors.at()) == (403, "needs_supervisor")
    await doors.sign_on("supervisor")
    answer = await doors.ok(lost, body, doors.at())
    assert (answer["lost"], answer["bound"]) == (1, True)
    assert (await doors.scan("BAND-4"))["reason"] == "reissued"
    assert (await doors.scan("BAND-5"))["verdict"] == "admitted"
    # Without another band the ticket gets a code again.
    last = await doors.ok(lost, {"code": "BAND-5", "reason": "lost too"}, doors.at())
    assert (await doors.scan(last["code"]))["reason"] == "already_inside"


async def test_a_band_that_two_desks_replace_has_one_successor(doors: Doors) -> None:
    lost, bind = f"{doors.base}/media/lost", f"{doors.base}/media/bind"
    await doors.ok(bind, {"code": "BAND-7", "ticket_code": "T-15"})
    await doors.sign_on("supervisor")

    async def replaced(by: str) -> int:
        body = {"code": "BAND-7", "new_code": by, "reason": "torn off"}
        answer = await doors.post(lost, body, doors.at())
        assert answer.status_code in (200, 409), answer.text
        if answer.status_code == 409:
            assert answer.json()["code"] == "medium_replaced"
        return answer.status_code

    bands = ["BAND-8", "BAND-9"]
    statuses = await asyncio.gather(*map(replaced, bands))
    assert sorted(statuses) == [200, 409]
    first = bands[statuses.index(200)]
    assert await replaced(first) == 200, "asked again it is the same act"
    opens = [(await doors.scan(band, dry_run=True))["reason"] for band in bands]
    assert sorted(opens) == ["ok", "unknown_code"]


async def test_a_taken_band_stays_where_it_is(doors: Doors) -> None:
    bind = f"{doors.base}/media/bind"
    await doors.ok(bind, {"code": "BAND-6", "ticket_code": "T-13"})
    body = {"code": "BAND-6", "ticket_code": "T-14"}
    assert await doors.refused(bind, body) == (409, "medium_taken")
    assert await doors.refused(bind, {"code": "T-15", "ticket_code": "T-16"}) == (
        409,
        "code_taken",
    )
    assert (await doors.refused(bind, {**body, "add": True}))[1] == "windows_overlap"


async def test_a_band_with_several_tickets_opens_the_one_valid_now(
    doors: Doors,
) -> None:
    pool = doors.database.pool
    for code, start, end in (("T-17", -2, 1), ("T-18", 1, 24)):
        await pool.execute(
            "UPDATE tickets SET valid_from = now() + make_interval(hours => $2),"
            " valid_to = now() + make_interval(hours => $3) WHERE id = $1",
            doors.event.tickets[code],
            start,
            end,
        )
    bind = f"{doors.base}/media/bind"
    await doors.ok(bind, {"code": "BAND-7", "ticket_code": "T-17"})
    await doors.ok(bind, {"code": "BAND-7", "ticket_code": "T-18", "add": True})
    opens = "SELECT ticket_id FROM ops.ticket_codes WHERE kind = 'medium'"
    assert await doors.value(opens) == doors.event.tickets["T-17"]
    assert await doors.value("SELECT ops.media_due_v1(now() + interval '2 hours')") == 1
    assert await doors.value(opens) == doors.event.tickets["T-18"]


async def test_a_list_of_bands_answers_each_row(doors: Doors) -> None:
    answer = await doors.ok(
        f"{doors.base}/media/list",
        {
            "media": [
                {"code": "L-0001", "ticket_code": "T-19"},
                {"code": "L-0002"},
                {"code": "L-0003", "ticket_code": "nobody's"},
                {"code": " ", "ticket_code": "T-20"},
            ]
        },
    )
    assert (answer["bound"], answer["stocked"], answer["bad"]) == (1, 1, 2)
    errors = [row["error"] and row["error"]["code"] for row in answer["results"]]
    assert errors == [None, None, "unknown_code", "bad_medium"]
    # Bound beforehand: both open the ticket until the exchange.
    assert (await doors.scan("T-19"))["verdict"] == "admitted"
    assert (await doors.scan("L-0001"))["reason"] == "already_inside"


SPELLED = (
    "04A2B9C1D2E380",
    "04a2b9c1d2e380",
    "04:A2:B9:C1:D2:E3:80",
    "04 a2 b9 c1 d2 e3 80",
)


async def test_a_tag_is_one_band_whatever_reader_spells_it(doors: Doors) -> None:
    bind, lost = f"{doors.base}/media/bind", f"{doors.base}/media/lost"
    first = await doors.ok(bind, {"code": SPELLED[2], "ticket_code": "T-11"})
    assert first["hint"] == "…E380"
    for text in SPELLED:
        again = {"code": text, "ticket_id": str(doors.event.tickets["T-11"])}
        assert (await doors.ok(bind, again))["replayed"] is True
        other = {"code": text, "ticket_code": "T-12"}
        assert (await doors.refused(bind, other))[0] == 409, text
    assert (await doors.scan(SPELLED[1]))["verdict"] == "admitted"
    for text in SPELLED:
        assert (await doors.scan(text, method="nfc"))["reason"] == "already_inside"
    assert (await doors.scan("04A2B9C1D2E381"))["reason"] == "unknown_code"
    await doors.sign_on("supervisor")
    body = {"code": SPELLED[3], "new_code": "04:FF:00:11", "reason": "torn off"}
    assert (await doors.ok(lost, body, doors.at()))["lost"] == 1
    for text in SPELLED:
        assert (await doors.scan(text))["reason"] == "reissued"
    assert (await doors.scan("04ff0011"))["reason"] == "already_inside"


async def test_a_sellers_code_is_exact_though_it_looks_like_a_tag(doors: Doors) -> None:
    event = doors.event
    await event.add_tickets(
        doors.database.pool,
        [("DEADBEEF", event.regular, "Ng", 1), ("deadbeef", event.regular, "Wu", 1)],
    )
    for code in ("DEADBEEF", "deadbeef"):
        answer = await doors.scan(code)
        assert answer["verdict"] == "admitted"
        assert answer["ticket"]["id"] == str(event.tickets[code])
    assert (await doors.scan("DeadBeef"))["reason"] == "unknown_code"
    # The band with that UID is the third: it is found where no code is spelled so.
    bind = f"{doors.base}/media/bind"
    await doors.ok(bind, {"code": "de:ad:be:ef", "ticket_code": "T-13"})
    band = await doors.scan("DE AD BE EF")
    assert band["ticket"]["id"] == str(event.tickets["T-13"])
    assert (await doors.scan("DEADBEEF"))["reason"] == "already_inside"
