"""How long people wait at a gate, and how many lanes would end it. Pure.

door.md: scans alone cannot tell 20 people from 260. A gate that is busy above 95 % has
a queue that grows, of unknown length, unless a steward says it or the forecast's share
of the gate gives it. So each estimate names its basis and its range:

- `scans`: below 95 % the wait follows from pace and service time (lanes, Erlang's C);
- `report`: a steward's report of the last ten minutes (none, short, long, over the
  barrier) is people; wait is people by the pace of the lanes;
- `forecast`: who should have come by past evenings, less who did;
- `growing`: nothing is known but that it grows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

Basis = Literal["scans", "report", "forecast", "growing", "idle"]

BUSY = 0.95
SERVICE_DEFAULT_S = 5.0
LANES_MAX = 60
WAITED_SHARE = 0.9
"""Nine of ten should wait no longer than the limit."""
SPREAD = 0.25
"""Of a queue that the forecast gives: a quarter more or less."""

REPORTED = {
    "none": (0, 2),
    "short": (3, 10),
    "long": (11, 40),
    "over_barrier": (41, 150),
}
"""People, as stewards mean these words."""


class GateLoad(msgspec.Struct, frozen=True):
    """What the log says of a gate.

    `lanes`: devices that scanned in the last five minutes; `per_min`: attempts a minute
    over the last three; `service_s`: seconds from one to the next at a busy device,
    None where too few were seen; `busy_min`: for how many minutes it has been above
    95 %; `report`: a steward's word of the last ten minutes; `missing`: who should have
    come by past evenings and has not, None where no past evening tells.
    """

    lanes: int
    per_min: float
    service_s: float | None = None
    busy_min: int = 0
    report: str | None = None
    missing: float | None = None
    coming_per_min: float = 0.0


class Estimate(msgspec.Struct, frozen=True):
    """What is believed of a queue: people, seconds, each with a range; None: unknown.

    `lanes_needed` hold the wait under the limit, a standing queue included.
    """

    basis: Basis
    busy: float
    service_s: float
    lanes: int
    people_low: int | None
    people_high: int | None
    wait_low_s: float | None
    wait_s: float | None
    wait_high_s: float | None
    lanes_needed: int | None


def erlang_c(lanes: int, load: float) -> float:
    """The share of people who have to wait: `load` lanes' worth of work, < lanes."""
    if load <= 0:
        return 0.0
    term, total = 1.0, 1.0
    for n in range(1, lanes):
        term *= load / n
        total += term
    last = term * load / lanes * lanes / (lanes - load)
    return last / (total + last)


def waits_s(lanes: int, per_s: float, service_s: float) -> tuple[float, float]:
    """The mean wait, and the one that nine of ten stay under; below saturation."""
    load = per_s * service_s
    if lanes <= 0 or load >= lanes:
        return math.inf, math.inf
    waiting = erlang_c(lanes, load)
    drain_per_s = (lanes - load) / service_s
    mean = waiting / drain_per_s
    beyond = 1 - WAITED_SHARE
    nine = math.log(waiting / beyond) / drain_per_s if waiting > beyond else 0.0
    return mean, nine


def lanes_for(
    per_min: float, service_s: float, limit_s: float, queue: float
) -> int | None:
    """The fewest lanes that keep the wait of nine in ten under the limit, and bring a
    standing queue there within it; None: more than 60."""
    for lanes in range(1, LANES_MAX + 1):
        _, nine = waits_s(lanes, per_min / 60, service_s)
        served = lanes * limit_s / service_s
        arriving = per_min / 60 * limit_s
        if nine <= limit_s and served >= arriving + queue:
            return lanes
    return None


def estimate(gate: GateLoad, limit_s: float) -> Estimate:
    """What is believed of a gate's queue, for a limit of the wait."""
    service_s = gate.service_s or SERVICE_DEFAULT_S
    lanes = max(1, gate.lanes)
    per_s = gate.per_min / 60
    busy = min(1.0, per_s * service_s / lanes)
    people, basis = _people(gate, busy)
    low: float | None
    mid: float | None
    high: float | None
    if basis in ("scans", "idle"):
        # The range is from nobody to nine of ten; a gate just below saturation gets
        # what Erlang's C says at 95 %.
        mean, nine = waits_s(lanes, min(per_s, BUSY * lanes / service_s), service_s)
        high = max(mean, nine)
        low, mid = 0.0, mean
        people = (0, math.ceil(per_s * high))
    elif people is None:
        low = mid = high = None
    else:
        pace = lanes / service_s
        low, high = people[0] / pace, people[1] / pace
        mid = (low + high) / 2
    demand = max(gate.per_min, gate.coming_per_min)
    needed = lanes_for(demand, service_s, limit_s, people[1] if people else 0)
    if needed is not None and people is None:
        needed = max(needed, gate.lanes + 1)
    idle = gate.per_min == 0 and gate.coming_per_min == 0 and basis == "idle"
    return Estimate(
        basis,
        busy,
        service_s,
        gate.lanes,
        people[0] if people else None,
        people[1] if people else None,
        low,
        mid,
        high,
        0 if idle else needed,
    )


def busy_minutes(tries: Sequence[int], lanes: int, service_s: float | None) -> int:
    """For how many whole minutes a gate has been busy above 95 % without a break.

    Args:
        tries: attempts a minute, the newest first.
    """
    able = max(1, lanes) * 60 / (service_s or SERVICE_DEFAULT_S)
    return next((n for n, tried in enumerate(tries) if tried < BUSY * able), len(tries))


def _people(gate: GateLoad, busy: float) -> tuple[tuple[int, int] | None, Basis]:
    """How many stand there, and how that is known."""
    if gate.report in REPORTED:
        return REPORTED[gate.report], "report"
    if gate.per_min == 0:
        return (0, 0), "idle"
    if busy < BUSY or gate.busy_min < 3:
        return (0, 0), "scans"
    if gate.missing is not None and gate.missing > 0:
        low = math.floor(gate.missing * (1 - SPREAD))
        return (low, math.ceil(gate.missing * (1 + SPREAD))), "forecast"
    return None, "growing"
