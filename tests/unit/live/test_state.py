"""The figures of door.md, computed from counters and the plan."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.live import state
from ops.live.state import Counters, GateRates, Plan, parse_counters

STARTS = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)  # 09:00 in Toronto
NOON = datetime(2026, 11, 22, 17, 0, 30, tzinfo=UTC)
MINUTE = int(NOON.timestamp() // 60)
EVENT, HALL, LOUNGE, ROOM = (UUID(int=n) for n in range(1, 5))
TALK, OTHER_TALK = UUID(int=5), UUID(int=6)
FRONT, BACK = UUID(int=7), UUID(int=8)


def make_plan(**event: Any) -> Plan:
    given_event: dict[str, Any] = {
        "id": EVENT,
        "title": "Doors & Données",
        "timezone": "America/Toronto",
        "status": "live",
        "doors_state": "open",
        "stopped": None,
        "starts_at": STARTS,
        "ends_at": STARTS + timedelta(hours=9),
        "doors_open_at": None,
        "day_starts_at": time(6),
        "capacity": 5000,
        **event,
    }

    def session(id: UUID, title: str) -> state.SessionInfo:
        end = STARTS + timedelta(hours=1)
        return state.SessionInfo(
            id, title, None, ROOM, STARTS, end, None, None, 90, "track", "live", 12
        )

    return Plan(
        event=state.EventInfo(**given_event),
        scopes=(
            state.ScopeInfo(1, "venue", HALL, None, None, "hard", True),
            state.ScopeInfo(2, "zone", LOUNGE, None, None, "hard", True),
            state.ScopeInfo(3, "session", ROOM, TALK, None, None, False),
            state.ScopeInfo(4, "session", ROOM, OTHER_TALK, 60, "soft", False),
        ),
        areas=(
            state.AreaInfo(HALL, 1, "Hall", "venue", 4800, "hard"),
            state.AreaInfo(LOUNGE, 2, "Lounge", "zone", 200, "hard"),
            state.AreaInfo(ROOM, 3, "Room", "room", 120, "hard"),
        ),
        gates=(
            state.GateInfo(FRONT, 1, "Front", HALL, "open", 3),
            state.GateInfo(BACK, 2, "Lounge door", LOUNGE, "held", 1),
        ),
        types=(
            state.TypeInfo(UUID(int=9), 1, "Day", "general", True, 120, 100),
            state.TypeInfo(UUID(int=10), 2, "VIP", "vip", True, 22, 20),
            state.TypeInfo(UUID(int=11), 3, "Crew", "speaker", False, 0, 0),
        ),
        sessions=(session(TALK, "Queues"), session(OTHER_TALK, "Gates")),
        refused_people=3,
        devices={7: "Scanner 7"},
        operators={5: "Zoë"},
    )


def counters(**by_letter: dict[int, int]) -> Counters:
    return {**parse_counters({}), **by_letter}


def figures(found: Counters, plan: Plan | None = None, now: datetime = NOON) -> Any:
    shown = state.attendance(plan or make_plan(), found, GateRates(), now, 0.0)
    return shown["figures"]


TODAY = (NOON.date() - date(1970, 1, 1)).days

FULL = counters(
    i={1: 61, 2: 9, 3: 20, 4: 5},
    e={1: 80, 2: 12, 3: 30, 4: 8},
    g={1: 95, 2: 14},
    x={1: 30, 2: 4},
    t={1: 60, 2: 15, 3: 5},
    m={MINUTE - 5: 40, MINUTE - 1: 30, MINUTE: 10},
    r={1: 6, 2: 1},
    w={0: 11},
    c={1: 7, 2: 2},
    y={TODAY: 80, TODAY - 1: 44},
)


def test_the_table_of_figures() -> None:
    assert figures(FULL) == {
        "sold": 142,
        "expected": 120,
        "entered": 80,
        "entered_today": 80,
        "inside": 61 + 7,
        "counted": 7,
        "re_entries": 11,
        "exits": 30,
        "no_show": None,
        "refused_attempts": 7,
        "refused_people": 3,
    }


def test_no_show_is_known_after_the_end_and_counts_guests_alone() -> None:
    after = STARTS + timedelta(hours=9)
    assert figures(FULL, now=after)["no_show"] == 120 - (60 + 15)
    crowd = counters(t={1: 500})
    assert figures(crowd, now=after)["no_show"] == 0


def test_areas_are_places_and_sessions_use_a_room_in_turn() -> None:
    shown = state.attendance(make_plan(), FULL, GateRates(), NOON, 0.0)
    inside = {
        area["name"]: (area["inside"], area["counted"]) for area in shown["areas"]
    }
    assert inside == {"Hall": (68, 7), "Lounge": (11, 2), "Room": (25, 0)}


def test_gates() -> None:
    shown = state.attendance(make_plan(), FULL, GateRates(), NOON, 0.0)
    front, back = shown["gates"]
    assert (front["entered"], front["exited"], front["refused"]) == (95, 30, 6)
    assert (back["area"], back["state"], back["devices"]) == ("Lounge", "held", 1)
    assert front["rate_per_min"] is None  # nothing is known yet


def test_capacity_is_the_venue_s_or_the_event_s() -> None:
    plan = make_plan()
    assert _capacity(plan) == 4800
    tight = msgspec.structs.replace(plan.scopes[0], capacity=4000)
    assert _capacity(msgspec.structs.replace(plan, scopes=(tight,))) == 4000
    assert _capacity(msgspec.structs.replace(plan, areas=())) == 5000


def _capacity(plan: Plan) -> Any:
    return state.attendance(plan, FULL, GateRates(), NOON, 0.0)["capacity"]


def test_sessions() -> None:
    talk, other = state.sessions(make_plan(), FULL)["sessions"]
    assert (talk["inside"], talk["entered"], talk["registered"]) == (20, 30, 12)
    assert (talk["capacity"], talk["limit"], talk["room"]) == (90, None, "Room")
    assert (other["capacity"], other["limit"]) == (60, "soft")


def test_an_event_without_anything_shows_zeros() -> None:
    bare = msgspec.structs.replace(
        make_plan(), scopes=(), areas=(), gates=(), types=(), sessions=()
    )
    shown = state.attendance(bare, parse_counters({}), GateRates(), NOON, 0.0)
    assert shown["figures"]["inside"] == 0
    assert shown["curve"] == {"start_minute": MINUTE, "entered": [0]}
    assert state.sessions(bare, FULL) == {"sessions": []}


def test_rate_is_over_five_minutes_with_the_one_begun() -> None:
    # 10 in the half minute begun and 30 the minute before it: 40 in 4.5 minutes.
    shown = state.attendance(make_plan(), FULL, GateRates(), NOON, 0.0)
    assert shown["rate_per_min"] == round(40 / 4.5, 1)


def test_curve_runs_from_the_first_arrival_until_now() -> None:
    shown = state.attendance(make_plan(), FULL, GateRates(), NOON, 0.0)
    assert shown["curve"] == {
        "start_minute": MINUTE - 5,
        "entered": [40, 0, 0, 0, 30, 10],
    }


@given(
    st.dictionaries(st.integers(0, 2**31), st.integers(-5, 500), max_size=30),
    st.integers(0, 2**31),
)
def test_curve_is_bounded_whatever_the_minutes(
    minutes: dict[int, int], now_s: int
) -> None:
    now = datetime.fromtimestamp(now_s, UTC)
    shown = state.attendance(make_plan(), counters(m=minutes), GateRates(), now, 0.0)
    curve = shown["curve"]["entered"]
    assert 1 <= len(curve) <= state.CURVE_MINUTES_MAX
    assert shown["figures"]["entered_today"] >= -5 * 30


@pytest.mark.parametrize(
    ("now", "day"),
    [
        # A club night: at 02:00 it is still the evening before (day from 06:00).
        ("2026-11-23T02:00", "2026-11-22"),
        ("2026-11-22T06:00", "2026-11-22"),
        ("2026-11-22T05:59", "2026-11-21"),
        # The night in which the clocks go back, and the one in which they go on.
        ("2026-11-01T05:00", "2026-10-31"),
        ("2026-03-08T07:00", "2026-03-08"),
    ],
)
def test_entered_today_is_of_the_event_day(now: str, day: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("America/Toronto"))
    number = (date.fromisoformat(day) - date(1970, 1, 1)).days
    # Somebody who came yesterday and comes again today is of today as well: arrivals
    # by the minute cannot tell that, because they count a person once.
    found = counters(y={number - 1: 100, number: 8, number + 1: 3}, m={1: 100})
    assert figures(found, now=at.astimezone(UTC))["entered_today"] == 8


def test_gate_rates_know_nothing_at_first() -> None:
    rates = GateRates()
    rates.observe({1: 100}, 0.0)
    assert rates.per_minute(1, 110, 10.0) is None
    assert rates.per_minute(1, 110, 20.0) == 30.0
    assert rates.per_minute(2, 6, 60.0) == 6.0
    rates.observe({1: 200}, 110.0)
    rates.observe({1: 220}, 130.0)  # the first observation is too old now
    assert rates.per_minute(1, 220, 130.0) == 60.0
    rates.reset()
    assert rates.per_minute(1, 220, 131.0) is None


def test_counters_of_another_shape_are_left_out() -> None:
    fields = {b"i:1": b"5", b"w:": b"2", b"z:1": b"9", b"i:x": b"1", b"\xff:1": b"1"}
    assert parse_counters(fields) == counters(i={1: 5}, w={0: 2})


def test_a_scan_line_has_names_for_numbers() -> None:
    ids = [UUID(int=77).bytes, int(STARTS.timestamp() * 1000) + 20]
    packed = msgspec.msgpack.encode(
        [
            [*ids, "refused", "unknown_code", "in", 1, None, 0, 1, 1, 7, 5, "…7QK2"],
            [*ids, "admitted", "ok", "in", 2, b"t" * 16, 2, 2, 2, 99, 0, ""],
        ]
    )
    refused, admitted = (
        state.scan_line(line, make_plan(), holder)
        for line, holder in zip(
            state.parse_lines(packed), (None, "李小龙"), strict=True
        )
    )
    assert refused == {
        "id": UUID(int=77),
        "at": STARTS + timedelta(milliseconds=20),
        "verdict": "refused",
        "reason": "unknown_code",
        "direction": "in",
        "people": 1,
        "holder": None,
        "type": None,
        "gate": "Front",
        "area": "Hall",
        "device": "Scanner 7",
        "operator": "Zoë",
        "code_hint": "…7QK2",
    }
    assert (admitted["type"], admitted["device"]) == ("VIP", None)
    assert (admitted["operator"], admitted["code_hint"]) == (None, None)
    assert admitted["holder"] == "李小龙"


def test_no_lines() -> None:
    assert state.parse_lines(b"") == []
    assert state.parse_lines(b"\xc1rubbish") == []


def test_an_unknown_zone_shows_days_in_utc() -> None:
    for name in ("Mars/Olympus", "../etc/passwd", ""):
        found = counters(y={TODAY: 7})
        assert figures(found, make_plan(timezone=name))["entered_today"] == 7
