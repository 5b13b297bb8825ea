"""The timeline: everything of a person, what a reader may see, pages, cost."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from ops.crm.timeline import KINDS, Timeline
from ops.db.engine import Database
from tests.integration.crm.crm_kit import LONG, contact, insert
from tests.integration.people.people_kit import Place, make_place, sign_in, user

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)


async def attend(database: Database, place: Place, who: UUID, at: datetime) -> UUID:
    """A ticket of a contact, and a visit of 90 minutes."""
    attendee = await insert(
        database, "attendees", event_id=place.event, contact_id=who, first_name="Zoë"
    )
    kind = await insert(
        database, "ticket_types", event_id=place.event, name="Day", price=1
    )
    ticket = await insert(
        database,
        "tickets",
        event_id=place.event,
        attendee_id=attendee,
        ticket_type_id=kind,
    )
    await insert(
        database,
        "check_ins",
        event_id=place.event,
        attendee_id=attendee,
        ticket_id=ticket,
        scope_id=place.scope,
        gate_id=place.gate,
        checked_in_at=at,
        checked_out_at=at + timedelta(minutes=90),
        scan_id=uuid4(),
    )
    # What the sync role does of each visit, within seconds.
    await database.pool.execute("SELECT ops.people_follow_v1($1)", [attendee])
    return attendee


async def everything(database: Database, place: Place, who: UUID, me: UUID) -> None:
    attendee = await attend(database, place, who, T0)
    other = await insert(
        database, "attendees", event_id=place.event, first_name="Somebody"
    )
    sponsor = await insert(database, "sponsors", event_id=place.event)
    session = await insert(
        database,
        "sessions",
        event_id=place.event,
        title="Quantum",
        start_time=T0,
        end_time=T0 + timedelta(hours=1),
    )
    scope = await insert(
        database,
        "ops.scopes",
        event_id=place.event,
        kind="session",
        name="Quantum",
        session_id=session,
    )
    ticket = await database.pool.fetchval(
        "SELECT id FROM tickets WHERE attendee_id = $1", attendee
    )
    of_event: dict[str, Any] = {"event_id": place.event, "attendee_id": attendee}
    visit = {**of_event, "ticket_id": ticket, "scan_id": uuid4()}
    await insert(
        database,
        "check_ins",
        **visit,
        scope_id=scope,
        checked_in_at=T0 + timedelta(minutes=5),
    )
    await insert(
        database,
        "check_ins",
        **{**visit, "scan_id": uuid4()},
        scope_id=scope,
        pass_no=2,
        checked_in_at=T0,
        undone_at=T0,
    )
    await insert(
        database,
        "ops.session_registrations",
        **of_event,
        session_id=session,
        ticket_id=ticket,
    )
    await insert(database, "event_feedback", **of_event, comments="Très bien 🎪")
    await insert(
        database, "event_feedback", **of_event, comments="secret", is_anonymous=True
    )
    await insert(
        database,
        "networking_connections",
        event_id=place.event,
        requester_id=other,
        target_id=attendee,
    )
    await insert(
        database,
        "ops.sponsor_leads",
        **of_event,
        sponsor_id=sponsor,
        first_at=T0,
        last_at=T0,
    )
    await insert(
        database, "orders", event_id=place.event, contact_id=who, order_number="A-1"
    )
    campaign = await insert(database, "campaigns", name="Spring")
    await insert(database, "campaign_recipients", campaign_id=campaign, contact_id=who)
    await insert(
        database, "interactions", contact_id=who, interaction_type="phone", subject="Hi"
    )
    await database.pool.execute(
        "UPDATE contacts SET email_consent = true WHERE id = $1", who
    )
    await insert(database, "notes", contact_id=who, content="for all", created_by=me)
    await insert(
        database,
        "notes",
        contact_id=who,
        content="mine",
        created_by=me,
        is_private=True,
    )
    await insert(database, "tasks", contact_id=who, title="Call")
    await insert(database, "leads", contact_id=who, lead_source="event")
    opportunity = await insert(
        database, "opportunities", contact_id=who, name="Deal", amount=12
    )
    await database.pool.execute(
        "UPDATE opportunities SET stage = 'proposal' WHERE id = $1", opportunity
    )
    await insert(
        database, "ops.contact_merges", winner_id=who, loser_id=uuid4(), moved={}
    )


async def test_every_kind_is_there_once_and_minutes_are_right(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    owner: UUID,
) -> None:
    who = await contact(database, "zoe@x.org", last_name=LONG)
    stranger = await contact(database, "b@x.org")
    await everything(database, place, who, owner)
    await everything(database, await make_place(database, "Other"), stranger, owner)
    url = f"/api/v1/contacts/{who}/timeline"
    answer = await http.get(f"{url}?limit=200", headers=bearer)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    kinds = sorted(item["kind"] for item in items)
    assert kinds == sorted([*KINDS, "note"])
    visit = next(item for item in items if item["kind"] == "visit")
    assert visit["what"]["minutes"] == 90
    assert visit["event"] == "Sélection 李小龙 🎪"
    assert "secret" not in answer.text
    times = [(item["at"], item["id"]) for item in items]
    assert times == sorted(times, reverse=True)
    # Page by page it is the same list.
    paged: list[Any] = []
    cursor = ""
    while True:
        one = (await http.get(f"{url}?limit=3{cursor}", headers=bearer)).json()
        paged += one["items"]
        if one["next_cursor"] is None:
            break
        cursor = f"&cursor={one['next_cursor']}"
    assert paged == items
    only = await http.get(f"{url}?kind=visit&kind=note", headers=bearer)
    assert {i["kind"] for i in only.json()["items"]} == {"visit", "note"}
    wrong = await http.get(f"{url}?kind=gossip", headers=bearer)
    assert wrong.status_code == 422
    assert "visit" in wrong.json()["errors"][0]["allowed"]
    nobody = await http.get(f"/api/v1/contacts/{uuid4()}/timeline", headers=bearer)
    assert nobody.status_code == 404


async def test_private_notes_and_kinds_of_others_are_hidden(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    owner: UUID,
) -> None:
    who = await contact(database, "zoe@x.org")
    await everything(database, place, who, owner)
    await user(database, "sales@example.org", "sales")
    sales = await sign_in(http, "sales@example.org")
    answer = await http.get(f"/api/v1/contacts/{who}/timeline", headers=sales)
    notes = [i for i in answer.json()["items"] if i["kind"] == "note"]
    assert [note["what"]["content"] for note in notes] == ["for all"]
    # A role that reads contacts and nothing else sees that much.
    await database.pool.execute(
        "UPDATE roles SET permissions = $1 WHERE name = 'sales'",
        {"contacts": {"read": True}},
    )
    await user(database, "narrow@example.org", "sales")
    narrow = await sign_in(http, "narrow@example.org")
    answer = await http.get(f"/api/v1/contacts/{who}/timeline", headers=narrow)
    assert {i["kind"] for i in answer.json()["items"]} == {"consent", "note", "merge"}
    await user(database, "steward@example.org", "steward")
    steward = await sign_in(http, "steward@example.org")
    refused = await http.get(f"/api/v1/contacts/{who}/timeline", headers=steward)
    assert refused.status_code == 403


async def test_a_thousand_entries_are_a_page_of_a_tenth_of_a_second(
    database: Database, place: Place, owner: UUID
) -> None:
    who = await contact(database, "zoe@x.org")
    await everything(database, place, who, owner)
    await database.pool.execute(
        "INSERT INTO interactions (contact_id, interaction_type, occurred_at)"
        " SELECT $1, 'email', now() - n * interval '1 hour'"
        " FROM generate_series(1, 600) n",
        who,
    )
    await database.pool.execute(
        "INSERT INTO notes (contact_id, content) SELECT $1, 'x' || n"
        " FROM generate_series(1, 400) n",
        who,
    )
    timeline = Timeline(database)
    count = 0

    async def timed(run: Callable[[], Awaitable[Any]]) -> float:
        best = 1.0
        for _ in range(5):
            start = time.perf_counter()
            await run()
            best = min(best, time.perf_counter() - start)
        return best

    async def read() -> None:
        nonlocal count
        count = len(await timeline.page(who, owner, list(KINDS), (None, None), 1_100))

    assert await timed(read) < 0.1
    assert count > 1_000
