"""The ledger of consents: over HTTP, by the flags, and by hand in SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest

from ops.crm.consents import NewConsent, ends_at, refused
from ops.crm_sync.keeper import EXPIRE
from ops.db.engine import Database
from tests.integration.crm.crm_kit import contact
from tests.integration.people.people_kit import MovedClock, sign_in, user

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_what_proves_nothing_is_refused() -> None:
    def code(**fields: object) -> str | None:
        base = {"purpose": "email", "state": "granted", "source": "form"}
        problem = refused(NewConsent(**{**base, **fields}), NOW)  # type: ignore[arg-type]
        return problem.code if problem else None

    assert code() is None
    assert code(given_at=NOW + timedelta(hours=1)) == "in_the_future"
    assert code(regime="gdpr") == "text_required"
    assert code(regime="gdpr", state="withdrawn") is None
    assert code(expires_at=NOW) == "before_given_at"
    assert code(regime="casl", basis="legitimate_interest") == "not_allowed"


def test_implied_consent_of_casl_ends_by_itself() -> None:
    new = NewConsent(
        purpose="email", state="granted", source="x", regime="casl", basis="implied"
    )
    assert ends_at(new, NOW) == NOW + timedelta(days=730)
    express = NewConsent(purpose="email", state="granted", source="x", regime="casl")
    assert ends_at(express, NOW) is None


async def test_the_ledger_over_http(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    clock: MovedClock,
) -> None:
    who = await contact(database, "zoe@example.org")
    url = f"/api/v1/contacts/{who}/consents"
    text = await http.post(
        "/api/v1/consent-texts",
        json={"purpose": "email", "version": "1", "language": "fr", "body": "Oui ?"},
        headers=bearer,
    )
    assert text.status_code == 201, text.text
    again = await http.post(
        "/api/v1/consent-texts",
        json={"purpose": "email", "version": "1", "language": "fr", "body": "Non ?"},
        headers=bearer,
    )
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    body = {
        "purpose": "email",
        "state": "granted",
        "source": "web form",
        "regime": "gdpr",
        "text_id": text.json()["id"],
        "evidence": {"ip": "203.0.113.77"},
    }
    key = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        made = await http.post(url, json=body, headers={**bearer, **key})
        assert made.status_code == 201, made.text
    for wrong, code in (
        ({"text_id": None}, "text_required"),
        ({"purpose": "sms"}, "unprocessable"),
        ({"purpose": "post"}, "malformed_body"),
        ({"unknown": 1}, "unknown_field"),
    ):
        answer = await http.post(url, json={**body, **wrong}, headers=bearer)
        assert answer.json()["code"] == code, answer.text
    rows = await database.pool.fetch("SELECT c::text AS text FROM ops.consents c")
    assert len(rows) == 1
    assert "203.0.113.77" not in rows[0]["text"]
    assert await flags(database, who) == (False, True, False, False)
    current = (await http.get(f"{url}/current", headers=bearer)).json()
    assert [(c["purpose"], c["allowed"], c["text_version"]) for c in current] == [
        ("email", True, "1")
    ]
    back = {"purpose": "email", "state": "withdrawn", "source": "unsubscribe link"}
    assert (await http.post(url, json=back, headers=bearer)).status_code == 201
    assert await flags(database, who) == (False, False, False, False)
    first = (await http.get(f"{url}?limit=1", headers=bearer)).json()
    assert [i["state"] for i in first["items"]] == ["withdrawn"]
    second = (
        await http.get(f"{url}?limit=1&cursor={first['next_cursor']}", headers=bearer)
    ).json()
    assert [i["state"] for i in second["items"]] == ["granted"]
    assert second["next_cursor"] is None
    nobody = await http.post(
        f"/api/v1/contacts/{uuid4()}/consents", json=back, headers=bearer
    )
    assert nobody.status_code == 404
    audit = (await http.get(f"/api/v1/audit?target_id={who}", headers=bearer)).json()
    assert [e["action"] for e in audit["items"]] == ["consents.create"] * 2
    assert audit["items"][0]["ip"] == "127.0.0.1"
    logins = (
        await http.get("/api/v1/audit?action=login.succeeded", headers=bearer)
    ).json()
    assert logins["items"][0]["subject_name"]


async def flags(database: Database, who: object) -> tuple[bool, ...]:
    row = await database.pool.fetchrow(
        "SELECT marketing_consent, email_consent, sms_consent, phone_consent"
        " FROM contacts WHERE id = $1",
        who,
    )
    return tuple(row)


async def test_a_flag_that_is_set_by_hand_is_in_the_ledger(database: Database) -> None:
    who = await contact(database, "a@example.org", sms_consent=True)
    await database.pool.execute(
        "UPDATE contacts SET sms_consent = false, phone_consent = true WHERE id = $1",
        who,
    )
    rows = await database.pool.fetch(
        "SELECT purpose, state, source FROM ops.consents ORDER BY state, purpose"
    )
    assert [tuple(row) for row in rows] == [
        ("phone", "granted", "flag"),
        ("sms", "granted", "flag"),
        ("sms", "withdrawn", "flag"),
    ]
    assert await flags(database, who) == (False, False, False, True)


async def test_a_consent_that_has_ended_takes_its_flag_along(
    database: Database,
) -> None:
    who = await contact(database, "a@example.org")
    await database.pool.execute(
        "INSERT INTO ops.consents (contact_id, purpose, state, source, given_at,"
        " expires_at) VALUES ($1, 'email', 'granted', 'x', now() - interval '2 y',"
        " now() + interval '1 hour')",
        who,
    )
    assert await flags(database, who) == (False, True, False, False)
    later = datetime.now(UTC) + timedelta(hours=2)
    for expected in ("INSERT 0 1", "INSERT 0 0"):
        assert await database.pool.execute(EXPIRE, later, 10) == expected
    assert await flags(database, who) == (False, False, False, False)


async def test_nobody_rewrites_a_consent(database: Database) -> None:
    who = await contact(database, "a@example.org", email_consent=True)
    for statement in (
        "UPDATE ops.consents SET state = 'withdrawn'",
        "UPDATE ops.consents SET given_at = now()",
        "UPDATE ops.consents SET evidence = '\\x00'",
        "DELETE FROM ops.consents",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.pool.execute(statement)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await database.pool.execute("DELETE FROM contacts WHERE id = $1", who)


async def test_the_audit_log_shows_personal_values_to_privacy_alone(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    await user(database, "manager@example.org", "event_manager")
    manager = await sign_in(http, "manager@example.org")
    assert (await http.get("/api/v1/audit", headers=manager)).status_code == 200
    answer = await http.post("/api/v1/audit/verify", headers=bearer)
    assert answer.json() == {"rows": 0}
    wrong = await http.post(
        "/api/v1/auth/login",
        json={"email": "manager@example.org", "password": "not it at all"},
    )
    assert wrong.status_code == 401
    failed = await http.get("/api/v1/audit?action=login.failed", headers=bearer)
    entry = failed.json()["items"][0]
    assert entry["target_kind"] == "users"
    assert entry["ip"] == "127.0.0.1"
