"""One simulated handheld: pairs by the real API, scans, and never forgets.

Every scan is written down before it is sent and again when it is answered, so that
what the server lost or let in twice can be counted against the database afterwards. A
scan without an answer is repeated under the same id for as long as the crowd runs.
"""

from __future__ import annotations

import asyncio
import os
import random
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec

from ops import __version__, log
from ops.dev.arrivals import Step
from ops.dev.layout import SampleDevice

TIMEOUT_S = 2.0
PAUSE_S_FIRST = 0.05
PAUSE_S_MAX = 1.0
_RETRY = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNPAIRED = frozenset({401})

_encode = msgspec.json.Encoder().encode
_log = log.get(__name__)


class Note(msgspec.Struct, omit_defaults=True):
    """A line of a handheld's log: a scan as it was sent, or its answer."""

    op: str
    id: UUID
    at: datetime
    ticket: UUID | None = None
    direction: str | None = None
    why: str | None = None
    status: int | None = None
    verdict: str | None = None
    reason: str | None = None
    durable: str | None = None
    replayed: bool = False
    people: int = 0


class Answer(msgspec.Struct):
    """The part of a scan's answer that the crowd acts on."""

    verdict: str
    reason: str
    durable: str = "none"
    replayed: bool = False


class Journal:
    """A handheld's own log: one JSON line an entry, appended at once.

    Args:
        path: the file; what stands in it from an earlier run is kept and counts.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.answered = {note.id for note in read(path) if note.op == "answer"}
        cut_off = path.exists() and not path.read_bytes().endswith(b"\n")
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if cut_off:  # or the next line would be lost with it
            os.write(self._fd, b"\n")

    def write(self, note: Note) -> None:
        """Append a line with one call, so that a kill leaves whole lines."""
        os.write(self._fd, _encode(note) + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def read(path: Path) -> list[Note]:
    """The lines of a log; the last one may be cut off and is then left out."""
    if not path.exists():
        return []
    notes = []
    for line in path.read_bytes().splitlines():
        try:
            notes.append(msgspec.json.decode(line, type=Note))
        except msgspec.DecodeError:
            continue
    return notes


class Handheld:
    """A device of the crowd, with one connection and one thing to do at a time.

    Args:
        device: the sample's device and its pairing code.
        event_id: the event that it scans for.
        client: HTTP to the server; closed by whoever made it.
        journal: its log.
    """

    def __init__(
        self,
        device: SampleDevice,
        event_id: UUID,
        client: httpx.AsyncClient,
        journal: Journal,
    ) -> None:
        self.device, self._event_id = device, event_id
        self._client, self._journal = client, journal
        self._token: str | None = None
        self._shown: UUID | None = None
        self._unheard: set[int] = set()
        self.battery = random.randint(55, 100)

    async def pair(self) -> None:
        """Exchange the pairing code for a token and sign the operator on."""
        answer = await self._insist(
            "/api/v1/devices/pair",
            {
                "pairing_code": self.device.pairing_code,
                "hardware": self.device.hardware,
                "software": f"crowd {__version__}",
            },
            token=False,
        )
        if answer.status_code != 200:
            raise PairingRefused(f"{self.device.name}: {answer.status_code}")
        self._token = answer.json()["token"]
        await self._insist("/api/v1/devices/operator", {"pin": self.device.pin})

    async def heartbeat(self, pending: int) -> None:
        """Report battery and queue; failures do not matter, the next one comes."""
        body = {"battery": self.battery, "pending": pending}
        try:
            await self._post("/api/v1/devices/heartbeat", body, token=True)
        except httpx.HTTPError:
            return

    async def scan(
        self, step: Step, session_id: UUID | None, **more: Any
    ) -> Answer | None:
        """Send a step until it is answered; None if the server refuses to hear it.

        Cancelling leaves the scan unanswered in the log: its outcome is unknown.
        """
        if step.scan_id in self._journal.answered:
            return None
        body: dict[str, Any] = {
            "id": str(step.scan_id),
            "code": step.code,
            "direction": step.direction,
            "session_id": str(session_id) if session_id else None,
            "scanned_at": _now().isoformat(),
            "method": "qr_code",
            **more,
        }
        if self._shown is not None:
            body["shown"] = [str(self._shown)]
        self._journal.write(
            Note(
                "invoke",
                step.scan_id,
                _now(),
                ticket=step.ticket_id,
                direction=step.direction,
                why=step.why,
                people=int(more.get("admit") or 1),
            )
        )
        path = f"/api/v1/events/{self._event_id}/scans"
        response = await self._insist(path, body)
        while response.status_code in _UNPAIRED:
            await self.pair()
            response = await self._insist(path, body)
        note = Note("answer", step.scan_id, _now(), status=response.status_code)
        if response.status_code != 200:
            self._journal.write(note)
            if response.status_code not in self._unheard:  # once is enough
                self._unheard.add(response.status_code)
                _log.warning("scan_not_heard", status=response.status_code)
            return None
        answer = msgspec.json.decode(response.content, type=Answer)
        note.ticket, note.direction = step.ticket_id, step.direction
        note.verdict, note.reason = answer.verdict, answer.reason
        note.durable, note.replayed = answer.durable, answer.replayed
        note.people = int(more.get("admit") or 1)
        self._journal.write(note)
        self._journal.answered.add(step.scan_id)
        self._shown = step.scan_id
        return answer

    async def _insist(
        self, path: str, body: dict[str, Any], *, token: bool = True
    ) -> httpx.Response:
        """Repeat a request until the server has decided it."""
        ceiling_s = PAUSE_S_FIRST
        while True:
            try:
                response = await self._post(path, body, token=token)
                if response.status_code not in _RETRY:
                    return response
            except httpx.HTTPError:
                pass  # no answer: the outcome is unknown, the same id asks again
            await asyncio.sleep(random.uniform(0, ceiling_s))
            ceiling_s = min(PAUSE_S_MAX, ceiling_s * 2)

    async def _post(
        self, path: str, body: dict[str, Any], *, token: bool
    ) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        if token and self._token:
            headers["Authorization"] = f"Device {self._token}"
        return await self._client.post(path, content=_encode(body), headers=headers)


class PairingRefused(Exception):
    """The server does not take the sample's pairing code."""


def client(base_url: str, tls_cert: str) -> httpx.AsyncClient:
    """HTTP to the demo's own server; with TLS its own certificate is trusted."""
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=TIMEOUT_S,
        verify=ssl.create_default_context(cafile=tls_cert) if tls_cert else True,
        limits=httpx.Limits(max_connections=1, keepalive_expiry=60),
        trust_env=False,  # a proxy from the environment is not for loopback
    )


def _now() -> datetime:
    return datetime.now(UTC)
