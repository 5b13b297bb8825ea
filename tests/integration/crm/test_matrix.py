"""Every route, every role, the own event and another's: who passes and who does not.

The guard of a route says a word and an action; the roles' JSON says who has it. The
matrix asks the running application, by HTTP, and reports every difference. The negative
control takes the guard of one route away, and the matrix must report that route.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from ops.app import build
from ops.auth.guards import DeviceRequired, Public, Requires, StaffRequired, public
from ops.auth.permissions import BUILT_IN_ROLES, allows, allows_own
from ops.crm.resources import BY_NAME, RESOURCES
from ops.db.engine import Database
from ops.runtime import Runtime
from tests.architecture.test_guards import PUBLIC
from tests.integration.crm.rows import API, body_of, world
from tests.integration.crm.test_team import member
from tests.integration.people.one_app import ONE_APP
from tests.integration.people.people_kit import Place, sign_in, user

ENDS_THE_SESSION = {"/api/v1/auth/logout"}
NARROWED = {"/api/v1/events/{event_id:uuid}/bans/{ban_id:uuid}/lift"}
"""Routes whose handler asks for more than their guard: a supervisor, no scanner."""
"""Routes whose handler asks for more than their guard: a supervisor."""
Bearer = dict[str, str]


class Asked(NamedTuple):
    """A route as the matrix asks for it."""

    method: str
    path: str
    guards: tuple[Any, ...]

    @property
    def guard(self) -> Any:
        return self.guards[-1]


def routes_of(app: Litestar) -> list[Asked]:
    """Every route of the API but those for everybody."""
    found = (
        Asked(method, route.path, tuple(handler.resolve_guards()))
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if isinstance(handler, HTTPRouteHandler) and route.path.startswith(API)
        for method in handler.http_methods
        if method not in ("OPTIONS", "HEAD") and route.path not in ENDS_THE_SESSION
    )
    return sorted(found, key=lambda asked: asked[:2])


def filled(path: str, event_id: UUID) -> str:
    """The address with the event, and ids of nothing."""
    parts = []
    for part in path.split("/"):
        if part.startswith("{event_id"):
            part = str(event_id)
        elif part.startswith("{"):
            part = str(uuid4()) if part.endswith("uuid}") else "nothing"
        parts.append(part)
    return "/".join(parts)


async def told(
    http: httpx.AsyncClient, asked: Asked, event_id: UUID, headers: Bearer
) -> int:
    """The status of a request with an empty body."""
    answer = await http.request(
        asked.method, filled(asked.path, event_id), headers=headers
    )
    return answer.status_code


async def anonymous(http: httpx.AsyncClient, routes: list[Asked]) -> list[str]:
    """Routes that let somebody in who shows nothing."""
    return [
        f"{asked.method} {asked.path}"
        for asked in routes
        if asked.path not in PUBLIC and await told(http, asked, uuid4(), {}) != 401
    ]


async def differences(
    http: httpx.AsyncClient,
    routes: list[Asked],
    headers: Bearer,
    permissions: dict[str, Any],
    event_id: UUID,
    *,
    own: bool,
) -> list[str]:
    """Routes that answer another way than the role's JSON says."""
    found = []
    for asked in routes:
        guard = asked.guard
        if isinstance(guard, Requires):
            granted = all(
                (allows_own if one.own else allows)(
                    permissions, one.resource, one.action
                )
                for one in asked.guards
                if isinstance(one, Requires)
            )
            wanted = granted and (own or guard.anywhere)
        elif isinstance(guard, DeviceRequired):
            wanted = False
        else:
            wanted = isinstance(guard, (StaffRequired, Public))
        status = await told(http, asked, event_id, headers)
        # What is not the guard's: a handler that narrows (a row of everybody's).
        if wanted and guard.__class__ is Requires and guard.anywhere and not own:
            continue
        if wanted and asked.path in NARROWED:
            continue
        if wanted != (status not in (401, 403)):
            found.append(f"{asked.method} {asked.path}: {status}, allowed {wanted}")
    return found


@pytest.fixture
def app(runtime: Runtime, base_url: str) -> Litestar:
    """The application that is served, with its list of routes."""
    assert base_url
    return ONE_APP.around(runtime)


@pytest.mark.timeout(600)
async def test_roles_for_everything(
    http: httpx.AsyncClient, app: Litestar, database: Database, place: Place
) -> None:
    routes = routes_of(app)
    assert len(routes) > 200
    assert await anonymous(http, routes) == []
    for role in BUILT_IN_ROLES:
        await user(database, f"{role.name}@example.org", role.name)
        headers = await sign_in(http, f"{role.name}@example.org")
        wrong = await differences(
            http, routes, headers, role.permissions, place.event, own=True
        )
        assert wrong == [], role.name


@pytest.mark.timeout(600)
async def test_roles_in_one_event(
    http: httpx.AsyncClient, app: Litestar, database: Database, place: Place
) -> None:
    routes = [asked for asked in routes_of(app) if "{event_id" in asked.path]
    other = await database.pool.fetchval(
        "INSERT INTO events (title, slug, starts_at, ends_at) VALUES ('Other', 'other',"
        " now(), now() + interval '1 h') RETURNING id"
    )
    for role in BUILT_IN_ROLES:
        email = f"{role.name}@example.org"
        await member(database, place, email, role.name)
        headers = await sign_in(http, email)
        for event_id, own in ((place.event, True), (other, False)):
            wrong = await differences(
                http, routes, headers, role.permissions, event_id, own=own
            )
            assert wrong == [], (role.name, own)


