"""Rules of the door over HTTP, as a steward's device and an organiser meet them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.conftest import (
    base_url,
    bearer,
    clock,
    http,
    owner,
    runtime,
)
from tests.small_event import SmallEvent

__all__ = ["base_url", "bearer", "clock", "http", "owner", "runtime"]


class Steward:
    """A device at the main gate of a small event."""

    def __init__(self, http: httpx.AsyncClient, event: SmallEvent, database: Database):
        self.http, self.event, self.database = http, event, database
        self.run = database.pool.execute

    async def scan(
        self, code: str, *, device: UUID | None = None, **fields: Any
    ) -> dict[str, Any]:
        body = {"id": str(uuid7()), "code": code, **fields}
        for _ in range(20):
            answer = await self.http.post(
                f"/api/v1/events/{self.event.id}/scans",
                json=body,
                headers={"Authorization": f"Device dev_{device or self.event.device}"},
            )
            if answer.status_code != 503:
                break
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def said(self, code: str, **fields: Any) -> tuple[str, str]:
        answer = await self.scan(code, **fields)
        return answer["verdict"], answer["reason"]

    async def operator(self, role: str) -> UUID:
        operator = uuid7()
        await self.run(
            "INSERT INTO ops.operators (id, event_id, name, role) VALUES"
            " ($1, $2, 'Zoë', $3)",
            operator,
            self.event.id,
            role,
        )
        await self.run(
            "UPDATE ops.devices SET operator_id = $1 WHERE id = $2",
            operator,
            self.event.device,
        )
        return operator


@pytest.fixture
async def steward(http: httpx.AsyncClient, database: Database) -> Steward:
    event = await SmallEvent.make(database.pool, tickets=8)
    return Steward(http, event, database)


async def test_a_question_is_asked_answered_and_kept(steward: Steward) -> None:
    question, event = uuid7(), steward.event
    await steward.run(
        "INSERT INTO ops.questions (id, event_id, kind, text, options) VALUES ($1, $2,"
        """ 'choice', '{"en": "Meal?", "fr": "Repas ?"}',"""
        """ '[{"value": "fish", "text": {"en": "Fish"}}, {"value": "vegan"}]')""",
        question,
        event.id,
    )
    asked = await steward.scan("T-1")
    assert (asked["verdict"], asked["reason"]) == ("hold", "needs_answers")
    assert asked["questions"] == [
        {
            "id": str(question),
            "kind": "choice",
            "text": "Meal?",
            "required": True,
            "options": [
                {"value": "fish", "text": "Fish"},
                {"value": "vegan", "text": "vegan"},
            ],
            "minimum": None,
            "maximum": None,
        }
    ]
    again = await steward.scan("T-1", id=asked["id"])
    assert again["replayed"]
    assert again["questions"] == asked["questions"]
    wrong = {"answers": {str(question): "beef"}}
    assert await steward.said("T-1", **wrong) == ("hold", "needs_answers")
    right = {"answers": {str(question): "vegan"}}
    assert await steward.said("T-1", **right) == ("admitted", "ok")
    row = await steward.database.pool.fetchrow(
        "SELECT * FROM ops.answers WHERE ticket_id = $1", event.tickets["T-1"]
    )
    assert (row["value"], row["device_id"]) == ("vegan", event.device)
    assert await steward.said("T-1", direction="out") == ("exited", "ok")
    assert await steward.said("T-1") == ("admitted", "ok"), "not asked twice"


async def test_two_doors_answer_at_once_and_one_is_green(steward: Steward) -> None:
    question = uuid7()
    await steward.run(
        "INSERT INTO ops.questions (id, event_id, kind) VALUES ($1, $2, 'yes_no')",
        question,
        steward.event.id,
    )
    answers = {"answers": {str(question): True}}
    both = await asyncio.gather(
        steward.said("T-1", **answers),
        steward.said("T-1", **answers, device=steward.event.other_device),
    )
    assert sum(verdict == "admitted" for verdict, _ in both) == 1
    kept = await steward.database.pool.fetchval("SELECT count(*) FROM ops.answers")
    assert kept == 1


async def test_an_id_is_asked_and_the_yes_is_kept_with_the_operator(
    steward: Steward,
) -> None:
    operator = await steward.operator("steward")
    await steward.run(
        "UPDATE ticket_types SET min_age = 19 WHERE event_id = $1", steward.event.id
    )
    asked = await steward.scan("T-1")
    assert asked["reason"] == "id_check"
    assert asked["questions"][0]["id"] == "age"
    assert asked["questions"][0]["text"] == "ID seen, 19 or over?"
    assert (await steward.said("T-2", answers={"age": False}))[1] == "under_age"
    assert await steward.said("T-1", answers={"age": True}) == ("admitted", "ok")
    row = await steward.database.pool.fetchrow("SELECT * FROM ops.answers")
    assert (row["years"], row["operator_id"]) == (19, operator)
    await steward.run(
        "UPDATE attendees SET birth_date = '2015-01-01' WHERE id = (SELECT attendee_id"
        " FROM tickets WHERE id = $1)",
        steward.event.tickets["T-3"],
    )
    young = await steward.scan("T-3", answers={"age": True})
    assert (young["reason"], young["clear_by"]) == ("under_age", "nobody")


@pytest.mark.parametrize(
    ("column", "attendee", "ban"),
    [
        ("email", "o.brien@example.org", "o.brien@example.org"),
        ("phone", "+1 (416) 555-0100", "416 555 0100"),
        ("phone", "06 12 34 56 78", "+33 6 12 34 56 78"),
    ],
)
async def test_a_ban_by_psql_is_at_the_door(
    steward: Steward, column: str, attendee: str, ban: str
) -> None:
    who = steward.event.tickets["T-1"]
    await steward.run(
        f"UPDATE attendees SET {column} = $1 WHERE id = (SELECT attendee_id"
        " FROM tickets WHERE id = $2)",
        attendee,
        who,
    )
    await steward.run(
        f"INSERT INTO ops.bans ({column}, reason) VALUES ($1, 'a fight')", ban
    )
    answer = await steward.scan("T-1")
    assert (answer["verdict"], answer["reason"]) == ("refused", "banned")
    assert answer["sensitive"]
    assert answer["guest_message"] == "One moment, please"
    assert await steward.said("T-2") == ("admitted", "ok"), "nobody else"
    await steward.run("UPDATE ops.bans SET lifted_at = now()")
    assert await steward.said("T-1") == ("admitted", "ok")


async def test_a_name_alone_bans_nobody(steward: Steward) -> None:
    await steward.run(
        "INSERT INTO ops.bans (first_name, reason, birth_date)"
        " VALUES ('Guest 1', 'a fight', '1990-01-01')"
    )
    assert await steward.said("T-1") == ("admitted", "ok")
    await steward.run(
        "UPDATE attendees SET birth_date = '1990-01-01' WHERE first_name = ANY ($1)",
        ["Guest 1", "Guest 2"],
    )
    assert await steward.said("T-1", direction="out") == ("exited", "ok")
    answer = await steward.scan("T-1")
    assert (answer["verdict"], answer["reason"]) == ("hold", "needs_supervisor")
    assert "somebody banned" in answer["message"]
    assert answer["sensitive"]
    assert await steward.said("T-2") == ("admitted", "ok"), "the date alone is nothing"


async def test_a_stop_holds_where_it_is_set_and_exits_go_on(steward: Steward) -> None:
    event = steward.event
    assert await steward.said("T-1") == ("admitted", "ok")
    await steward.run(
        "INSERT INTO ops.admission_stops (event_id, gate_id) VALUES ($1, $2)",
        event.id,
        event.main_gate,
    )
    stopped = await steward.scan("T-2")
    assert stopped["reason"] == "admission_stopped"
    assert stopped["message"] == "Admission is stopped at this gate"
    elsewhere = await steward.said("V-1", device=event.lounge_device)
    assert elsewhere == ("admitted", "ok")
    assert await steward.said("T-1", direction="out") == ("exited", "ok")
    await steward.run("UPDATE ops.admission_stops SET lifted_at = now()")
    assert await steward.said("T-2") == ("admitted", "ok")


async def test_a_delay_of_the_doors_moves_their_windows(steward: Steward) -> None:
    event = steward.event
    await steward.run(
        "UPDATE events SET doors_open_at = now() - interval '5 minutes' WHERE id = $1",
        event.id,
    )
    await steward.run(
        "UPDATE ops.scopes SET opens_anchor = 'doors' WHERE id = $1", event.venue_scope
    )
    assert await steward.said("T-1") == ("admitted", "ok")
    await steward.run(
        "UPDATE events SET doors_delay_minutes = 20 WHERE id = $1", event.id
    )
    late = await steward.scan("T-2")
    assert late["reason"] == "too_early"
    opens = datetime.now(UTC) + timedelta(minutes=15)
    zone = datetime.now(UTC).astimezone().tzinfo
    assert zone
    assert f":{opens.minute:02d}" in late["message"] or "too early" in late["message"]


async def order_of(steward: Steward, *codes: str) -> None:
    order = uuid7()
    await steward.run(
        "INSERT INTO orders (id, event_id, order_number) VALUES ($1, $2, $3)",
        order,
        steward.event.id,
        f"A-{order}",
    )
    for code in codes:
        await steward.run(
            "UPDATE tickets SET order_id = $1 WHERE id = $2",
            order,
            steward.event.tickets[code],
        )


async def test_a_whole_order_enters_with_one_scan(steward: Steward) -> None:
    await order_of(steward, "T-1", "T-2", "T-3", "G-1")
    await steward.run(
        "UPDATE tickets SET state = 'refunded' WHERE id = $1",
        steward.event.tickets["T-3"],
    )
    answer = await steward.scan("T-1", whole_order=True)
    assert (answer["verdict"], answer["people"]) == ("admitted", 6)
    lines = [(line["verdict"], line["people"]) for line in answer["tickets"]]
    assert lines == [("admitted", 1), ("admitted", 1), ("admitted", 4)]
    assert answer["message"] == "The whole order: 6 let in"
    again = await steward.scan("T-1", id=answer["id"], whole_order=True)
    assert again["replayed"]
    assert [line["id"] for line in again["tickets"]] == [
        line["id"] for line in answer["tickets"]
    ]
    assert (again["verdict"], again["people"]) == ("admitted", 6)
    inside = await steward.database.pool.fetchval(
        "SELECT inside FROM ops.scopes WHERE id = $1", steward.event.venue_scope
    )
    assert inside == 6, "a retry lets nobody in twice"


async def test_the_part_of_an_order_that_fits(steward: Steward) -> None:
    await order_of(steward, "T-1", "T-2", "T-3")
    await steward.run(
        "UPDATE ops.areas SET capacity = 2 WHERE id = $1", steward.event.venue
    )
    answer = await steward.scan("T-1", whole_order=True)
    said = [(line["verdict"], line["reason"]) for line in answer["tickets"]]
    assert sorted(said) == [
        ("admitted", "ok"),
        ("admitted", "ok"),
        ("hold", "area_full"),
    ]
    assert answer["people"] == 2
    assert answer["message"] == "2 of the order let in, 1 not: see the list"


async def test_two_phones_with_one_order_let_each_ticket_in_once(
    steward: Steward,
) -> None:
    await order_of(steward, "T-1", "T-2", "T-3", "T-4")
    await asyncio.gather(
        steward.scan("T-1", whole_order=True),
        steward.scan("T-2", whole_order=True, device=steward.event.other_device),
    )
    rows = await steward.database.pool.fetch(
        "SELECT ticket_id FROM check_ins WHERE scope_id = $1", steward.event.venue_scope
    )
    assert len(rows) == len({row["ticket_id"] for row in rows}) == 4


async def test_a_person_without_a_ticket_is_counted(steward: Steward) -> None:
    override = {"override": {"reason": "her phone fell into the lake"}}
    assert (await steward.said("NOBODY", **override))[1] == "needs_supervisor"
    await steward.operator("supervisor")
    answer = await steward.scan("NOBODY", **override)
    assert (answer["verdict"], answer["people"]) == ("admitted", 1)
    assert answer["durable"] == "committed"
    again = await steward.scan("NOBODY", id=answer["id"], **override)
    assert again["replayed"]
    row = await steward.database.pool.fetchrow(
        "SELECT a.manual, c.reason, c.operator_id FROM ops.areas a JOIN ops.counts c"
        " ON c.area_id = a.id WHERE a.id = $1",
        steward.event.venue,
    )
    assert row["manual"] == 1
    assert row["reason"] == "her phone fell into the lake"
    assert row["operator_id"]
    for replayed in (False, True):
        undone = await steward.http.post(
            f"/api/v1/events/{steward.event.id}/scans/{answer['id']}/undo",
            json={"reason": "it was found"},
            headers={"Authorization": f"Device dev_{steward.event.device}"},
        )
        assert undone.status_code == 200, undone.text
        assert undone.json()["people"] == 1
        assert undone.json()["replayed"] is replayed
    manual = await steward.database.pool.fetchval(
        "SELECT manual FROM ops.areas WHERE id = $1", steward.event.venue
    )
    assert manual == 0


async def test_kept_places_are_given_to_those_they_are_for(
    steward: Steward, bearer: dict[str, str]
) -> None:
    event = steward.event
    await steward.run("UPDATE ops.areas SET capacity = 4 WHERE id = $1", event.venue)
    kept = {"event_id": str(event.id), "area_id": str(event.venue), "places": 2}
    wrong = await steward.http.post(
        "/api/v1/held_places",
        json={**kept, "scope_id": str(event.venue_scope)},
        headers=bearer,
    )
    assert wrong.status_code == 422, "of an area or a scope, never both"
    made = await steward.http.post(
        "/api/v1/held_places",
        json={**kept, "ticket_type_id": str(event.vip)},
        headers=bearer,
    )
    assert made.status_code == 201, made.text
    said = await asyncio.gather(*(steward.said(f"T-{n}") for n in range(1, 6)))
    assert sorted(said) == [("admitted", "ok")] * 2 + [("hold", "area_full")] * 3
    assert await steward.said("V-1") == ("admitted", "ok")
    assert await steward.said("T-6") == ("hold", "area_full"), "one is kept still"
    assert await steward.said("V-2") == ("admitted", "ok")
    await steward.run("UPDATE ops.areas SET capacity = 5 WHERE id = $1", event.venue)
    assert await steward.said("T-6") == ("admitted", "ok"), "none is kept any more"


async def test_kept_places_are_free_once_their_time_is_over(
    steward: Steward, bearer: dict[str, str]
) -> None:
    event = steward.event
    await steward.run("UPDATE ops.areas SET capacity = 2 WHERE id = $1", event.venue)
    until = datetime.now(UTC) + timedelta(hours=1)
    made = await steward.http.post(
        "/api/v1/held_places",
        json={
            "event_id": str(event.id),
            "area_id": str(event.venue),
            "access_class": "artist",
            "places": 2,
            "until": until.isoformat(),
            "reason": "The band",
        },
        headers=bearer,
    )
    assert made.status_code == 201, made.text
    assert await steward.said("T-1") == ("hold", "area_full")
    row = f"/api/v1/held_places/{made.json()['id']}"
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    changed = await steward.http.patch(row, json={"until": past}, headers=bearer)
    assert changed.status_code == 200, changed.text
    assert await steward.said("T-1") == ("admitted", "ok")
    await steward.http.patch(row, json={"until": None}, headers=bearer)
    assert await steward.said("T-2") == ("hold", "area_full")
    gone = await steward.http.delete(row, headers=bearer)
    assert gone.status_code < 300, gone.text
    assert await steward.said("T-2") == ("admitted", "ok")


async def test_a_device_that_reads_a_code_twice_is_told_just_now(
    steward: Steward,
) -> None:
    """A new id within ten seconds is no second entry and no alarm; at another device it
    is another guest with the same code."""
    first = await steward.scan("T-1")
    assert (first["verdict"], first["just_now"]) == ("admitted", False)
    again = await steward.scan("T-1")
    assert (again["reason"], again["just_now"]) == ("already_inside", True)
    assert again["previous"]["verdict"] == "admitted"
    assert again["message"] == "Scanned just now"
    other = await steward.scan("T-1", device=steward.event.other_device)
    assert (other["verdict"] != "admitted", other["just_now"]) == (True, False)
    rows = await steward.database.pool.fetchval(
        "SELECT count(*) FROM check_ins WHERE ticket_id = $1",
        steward.event.tickets["T-1"],
    )
    assert rows == 1


async def test_least_time_between_two_entries(steward: Steward) -> None:
    gap = "UPDATE ops.scopes SET pass_gap_minutes = $2 WHERE id = $1"
    await steward.run(gap, steward.event.venue_scope, 5)
    assert await steward.said("T-1") == ("admitted", "ok")
    assert await steward.said("T-1", direction="out") == ("exited", "ok")
    soon = await steward.scan("T-1")
    assert (soon["verdict"], soon["reason"]) == ("refused", "too_early")
    assert soon["message"].startswith("Too soon after the last entry"), soon["message"]
    assert await steward.said("T-2") == ("admitted", "ok"), "others need not wait"
    # The control: without a least time the same guest is in at once.
    await steward.run(gap, steward.event.venue_scope, None)
    assert await steward.said("T-1") == ("admitted", "ok")


async def test_a_soft_limit_admits_and_flags(steward: Steward) -> None:
    await steward.run(
        "UPDATE ops.areas SET capacity = 1, limit_kind = 'soft' WHERE id = $1",
        steward.event.venue,
    )
    first, second = await steward.scan("T-1"), await steward.scan("T-2")
    assert "over_limit" not in first["ticket"]["flags"]
    assert "over_limit" in second["ticket"]["flags"]


async def test_the_simulator_says_what_the_scan_would(
    steward: Steward, bearer: dict[str, str]
) -> None:
    event = steward.event

    async def imagine(**asked: Any) -> dict[str, Any]:
        answer = await steward.http.post(
            f"/api/v1/events/{event.id}/simulate",
            json={"gate_id": str(event.main_gate), **asked},
            headers=bearer,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    free = await imagine(code="T-1")
    assert (free["verdict"], free["nearest"]) == ("admitted", None)
    assert [one["name"] for one in free["checks"]][:3] == ["stop", "doors", "code"]
    assert all(one["passed"] for one in free["checks"])
    lounge = await imagine(code="T-1", gate_id=str(event.lounge_gate))
    assert lounge["nearest"]["name"] == "area"
    real = await steward.scan("T-1", device=event.lounge_device)
    assert (lounge["verdict"], lounge["reason"]) == (real["verdict"], real["reason"])
    assert lounge["message"] == real["message"]
    await steward.run(
        "UPDATE tickets SET state = 'refunded' WHERE id = $1", event.tickets["T-1"]
    )
    both = await imagine(
        ticket_id=str(event.tickets["T-1"]), gate_id=str(event.lounge_gate)
    )
    failed = [one["name"] for one in both["checks"] if one["passed"] is False]
    assert failed == ["state", "area"]
    french = await imagine(code="T-1", language="fr")
    assert french["message"] == "Ce billet a été remboursé"
    nobody = await imagine(code="NOBODY")
    assert [one["passed"] for one in nobody["checks"]].count(None) == 11
    written = await steward.database.pool.fetchval(
        "SELECT count(*) FROM check_ins WHERE event_id = $1", event.id
    )
    assert written == 0


@pytest.mark.parametrize("asked", [{}, {"code": "T-1", "ticket_id": str(uuid7())}])
async def test_the_simulator_needs_a_code_or_a_ticket(
    steward: Steward, bearer: dict[str, str], asked: dict[str, str]
) -> None:
    answer = await steward.http.post(
        f"/api/v1/events/{steward.event.id}/simulate", json=asked, headers=bearer
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "code_or_ticket")


async def test_a_dry_run_decides_as_of_its_time(steward: Steward) -> None:
    later = (datetime.now(UTC) + timedelta(minutes=3)).isoformat()
    await steward.run(
        "UPDATE events SET admission_opens_at = now() + interval '2 minutes'"
        " WHERE id = $1",
        steward.event.id,
    )
    assert (await steward.said("T-1"))[1] == "too_early"
    dry = await steward.scan("T-1", dry_run=True, scanned_at=later)
    assert (dry["verdict"], dry["durable"]) == ("admitted", "none")
    assert (await steward.said("T-1"))[1] == "too_early", "nothing was written"


async def test_a_supervisor_decides_on_what_the_screen_said(steward: Steward) -> None:
    """Two doors show the same refund; the second supervisor is told of the first."""
    event = steward.event
    operator = await steward.operator("supervisor")
    await steward.run(
        "UPDATE ops.devices SET operator_id = $1 WHERE id = $2",
        operator,
        event.other_device,
    )
    await steward.run(
        "UPDATE tickets SET state = 'refunded' WHERE id = $1", event.tickets["T-1"]
    )
    assert await steward.said("T-1") == ("refused", "refunded")
    act = {"override": {"reason": "paid again in cash", "saw": "refunded"}}
    first, second = await asyncio.gather(
        steward.scan("T-1", **act),
        steward.scan("T-1", device=event.other_device, **act),
    )
    green = [one for one in (first, second) if one["verdict"] == "admitted"]
    assert len(green) == 1
    [told] = [one for one in (first, second) if one not in green]
    assert told["reason"] in ("already_inside", "unconfirmed")
    previous = told["previous"]
    assert previous["gate"] == "Main gate"
    assert previous["scan_id"] == green[0]["id"]
    if previous["device"] is not None:  # else a journal told it, by its gate alone
        assert previous["device"] in ("Phone 1", "Phone 2")
        assert previous["operator"] == "Zoë"
    again = {"reason": "a twin", "saw": told["reason"], "previous": green[0]["id"]}
    assert await steward.said("T-1", override=again) == ("admitted", "ok")


async def test_a_place_without_a_scope_says_so(steward: Steward) -> None:
    """No ticket is at fault; the control: with its scope the door says the rule."""
    event = steward.event
    lounge = {"device": event.lounge_device}
    before = await steward.scan("T-1", **lounge)
    assert before["reason"] == "wrong_area"
    assert "Regular" in before["message"]
    await steward.run("DELETE FROM ops.scopes WHERE id = $1", event.lounge_scope)
    for code in ("T-1", "V-1"):
        answer = await steward.scan(code, **lounge)
        assert (answer["verdict"], answer["reason"]) == ("refused", "wrong_area")
        assert answer["message"].startswith("This place is not set up")
        assert "scope" in answer["action"]
