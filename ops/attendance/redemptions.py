"""Redemptions: drinks, lunch, the cloakroom. Each unit is given once.

The same guarantees as an entry: an answer is given only after its commit, the same id
is the same answer, and a unique key (ticket, item, n) keeps a unit from being given
twice.
Requests that come while a batch is under way form the next one, in order of arrival.
Stored money is not dealt with here.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.admission.scan import ScanRequest
from ops.attendance.acting import Caller, House
from ops.auth.subjects import DeviceIdentity, Staff
from ops.db.pools import DATABASE_ERRORS
from ops.errors import (
    ApiError,
    Conflict,
    Locked,
    NotFound,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)
from ops.patience import answering, safely
from ops.texts import Texts

BATCH_MAX: Final = 64
QUEUE_MAX: Final = 5_000
UPLOAD_MAX: Final = 1_000
QUANTITY_MAX: Final = 99
CALL_TIMEOUT_S: Final = 5.0
WAIT_S: Final = 10.0

REDEEM: Final = "SELECT ops.redeem_v1($1, $2, $3, $4)"
UNDO: Final = "SELECT ops.undo_redemption_v1($1, $2, $3, $4, $5)"
EVENT_NO: Final = "SELECT no FROM events WHERE id = $1"


class RedemptionBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a point of redemption reads; `again` and `id_seen` answer a hold.

    Unknown fields are passed over, as in a scan.
    """

    id: UUID
    code: Annotated[str, Meta(min_length=1, max_length=16_384, examples=["T-1"])]
    point_id: UUID
    item_id: UUID | None = None
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)] = 1
    again: bool = False
    id_seen: bool = False
    offline: bool = False
    redeemed_at: Annotated[datetime, Meta(tz=True)] | None = None


class RedemptionAnswer(msgspec.Struct, frozen=True):
    """`redeemed`, `refused` or `hold`, with what is left of the item."""

    id: UUID
    verdict: str
    reason: str
    message: str
    left: int
    item_id: UUID | None
    item: str | None
    ticket_id: UUID | None
    replayed: bool
    undone: bool
    at: datetime
    min_age: int | None = None
    opens_at: datetime | None = None


class UndoBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a redemption is taken back."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, examples=["spilled"])]


class UndoneAnswer(msgspec.Struct, frozen=True):
    """The units can be had again."""

    id: UUID
    undone: bool
    replayed: bool


class _Waiting:
    """A request and the future of its result."""

    __slots__ = ("answer", "row")

    def __init__(self, row: dict[str, Any], answer: asyncio.Future[Any]) -> None:
        self.row, self.answer = row, answer


