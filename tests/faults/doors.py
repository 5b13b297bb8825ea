"""The crowd: doors, kiosks and devices without network, each with its own history.

A door shows a verdict within `PATIENCE_S`: the server's, or else its own, from what it
knows (its package and what it let in itself); what it decided alone it uploads later,
with what it showed. A kiosk shows nothing of its own and asks again under the same id.
Everything is written down (ops.dev.handheld.Note) before it is sent, when it is
answered, and when a device decided: that file is what the checker believes.

    invoke   a scan is sent for the first time        own     the device decided
    answer   the server's verdict, in time or late    upload  the verdict on an upload
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec

from ops.dev.handheld import Answer, Journal, Note
from ops.ids import uuid7

PATIENCE_S = 0.8
"""What a device waits for the server (core.md item 10)."""
PAUSE_S = 0.03
"""Between two guests at a door: ten doors ask for about 150 scans a second."""
DUPLICATES, COPIES, POISON = 0.10, 0.02, 0.01
UPLOADS_MAX = 50
RETRY_S = 0.1
TICK_S = 0.02
ASIDE = "aside"

_encode = msgspec.json.Encoder().encode


class Guest(msgspec.Struct, frozen=True):
    """Somebody who shows a code."""

    ticket: UUID
    code: str
    why: str = "guest"
    direction: str = "in"


class Crowd:
    """All guests and devices of one scenario, until `stop`.

    Args:
        event_id: where they go.
        tickets: code and ticket of every guest, in the order in which they come.
        tokens: one a device.
        urls: where the api processes are asked.
    """

    def __init__(
        self,
        event_id: UUID,
        tickets: list[tuple[str, UUID]],
        tokens: list[str],
        urls: list[str],
        folder: Path,
        seed: int,
    ) -> None:
        self.event_id, self.urls = event_id, urls
        self.random = random.Random(seed)
        self.package = dict(tickets)
        self.poison, self.copies = 0.0, COPIES
        self.stopped = False
        self.resting = False
        """Nobody comes to the doors just now."""
        self.greens: list[float] = []
        """When a door was told green by the server, in monotonic seconds."""
        self.silences: list[float] = []
        self.late_s = 0.0
        """The longest that this process was kept from its turn."""
        self._queue: deque[Guest] = deque()
        self._fresh = iter(tickets[: len(tickets) * 4 // 5])
        self._inside: list[tuple[str, UUID]] = []
        self._answered = asyncio.Condition()
        self.answered = 0
        self.client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=64, keepalive_expiry=30),
            trust_env=False,
        )
        names = [f"door{n}" for n in range(8)] + ["kiosk0", "kiosk1"]
        self.doors = [
            Door(self, name, tokens[n], n, Journal(folder / f"{name}.jsonl"))
            for n, name in enumerate(names)
        ]
        alone = tickets[len(tickets) * 4 // 5 :]
        self.apart = [
            Door(self, f"apart{n}", tokens[10 + n], n, Journal(folder / f"a{n}.jsonl"))
            for n in range(5)
        ]
        self._alone = iter(alone)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Open the doors."""
        self._tasks = [asyncio.create_task(door.work()) for door in self.doors]
        self._tasks += [asyncio.create_task(door.work_apart()) for door in self.apart]
        self._tasks.append(asyncio.create_task(self._watch_the_clock()))

    async def stop(self) -> None:
        """Close the doors and upload what devices decided alone; bounded by caller."""
        self.stopped = True
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*(door.upload_all() for door in self.doors))
        await self._upload_apart()
        await asyncio.gather(*(door.confirm() for door in self.doors))
        await self.client.aclose()
        for door in (*self.doors, *self.apart):
            door.journal.close()

    async def _watch_the_clock(self) -> None:
        """Ring 50 times a second, and note how late it came."""
        while not self.stopped:
            due_s = time.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            self.late_s = max(self.late_s, time.monotonic() - due_s)

    async def _upload_apart(self) -> None:
        """Five devices come back at once: twice, out of order, into each other."""
        parts = []
        for door in self.apart:
            waiting = list(door.pending.values())
            self.random.shuffle(waiting)
            for at in range(0, len(waiting), UPLOADS_MAX // 2):
                part = waiting[at : at + UPLOADS_MAX // 2]
                parts += [(door, part), (door, part)]
        self.random.shuffle(parts)
        for at in range(0, len(parts), len(self.apart)):
            group = parts[at : at + len(self.apart)]
            await asyncio.gather(*(door.upload(part) for door, part in group))
        await asyncio.gather(*(door.upload_all() for door in self.apart))

    async def reach(self, more: int, within_s: float) -> bool:
        """Wait until so many more verdicts came from the server, or time is up."""
        goal = self.answered + more
        try:
            async with asyncio.timeout(within_s), self._answered:
                await self._answered.wait_for(lambda: self.answered >= goal)
        except TimeoutError:
            return False
        return True

    def next_guest(self, leaving: bool) -> Guest | None:
        """Who is next at a door; None when nobody is there just now."""
        if self.resting:
            return None
        if leaving and self._inside and self.random.random() < 0.5:
            return self._leaves()
        if self._queue:
            return self._queue.popleft()
        code, ticket = next(self._fresh, ("", None))
        if ticket is None:
            # On a slow machine a fault may outlast the guests: they go out and come
            # back, so that the doors always have somebody to ask for.
            return self._leaves() if self._inside else None
        guest = Guest(ticket, code)
        if self.random.random() < self.copies:
            # A copy at another door at the same moment, and once more much later.
            self._queue.append(Guest(ticket, code, "copy"))
        return guest

    def _leaves(self) -> Guest:
        code, ticket = self._inside.pop(self.random.randrange(len(self._inside)))
        return Guest(ticket, code, "leaves", "out")

    def coming(self, count: int) -> list[UUID]:
        """The tickets of the next guests, who stay in their order."""
        guests = [Guest(t, c) for c, t in itertools.islice(self._fresh, count)]
        self._queue.extend(guests)
        return [guest.ticket for guest in guests]

    def aside(self) -> Guest:
        """Somebody who comes to no door by himself, and who stays if he is let in."""
        code, ticket = next(self._fresh)
        return Guest(ticket, code, ASIDE)

    def next_alone(self, number: int) -> Guest | None:
        """Who is next at a device without network."""
        code, ticket = next(self._alone, ("", None))
        if ticket is None:
            return None
        if number == 0 and self.random.random() < COPIES:
            self._queue.append(Guest(ticket, code, "copy"))
        return Guest(ticket, code, "apart")

    def left(self, guest: Guest) -> None:
        """Somebody went out and comes back."""
        self._queue.append(Guest(guest.ticket, guest.code, "returns"))

    async def heard(self, guest: Guest, answer: Answer, now_s: float) -> None:
        """Note for the figures that the server has spoken."""
        if answer.verdict == "admitted":
            self.greens.append(now_s)
            if guest.direction == "in" and guest.why != ASIDE:
                self._inside.append((guest.code, guest.ticket))
        async with self._answered:
            self.answered += 1
            self._answered.notify_all()


class Door:
    """One device with one guest at a time.

    `pending` are the scans that the device decided without the server.
    """

    def __init__(
        self, crowd: Crowd, name: str, token: str, number: int, journal: Journal
    ) -> None:
        self.crowd, self.name, self.number, self.journal = crowd, name, number, journal
        self.token = token
        self.kiosk = name.startswith("kiosk")
        self.pending: dict[UUID, dict[str, Any]] = {}
        self._headers = {
            "Authorization": f"Device {token}",
            "Content-Type": "application/json",
        }
        self.busy = False
        """It asks, for somebody who stands there or for what it brings later."""
        self._shown: list[str] = []
        self._let_in: set[UUID] = set()

    async def work(self) -> None:
        """Take guests until the crowd is stopped; upload between them."""
        while not self.crowd.stopped:
            guest = self.crowd.next_guest(self.number == 7)
            if guest is None:
                await asyncio.sleep(PAUSE_S)
                continue
            self.busy = True
            await self.scan(guest)
            if self.pending and self.crowd.random.random() < 0.3:
                await self.upload(list(self.pending.values())[:UPLOADS_MAX])
            self.busy = False
            await asyncio.sleep(self.crowd.random.uniform(0, 2 * PAUSE_S))

    async def work_apart(self) -> None:
        """The same without network: everything is decided here."""
        while not self.crowd.stopped:
            guest = self.crowd.next_alone(self.number)
            if guest is None:
                return
            body = self._invoke(guest)
            self._decide(guest, body)
            await asyncio.sleep(self.crowd.random.uniform(0, 8 * PAUSE_S))

    async def scan(self, guest: Guest) -> None:
        """Ask, and show the server's verdict or the device's own in time."""
        random_ = self.crowd.random
        body = self._invoke(guest)
        if self._shown and random_.random() < 0.9:
            body["shown"], self._shown = self._shown[-100:], []
        twin = None
        if random_.random() < DUPLICATES:
            # A reading sent twice under one id, at both processes.
            twin = asyncio.create_task(self._ask(guest, body, 1, PATIENCE_S))
        if random_.random() < self.crowd.poison:
            await self._poison(body)
        began_s = time.monotonic()
        answer = await self._ask(guest, body, 0, PATIENCE_S)
        if answer is None:
            self._shown += body.get("shown", [])
        if answer is None and not self.kiosk:
            self._decide(guest, body)
        self.crowd.silences.append(time.monotonic() - began_s)
        if twin is not None:
            await twin
        while answer is None and self.kiosk and not self.crowd.stopped:
            await asyncio.sleep(RETRY_S)
            answer = await self._ask(guest, body, 0, PATIENCE_S)
        if answer is None and self.kiosk:
            self.pending[UUID(body["id"])] = body
        if answer is None:
            return
        if answer.verdict == "admitted":
            self._shown.append(body["id"])
            self._let_in.add(guest.ticket)
        if answer.verdict == "exited":
            self.crowd.left(guest)

    async def ask(self, guest: Guest, patience_s: float) -> Answer | None:
        """Ask for a guest beside the queue, and wait; nothing is decided here."""
        return await self._ask(guest, self._invoke(guest), 0, patience_s)

    async def upload(self, bodies: list[dict[str, Any]]) -> bool:
        """Send what was decided here; whether everything got an answer."""
        content = _encode({"scans": bodies})
        response = await self._post("/scans/batch", content, 0, 5.0)
        if response is None:
            return False
        complete = True
        for body, result in zip(bodies, response.json()["results"], strict=True):
            if "error" in result:
                complete = False
                continue
            answer = msgspec.convert(result, Answer, strict=False)
            self._write("upload", UUID(body["id"]), answer)
            self.pending.pop(UUID(body["id"]), None)
        return complete

    async def upload_all(self) -> None:
        """Until nothing is pending."""
        while self.pending:
            bodies = list(self.pending.values())[:UPLOADS_MAX]
            if not await self.upload(bodies):
                await asyncio.sleep(RETRY_S)

    async def confirm(self) -> None:
        """Tell what was shown last."""
        if self._shown:
            await self._post("/scans/confirm", _encode({"ids": self._shown}), 0, 5.0)

    def _invoke(self, guest: Guest) -> dict[str, Any]:
        scan_id = uuid7()
        self.journal.write(
            Note(
                "invoke",
                scan_id,
                datetime.now(UTC),
                ticket=guest.ticket,
                direction=guest.direction,
                why=guest.why,
                people=1,
            )
        )
        return {
            "id": str(scan_id),
            "code": guest.code,
            "direction": guest.direction,
            "scanned_at": datetime.now(UTC).isoformat(),
            "method": "kiosk" if self.kiosk else "qr_code",
        }

    def _decide(self, guest: Guest, body: dict[str, Any]) -> None:
        """The device's own verdict, by its package and by whom it let in itself."""
        known = self.crowd.package.get(guest.code) == guest.ticket
        verdict, reason = "refused", "unknown_code"
        if guest.direction == "out":
            verdict, reason = "exited", "ok"
        elif known and guest.ticket not in self._let_in:
            verdict, reason = "admitted", "ok"
            self._let_in.add(guest.ticket)
        elif known:
            reason = "already_inside"
        now = datetime.now(UTC)
        scan_id = UUID(body["id"])
        self._write("own", scan_id, Answer(verdict, reason))
        body.pop("shown", None)
        door = {"verdict": verdict, "reason": reason, "at": now.isoformat()}
        self.pending[scan_id] = {**body, "offline": True, "door": door}

    async def _ask(
        self, guest: Guest, body: dict[str, Any], other: int, patience_s: float
    ) -> Answer | None:
        """The server's verdict within the patience, by any process; else None."""
        end_s = time.monotonic() + patience_s
        content, attempt, refusals = _encode(body), other, 0
        while (left_s := end_s - time.monotonic()) > 0.005 and refusals < 4:
            response = await self._post("/scans", content, attempt, left_s)
            attempt += 1
            if response is None:
                refusals += 1
                continue
            answer = msgspec.json.decode(response.content, type=Answer)
            self._write("answer", UUID(body["id"]), answer)
            await self.crowd.heard(guest, answer, time.monotonic())
            return answer
        return None

    async def _post(
        self, path: str, content: bytes, attempt: int, timeout_s: float
    ) -> httpx.Response | None:
        """One request; None without an answer of 200, which may mean anything."""
        urls = self.crowd.urls
        url = urls[(self.number + attempt) % len(urls)]
        try:
            # One limit for all: the client's own holds for each step by itself, so
            # connecting and reading once took 1.16 s of a device that waits for 0.8 s.
            async with asyncio.timeout(timeout_s):
                response = await self.crowd.client.post(
                    f"{url}/api/v1/events/{self.crowd.event_id}{path}",
                    content=content,
                    headers=self._headers,
                    timeout=timeout_s,
                )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return None
        if response.status_code == 200:
            return response
        if response.status_code in (503, 429, 502, 504, 500):
            return None
        raise AssertionError(f"{response.status_code}: {response.text[:300]}")

    async def _poison(self, body: dict[str, Any]) -> None:
        """A batch with records that nobody can store, around a good one."""
        bad = self.crowd.random.choice(_BAD)
        other = {**body, "id": str(uuid7()), "code": "POISON", **bad}
        await self._post("/scans/batch", _encode({"scans": [other]}), 0, 2.0)

    def _write(self, op: str, scan_id: UUID, answer: Answer) -> None:
        self.journal.write(
            Note(
                op,
                scan_id,
                datetime.now(UTC),
                status=200,
                verdict=answer.verdict,
                reason=answer.reason,
                durable=answer.durable,
                replayed=answer.replayed,
                people=1,
            )
        )


_BAD: tuple[dict[str, Any], ...] = (
    {"code": "\x00\x00"},
    {"code": "A" * 5000, "answers": {"q": "\x00"}},
    {"id": "not-a-uuid"},
    {"seq": 2**70},
    {"door": {"verdict": "refused", "reason": "\x00"}, "offline": True},
    {"scanned_at": "0001-01-01T00:00:00Z"},
)
