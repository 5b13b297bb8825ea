"""Routes of packages, of the keys that open their names, and of the event's mode."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from ops.auth.guards import device_required, requires
from ops.auth.subjects import DeviceIdentity, Staff
from ops.offline.modes import OfflineMode, OfflineModeBody
from ops.offline.offline import Offline

TAGS = ["offline"]
PACKAGE = "application/octet-stream"


class NamesKey(msgspec.Struct, frozen=True):
    """The key of a shift: AES-GCM, 32 bytes in base64."""

    id: UUID
    key: str
    valid_until: datetime


@get(
    "/events/{event_id:uuid}/offline-package",
    guards=[device_required],
    summary="What a device needs to decide without the server",
    tags=TAGS,
    media_type=PACKAGE,
)
async def offline_package(
    event_id: FromPath[UUID],
    device: NamedDependency[DeviceIdentity],
    offline: NamedDependency[Offline],
    since: FromQuery[Annotated[str, Meta(max_length=128)] | None] = None,
) -> Response[bytes]:
    """Signed; a delta with `since`, the whole where a delta cannot be told."""
    body = await offline.packages.make(event_id, device.id, since)
    return Response(body, media_type=PACKAGE)


@post(
    "/events/{event_id:uuid}/offline-key",
    guards=[device_required],
    status_code=200,
    summary="The key to the names of this shift's packages",
    tags=TAGS,
)
async def offline_key(
    event_id: FromPath[UUID],
    device: NamedDependency[DeviceIdentity],
    offline: NamedDependency[Offline],
) -> NamesKey:
    """Only while an operator is signed on at the device (403 `no_operator`)."""
    made = await offline.names_key(event_id, device.id)
    return NamesKey(made.id, b64encode(made.key).decode(), made.valid_until)


@post(
    "/events/{event_id:uuid}/offline-key/end",
    guards=[requires("devices", "write")],
    status_code=204,
    summary="End the shift's key: packages that come are sealed by another",
    tags=TAGS,
)
async def end_offline_key(
    event_id: FromPath[UUID], offline: NamedDependency[Offline]
) -> None:
    """May come twice."""
    await offline.end_names_key(event_id)


@get(
    "/events/{event_id:uuid}/offline-mode",
    guards=[requires("devices", "read", devices=True)],
    summary="How devices of the event decide alone",
    tags=TAGS,
)
async def get_offline_mode(
    event_id: FromPath[UUID], offline: NamedDependency[Offline]
) -> OfflineMode:
    """Default: bounded, 50 admissions a device."""
    return await offline.mode(event_id)


@put(
    "/events/{event_id:uuid}/offline-mode",
    guards=[requires("events", "write")],
    summary="Choose how devices of the event decide alone",
    tags=TAGS,
)
async def set_offline_mode(
    event_id: FromPath[UUID],
    data: JSONBody[OfflineModeBody],
    me: NamedDependency[Staff],
    offline: NamedDependency[Offline],
) -> OfflineMode:
    """Holds for a device from its next package on; until then it counts as it was."""
    return await offline.choose_mode(event_id, data, me.user_id)


ROUTES: tuple[Any, ...] = (
    offline_package,
    offline_key,
    end_offline_key,
    get_offline_mode,
    set_offline_mode,
)
