"""What the browser tests drive: the three roles as processes over real stores."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from ops.auth.accounts import create_user
from ops.checkin import codes, qr
from ops.checkin.keys import SigningKeys
from ops.db.engine import Database
from ops.ids import uuid7
from ops.settings import DEVELOPMENT_SECRET
from tests.running import Role, client, free_port, until_answers
from tests.small_event import SmallEvent

EMAIL = "dana@example.org"
PASSWORD = "a password of the tests"
HOLDER = "Siobhán O'Brien-Łukasz"
PIN = "240917"
FRAME = (640, 480)


class House:
    """An event, its people, and the processes that serve it; tests may end and start
    the roles, each on the port that it had."""

    def __init__(self, database: Database, env: dict[str, str], folder: Path) -> None:
        self.database = database
        self.port, self.live_port = free_port(), free_port()
        self.url = f"http://localhost:{self.port}"
        self._folder = folder
        self._env = {
            **env,
            "OPS_DATA_DIR": str(folder),
            "OPS_PORT": str(self.port),
            "OPS_LIVE_PORT": str(self.live_port),
        }
        self.roles: dict[str, Role] = {}
        self.http = client(base_url=self.url, timeout=10)
        self.event = SmallEvent()
        self.own_code = ""

    async def open(self) -> None:
        """Write the event and its people, then start the roles."""
        pool = self.database.pool
        self.event = await SmallEvent.make(pool, tickets=60)
        async with pool.acquire() as connection:
            await create_user(connection, EMAIL, PASSWORD, "owner", first_name="Dana")
        self.own_code = await self._signed_ticket()
        await asyncio.gather(*(self.start(role) for role in ("sync", "api", "live")))
        answer = await self.http.post(
            "/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}
        )
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def close(self) -> None:
        """End what runs."""
        await self.http.aclose()
        for role in reversed(self.roles.values()):
            await asyncio.to_thread(role.stop)

    async def start(self, name: str) -> None:
        """Start a role and wait until it serves."""
        role = Role(name, self._env, self._folder / f"{name}.log")
        role.start()
        self.roles[name] = role
        if name == "api":
            await until_answers(f"{self.url}/healthz", role.process)
        elif name == "live":
            await until_listens(self.live_port)

    def kill(self, name: str) -> None:
        """kill -9 of a role."""
        self.roles.pop(name).kill()

    async def call(self, path: str, body: dict[str, Any]) -> Any:
        """POST as the owner."""
        answer = await self.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def scan(self, code: str, **fields: Any) -> Any:
        """A scan by another phone, over HTTP."""
        answer = await self.http.post(
            f"/api/v1/events/{self.event.id}/scans",
            headers={"Authorization": f"Device dev_{self.event.other_device}"},
            json={"id": str(uuid7()), "code": code, **fields},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def pairing_url(self, name: str) -> str:
        """The link that makes a browser a scanner at the main gate."""
        made = await self.call(
            f"/events/{self.event.id}/devices",
            {"name": name, "profile": "scan", "gate_id": str(self.event.main_gate)},
        )
        return str(made["pairing_url"])

    async def admissions(self, code: str) -> list[Any]:
        """The rows of check_ins of a ticket, oldest first."""
        return await self.database.pool.fetch(
            "SELECT * FROM check_ins WHERE ticket_id = $1 ORDER BY checked_in_at",
            self.event.tickets[code],
        )

    async def _signed_ticket(self) -> str:
        """A ticket of our own: signed, as it stands in a guest's mail."""
        pool = self.database.pool
        _, signer = await SigningKeys(pool, DEVELOPMENT_SECRET).ensure(
            datetime.now(UTC)
        )
        ticket = await self.event.add_ticket(pool, "own", self.event.vip, HOLDER)
        code = signer.sign(ticket, 0)
        await pool.execute(
            "UPDATE ops.ticket_codes SET code_hash = $1, kind = 'own'"
            " WHERE ticket_id = $2",
            codes.code_hash(code),
            ticket,
        )
        return code


async def until_listens(port: int) -> None:
    """Wait until somebody accepts connections on a port of the loopback."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return


def film(text: str, path: Path) -> None:
    """Write what a camera sees of a ticket held slightly askew, as raw frames."""
    picture = Image.new("L", FRAME, 105)
    code = Image.open(io.BytesIO(qr.png(text, 6))).convert("L")
    code = code.resize((380, 380)).rotate(7, expand=True, fillcolor=255)
    picture.paste(code, (110, 20))
    frame = b"FRAME\n" + picture.tobytes() + b"\x80" * (FRAME[0] * FRAME[1] // 2)
    head = f"YUV4MPEG2 W{FRAME[0]} H{FRAME[1]} F10:1 Ip A1:1 C420jpeg\n"
    path.write_bytes(head.encode() + frame * 10)
