"""Events from presets and copies, made over HTTP and by command, and scanned at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.people_kit import sign_in, user
from tests.integration.test_cli import ops
from tests.small_event import SmallEvent, code_hash

Headers = dict[str, str]


async def make(http: httpx.AsyncClient, bearer: Headers, **fields: Any) -> UUID:
    body = {
        "title": "Soirée d'été 🎪 李",
        "starts_at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat(),
        **fields,
    }
    made = await http.post("/api/v1/presets/events", json=body, headers=bearer)
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


async def detail(http: httpx.AsyncClient, bearer: Headers, event: UUID) -> Any:
    found = await http.get(f"/api/v1/events/{event}", headers=bearer)
    assert found.status_code == 200, found.text
    return found.json()


async def phone(
    http: httpx.AsyncClient, bearer: Headers, event: UUID, gate: str
) -> Headers:
    made = await http.post(
        f"/api/v1/events/{event}/devices",
        json={"name": "Phone", "gate_id": gate},
        headers=bearer,
    )
    paired = await http.post(
        "/api/v1/devices/pair", json={"pairing_code": made.json()["pairing_code"]}
    )
    return {"Authorization": f"Device {paired.json()['token']}"}


async def sell(database: Database, event: UUID, kind: str, code: str) -> None:
    ticket, person = uuid7(), uuid7()
    pool = database.pool
    await pool.execute(
        "INSERT INTO attendees (id, event_id, first_name) VALUES ($1, $2, 'Ng')",
        person,
        event,
    )
    await pool.execute(
        "INSERT INTO tickets (id, event_id, attendee_id, ticket_type_id)"
        " VALUES ($1, $2, $3, $4)",
        ticket,
        event,
        person,
        UUID(kind),
    )
    await pool.execute(
        "INSERT INTO ops.ticket_codes (id, event_id, code_hash, ticket_id, kind)"
        " VALUES ($1, $2, $3, $4, 'imported')",
        uuid7(),
        event,
        code_hash(code),
        ticket,
    )


async def scans(
    http: httpx.AsyncClient, event: UUID, device: Headers, *directions: str, **more: Any
) -> list[tuple[str, str]]:
    """What the same code gets, one direction after the other, with other ids."""
    found = []
    for direction in directions:
        scan_id = str(uuid7())
        answer = await http.post(
            f"/api/v1/events/{event}/scans",
            json={"id": scan_id, "code": "X-1", "direction": direction} | more,
            headers=device,
        )
        assert answer.status_code == 200, answer.text
        await http.post(
            f"/api/v1/events/{event}/scans/confirm",
            json={"ids": [scan_id]},
            headers=device,
        )
        found.append((answer.json()["verdict"], answer.json()["reason"]))
    return found


@pytest.mark.parametrize(
    ("preset", "kind", "gates", "wanted"),
    [
        (
            "festival",
            "Weekend pass",
            ("North entrance",) * 3,
            [("admitted", "ok"), ("exited", "ok"), ("admitted", "ok")],
        ),
        (
            "club",
            "Entry",
            ("Front door", "Exit", "Front door"),
            [("admitted", "ok"), ("exited", "ok"), ("refused", "re_entry_not_allowed")],
        ),
    ],
)
async def test_a_preset_is_a_working_door(
    http: httpx.AsyncClient,
    bearer: Headers,
    database: Database,
    preset: str,
    kind: str,
    gates: tuple[str, ...],
    wanted: list[tuple[str, str]],
) -> None:
    event = await make(http, bearer, preset=preset)
    found = await detail(http, bearer, event)
    by_name = {gate["name"]: gate["id"] for gate in found["gates"]}
    [type_id] = [t["id"] for t in found["types"] if t["name"] == kind]
    await sell(database, event, type_id, "X-1")
    answers = []
    for name, direction in zip(gates, ("in", "out", "in"), strict=True):
        device = await phone(http, bearer, event, by_name[name])
        seen = {"answers": {"age": True}} if preset == "club" else {}
        answers += await scans(http, event, device, direction, **seen)
    assert answers == wanted


async def test_at_a_conference_a_repeat_is_welcome_back(
    http: httpx.AsyncClient,
    bearer: Headers,
    database: Database,
    clock: Any,
) -> None:
    event = await make(http, bearer, preset="conference", capacity=77)
    found = await detail(http, bearer, event)
    assert found["capacity"] == 77
    [venue] = [a for a in found["areas"] if a["kind"] == "venue"]
    assert venue["capacity"] == 77
    type_id = next(t["id"] for t in found["types"] if t["access_class"] == "guest")
    await sell(database, event, type_id, "X-1")
    device = await phone(http, bearer, event, found["gates"][0]["id"])
    assert await scans(http, event, device, "in") == [("admitted", "ok")]
    other = await phone(http, bearer, event, found["gates"][1]["id"])
    assert await scans(http, event, other, "in") == [("admitted", "welcome_back")]


async def test_a_copy_keeps_the_plan_moves_the_times_and_takes_the_devices(
    http: httpx.AsyncClient, bearer: Headers, database: Database
) -> None:
    event = await SmallEvent.make(database.pool, tickets=3)
    before = await detail(http, bearer, event.id)
    starts = datetime.fromisoformat(before["starts_at"]) + timedelta(days=14)
    copied = await make(
        http, bearer, copy_of=str(event.id), starts_at=starts.isoformat()
    )
    after = await detail(http, bearer, copied)
    for part in ("areas", "gates", "scopes", "types", "sessions"):
        names = [item.get("name") or item["title"] for item in before[part]]
        assert [i.get("name") or i["title"] for i in after[part]] == names, part
        assert not {i["id"] for i in after[part]} & {i["id"] for i in before[part]}
    moved = datetime.fromisoformat(after["sessions"][0]["starts_at"])
    # Two weeks later by the clock of the place.
    assert abs(
        moved
        - datetime.fromisoformat(before["sessions"][0]["starts_at"])
        - timedelta(days=14)
    ) <= timedelta(hours=1)
    scanned = await http.post(
        f"/api/v1/events/{copied}/scans",
        json={"id": str(uuid7()), "code": "T-1"},
        headers={"Authorization": f"Device dev_{event.device}"},
    )
    # The device serves the new event, where nobody has that ticket.
    assert scanned.json()["reason"] == "other_event"
    rules = await database.pool.fetchval(
        "SELECT count(*) FROM ops.access_rules r JOIN ops.scopes s ON s.id = r.scope_id"
        " WHERE r.event_id = $1 AND s.event_id = $1",
        copied,
    )
    assert rules == 1
    for table in ("tickets", "attendees"):
        count = f"SELECT count(*) FROM {table} WHERE event_id = $1"
        assert await database.pool.fetchval(count, copied) == 0


async def test_a_club_asks_for_an_id_and_is_strict_without_the_network(
    http: httpx.AsyncClient, bearer: Headers, database: Database
) -> None:
    event = await make(http, bearer, preset="club")
    found = await detail(http, bearer, event)
    kinds = {kind["name"]: kind["id"] for kind in found["types"]}
    await sell(database, event, kinds["Entry"], "X-1")
    [door] = [g["id"] for g in found["gates"] if g["name"] == "Front door"]
    device = await phone(http, bearer, event, door)
    assert await scans(http, event, device, "in") == [("hold", "id_check")]
    scan = {"id": str(uuid7()), "code": "X-1", "answers": {"age": True}}
    url = f"/api/v1/events/{event}"
    seen = await http.post(f"{url}/scans", json=scan, headers=device)
    assert seen.json()["verdict"] == "admitted"
    mode = (await http.get(f"{url}/offline-mode", headers=bearer)).json()
    assert mode["mode"] == "strict"
    ages = await database.pool.fetch(
        "SELECT name, min_age FROM ticket_types WHERE event_id = $1", event
    )
    assert {row["name"]: row["min_age"] for row in ages} == {
        "Entry": 19,
        "Guest list": 19,
        "Artist": None,
        "Crew": None,
    }


async def test_alerts_ring_as_the_preset_and_the_copied_event_have_them(
    http: httpx.AsyncClient, bearer: Headers, database: Database
) -> None:
    club = await make(http, bearer, preset="club")

    async def rules(event: Any) -> dict[str, Any]:
        answer = await http.get(f"/api/v1/events/{event}/alert-rules", headers=bearer)
        return {one["rule"]: one for one in answer.json()["rules"] if one["chosen"]}

    found = await rules(club)
    assert not found["speaker_missing"]["setting"]["enabled"]
    assert found["queue_wait"]["setting"]["threshold"] == 20
    # A rule and a walk that somebody set go with a copy, between the gates' new ids.
    setting = {**found["queue_wait"]["setting"], "threshold": 33.0}
    url = f"/api/v1/events/{club}"
    put = await http.put(f"{url}/alert-rules/queue_wait", json=setting, headers=bearer)
    assert put.status_code == 200, put.text
    gates = [gate["id"] for gate in (await detail(http, bearer, club))["gates"]]
    for other in gates[1:]:
        walk = {"gate_id": gates[0], "other_gate_id": other, "walk_s": 90}
        put = await http.put(f"{url}/gate-walks", json=walk, headers=bearer)
        assert put.status_code == 200, put.text
    copied = await make(http, bearer, copy_of=str(club))
    assert (await rules(copied))["queue_wait"]["setting"]["threshold"] == 33
    assert not (await rules(copied))["speaker_missing"]["setting"]["enabled"]
    walks = await http.get(f"/api/v1/events/{copied}/gate-walks", headers=bearer)
    assert len(walks.json()["walks"]) == len(gates) - 1
    ours = {gate["id"] for gate in (await detail(http, bearer, copied))["gates"]}
    for walk in walks.json()["walks"]:
        assert {walk["gate_id"], walk["other_gate_id"]} <= ours


async def test_a_copy_takes_questions_held_places_and_the_offline_mode(
    http: httpx.AsyncClient, bearer: Headers, database: Database
) -> None:
    event = await SmallEvent.make(database.pool, tickets=1)
    pool = database.pool
    await pool.execute(
        "INSERT INTO ops.questions (event_id, scope_id, kind, text)"
        " VALUES ($1, $2, 'yes_no', '{\"en\": \"Allergies?\"}')",
        event.id,
        event.lounge_scope,
    )
    await pool.execute(
        "INSERT INTO ops.held_places (event_id, area_id, access_class, places, until)"
        " VALUES ($1, $2, 'artist', 7, now() + interval '1 hour')",
        event.id,
        event.venue,
    )
    await pool.execute("UPDATE ops.areas SET disputed = 3 WHERE id = $1", event.venue)
    url = f"/api/v1/events/{event.id}/offline-mode"
    put = await http.put(url, json={"mode": "open", "budget": 9}, headers=bearer)
    assert put.status_code == 200, put.text
    starts = await pool.fetchval("SELECT starts_at FROM events WHERE id = $1", event.id)
    moved = (starts + timedelta(days=7)).isoformat()
    copied = await make(http, bearer, copy_of=str(event.id), starts_at=moved)
    asked = await pool.fetchrow(
        "SELECT q.text, s.name FROM ops.questions q JOIN ops.scopes s"
        " ON s.id = q.scope_id AND s.event_id = q.event_id WHERE q.event_id = $1",
        copied,
    )
    assert (asked["text"], asked["name"]) == ({"en": "Allergies?"}, "VIP lounge")
    held = await pool.fetchrow(
        "SELECT h.places, h.until, a.name, a.disputed FROM ops.held_places h"
        " JOIN ops.areas a ON a.id = h.area_id AND a.event_id = h.event_id"
        " WHERE h.event_id = $1",
        copied,
    )
    assert (held["places"], held["name"], held["disputed"]) == (7, "Venue", 0)
    week = held["until"] - await pool.fetchval(
        "SELECT until FROM ops.held_places WHERE event_id = $1", event.id
    )
    assert abs(week - timedelta(days=7)) <= timedelta(hours=1)
    mode = await http.get(f"/api/v1/events/{copied}/offline-mode", headers=bearer)
    assert (mode.json()["mode"], mode.json()["budget"]) == ("open", 9)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 422, "preset_or_copy"),
        ({"preset": "club", "copy_of": str(uuid7())}, 422, "preset_or_copy"),
        ({"preset": "circus"}, 400, "malformed_body"),
        ({"preset": "club", "timezone": "Mars/Olympus"}, 422, "unknown_timezone"),
        ({"preset": "club", "ends_at": "2001-01-01T00:00:00Z"}, 422, "ends_too_early"),
        ({"copy_of": str(uuid7())}, 404, "event_not_found"),
        ({"preset": "club", "colour": 1}, 400, "unknown_field"),
    ],
)
async def test_what_is_no_event(
    http: httpx.AsyncClient,
    bearer: Headers,
    fields: dict[str, Any],
    status: int,
    code: str,
) -> None:
    body = {"title": "X", "starts_at": "2027-01-01T20:00:00Z", **fields}
    answer = await http.post("/api/v1/presets/events", json=body, headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_same_request_twice_is_one_event(
    http: httpx.AsyncClient, bearer: Headers, database: Database
) -> None:
    body = {"title": "X", "starts_at": "2027-01-01T20:00:00Z", "preset": "club"}
    headers = {**bearer, "Idempotency-Key": str(uuid7())}
    one = await http.post("/api/v1/presets/events", json=body, headers=headers)
    two = await http.post("/api/v1/presets/events", json=body, headers=headers)
    assert one.json() == two.json()
    assert await database.pool.fetchval("SELECT count(*) FROM events") == 1


async def test_a_door_manager_makes_no_events(
    http: httpx.AsyncClient, database: Database, bearer: Headers
) -> None:
    await user(database, "viewer@example.org", "viewer")
    viewer = await sign_in(http, "viewer@example.org")
    body = {"title": "X", "starts_at": "2027-01-01T20:00:00Z", "preset": "club"}
    answer = await http.post("/api/v1/presets/events", json=body, headers=viewer)
    assert answer.status_code == 403
    listed = await http.get("/api/v1/presets", headers=viewer)
    assert [p["name"] for p in listed.json()] == ["conference", "festival", "club"]


def test_the_commands_make_and_copy(database_url: str, redis_url: str) -> None:
    stores = {"OPS_DATABASE_URL": database_url, "OPS_REDIS_URL": redis_url}
    words = ("event", "create", "Nuit 李", "--preset", "club")
    made = ops(*words, "--starts", "2027-03-27T22:00:00", **stores)
    assert made.returncode == 0, made.stderr
    event = made.stdout.split()[-1]
    copied = ops(
        "event", "copy", event, "Nuit 2", "--starts", "2027-04-03T22:00:00", **stores
    )
    assert copied.returncode == 0, copied.stderr
    lost = ops("event", "copy", "nothing", "X", "--starts", "2027-04-03", **stores)
    assert lost.returncode == 2
    assert "there is no event nothing" in lost.stderr
