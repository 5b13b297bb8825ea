"""Scans over HTTP: one, many, confirmations, undo, and the log (design: api.md).

A refused scan is 200 with a verdict. Unknown fields of a scan are ignored and counted,
so that a newer handheld works with an older server; everywhere else they are refused.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from ops import decoding, metrics
from ops.admission.scan import KNOWN_FIELDS, SHOWN_MAX, ScanRequest
from ops.auth.guards import device_or_revoked, device_required, requires
from ops.auth.subjects import DeviceIdentity, Staff
from ops.auth.tokens import token_hash
from ops.checkin.answers import Answers, ScanAnswer
from ops.checkin.desk import Desk
from ops.checkin.item_scans import Redeem, item_answer
from ops.checkin.pending import Answered, Lane
from ops.checkin.scan_log import LogPage, ScanLog
from ops.checkin.undo import Undo, UndoAnswer
from ops.checkin.whole_order import WholeOrders
from ops.encoded import Encoded
from ops.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Locked,
    MalformedBody,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)
from ops.straight import straight

BATCH_MAX = 1000
UPLOADS_AT_ONCE = 32
"""Records of one batch that are under way together: a thousand at once would take the
process from those who wait at a door, before the desk's lanes could part them."""
READ_AT_ONCE = 50

_answer = msgspec.json.Encoder()
_records = msgspec.json.Decoder(dict[str, msgspec.Raw])
_batch = msgspec.json.Decoder(dict[str, msgspec.Raw])
_scans = msgspec.json.Decoder(list[msgspec.Raw])


class ScanBatch(msgspec.Struct, frozen=True):
    """Many scans, each on its own; `shown` as in a scan."""

    scans: list[ScanRequest]
    shown: list[UUID] = []


class ScanProblem(msgspec.Struct, frozen=True):
    """The place of a bad record in the answer of a batch."""

    id: UUID | None
    code: str
    status: int
    detail: str


class BatchAnswer(msgspec.Struct, frozen=True):
    """One result a scan, in order: its answer, or `{"error": ..}`."""

    results: list[Any]


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """Scans whose verdict was shown, or whose turnstile turned."""

    ids: Annotated[list[UUID], Meta(max_length=SHOWN_MAX)]


class Confirmed(msgspec.Struct, frozen=True):
    """How many ids were taken; they are written within 50 ms."""

    accepted: int


class UndoRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an admission is taken back."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class Door(msgspec.Struct, frozen=True):
    """What a scan needs, in one dependency."""

    desk: Desk
    answers: Answers
    orders: WholeOrders
    late_device: Callable[[UUID, bytes], Awaitable[UUID | None]]
    """Event and token's hash -> the revoked device that had it."""
    redeem: Redeem
    """A scan with `item_id` is a redemption."""
    keep_late: Callable[[UUID, UUID, list[tuple[UUID, bytes]]], Awaitable[None]]
    """Keep records of a revoked device: event, device, scan ids and records."""


def _device(request: Request[Any, Any, Any]) -> DeviceIdentity:
    device: DeviceIdentity = request.scope["user"]
    return device


def count_unknown(body: bytes) -> None:
    """Count the fields of a scan that this server does not know."""
    unknown = _records.decode(body).keys() - KNOWN_FIELDS
    if unknown:
        metrics.unknown_fields_total.inc(len(unknown))


def checked(answered: Answered) -> Answered:
    """The same, or the error of a scan that got no answer.

    Raises:
        Conflict: the id was used for another scan.
        Unauthenticated: the device was revoked.
        Locked: the device waits for a PIN.
        Unprocessable: PostgreSQL refused a value of it.
        Unavailable: the outcome is unknown; the same id may be sent again.
    """
    match answered.item.error:
        case "":
            return answered
        case "conflict":
            raise Conflict(
                "This scan id was used for another scan.", code="scan_id_reused"
            )
        case "device_revoked":
            raise Unauthenticated(
                "This device was revoked; pair it again.", code="device_revoked"
            )
        case "device_locked":
            raise Locked()
        case "poisoned":
            raise Unprocessable("A value of the scan cannot be stored.")
    raise Unavailable(headers={"Retry-After": "1"})


