"""Routes of the audit log: who did what; values that may be personal for those who
have the right to privacy matters alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from msgspec import Meta

from ops.audit import sealing
from ops.audit.auditor import Auditor
from ops.auth.guards import requires
from ops.auth.subjects import Staff
from ops.crm.pool import CrmPool
from ops.errors import Conflict
from ops.listing import Page, Position, Turn

TAGS = ["audit"]
CALL_TIMEOUT_S: Final = 10.0

PAGE: Final = """
SELECT a.id, a.at, a.subject_kind, a.subject_id, a.action, a.target_kind, a.target_id,
       a.event_id, a.detail, host(a.ip) AS ip, a.key_id, a.personal,
       nullif(trim(concat(u.first_name, ' ', u.last_name)), '') AS subject_name
  FROM ops.audit_log a
  LEFT JOIN users u ON a.subject_kind = 'user' AND u.id = a.subject_id
 WHERE ($1::timestamptz IS NULL OR (a.at, a.id) < ($1, $2))
   AND ($3::uuid IS NULL OR a.target_id = $3)
   AND ($4::text IS NULL OR a.target_kind = $4)
   AND ($5::uuid IS NULL OR a.subject_id = $5)
   AND ($6::text IS NULL OR a.action = $6)
   AND ($7::uuid IS NULL OR a.event_id = $7)
   AND ($8::timestamptz IS NULL OR a.at >= $8)
 ORDER BY a.at DESC, a.id DESC LIMIT $9
"""

Word = Annotated[str, QueryParameter(max_length=100)]


class AuditView(msgspec.Struct):
    """One entry; `personal` is null where there is none, where the reader has no right
    to it, and where the person was erased (`sealed` tells that there was something).
    """

    id: int
    at: datetime
    subject_kind: str
    subject_id: UUID | None
    subject_name: str | None
    action: Annotated[str, Meta(examples=["contacts.update"])]
    target_kind: str | None
    target_id: UUID | None
    event_id: UUID | None
    detail: dict[str, Any]
    ip: str | None
    sealed: bool
    personal: dict[str, Any] | None


class SealsView(msgspec.Struct):
    """How many rows the seals cover and prove unaltered."""

    rows: int


@get(
    "/audit",
    guards=[requires("audit", "read")],
    summary="Who did what to what, newest first",
    tags=TAGS,
)
async def list_audit(
    me: NamedDependency[Staff],
    crm_pool: NamedDependency[CrmPool],
    auditor: NamedDependency[Auditor],
    turn: NamedDependency[Turn],
    target_id: FromQuery[UUID | None] = None,
    target_kind: FromQuery[Word | None] = None,
    subject_id: FromQuery[UUID | None] = None,
    action: FromQuery[Word | None] = None,
    event_id: FromQuery[UUID | None] = None,
    since: FromQuery[datetime | None] = None,
) -> Page[AuditView]:
    """Two statements a page."""
    at, last = turn.start
    rows = await crm_pool.pool.fetch(
        PAGE,
        at,
        last.int if last else None,
        target_id,
        target_kind,
        subject_id,
        action,
        event_id,
        since,
        turn.limit + 1,
        timeout=CALL_TIMEOUT_S,
    )
    opened: list[Any] = [None] * len(rows)
    if me.may("privacy", "read", None):
        opened = await auditor.keys.open(
            crm_pool.pool, [(row["key_id"], row["personal"]) for row in rows]
        )
    pairs = list(zip(rows, opened, strict=True))
    return turn.page(
        pairs,
        lambda pair: _entry(*pair),
        lambda pair: Position(UUID(int=pair[0]["id"]), pair[0]["at"]),
    )


@post(
    "/audit/verify",
    guards=[requires("audit", "read")],
    status_code=200,
    summary="Check the seals of the whole audit log",
    tags=TAGS,
)
async def verify(crm_pool: NamedDependency[CrmPool]) -> SealsView:
    """409 `audit_broken` names the first seal that does not fit its rows."""
    found = await sealing.verify(crm_pool.pool)
    if isinstance(found, sealing.Broken):
        raise Conflict(
            f"Seal {found.seal_id} does not fit what it seals ({found.cause}).",
            code="audit_broken",
        )
    return SealsView(found)


def _entry(row: Any, personal: Any) -> AuditView:
    values = {name: value for name, value in row.items() if name != "key_id"}
    values["sealed"] = values.pop("personal") is not None
    return AuditView(**values, personal=personal)


ROUTES = (list_audit, verify)
