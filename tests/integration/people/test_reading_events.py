"""Events, their places, and the figures counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import httpx

from ops.admission.days import EventDays
from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.people_kit import Place, make_place


async def test_a_list_in_pages_newest_first_without_gaps(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    made = [(await make_place(database, f"Event {n}")).event for n in range(5)]
    same = datetime(2030, 1, 1, tzinfo=UTC)
    await database.pool.execute(
        "UPDATE events SET starts_at = $1, ends_at = $2 WHERE id = ANY($3)",
        same,
        same + timedelta(hours=1),
        made[:3],
    )
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await http.get("/api/v1/events", params=params, headers=bearer)).json()
        seen += [event["id"] for event in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert len(seen) == 5
    assert set(seen) == {str(event) for event in made}
    assert set(seen[:3]) == {str(event) for event in made[:3]}


async def test_one_event_with_its_places(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place
) -> None:
    answer = await http.get(f"/api/v1/events/{place.event}", headers=bearer)
    event = answer.json()
    assert answer.status_code == 200, event
    assert event["title"] == "Sélection 李小龙 🎪"
    assert [area["id"] for area in event["areas"]] == [str(place.area)]
    assert [gate["id"] for gate in event["gates"]] == [str(place.gate)]
    assert event["scopes"][0]["capacity"] == 100  # the area's, as the scope has none
    assert (event["types"], event["sessions"]) == ([], [])
    assert event["starts_at"].endswith("Z")


async def _ticket(
    database: Database, place: Place, kind: UUID, state: str = "valid", admits: int = 1
) -> UUID:
    ticket = uuid7()
    await database.pool.execute(
        """INSERT INTO tickets
                  (id, event_id, ticket_type_id, state, admits, access_class)
           SELECT $1, $2, $3, $4, $5, access_class FROM ticket_types WHERE id = $3""",
        ticket,
        place.event,
        kind,
        state,
        admits,
    )
    return ticket


async def test_occupancy_is_people_never_scans(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    guest, crew = uuid7(), uuid7()
    for kind, name, access_class in (
        (guest, "Regular", "guest"),
        (crew, "Crew", "crew"),
    ):
        await database.pool.execute(
            """INSERT INTO ticket_types (id, event_id, name, price, access_class)
               VALUES ($1, $2, $3, 0, $4)""",
            kind,
            place.event,
            name,
            access_class,
        )
    twice = await _ticket(database, place, guest)
    group = await _ticket(database, place, guest, admits=4)
    gone = await _ticket(database, place, guest)
    worker = await _ticket(database, place, crew)
    undone = await _ticket(database, place, guest)
    await _ticket(database, place, guest, "refunded")
    await _ticket(database, place, guest, "blocked")
    now = datetime.now(UTC)
    days = EventDays("America/Toronto", time(6))
    visits = [
        # ticket, person, pass, left, undone
        (twice, 1, 1, now, None),
        (twice, 1, 2, None, None),
        (group, 1, 1, None, None),
        (group, 2, 1, None, None),
        (gone, 1, 1, now, None),
        (worker, 1, 1, None, None),
        (undone, 1, 1, None, now),
    ]
    for ticket, person_no, pass_no, left, taken_back in visits:
        await database.pool.execute(
            """INSERT INTO check_ins
                      (id, event_id, ticket_id, scope_id, person_no, pass_no, scan_id,
                       checked_in_at, checked_out_at, undone_at, exit_gate_id,
                       event_day)
               VALUES ($1, $2, $3, $4, $5, $6, $1, now(), $7, $8, $9, $10)""",
            uuid7(),
            place.event,
            ticket,
            place.scope,
            person_no,
            pass_no,
            left,
            taken_back,
            place.gate if left else None,
            days.date(days.number(now)),
        )
    await database.pool.execute("UPDATE ops.areas SET inside = 4, manual = 99")
    for ticket in (gone, gone, None):
        await database.pool.execute(
            """INSERT INTO ops.scan_log
                      (scan_id, event_id, content_hash, verdict, reason, ticket_id,
                       code_hash)
               VALUES ($1, $2, '', 'refused', 'already_used', $3, 'unknown')""",
            uuid7(),
            place.event,
            ticket,
        )
    answer = await http.get(f"/api/v1/events/{place.event}/occupancy", headers=bearer)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["figures"] == {
        "sold": 8,
        "expected": 7,
        "entered": 5,
        "entered_today": 5,
        "inside": 4 + 99,
        "counted": 99,
        "re_entries": 1,
        "exits": 2,
        "no_show": None,
        "refused_attempts": 3,
        "refused_people": 2,
    }
    assert body["areas"][0]["total"] == 103
    assert body["areas"][0]["over_by"] == 3
    await database.pool.execute(
        "UPDATE events SET starts_at = now() - interval '9 h', ends_at = now()"
    )
    answer = await http.get(f"/api/v1/events/{place.event}/occupancy", headers=bearer)
    assert answer.json()["figures"]["no_show"] == 7 - 4