class Redemptions:
    """One queue an event; a batch at a time. `stop` answers who waits."""

    def __init__(self, house: House, texts: Texts) -> None:
        self._house, self._texts = house, texts
        self._queues: dict[UUID, deque[_Waiting]] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._numbers: dict[UUID, int] = {}

    async def stop(self) -> None:
        """Finish the batches under way; bounded, may come twice."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=CALL_TIMEOUT_S)
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def redeem(
        self, caller: Caller, event_id: UUID, body: RedemptionBody
    ) -> RedemptionAnswer:
        """Give units of an item, or say why not.

        Raises:
            Conflict: the id was used for another redemption.
            NotFound: no such event, point or item.
            Unavailable: the outcome is unknown; the same id may be sent again.
        """
        return self._answer(
            body.id,
            body.quantity,
            await self._decide(event_id, self._row(caller, body)),
        )

    async def of_scan(
        self, event_id: UUID, device_id: UUID, scan: ScanRequest
    ) -> RedemptionAnswer:
        """The same of a scan that names an item, at the point of the device's gate.

        Raises:
            As `redeem`.
        """
        answers = scan.answers or {}
        quantity = min(scan.admit or 1, QUANTITY_MAX)
        at = scan.scanned_at if scan.offline else None
        content = (scan.code, "scan", scan.item_id, scan.gate_id, quantity)
        row = self._asked(scan.id, scan.code, content) | {
            "po": None,
            "ga": str(scan.gate_id) if scan.gate_id else None,
            "it": str(scan.item_id),
            "n": quantity,
            "d": str(device_id),
            "us": None,
            "at": at.isoformat() if at else None,
            "off": scan.offline,
            "again": answers.get("again") is True,
            "seen": answers.get("age") is True,
        }
        return self._answer(scan.id, quantity, await self._decide(event_id, row))

    async def _decide(self, event_id: UUID, row: dict[str, Any]) -> dict[str, Any]:
        """What the next batch says of a request."""
        await self._number(event_id)
        queue = self._queues.setdefault(event_id, deque())
        if len(queue) >= QUEUE_MAX:
            raise Unavailable(code="overloaded", headers={"Retry-After": "1"})
        waiting = _Waiting(row, asyncio.get_running_loop().create_future())
        queue.append(waiting)
        if event_id not in self._tasks:
            self._tasks[event_id] = asyncio.create_task(self._run(event_id))
        try:
            async with asyncio.timeout(WAIT_S):
                said: dict[str, Any] = await asyncio.shield(waiting.answer)
        except TimeoutError as error:
            raise _unknown() from error
        return said

    async def undo(
        self, caller: Caller, event_id: UUID, redemption_id: UUID, body: UndoBody
    ) -> UndoneAnswer:
        """Take a redemption back within two minutes; the second call says `replayed`.

        Raises:
            NotFound: no such redemption, or it gave nothing.
            Unprocessable: `too_late_to_undo`.
        """
        await self._house.doer(caller, event_id)
        said = await self._house.database.pool.fetchval(
            UNDO,
            event_id,
            await self._number(event_id),
            redemption_id,
            self._house.clock.now(),
            body.reason,
        )
        if said in ("unknown", "nothing"):
            raise NotFound("This redemption gave nothing.", code="nothing_to_undo")
        if said == "late":
            raise Unprocessable(
                "A redemption can be undone for two minutes.", code="too_late_to_undo"
            )
        return UndoneAnswer(redemption_id, True, said == "again")

    def _row(self, caller: Caller, body: RedemptionBody) -> dict[str, Any]:
        subject = caller.subject
        content = (body.code, body.point_id, body.item_id, body.quantity)
        device = subject.id if isinstance(subject, DeviceIdentity) else None
        user = subject.user_id if isinstance(subject, Staff) else None
        return self._asked(body.id, body.code, content) | {
            "po": str(body.point_id),
            "it": str(body.item_id) if body.item_id else None,
            "n": body.quantity,
            "d": str(device) if device else None,
            "us": str(user) if user else None,
            "at": body.redeemed_at.isoformat() if body.redeemed_at else None,
            "off": body.offline,
            "again": body.again,
            "seen": body.id_seen,
        }

    def _asked(
        self, redemption_id: UUID, text: str, content: tuple[object, ...]
    ) -> dict[str, Any]:
        """The columns that say which request it is, and of which ticket."""
        code = self._house.read(text)
        return {
            "id": str(redemption_id),
            "ch": hashlib.sha256(repr(content).encode()).hexdigest()[:32],
            "h": code.key.hex() if code else "",
            "hi": code.hint if code else "",
        }

    async def _run(self, event_id: UUID) -> None:
        """Batches until the queue is empty."""
        queue = self._queues[event_id]
        try:
            while queue:
                batch = [queue.popleft() for _ in range(min(BATCH_MAX, len(queue)))]
                with answering([one.answer for one in batch], _unknown):
                    decided = partial(self._batch, event_id, batch)
                    await safely(decided, "redeem", DATABASE_ERRORS)
        finally:
            del self._tasks[event_id]

    async def _batch(self, event_id: UUID, batch: list[_Waiting]) -> None:
        rows = [{**one.row, "i": at} for at, one in enumerate(batch)]
        results = await self._house.database.pool.fetchval(
            REDEEM,
            event_id,
            self._numbers[event_id],
            self._house.clock.now(),
            rows,
            timeout=CALL_TIMEOUT_S,
        )
        for result in results:
            batch[result["i"]].answer.set_result(result)

    async def _number(self, event_id: UUID) -> int:
        number = self._numbers.get(event_id)
        if number is None:
            number = await self._house.database.pool.fetchval(EVENT_NO, event_id)
            if number is None:
                raise NotFound("There is no such event.", code="event_not_found")
            self._numbers[event_id] = number
        return number

    def _answer(
        self, redemption_id: UUID, quantity: int, said: dict[str, Any]
    ) -> RedemptionAnswer:
        if "error" in said:
            raise _error(said["error"])
        args = {
            "item": said["item"],
            "quantity": quantity,
            "left": said["left"],
            "years": said.get("min_age"),
        }
        language = said.get("language") or "en"
        return RedemptionAnswer(
            id=redemption_id,
            verdict=said["verdict"],
            reason=said["reason"],
            message=self._texts.say(language, f"redemption.{said['reason']}", args),
            left=said["left"],
            item_id=_uuid(said["item_id"]),
            item=said["item"],
            ticket_id=_uuid(said["ticket_id"]),
            replayed=said["replayed"],
            undone=said["undone"],
            at=datetime.fromisoformat(said["at"]),
            min_age=said.get("min_age"),
            opens_at=_time(said.get("opens_at")),
        )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _error(word: str) -> ApiError:
    match word:
        case "conflict":
            return Conflict(
                "This id was used for another redemption.", code="redemption_id_reused"
            )
        case "device_revoked":
            return Unauthenticated(
                "This device was revoked; pair it again.", code="device_revoked"
            )
        case "device_locked":
            return Locked()
        case "point_not_found" | "item_not_found":
            what = word.partition("_")[0]
            return NotFound(f"This event has no such {what}.", code=word)
        case "item_missing":
            return Unprocessable("Name an item.", code="item_missing")
    return _unknown()


def _unknown() -> ApiError:
    """Nobody can tell what became of it: the same id may be sent again."""
    return Unavailable(headers={"Retry-After": "1"})
