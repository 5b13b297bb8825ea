"""Routes for operators: the team at the doors, and signing on at a device."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from ops.auth.guards import any_device, requires
from ops.auth.subjects import DeviceIdentity
from ops.checkin.device_views import (
    OperatorAnswer,
    OperatorBody,
    OperatorCreatedView,
    OperatorName,
    OperatorView,
    SignedOnView,
    SignOnBody,
)
from ops.checkin.operators import Operator, Operators
from ops.errors import FieldProblem, Unprocessable
from ops.listing import Page, Turn, by_id

TAGS = ["operators"]


@post(
    "/events/{event_id:uuid}/operators",
    guards=[requires("operators", "write")],
    opt={"idempotent": True},
    summary="Add a person at the doors",
    tags=TAGS,
)
async def create_operator(
    event_id: FromPath[UUID],
    data: JSONBody[OperatorBody],
    operators: NamedDependency[Operators],
) -> OperatorCreatedView:
    """Answer 201 with the PIN, shown once."""
    made = await operators.create(
        event_id,
        data.name,
        data.role,
        pin_text=data.pin,
        badge_code=data.badge_code,
        agency=data.agency,
        gate_id=data.gate_id,
        valid_from=data.valid_from,
        valid_to=data.valid_to,
        language=data.language,
    )
    return OperatorCreatedView(id=made.id, pin=made.pin)


@get(
    "/events/{event_id:uuid}/operators",
    guards=[requires("operators", "read")],
    summary="The people at the doors of an event",
    tags=TAGS,
)
async def list_operators(
    event_id: FromPath[UUID],
    operators: NamedDependency[Operators],
    turn: NamedDependency[Turn],
) -> Page[OperatorView]:
    """Oldest first."""
    rows = await operators.page(event_id, turn.after_id, turn.limit)
    return turn.page(rows, _operator, by_id)


@get(
    "/devices/operators",
    guards=[any_device],
    summary="Who may sign on at this device now",
    tags=TAGS,
)
async def list_names(
    device: NamedDependency[DeviceIdentity], operators: NamedDependency[Operators]
) -> list[OperatorName]:
    """Names to choose from, before the PIN is asked."""
    rows = await operators.names(device)
    return [msgspec.convert(dict(row), OperatorName) for row in rows]


@post(
    "/devices/operator",
    guards=[any_device],
    status_code=200,
    summary="Sign a person on at this device, by PIN or badge",
    tags=TAGS,
)
async def sign_on(
    data: JSONBody[SignOnBody],
    device: NamedDependency[DeviceIdentity],
    operators: NamedDependency[Operators],
) -> OperatorAnswer:
    """Three wrong PINs lock the person for five minutes, never the device."""
    if data.sign_off:
        await operators.sign_off(device)
        return OperatorAnswer(None)
    if data.resume:
        before = await operators.resume(device)
        return OperatorAnswer(_signed_on(before) if before else None)
    if (data.pin is None) == (data.badge_code is None):
        problem = FieldProblem("pin", "pin_or_badge", "Send a PIN or a badge code.")
        raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
    if data.pin is not None:
        who = await operators.sign_on_by_pin(
            device, data.pin, data.operator_id, once=data.once
        )
    else:
        who = await operators.sign_on_by_badge(
            device, data.badge_code or "", once=data.once
        )
    return OperatorAnswer(_signed_on(who))


@delete(
    "/devices/operator",
    guards=[any_device],
    summary="Sign off",
    tags=TAGS,
)
async def sign_off(
    device: NamedDependency[DeviceIdentity], operators: NamedDependency[Operators]
) -> None:
    """May come twice."""
    await operators.sign_off(device)


def _signed_on(who: Operator) -> SignedOnView:
    return SignedOnView(who.id, who.name, who.role, who.language, who.gate_id)


def _operator(row: Any) -> OperatorView:
    return msgspec.convert(dict(row), OperatorView)


ROUTES = (create_operator, list_operators, list_names, sign_on, sign_off)
