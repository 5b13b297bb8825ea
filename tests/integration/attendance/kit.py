"""What the tests of people at the door share."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.people_kit import MovedClock, sign_in, user
from tests.small_event import SmallEvent


class Doors:
    """The doors of the small event over HTTP."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        database: Database,
        event: SmallEvent,
        owner: dict[str, str],
        clock: MovedClock,
    ) -> None:
        self.http, self.database, self.event = http, database, event
        self.owner, self.clock = owner, clock
        self.base = f"/events/{event.id}"

    def at(self, device: UUID | None = None) -> dict[str, str]:
        """The header of a device's token."""
        return {"Authorization": f"Device dev_{device or self.event.device}"}

    async def post(
        self, path: str, body: Any = None, who: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.http.post(
            f"/api/v1{path}", json=body or {}, headers=who or self.owner, timeout=60
        )

    async def get(
        self, path: str, who: dict[str, str] | None = None, **query: Any
    ) -> httpx.Response:
        return await self.http.get(
            f"/api/v1{path}", params=query, headers=who or self.owner, timeout=60
        )

    async def ok(self, path: str, body: Any = None, who: Any = None) -> Any:
        """Post, and the answer, which must be a success."""
        answer = await self.post(path, body, who)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def refused(
        self, path: str, body: Any = None, who: Any = None
    ) -> tuple[int, str]:
        """Post; the status and the stable code of the refusal."""
        answer = await self.post(path, body, who)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["code"]

    async def scan(self, code: str, device: UUID | None = None, **fields: Any) -> Any:
        """Scan and confirm what was shown; the answer."""
        body = {"id": str(uuid7()), "code": code, **fields}
        answer = await self.ok(f"{self.base}/scans", body, self.at(device))
        await self.database.pool.execute(
            "UPDATE check_ins SET confirmed_at = now() WHERE confirmed_at IS NULL"
        )
        return answer

    async def staff(self, role: str) -> dict[str, str]:
        """Somebody of this role, signed in."""
        email = f"{role}@example.org"
        await user(self.database, email, role)
        return await sign_in(self.http, email)

    async def sign_on(self, role: str, device: UUID | None = None) -> UUID:
        """Put an operator of this role on at a device."""
        operator = uuid7()
        await self.database.pool.execute(
            "INSERT INTO ops.operators (id, event_id, name, role)"
            " VALUES ($1, $2, 'Dana', $3)",
            operator,
            self.event.id,
            role,
        )
        await self.database.pool.execute(
            "UPDATE ops.devices SET operator_id = $2 WHERE id = $1",
            device or self.event.device,
            operator,
        )
        return operator

    async def value(self, query: str, *args: Any) -> Any:
        return await self.database.pool.fetchval(query, *args)
