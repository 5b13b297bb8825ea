"""The api role with one route more: the empty handler that scans are compared with.

It stands behind the same middleware and guard, takes the same request and answers
nothing. Production has no such route, so it is added here.
"""

from __future__ import annotations

from uuid import UUID

from litestar import Response, post
from litestar.params import FromPath

from ops import api_server, app
from ops.auth.guards import device_required
from ops.auth.subjects import DeviceIdentity
from ops.settings import load


@post("/events/{event_id:uuid}/empty", guards=[device_required], status_code=200)
async def empty(event_id: FromPath[UUID], device: DeviceIdentity) -> Response[bytes]:
    """Answer at once."""
    return Response(b"{}", media_type="application/json", status_code=200)


def main() -> None:
    """Serve until SIGTERM, as `ops serve api` does."""
    app.API_ROUTES = (*app.API_ROUTES, empty)
    api_server.run(load())


if __name__ == "__main__":
    main()
