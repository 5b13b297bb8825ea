"""What the tests of the watcher share: doors that work, and somebody who looks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from ops.db.engine import Database
from ops.ids import uuid7
from ops.pages_dir import find
from ops.texts import Texts
from ops.watch.watcher import Watcher
from tests.small_event import SmallEvent

Headers = dict[str, str]
TEXTS = Texts(find().web / "i18n")


async def no_mode(_: UUID) -> str | None:
    """The cache says nothing."""
    return None


async def rules_open(pool: asyncpg.Pool, event_id: UUID) -> set[str]:
    """Rules that ring at an event."""
    rows = await pool.fetch(
        "SELECT rule FROM ops.alerts WHERE event_id = $1 AND cleared_at IS NULL",
        event_id,
    )
    return {row["rule"] for row in rows}


class Evening:
    """An event whose doors work, watched whenever `look` is called."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        bearer: Headers,
        event: SmallEvent,
        database: Database,
    ) -> None:
        self.http, self.bearer, self.event = http, bearer, event
        self.database, self.root = database, f"/api/v1/events/{event.id}"
        self.watcher = Watcher(database, no_mode, TEXTS, look_s=0.0)

    @property
    def pool(self) -> asyncpg.Pool:
        """Plain SQL."""
        return self.database.pool

    async def look(self) -> int:
        """One look at the event."""
        return await self.watcher.look(self.event.id)

    async def scan(self, code: str, device: str = "device", **fields: Any) -> Any:
        """The answer to a scan at one of the event's devices."""
        answer = await self.http.post(
            f"{self.root}/scans",
            json={"id": str(uuid7()), "code": code, **fields},
            headers={"Authorization": f"Device dev_{getattr(self.event, device)}"},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def admitted(self, code: str, device: str = "device", **fields: Any) -> None:
        """Somebody comes in."""
        answer = await self.scan(code, device, **fields)
        assert answer["verdict"] == "admitted", answer

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """What the owner reads below the event."""
        answer = await self.http.get(
            self.root + path, headers=self.bearer, params=query
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    async def alerts(self, **query: Any) -> list[Any]:
        """The history, the newest first."""
        return list((await self.get("/alerts", **query))["items"])

    async def by_rule(self) -> dict[str, Any]:
        """The history by rule; of several the oldest."""
        return {one["rule"]: one for one in await self.alerts()}

    async def rules_open(self) -> set[str]:
        """Rules that ring now."""
        return await rules_open(self.pool, self.event.id)

    async def venue(self, capacity: int, inside: int = 0) -> None:
        """So many may be in, so many are."""
        await self.pool.execute(
            "UPDATE ops.areas SET capacity = $2, inside = $3 WHERE id = $1",
            self.event.venue,
            capacity,
            inside,
        )

    async def logged(self, scans: int) -> None:
        """Wait for so many: a refusal is in the log within 0.1 s of its answer."""
        count = "SELECT count(*) FROM ops.scan_log WHERE event_id = $1"
        async with asyncio.timeout(30):
            while await self.pool.fetchval(count, self.event.id) < scans:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def passed(self, *minutes: int) -> None:
        """Admissions at the main gate as they stand in the log: n in each minute, the
        newest first."""
        now = datetime.now(UTC)
        rows = [
            (
                uuid7(),
                self.event.id,
                b"x",
                self.event.main_gate,
                now - timedelta(minutes=m, seconds=9),
            )
            for m, people in enumerate(minutes)
            for _ in range(people)
        ]
        await self.pool.executemany(
            "INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict,"
            " reason, gate_id, direction, decided_at)"
            " VALUES ($1, $2, $3, 'admitted', 'ok', $4, 'in', $5)",
            rows,
        )

    async def choose(self, rule: str, status: int = 200, **changes: Any) -> Any:
        """Set numbers of a rule for the event."""
        known = (await self.get("/alert-rules"))["rules"]
        [now] = [one["setting"] for one in known if one["rule"] == rule]
        answer = await self.http.put(
            f"{self.root}/alert-rules/{rule}",
            json={**now, **changes},
            headers=self.bearer,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    async def held_since(self, rule: str, subject: str, seconds: float) -> None:
        """Let a value have stood for so long, by the clock of the store."""
        await self.pool.execute(
            "UPDATE ops.watches SET state = jsonb_set(state, ARRAY[$2, $3, 'since_s'],"
            " to_jsonb($4::float8)) WHERE event_id = $1",
            *(self.event.id, rule, subject),
            datetime.now(UTC).timestamp() - seconds,
        )
