"""POST /events/{id}/simulate: every check of an imagined scan (design: api.md)."""

from __future__ import annotations

from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from ops.auth.guards import requires
from ops.checkin.simulator import Simulation, SimulationAnswer, Simulator


@post(
    "/events/{event_id:uuid}/simulate",
    guards=[requires("scans", "read")],
    summary="Imagine a scan: every check in order, and the nearest cause",
    status_code=200,
)
async def simulate(
    data: JSONBody[Simulation],
    event_id: FromPath[UUID],
    simulator: NamedDependency[Simulator],
) -> SimulationAnswer:
    """Nothing is written; the checks are those that decide real scans."""
    return await simulator.imagine(event_id, data)


ROUTES = (simulate,)