async def _decide(
    door: Door,
    event_id: UUID,
    device_id: UUID,
    scan: ScanRequest,
    lane: Lane,
) -> ScanAnswer:
    if scan.item_id is not None and not scan.dry_run:
        answer = item_answer(scan, await door.redeem(event_id, device_id, scan))
    elif scan.whole_order and not scan.dry_run:
        first, answer = await door.orders.scan(event_id, device_id, scan, lane)
        checked(first)
    else:
        answered = checked(await door.desk.scan(event_id, device_id, scan, lane))
        answer = door.answers.make(answered)
    metrics.scans_total.labels(answer.verdict, answer.reason).inc()
    return answer


def _json(value: object) -> Encoded:
    return Encoded(_answer.encode(value))


@post(
    "/events/{event_id:uuid}/scans",
    guards=[device_required],
    middleware=[straight],
    summary="Decide one scan",
    status_code=200,
)
async def scan_one(
    request: Request[Any, Any, Any],
    data: JSONBody[ScanRequest],
    event_id: FromPath[UUID],
    door: NamedDependency[Door],
) -> Response[bytes]:
    """Admit, let out, hold or refuse; a refusal is 200 with a verdict."""
    device = _device(request)
    count_unknown(await request.body())
    lane: Lane = "upload" if data.offline else "live"
    return _json(await _decide(door, event_id, device.id, data, lane))


@post(
    "/scans",
    guards=[device_required],
    middleware=[straight],
    summary="Decide one scan of a device that serves several events",
    status_code=200,
)
async def scan_anywhere(
    request: Request[Any, Any, Any],
    data: JSONBody[ScanRequest],
    door: NamedDependency[Door],
) -> Response[bytes]:
    """The ticket finds its own event among those of the device."""
    device = _device(request)
    count_unknown(await request.body())
    event_id = await door.desk.find_event(device, data)
    lane: Lane = "upload" if data.offline else "live"
    return _json(await _decide(door, event_id, device.id, data, lane))


@post(
    "/events/{event_id:uuid}/scans/batch",
    guards=[device_or_revoked],
    summary="Decide up to 1,000 scans, each on its own",
    status_code=200,
)
async def scan_batch(
    request: Request[Any, Any, Any],
    event_id: FromPath[UUID],
    door: NamedDependency[Door],
) -> Response[bytes]:
    """Results in order; one bad record never stops the others.

    Scans of one code are decided one after the other, in the order of the batch. What
    a revoked device brings with `offline` is kept for a person: `{"quarantined": id}`.
    """
    records, shown = _read_batch(await request.body())
    device = request.scope["user"]
    if not isinstance(device, DeviceIdentity):
        return await _late(door, event_id, request.headers, records)
    if shown:
        door.desk.confirm(event_id, shown)
    uploads = []
    for at, record in enumerate(records):
        uploads.append(_Upload(record))
        if at % READ_AT_ONCE == READ_AT_ONCE - 1:
            await asyncio.sleep(0)
    chains: dict[str, list[_Upload]] = {}
    for upload in uploads:
        code = upload.scan.code if upload.scan else ""
        chains.setdefault(code, []).append(upload)

    async def chain(scans: list[_Upload]) -> None:
        for upload in scans:
            await _decide_upload(door, event_id, device.id, upload)

    waiting = deque(chains.values())

    async def worker() -> None:
        while waiting:
            await chain(waiting.popleft())

    await asyncio.gather(*(worker() for _ in range(UPLOADS_AT_ONCE)))
    late = [upload for upload in uploads if upload.revoked]
    if late:
        await door.keep_late(event_id, device.id, [upload.kept for upload in late])
        for upload in late:
            upload.result = {"quarantined": upload.kept[0]}
    return _json(BatchAnswer([upload.result for upload in uploads]))


class _Upload:
    """One record of a batch on its way: what it says, and what becomes of it."""

    def __init__(self, record: msgspec.Raw) -> None:
        self.body = bytes(record)
        self.scan: ScanRequest | None = None
        self.result: object = None
        self.revoked = False
        try:
            self.scan = decoding.decode(ScanRequest, self.body)
        except ApiError as error:
            self.failed(error)

    @property
    def kept(self) -> tuple[UUID, bytes]:
        """Scan id and record, for the quarantine."""
        assert self.scan is not None
        return self.scan.id, self.body

    def failed(self, error: ApiError) -> None:
        """The record's own error."""
        scan_id = self.scan.id if self.scan else None
        problem = ScanProblem(scan_id, error.code, error.status, error.detail)
        self.result = {"error": problem}


