"""What the tests of people and devices share: an event, users, paired devices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
from argon2 import PasswordHasher

from ops.auth.accounts import create_user
from ops.auth.passwords import Passwords
from ops.clock import Clock
from ops.db.engine import Database
from ops.ids import uuid7
from ops.settings import Settings

PASSWORD = "correct horse battery"
OWNER = "owner@example.org"


class MovedClock(Clock):
    """The real clock, shifted: a test moves it instead of waiting."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.shift.total_seconds()


class Place(NamedTuple):
    """The ids of an event's parts."""

    event: UUID
    area: UUID
    gate: UUID
    scope: UUID


def cheap_passwords() -> Passwords:
    """argon2id with the least it can do."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def patient(database_url: str, redis_url: str, folder: Path) -> Settings:
    """Settings of a test: a folder of its own, or journals of others would be read at
    each scan; and time, because a slow answer of a busy machine is not the subject."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        data_dir=folder,
        database_tries_ms="5000,5000",
    )


async def user(database: Database, email: str, role: str) -> UUID:
    """Create a user with the tests' password."""
    hashing = cheap_passwords()
    try:
        async with database.pool.acquire() as connection:
            return await create_user(
                connection, email, PASSWORD, role, passwords=hashing
            )
    finally:
        hashing.stop()


async def sign_in(http: httpx.AsyncClient, email: str) -> dict[str, str]:
    """Sign in as a program; returns the header of the session."""
    answer = await http.post(
        "/api/v1/auth/login", json={"email": email, "password": PASSWORD}
    )
    http.cookies.clear()
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def make_place(database: Database, title: str = "Sélection 李小龙 🎪") -> Place:
    """Insert an event that runs now."""
    place = Place(*(uuid7() for _ in range(4)))
    now = datetime.now(UTC)
    async with database.pool.acquire() as db, db.transaction():
        await db.execute(
            """INSERT INTO events
                      (id, title, slug, starts_at, ends_at, status, capacity)
               VALUES ($1, $2, $3, $4, $5, 'live', 100)""",
            place.event,
            title,
            f"event-{place.event.hex}",
            now - timedelta(hours=1),
            now + timedelta(hours=6),
        )
        await db.execute(
            """INSERT INTO ops.areas (id, event_id, name, kind, capacity)
               VALUES ($1, $2, 'Hall', 'venue', 100)""",
            place.area,
            place.event,
        )
        await db.execute(
            """INSERT INTO ops.gates (id, event_id, area_id, name)
               VALUES ($1, $2, $3, 'Gate A')""",
            place.gate,
            place.event,
            place.area,
        )
        await db.execute(
            """INSERT INTO ops.scopes (id, event_id, kind, area_id, name)
               VALUES ($1, $2, 'venue', $3, 'Hall')""",
            place.scope,
            place.event,
            place.area,
        )
    return place


async def pair_device(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, **fields: Any
) -> tuple[UUID, dict[str, str]]:
    """Create and pair a device; returns its id and the header of its token."""
    body = {"name": "Sam's phone", "gate_id": str(place.gate), **fields}
    made = await http.post(
        f"/api/v1/events/{place.event}/devices", json=body, headers=bearer
    )
    assert made.status_code == 201, made.text
    paired = await http.post(
        "/api/v1/devices/pair", json={"pairing_code": made.json()["pairing_code"]}
    )
    assert paired.status_code == 200, paired.text
    answer = paired.json()
    return UUID(answer["device_id"]), {"Authorization": f"Device {answer['token']}"}
