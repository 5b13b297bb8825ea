"""Routes of privacy: tell, erase, keep no longer than needed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from ops.audit.entry import Actor
from ops.auth.guards import requires
from ops.clock import Clock
from ops.crm.pool import CrmPool
from ops.listing import Page, Turn, by_time
from ops.privacy.dossier import Dossiers, as_page
from ops.privacy.erasure import Eraser
from ops.privacy.retention import Retention, Standing
from ops.texts import Texts

TAGS = ["privacy"]
CALL_TIMEOUT_S: Final = 10.0

PAGE: Final = """
SELECT id, person_kind, person_id, reason, requested_by, result, erased_at
  FROM ops.erasures
 WHERE $1::timestamptz IS NULL OR (erased_at, id) < ($1, $2)
 ORDER BY erased_at DESC, id DESC LIMIT $3
"""

Form = Literal["json", "html"]
Language = Literal["en", "fr"]


class EraseBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why; must not name the person."""

    reason: Annotated[
        str,
        Meta(min_length=1, max_length=200, examples=["request of the person, 26 Nov"]),
    ]


class ErasureView(msgspec.Struct):
    """What was done. `result.changed` and `result.mentions` count rows by table;
    `other_holders` had the same address and keep their own names.
    """

    id: UUID
    person_kind: str
    person_id: UUID
    reason: str
    requested_by: UUID | None
    result: dict[str, Any]
    erased_at: datetime


class RuleBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How long; a rule that is not enabled keeps for ever."""

    keep_days: Annotated[int, Meta(ge=1, le=36_500, examples=[90])]
    enabled: bool = True


class RuleView(msgspec.Struct):
    """A rule as it holds here."""

    name: Annotated[str, Meta(examples=["special_needs"])]
    what: str
    keep_days: int
    enabled: bool
    last_run_at: datetime | None
    last_rows: int | None


class RunView(msgspec.Struct):
    """How many rows each rule touched."""

    touched: Annotated[dict[str, int], Meta(examples=[{"special_needs": 12}])]


@post(
    "/contacts/{contact_id:uuid}/erase",
    guards=[requires("privacy", "write")],
    opt={"idempotent": True},
    status_code=200,
    summary="Erase a person; counts stay right",
    tags=TAGS,
)
async def erase_contact(
    contact_id: FromPath[UUID],
    data: JSONBody[EraseBody],
    actor: NamedDependency[Actor],
    eraser: NamedDependency[Eraser],
    crm_pool: NamedDependency[CrmPool],
) -> ErasureView:
    """Tickets, visits and orders stay, without a name. May be repeated."""
    async with crm_pool.turn():
        return _erasure(await eraser.contact(actor, contact_id, data.reason))


@post(
    "/attendees/{attendee_id:uuid}/erase",
    guards=[requires("privacy", "write")],
    opt={"idempotent": True},
    status_code=200,
    summary="Erase the holder of a ticket who is no contact",
    tags=TAGS,
)
async def erase_attendee(
    attendee_id: FromPath[UUID],
    data: JSONBody[EraseBody],
    actor: NamedDependency[Actor],
    eraser: NamedDependency[Eraser],
    crm_pool: NamedDependency[CrmPool],
) -> ErasureView:
    """The ticket goes on opening its doors."""
    async with crm_pool.turn():
        return _erasure(await eraser.attendee(actor, attendee_id, data.reason))


@get(
    "/contacts/{contact_id:uuid}/export",
    guards=[requires("privacy", "read")],
    summary="Everything that is kept about a person",
    tags=TAGS,
)
async def export_contact(
    contact_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    dossiers: NamedDependency[Dossiers],
    crm_pool: NamedDependency[CrmPool],
    texts: NamedDependency[Texts],
    clock: NamedDependency[Clock],
    form: FromQuery[Form] = "json",
    language: FromQuery[Language] = "en",
) -> Response[bytes]:
    """JSON for programs, a page for people (`form=html`), both as a download."""
    async with crm_pool.turn():
        made = await dossiers.of(actor, "contact", contact_id, clock.now())
    if form == "json":
        body = msgspec.json.format(msgspec.json.encode(made), indent=1)
        media = "application/json"
    else:
        title = texts.say(language, "crm.dossier.title", {})
        history = texts.say(language, "crm.dossier.history", {})
        body = as_page(made, language, title, history).encode()
        media = "text/html; charset=utf-8"
    name = f"person-{contact_id}.{form}"
    return Response(
        body,
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@get(
    "/privacy/erasures",
    guards=[requires("privacy", "read")],
    summary="Who was erased, newest first: ids only",
    tags=TAGS,
)
async def list_erasures(
    crm_pool: NamedDependency[CrmPool],
    turn: NamedDependency[Turn],
) -> Page[ErasureView]:
    """After a backup was restored, these have to be erased again."""
    rows = await crm_pool.pool.fetch(
        PAGE,
        *turn.start,
        turn.limit + 1,
        timeout=CALL_TIMEOUT_S,
    )
    return turn.page(rows, _erasure, by_time("erased_at"))


@get(
    "/privacy/retention",
    guards=[requires("privacy", "read")],
    summary="How long things are kept",
    tags=TAGS,
)
async def list_rules(retention: NamedDependency[Retention]) -> list[RuleView]:
    """All rules, also those that are not enabled."""
    return [_rule(one) for one in await retention.rules()]


@put(
    "/privacy/retention/{name:str}",
    guards=[requires("privacy", "write")],
    summary="Change how long something is kept",
    tags=TAGS,
)
async def set_rule(
    name: FromPath[str],
    data: JSONBody[RuleBody],
    actor: NamedDependency[Actor],
    retention: NamedDependency[Retention],
) -> RuleView:
    """404 for a rule that does not exist."""
    return _rule(await retention.set(actor, name, data.keep_days, data.enabled))


@post(
    "/privacy/retention/run",
    guards=[requires("privacy", "write")],
    opt={"idempotent": True},
    status_code=200,
    summary="Apply the rules now",
    tags=TAGS,
)
async def run_rules(
    actor: NamedDependency[Actor],
    retention: NamedDependency[Retention],
    clock: NamedDependency[Clock],
    crm_pool: NamedDependency[CrmPool],
) -> RunView:
    """A duty does it once a day."""
    async with crm_pool.turn():
        return RunView(await retention.run(clock.now(), actor))


def _erasure(row: Any) -> ErasureView:
    return msgspec.convert(dict(row), ErasureView)


def _rule(one: Standing) -> RuleView:
    return RuleView(*one)


ROUTES = (
    erase_contact,
    erase_attendee,
    export_contact,
    list_erasures,
    list_rules,
    set_rule,
    run_rules,
)
