"""Signing in, sessions, locks, cookies and CSRF, over a real socket."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx

from ops.auth.login import ATTEMPTS_MAX
from ops.auth.tokens import CSRF_COOKIE, SESSION_COOKIE
from ops.db.engine import Database
from tests.integration.people.people_kit import (
    OWNER,
    PASSWORD,
    MovedClock,
    Place,
    make_place,
    sign_in,
    user,
)

LOGIN, ME, LOGOUT = "/api/v1/auth/login", "/api/v1/auth/me", "/api/v1/auth/logout"


async def _try(http: httpx.AsyncClient, email: str, password: str) -> httpx.Response:
    answer = await http.post(LOGIN, json={"email": email, "password": password})
    http.cookies.clear()
    return answer


async def test_a_program_signs_in_and_out(
    http: httpx.AsyncClient, owner: UUID, database: Database
) -> None:
    answer = await _try(http, f"  {OWNER.upper()} ", PASSWORD)
    body = answer.json()
    assert (answer.status_code, body["token_type"]) == (200, "bearer")
    assert body["user"]["id"] == str(owner)
    assert body["user"]["role"] == "owner"
    assert 0 < body["expires_in"] <= 86_400
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await http.get(ME, headers=bearer)).status_code == 200
    stored = await database.pool.fetchval("SELECT token_hash FROM ops.staff_sessions")
    assert body["access_token"].encode() not in stored
    assert (await http.post(LOGOUT, headers=bearer)).status_code == 204
    gone = await http.get(ME, headers=bearer)
    assert (gone.status_code, gone.json()["code"]) == (401, "token_revoked")


async def test_wrong_unknown_and_locked_look_the_same(
    http: httpx.AsyncClient, owner: UUID, clock: MovedClock, database: Database
) -> None:
    wrong = await _try(http, OWNER, "not the password")
    unknown = await _try(http, "nobody@example.org", "not the password")
    for _ in range(ATTEMPTS_MAX - 1):
        await _try(http, OWNER, "not the password")
    locked = await _try(http, OWNER, PASSWORD)
    assert {a.status_code for a in (wrong, unknown, locked)} == {401}
    assert wrong.json() == unknown.json() == locked.json()
    assert wrong.json()["code"] == "invalid_credentials"
    row = await database.pool.fetchrow(
        "SELECT failed_login_attempts, locked_until FROM users WHERE id = $1", owner
    )
    assert row["failed_login_attempts"] == ATTEMPTS_MAX
    assert row["locked_until"] is not None
    # The lock ends by itself, and a success clears the count.
    clock.shift = timedelta(minutes=16)
    assert (await _try(http, OWNER, PASSWORD)).status_code == 200
    row = await database.pool.fetchrow(
        "SELECT failed_login_attempts, locked_until FROM users WHERE id = $1", owner
    )
    assert (row["failed_login_attempts"], row["locked_until"]) == (0, None)


async def test_attempts_at_the_same_time_do_not_outrun_the_lock(
    http: httpx.AsyncClient, owner: UUID, database: Database
) -> None:
    guesses = [f"guess number {n}" for n in range(ATTEMPTS_MAX + 5)]
    await asyncio.gather(*(_try(http, OWNER, guess) for guess in guesses))
    attempts = await database.pool.fetchval(
        "SELECT failed_login_attempts FROM users WHERE id = $1", owner
    )
    assert attempts == ATTEMPTS_MAX
    assert (await _try(http, OWNER, PASSWORD)).status_code == 401


async def test_many_attempts_on_one_account_are_slowed_down_known_or_not(
    http: httpx.AsyncClient, owner: UUID
) -> None:
    codes = [
        (await _try(http, "nobody@example.org", "x")).status_code for _ in "x" * 21
    ]
    assert codes[:20] == [401] * 20
    last = await _try(http, "nobody@example.org", "x")
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) >= 1


async def test_a_page_needs_its_csrf_header(
    http: httpx.AsyncClient, owner: UUID
) -> None:
    login = await http.post(
        LOGIN, json={"email": OWNER, "password": PASSWORD, "cookie": True}
    )
    assert login.json()["access_token"] is None
    cookies = login.headers.get_list("set-cookie")
    session = next(c for c in cookies if c.startswith(SESSION_COOKIE))
    assert "HttpOnly" in session
    assert "SameSite=strict" in session
    assert "HttpOnly" not in next(c for c in cookies if c.startswith(CSRF_COOKIE))
    me = await http.get(ME)
    csrf = login.json()["csrf_token"]
    assert (me.status_code, me.json()["csrf_token"]) == (200, csrf)
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "forged"}):
        refused = await http.post(LOGOUT, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert (await http.post(LOGOUT, headers={"X-CSRF-Token": csrf})).status_code == 204
    assert (await http.get(ME)).status_code == 401


async def test_the_csrf_token_of_another_session_does_not_help(
    http: httpx.AsyncClient, owner: UUID
) -> None:
    other = (await _try(http, OWNER, PASSWORD)).json()["csrf_token"]
    await http.post(LOGIN, json={"email": OWNER, "password": PASSWORD})
    refused = await http.post(LOGOUT, headers={"X-CSRF-Token": other})
    assert refused.json()["code"] == "csrf_failed"


async def test_a_page_of_another_site_signs_nobody_in(
    http: httpx.AsyncClient, owner: UUID
) -> None:
    body = {"email": OWNER, "password": PASSWORD}
    for origin in ("https://elsewhere.example", "null", "http://localhost:1"):
        refused = await http.post(LOGIN, json=body, headers={"Origin": origin})
        assert (refused.status_code, refused.json()["code"]) == (403, "foreign_origin")
    own = str(http.base_url).rstrip("/")
    for origin in (own, "http://localhost:8000"):
        answer = await http.post(LOGIN, json=body, headers={"Origin": origin})
        assert answer.status_code == 200


async def test_expired_revoked_and_forged_tokens(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    clock: MovedClock,
    database: Database,
) -> None:
    async def code(headers: dict[str, str]) -> tuple[int, str]:
        answer = await http.get(ME, headers=headers)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, answer.json()["code"]

    forged = {"Authorization": bearer["Authorization"][:-4] + "AAAA"}
    assert await code(forged) == (401, "invalid_token")
    assert await code({"Authorization": "Bearer"}) == (401, "invalid_token")
    assert await code({"Authorization": "Basic eDp5"}) == (401, "invalid_token")
    assert await code({"Authorization": "Bearer " + "x" * 5_000}) == (
        401,
        "invalid_token",
    )
    assert await code({}) == (401, "unauthenticated")
    await database.pool.execute("UPDATE ops.staff_sessions SET revoked_at = now()")
    clock.shift = timedelta(seconds=2)  # what the process remembers is a second old
    assert await code(bearer) == (401, "token_revoked")
    await database.pool.execute("UPDATE ops.staff_sessions SET revoked_at = NULL")
    clock.shift = timedelta(hours=13)
    assert await code(bearer) == (401, "token_expired")


async def test_roles_hold_globally_and_per_event(
    http: httpx.AsyncClient, place: Place, database: Database, clock: MovedClock
) -> None:
    await user(database, "viewer@example.org", "viewer")
    member = await user(database, "dana@example.org", "viewer")
    elsewhere = await make_place(database, "Another one")
    await database.pool.execute(
        """INSERT INTO ops.event_members (id, user_id, event_id, role_id, valid_to)
           SELECT gen_random_uuid(), $1, $2, id, $3 FROM roles
            WHERE name = 'door_manager'""",
        member,
        place.event,
        clock.now() + timedelta(hours=1),
    )
    viewer = await sign_in(http, "viewer@example.org")
    dana = await sign_in(http, "dana@example.org")

    async def make(headers: dict[str, str], event: UUID) -> int:
        answer = await http.post(
            f"/api/v1/events/{event}/devices", json={"name": "x"}, headers=headers
        )
        return answer.status_code

    assert await make(viewer, place.event) == 403
    assert await make(dana, place.event) == 201
    assert await make(dana, elsewhere.event) == 403
    clock.shift = timedelta(hours=2)
    assert await make(dana, place.event) == 403


async def test_a_user_without_a_role_sees_only_events_of_memberships(
    http: httpx.AsyncClient, place: Place, database: Database
) -> None:
    member = await user(database, "ng@example.org", "viewer")
    await make_place(database, "Hidden")
    await database.pool.execute("UPDATE users SET role_id = NULL WHERE id = $1", member)
    headers = await sign_in(http, "ng@example.org")
    assert (await http.get("/api/v1/events", headers=headers)).status_code == 403
    await database.pool.execute(
        """INSERT INTO ops.event_members (id, user_id, event_id, role_id)
           SELECT gen_random_uuid(), $1, $2, id FROM roles WHERE name = 'steward'""",
        member,
        place.event,
    )
    headers = await sign_in(http, "ng@example.org")
    listed = (await http.get("/api/v1/events", headers=headers)).json()
    assert [event["id"] for event in listed["items"]] == [str(place.event)]
