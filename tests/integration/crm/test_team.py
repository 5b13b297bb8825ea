"""Nobody grants above himself; people are invited, moved and closed out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from ops.auth.permissions import BUILT_IN_ROLES
from ops.db.engine import Database
from tests.integration.crm.crm_kit import insert
from tests.integration.people.people_kit import MovedClock, Place, sign_in, user

API = "/api/v1"
Bearer = dict[str, str]


async def role_ids(database: Database) -> dict[str, UUID]:
    rows = await database.pool.fetch("SELECT name, id FROM roles")
    return {row["name"]: row["id"] for row in rows}


async def member(
    database: Database, place: Place, email: str, role: str, **columns: Any
) -> UUID:
    """A user without a role of everything, with one in an event."""
    user_id = await user(database, email, "viewer")
    await database.pool.execute(
        "UPDATE users SET role_id = NULL WHERE id = $1", user_id
    )
    ids = await role_ids(database)
    await insert(
        database,
        "ops.event_members",
        user_id=user_id,
        event_id=place.event,
        role_id=ids[role],
        **columns,
    )
    return user_id


def person(n: int, **more: object) -> dict[str, object]:
    return {
        "first_name": "Noor",
        "last_name": "al-Fārābī",
        "email": f"n{n}@example.org",
        **more,
    }


async def test_an_organiser_gives_roles_up_to_the_own(
    http: httpx.AsyncClient, bearer: Bearer, database: Database, owner: UUID
) -> None:
    await user(database, "org@example.org", "organiser")
    organiser = await sign_in(http, "org@example.org")
    roles = await role_ids(database)

    async def create(n: int, role: str) -> httpx.Response:
        body = person(n, role_id=str(roles[role]))
        return await http.post(f"{API}/users", json=body, headers=organiser)

    assert (await create(1, "organiser")).status_code == 201
    steward = await create(2, "steward")
    assert steward.status_code == 201
    above = await create(3, "owner")
    assert above.status_code == 403
    assert above.json()["code"] == "above_yourself"
    at = f"{API}/users/{steward.json()['id']}"
    raised = await http.patch(
        at, json={"role_id": str(roles["owner"])}, headers=organiser
    )
    assert raised.json()["code"] == "above_yourself"
    # Nor is somebody higher touched: neither demoted nor closed out.
    owner_at = f"{API}/users/{owner}"
    lowered = await http.patch(
        owner_at, json={"role_id": str(roles["viewer"])}, headers=organiser
    )
    assert lowered.status_code == 403
    assert (
        await http.patch(owner_at, json={"status": "suspended"}, headers=organiser)
    ).status_code == 403
    # The control: the owner may.
    raised = await http.patch(at, json={"role_id": str(roles["owner"])}, headers=bearer)
    assert raised.status_code == 200


async def test_nobody_locks_the_house(
    http: httpx.AsyncClient, bearer: Bearer, owner: UUID
) -> None:
    at = f"{API}/users/{owner}"
    for body in ({"status": "inactive"}, {"role_id": None}):
        answer = await http.patch(at, json=body, headers=bearer)
        assert answer.json()["code"] == "own_account"
    assert (await http.delete(at, headers=bearer)).status_code == 403
    named = await http.patch(at, json={"department": "Büro"}, headers=bearer)
    assert named.status_code == 200
    assert "password_hash" not in named.json()


async def test_roles_are_made_of_what_one_has(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    roles = await role_ids(database)
    own = {"contacts": {"read": True, "write": True}, "roles": {"write": True}}
    made = await http.post(
        f"{API}/roles",
        json={"name": "chief", "level": 50, "permissions": own},
        headers=bearer,
    )
    assert made.status_code == 201, made.text
    await user(database, "chief@example.org", "chief")
    chief = await sign_in(http, "chief@example.org")

    async def role(**body: object) -> httpx.Response:
        return await http.post(
            f"{API}/roles", json={"name": "crew", **body}, headers=chief
        )

    assert (await role(level=51)).json()["code"] == "above_yourself"
    more = {"contacts": {"delete": True}}
    assert (await role(permissions=more)).json()["code"] == "above_yourself"
    wrong = await role(permissions={"contact": {"read": True}})
    assert wrong.status_code == 422
    assert "contacts" in wrong.json()["errors"][0]["allowed"]
    assert (await role(permissions={"contacts": {"see": True}})).status_code == 422
    assert (await role(permissions={"contacts": {"read": True}})).status_code == 201
    kept = await http.patch(
        f"{API}/roles/{roles['owner']}", json={"level": 1}, headers=bearer
    )
    assert kept.json()["code"] == "built_in"
    held = await http.delete(f"{API}/roles/{made.json()['id']}", headers=bearer)
    assert held.json()["code"] == "has_history"


async def test_an_event_manager_fills_the_own_event(
    http: httpx.AsyncClient, bearer: Bearer, database: Database, place: Place
) -> None:
    await member(database, place, "em@example.org", "event_manager")
    manager = await sign_in(http, "em@example.org")
    roles = await role_ids(database)
    somebody = await user(database, "some@example.org", "viewer")

    async def add(role: str, event: UUID, **more: object) -> httpx.Response:
        body = {
            "user_id": str(somebody),
            "event_id": str(event),
            "role_id": str(roles[role]),
            **more,
        }
        return await http.post(f"{API}/members", json=body, headers=manager)

    assert (await add("steward", place.event)).status_code == 201
    assert (await add("organiser", place.event)).json()["code"] == "above_yourself"
    other = await insert(
        database, "ops.areas", event_id=place.event, name="Lounge", kind="zone"
    )
    within = await add("door_manager", place.event, area_id=str(other))
    assert within.status_code == 201
    elsewhere = await http.post(
        f"{API}/events",
        json={
            "title": "Other",
            "slug": "other",
            "starts_at": "2027-01-01T10:00:00Z",
            "ends_at": "2027-01-01T12:00:00Z",
        },
        headers=bearer,
    )
    refused = await add("steward", UUID(elsewhere.json()["id"]))
    assert refused.status_code == 403


async def test_a_member_of_an_area_changes_the_area_alone(
    http: httpx.AsyncClient, database: Database, place: Place
) -> None:
    await member(database, place, "am@example.org", "door_manager", area_id=place.area)
    chief = await sign_in(http, "am@example.org")
    lounge = await insert(
        database, "ops.areas", event_id=place.event, name="Lounge", kind="zone"
    )
    areas = await http.get(f"{API}/areas", headers=chief)
    assert len(areas.json()["items"]) == 2
    own = await http.patch(
        f"{API}/areas/{place.area}", json={"capacity": 120}, headers=chief
    )
    assert own.status_code == 200, own.text
    other = await http.patch(
        f"{API}/areas/{lounge}", json={"capacity": 120}, headers=chief
    )
    assert other.status_code == 404
    moved = await http.patch(
        f"{API}/gates/{place.gate}", json={"area_id": str(lounge)}, headers=chief
    )
    assert moved.status_code == 403


async def test_a_membership_ends_when_it_says(
    http: httpx.AsyncClient, database: Database, place: Place, clock: MovedClock
) -> None:
    await member(
        database,
        place,
        "night@example.org",
        "event_manager",
        valid_to=clock.now().replace(microsecond=0).replace(year=2100),
    )
    shift = await sign_in(http, "night@example.org")
    at = f"{API}/orders?event_id={place.event}"
    assert (await http.get(at, headers=shift)).status_code == 200
    await database.pool.execute(
        "UPDATE ops.event_members SET valid_to = now() - interval '1 s'"
    )
    clock.shift += clock.shift.__class__(seconds=2)
    assert (await http.get(at, headers=shift)).status_code == 403


async def test_an_invitation_sets_a_password_once(
    http: httpx.AsyncClient, bearer: Bearer, database: Database, clock: MovedClock
) -> None:
    roles = await role_ids(database)
    body = person(9, role_id=str(roles["sales"]))
    made = (await http.post(f"{API}/users", json=body, headers=bearer)).json()
    at = f"{API}/users/{made['id']}/invitation"
    first = (await http.post(at, headers=bearer)).json()
    second = (await http.post(at, headers=bearer)).json()

    async def accept(token: str, password: str) -> httpx.Response:
        return await http.post(
            f"{API}/auth/invitation", json={"token": token, "password": password}
        )

    good = "correct horse battery"
    assert (await accept(first["token"], good)).json()["code"] == "bad_invitation"
    assert (await accept(second["token"], "short")).status_code == 422
    assert (await accept(second["token"], good)).json() == {"email": "n9@example.org"}
    assert (await accept(second["token"], good)).status_code == 404
    assert await sign_in(http, "n9@example.org")
    third = (await http.post(at, headers=bearer)).json()
    clock.shift += clock.shift.__class__(days=4)
    assert (await accept(third["token"], good)).status_code == 404


async def test_a_closed_out_user_is_out_within_a_second(
    http: httpx.AsyncClient, bearer: Bearer, database: Database, clock: MovedClock
) -> None:
    user_id = await user(database, "gone@example.org", "sales")
    gone = await sign_in(http, "gone@example.org")
    assert (await http.get(f"{API}/contacts", headers=gone)).status_code == 200
    await http.delete(f"{API}/users/{user_id}", headers=bearer)
    clock.shift += clock.shift.__class__(seconds=2)
    assert (await http.get(f"{API}/contacts", headers=gone)).status_code == 401


async def test_private_fields_need_their_word(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    permissions = {"contacts": {"read": True, "write": True}}
    await http.post(
        f"{API}/roles",
        json={"name": "blind", "level": 5, "permissions": permissions},
        headers=bearer,
    )
    await user(database, "blind@example.org", "blind")
    blind = await sign_in(http, "blind@example.org")
    made = await http.post(
        f"{API}/contacts",
        json={
            "first_name": "Zoë",
            "last_name": "李",
            "email": "hidden.address@example.org",
            "gender": "female",
        },
        headers=bearer,
    )
    at = f"{API}/contacts/{made.json()['id']}"
    seen = (await http.get(at, headers=blind)).json()
    assert seen["first_name"] == "Zoë"
    assert not {"email", "phone", "gender", "date_of_birth"} & set(seen)

    async def asked(query: str) -> Any:
        return await http.get(f"{API}/contacts?{query}", headers=blind)

    for query in (
        "email=hidden.address@example.org",
        "sort=email",
        "fields=email",
        "gender[null]=false",
    ):
        assert (await asked(query)).json()["code"] == "private_field", query
    assert (await asked("q=hidden.address")).json()["items"] == []
    assert len((await asked("q=zoe")).json()["items"]) == 1
    written = await http.patch(at, json={"phone": "1"}, headers=blind)
    assert written.json()["code"] == "private_field"
    changed = await http.patch(at, json={"city": "Łódź"}, headers=blind)
    assert changed.status_code == 200
    assert "email" not in changed.json()
    # The control: whoever has the word sees and finds.
    found = await http.get(f"{API}/contacts?q=hidden.address", headers=bearer)
    assert len(found.json()["items"]) == 1


async def test_no_other_way_leads_to_a_hidden_address(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    words = {word: {"read": True} for word in ("contacts", "segments")}
    for name, more in (("half", {}), ("whole", {"contact_details": {"read": True}})):
        role = {"name": name, "level": 5, "permissions": {**words, **more}}
        await http.post(f"{API}/roles", json=role, headers=bearer)
        await user(database, f"{name}@example.org", name)
    ids = []
    for n in range(2):
        person = {"first_name": "Zoë", "last_name": "李", "phone": "+14165550199"}
        made = await http.post(
            f"{API}/contacts",
            json={**person, "email": f"hidden{n}@example.org"},
            headers=bearer,
        )
        ids.append(made.json()["id"])
    await http.post(f"{API}/contacts/duplicates/find", headers=bearer)
    everybody = {"name": "All", "conditions": {"type": "all", "of": []}}
    saved = await http.post(f"{API}/segments", json=everybody, headers=bearer)
    ways = (
        f"/segments/{saved.json()['id']}/contacts",
        f"/contacts/{ids[0]}/duplicates",
        "/contacts/duplicates",
    )
    by_address = {"type": "field", "field": "email", "value": "hidden0@example.org"}
    asked = {"conditions": {"type": "not", "that": by_address}}
    for name, sees in (("half", False), ("whole", True)):
        headers = await sign_in(http, f"{name}@example.org")
        for way in ways:
            answer = await http.get(f"{API}{way}", headers=headers)
            assert answer.status_code == 200, answer.text
            assert "Zoë" in answer.text
            assert ("hidden" in answer.text) is sees, way
            assert ("4165550199" in answer.text) is (sees and "dup" in way), way
        counted = await http.post(
            f"{API}/segments/preview", json=asked, headers=headers
        )
        assert counted.status_code == (200 if sees else 403), counted.text


async def test_a_private_note_is_its_writers(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    await user(database, "s1@example.org", "sales")
    writer = await sign_in(http, "s1@example.org")
    for private in (True, False):
        await http.post(
            f"{API}/notes",
            json={"content": f"private {private}", "is_private": private},
            headers=writer,
        )
    assert len((await http.get(f"{API}/notes", headers=writer)).json()["items"]) == 2
    [note] = (await http.get(f"{API}/notes", headers=bearer)).json()["items"]
    assert note["content"] == "private False"


def test_there_are_the_eighteen_roles() -> None:
    names = {role.name for role in BUILT_IN_ROLES}
    assert names == {
        "owner",
        "organiser",
        "sales",
        "marketing",
        "event_manager",
        "door_manager",
        "supervisor",
        "steward",
        "cashier",
        "registration_desk",
        "table_host",
        "promoter",
        "artist_liaison",
        "speaker",
        "sponsor",
        "security",
        "medical",
        "viewer",
    }