@pytest.mark.timeout(300)
async def test_a_route_without_its_guard_is_reported(
    http: httpx.AsyncClient, runtime: Runtime, database: Database, place: Place
) -> None:
    """The negative control, by both halves of the matrix."""
    app = build(runtime)
    guarded = routes_of(app)
    victims = ("/api/v1/events/{event_id:uuid}/operators", "/api/v1/vouchers")
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            if route.path in victims and "GET" in handler.http_methods:
                handler._resolved_guards = (public,)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    await user(database, "promoter@example.org", "promoter")
    headers = await sign_in(http, "promoter@example.org")
    permissions = next(r.permissions for r in BUILT_IN_ROLES if r.name == "promoter")
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as open_http:
        assert await anonymous(open_http, guarded) == [
            f"GET {path}" for path in victims
        ]
        wrong = await differences(
            open_http, guarded, headers, permissions, place.event, own=True
        )
    # The list of vouchers is narrowed once more behind its guard.
    assert [line.split(":uuid")[0] for line in wrong] == [
        "GET /api/v1/events/{event_id"
    ]


WORDS = {
    "contacts": "contacts", "companies": "companies", "profiles": "profiles",
    "leads": "leads", "opportunities": "opportunities", "interactions": "interactions",
    "tasks": "tasks", "notes": "notes", "campaigns": "campaigns",
    "campaign_recipients": "campaigns", "users": "users", "roles": "roles",
    "members": "members", "venues": "venues", "events": "events",
    "sessions": "sessions", "speakers": "speakers", "sponsors": "sponsors",
    "event_feedback": "feedback", "networking_connections": "networking",
    "event_materials": "materials", "event_announcements": "announcements",
    "event_analytics": "analytics", "ticket_types": "ticket_types", "orders": "orders",
    "attendees": "attendees", "tickets": "tickets", "check_ins": "scans",
    "bundles": "bundles", "bundle_items": "bundles", "vouchers": "vouchers",
    "promoters": "promoters", "promoter_commissions": "promoters",
    "seat_maps": "seating", "seat_assignments": "seating", "areas": "places",
    "scopes": "places", "gates": "places", "access_rules": "places",
    "questions": "places", "exemptions": "places", "held_places": "places",
}  # fmt: skip
ACTIONS = {"GET": "read", "POST": "write", "PATCH": "write", "DELETE": "delete"}


def test_the_guards_ask_for_the_right_word(app: Litestar) -> None:
    """The matrix believes the guards; here they are compared with a list by hand."""
    assert set(WORDS) == {resource.name for resource in RESOURCES}
    seen = 0
    for asked in routes_of(app):
        parts = asked.path.removeprefix(f"{API}/").split("/")
        key = f"{{{BY_NAME[parts[0]].key}:uuid}}" if parts[0] in BY_NAME else ""
        if key and parts[1:] in ([], [key], ["bulk"]):
            seen += 1
            assert asked.guard.resource == WORDS[parts[0]], asked
            assert asked.guard.action == ACTIONS[asked.method], asked
    assert seen > 220


@pytest.mark.timeout(400)
async def test_rows_of_another_event_are_out_of_reach(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    """A member sees, changes and makes in the own event alone."""
    own = await world(http, bearer)
    shared = {
        name: own[name]
        for name in ("profiles", "roles", "users", "venues", "companies", "contacts",
                     "promoters")
    }  # fmt: skip
    other = await world(http, bearer, shared)
    every = {"name": "every", "level": 40, "permissions": {"*": {
        "read": True, "write": True, "delete": True}}}  # fmt: skip
    assert (
        await http.post(f"{API}/roles", json=every, headers=bearer)
    ).status_code == 201
    place = Place(UUID(own["events"]), UUID(own["areas"]), uuid4(), uuid4())
    await member(database, place, "member@example.org", "every")
    headers = await sign_in(http, "member@example.org")
    for resource in RESOURCES:
        if resource.event is None or resource.name == "check_ins":
            continue
        table = resource.table.partition(".")[2]
        page = await http.get(f"{API}/{resource.name}?limit=200", headers=headers)
        ids = {item["id"] for item in page.json()["items"]}
        assert own[table] in ids, resource.name
        assert other[table] not in ids, resource.name
        at = f"{API}/{resource.name}/{other[table]}"
        body = body_of(resource, other)
        # An event is read at an address of its own, whose guard knows it.
        away = 403 if resource.name == "events" else 404
        assert (await http.get(at, headers=headers)).status_code == away, resource.name
        patched = await http.patch(at, json={}, headers=headers)
        assert patched.status_code == 404, resource.name
        assert (await http.delete(at, headers=headers)).status_code == 404
        made = await http.post(f"{API}/{resource.name}", json=body, headers=headers)
        assert made.status_code == 403, (resource.name, made.text)
        mine = await http.get(f"{API}/{resource.name}/{own[table]}", headers=headers)
        assert mine.status_code == 200, resource.name
    # Of the whole organisation: what touches the own event is read, nothing is changed.
    contact = f"{API}/contacts/{own['contacts']}"
    assert (await http.get(contact, headers=headers)).status_code == 200
    assert (await http.patch(contact, json={}, headers=headers)).status_code == 403
    assert (await http.get(f"{API}/users", headers=headers)).status_code == 403