async def _decide_upload(
    door: Door, event_id: UUID, device_id: UUID, upload: _Upload
) -> None:
    if upload.scan is None:
        return
    try:
        count_unknown(upload.body)
        upload.result = await _decide(door, event_id, device_id, upload.scan, "upload")
    except ApiError as error:
        upload.revoked = error.code == "device_revoked" and upload.scan.offline
        upload.failed(error)


async def _late(
    door: Door, event_id: UUID, headers: Any, records: list[msgspec.Raw]
) -> Response[bytes]:
    """A revoked device: its uploads are kept for a person, nothing else is heard.

    Raises:
        Unauthenticated: the device never served this event.
    """
    token = headers.get("authorization", "").partition(" ")[2].strip()
    device_id = await door.late_device(event_id, token_hash(token))
    if device_id is None:
        raise Unauthenticated(
            "This device was revoked; pair it again.", code="device_revoked"
        )
    uploads = [_Upload(record) for record in records]
    kept = [one.kept for one in uploads if one.scan is not None and one.scan.offline]
    await door.keep_late(event_id, device_id, kept)
    revoked = Unauthenticated("This device was revoked.", code="device_revoked")
    for upload in uploads:
        if upload.scan is not None and upload.scan.offline:
            upload.result = {"quarantined": upload.scan.id}
        elif upload.scan is not None:
            upload.failed(revoked)
    return _json(BatchAnswer([upload.result for upload in uploads]))


def _read_batch(body: bytes) -> tuple[list[msgspec.Raw], list[UUID]]:
    try:
        fields = _batch.decode(body)
        records = _scans.decode(fields["scans"])
        shown = msgspec.json.decode(fields.get("shown", b"[]"), type=list[UUID])
    except KeyError:
        raise MalformedBody("The field `scans` is missing.") from None
    except decoding.UNREADABLE as error:
        raise decoding.refusal(error) from None
    if len(records) > BATCH_MAX or len(shown) > SHOWN_MAX:
        raise TooLarge(f"At most {BATCH_MAX} scans a batch.", code="batch_too_large")
    return records, shown


@post(
    "/events/{event_id:uuid}/scans/confirm",
    guards=[device_required],
    summary="The verdicts of these scans were shown",
    status_code=200,
)
async def confirm(
    data: JSONBody[Confirmation],
    event_id: FromPath[UUID],
    door: NamedDependency[Door],
) -> Confirmed:
    """Confirm admissions, so that a copy is red and not amber."""
    await door.desk.event(event_id)
    door.desk.confirm(event_id, data.ids)
    return Confirmed(len(data.ids))


@post(
    "/events/{event_id:uuid}/scans/{scan_id:uuid}/undo",
    guards=[requires("scans", "write", devices=True)],
    summary="Take back an admission",
    status_code=200,
)
async def undo(
    request: Request[Any, Any, Any],
    data: JSONBody[UndoRequest],
    event_id: FromPath[UUID],
    scan_id: FromPath[UUID],
    undoing: NamedDependency[Undo],
) -> UndoAnswer:
    """The row stays and keeps its pass; place and counts are free again."""
    subject = request.scope["user"]
    if not isinstance(subject, DeviceIdentity | Staff):
        raise Forbidden
    return await undoing.undo(event_id, scan_id, subject, data.reason)


@get(
    "/events/{event_id:uuid}/scans",
    guards=[requires("scans", "read")],
    summary="The scan log, refusals too",
)
async def scan_log(
    event_id: FromPath[UUID],
    scans: NamedDependency[ScanLog],
    device_id: FromQuery[UUID | None] = None,
    reason: FromQuery[str | None] = None,
    verdict: FromQuery[str | None] = None,
    since: FromQuery[datetime | None] = None,
    limit: FromQuery[Annotated[int, Meta(ge=1, le=500)]] = 100,
    cursor: FromQuery[str | None] = None,
) -> LogPage:
    """Newest first, by pages."""
    return await scans.page(
        event_id,
        device_id=device_id,
        reason=reason,
        verdict=verdict,
        since=since,
        limit=limit,
        cursor=cursor,
    )


ROUTES = (scan_one, scan_anywhere, scan_batch, confirm, undo, scan_log)
