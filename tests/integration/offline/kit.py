"""A phone at the small event, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from ops.ids import uuid7
from ops.offline.package import read
from tests.small_event import SmallEvent


def ids_of(section: bytes) -> list[UUID]:
    """The ids of a section."""
    return [UUID(bytes=section[at : at + 16]) for at in range(0, len(section), 16)]


class Phone:
    """What a device asks of the server."""

    def __init__(
        self, http: httpx.AsyncClient, event: SmallEvent, device: UUID
    ) -> None:
        self.http, self.event, self.device = http, event, device
        self.headers = {"Authorization": f"Device dev_{device}"}
        self.base = f"/api/v1/events/{event.id}"

    async def package(self, since: str | None = None) -> tuple[dict[str, Any], Any]:
        """The head and the sections of a package."""
        answer = await self.http.get(
            f"{self.base}/offline-package",
            params={"since": since} if since else {},
            headers=self.headers,
        )
        assert answer.status_code == 200, answer.text
        return read(answer.content)

    async def scan(self, code: str, **fields: Any) -> Any:
        """Scan a code now."""
        answer = await self.http.post(
            f"{self.base}/scans",
            json={"id": str(uuid7()), "code": code, **fields},
            headers=self.headers,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any) -> Any:
        """POST below the event."""
        answer = await self.http.post(
            f"{self.base}/{path}", json=body, headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        return answer.json()
