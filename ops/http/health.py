"""`/healthz` (the process lives), `/readyz` (which mode), `/metrics` (Prometheus).

Public on purpose: they say which stores answer, nothing else. A proxy keeps
`/metrics` inside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ops import metrics
from ops.auth.guards import public
from ops.patience import within

PROBE_TIMEOUT_S = 0.5
"""A store that takes longer is not there, as far as a door is concerned."""

Mode = Literal["normal", "no-redis", "journal", "down"]


Ask = Callable[[], Coroutine[Any, Any, None]]


class Alive(msgspec.Struct):
    """The process answers."""

    status: str
    version: str


class Ready(msgspec.Struct):
    """The mode of this process, and each store: `up` or `down`."""

    mode: Mode
    postgresql: Literal["up", "down"]
    redis: Literal["up", "down"]
    version: str


class Probe:
    """Asks each store one cheap question.

    Args:
        postgresql, redis: raise if the store does not answer.
        normal: raises unless every event of this process is in mode N.
    """

    def __init__(self, version: str, postgresql: Ask, redis: Ask, normal: Ask) -> None:
        self.version = version
        self._postgresql, self._redis, self._normal = postgresql, redis, normal

    async def ready(self) -> Ready:
        """The worst mode of all events; all is asked at the same time, never raises,
        never slower than `PROBE_TIMEOUT_S`."""
        postgresql, redis, normal = await asyncio.gather(
            _answers(self._postgresql), _answers(self._redis), _answers(self._normal)
        )
        mode: Mode
        if not redis:
            mode = "no-redis" if postgresql else "down"
        else:
            mode = "normal" if postgresql and normal else "journal"
        return Ready(
            mode=mode,
            postgresql="up" if postgresql else "down",
            redis="up" if redis else "down",
            version=self.version,
        )


async def _answers(ask: Ask) -> bool:
    try:
        await within(PROBE_TIMEOUT_S, ask())
    except Exception:
        # Whatever went wrong, the store did not answer; /readyz is how one sees it.
        return False
    return True


@get("/healthz", guards=[public], summary="The process is alive")
async def healthz(probe: NamedDependency[Probe]) -> Alive:
    """Answer without asking anybody."""
    return Alive(status="ok", version=probe.version)


@get("/readyz", guards=[public], summary="The mode of this process and its stores")
async def readyz(probe: NamedDependency[Probe]) -> Response[Ready]:
    """Answer 200 while a door can be served, 503 when no store answers."""
    ready = await probe.ready()
    return Response(ready, status_code=503 if ready.mode == "down" else 200)


@get("/metrics", guards=[public], include_in_schema=False, sync_to_thread=False)
def prometheus() -> Response[bytes]:
    """Answer in Prometheus' text format."""
    return Response(
        generate_latest(metrics.REGISTRY),
        headers={"Content-Type": CONTENT_TYPE_LATEST},
    )


ROUTES = (healthz, readyz, prometheus)
