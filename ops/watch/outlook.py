"""The outlook of an evening: forecast and queues as screens read them. Pure.

Times are RFC 3339; points are [epoch minute, low, mid, high], people who entered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ops.watch.event_day import EventDay
from ops.watch.forecast import (
    Curve,
    Fit,
    Point,
    band,
    default_curve,
    etas,
    fit,
    full,
    mean_curve,
)
from ops.watch.queues import Estimate, GateLoad, busy_minutes, estimate

Minutes = list[tuple[float, int]]

SOON_MIN = 15.0
TRIES_MIN = 3
GAPS_MIN = 8
"""So many gaps tell a service time; fewer do not."""


class Evening(msgspec.Struct, frozen=True):
    """An event as the forecast sees it; `leaving`: people a minute, lately; `tickets`:
    people on valid tickets: more cannot come; `day`: which of the event's days."""

    doors_at: datetime
    starts_at: datetime
    ends_at: datetime
    inside: int
    capacity: int | None
    expected: float
    leaving: float
    tickets: int
    day: EventDay | None = None


def curve_of(evening: Evening, past: Sequence[Minutes]) -> tuple[Curve, int]:
    """The curve to begin with, and how many past evenings it comes from (0: none)."""
    found = mean_curve(past)
    if found is not None:
        return found, len(past)
    span = (evening.starts_at - evening.doors_at).total_seconds() / 60
    whole = (evening.ends_at - evening.doors_at).total_seconds() / 60
    # Doors that open at the beginning itself: people come over its first fifth.
    return default_curve(span if span > whole * 0.02 else whole * 0.2), 0


def outlook(
    evening: Evening,
    came: Minutes,
    past: Sequence[Minutes],
    gates: Sequence[Mapping[str, Any]],
    limit_s: float,
    now: datetime,
) -> dict[str, Any]:
    """Everything that is believed of an evening at this moment.

    Args:
        gates: rows of `statements.LOADS`.
        limit_s: how long people should wait at most.
    """
    curve, evenings = curve_of(evening, past)
    minute = (now - evening.doors_at).total_seconds() / 60
    fitted = fit(curve, evening.expected, came, minute)
    most = max(float(evening.tickets), fitted.entered)
    points = [
        Point(point.minute, *(min(value, most) for value in point[1:]))
        for point in band(fitted)
    ]
    planned = evening.expected * curve.at(minute)

    def at(value: float | None) -> str | None:
        if value is None:
            return None
        return (evening.doors_at + timedelta(minutes=value)).isoformat()

    last = points[-1]
    return {
        "made_at": now.isoformat(),
        "day": _day(evening.day),
        "basis": "past" if evenings else "default",
        "evenings": evenings,
        "expected": round(evening.expected),
        "entered": fitted.entered,
        "planned": round(planned),
        "ahead": round(fitted.entered - planned),
        "total": {
            "low": round(last.low),
            "mid": round(last.mid),
            "high": round(last.high),
        },
        "etas": [
            {
                "percent": eta.percent,
                "at": at(eta.minute),
                "low": at(eta.low),
                "high": at(eta.high),
                "reached": eta.reached,
            }
            for eta in etas(fitted, points, came)
        ],
        "full": _full(evening, fitted, points, at),
        "points": _points(evening, points),
        "limit_s": limit_s,
        "gates": _gates(fitted, planned, bool(evenings), gates, limit_s),
    }


def _day(day: EventDay | None) -> dict[str, Any] | None:
    """Which day it is about, where there are several."""
    if day is None or day.of == 1:
        return None
    return {"number": day.number, "of": day.of, "date": day.date.isoformat()}


def _full(evening: Evening, fitted: Fit, points: list[Point], at: Any) -> Any:
    if not evening.capacity:
        return None
    mid, early, late = full(
        points, fitted.entered, evening.inside, evening.capacity, evening.leaving
    )
    if mid is None and early is None:
        return None
    return {"at": at(mid), "low": at(early), "high": at(late)}


def _points(evening: Evening, points: list[Point]) -> list[list[float]]:
    begin = evening.doors_at.timestamp() / 60
    return [
        [round(begin + point.minute, 2), *(round(value, 1) for value in point[1:])]
        for point in points
    ]


def _gates(
    fitted: Fit,
    planned: float,
    past: bool,
    rows: Sequence[Mapping[str, Any]],
    limit_s: float,
) -> list[dict[str, Any]]:
    through = sum(row["entered"] or 0 for row in rows)
    soon = fitted.quantiles(fitted.now + SOON_MIN)[2] - fitted.entered
    found = []
    for row in rows:
        share = (row["entered"] or 0) / through if through else 0.0
        load = _load(row)
        load = msgspec.structs.replace(
            load,
            missing=(planned - fitted.entered) * share if past else None,
            coming_per_min=max(0.0, soon) / SOON_MIN * share,
        )
        told: Estimate = estimate(load, limit_s)
        found.append(
            {
                "id": str(row["id"]),
                "name": row["name"],
                "share": round(share, 3),
                "per_min": round(load.per_min, 1),
                **_rounded(msgspec.structs.asdict(told)),
                "service_known": load.service_s is not None,
            }
        )
    return found


def _load(row: Mapping[str, Any]) -> GateLoad:
    tries = [0] * 10
    for minute in row["tries"] or ():
        if 0 <= minute < len(tries):
            tries[minute] += 1
    known = row["service_s"] is not None and row["gaps"] >= GAPS_MIN
    service_s = float(row["service_s"]) if known else None
    lanes = row["lanes"] or 0
    return GateLoad(
        lanes=lanes,
        per_min=sum(tries[:TRIES_MIN]) / TRIES_MIN,
        service_s=service_s,
        busy_min=busy_minutes(tries, lanes, service_s),
        report=row["queue"],
    )


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in values.items()
    }
