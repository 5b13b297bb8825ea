"""Shifts against sign-ons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ops.ids import uuid7
from ops.watch.staffing import Planned, SignedOn, Staffing, staffing

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
NORTH, SOUTH = uuid7(), uuid7()
GATES = [(NORTH, "North"), (SOUTH, "South")]
DANA, ZOE, LI = uuid7(), uuid7(), uuid7()


def shift(
    who: UUID, gate: UUID | None = NORTH, starts: int = -60, ends: int = 60
) -> Planned:
    return Planned(
        uuid7(),
        who,
        "Zoë O'Brien-Łukasz",
        gate,
        NOW + timedelta(minutes=starts),
        NOW + timedelta(minutes=ends),
    )


def on(who: UUID, gate: UUID | None = NORTH) -> SignedOn:
    return SignedOn(who, "Zoë O'Brien-Łukasz", "Phone 7", gate)


def states(found: Staffing) -> list[str]:
    return [one.state for one in found.shifts]


def shorts(found: Staffing) -> list[int]:
    return [gate.short for gate in found.gates]


def test_signed_on_elsewhere_and_missing() -> None:
    found = staffing(
        GATES,
        [shift(DANA), shift(ZOE), shift(LI)],
        [on(DANA), on(ZOE, SOUTH)],
        NOW,
    )
    assert states(found) == ["missing", "elsewhere", "signed_on"]
    assert shorts(found) == [2, 0]
    # Who stands at the wrong gate is not planned there, and seen.
    assert [one.operator_id for one in found.unplanned] == [ZOE]
    assert [gate.there for gate in found.gates] == [1, 1]


def test_somebody_without_a_shift_fills_the_gap() -> None:
    found = staffing(GATES, [shift(DANA)], [on(ZOE)], NOW)
    assert shorts(found) == [0, 0]
    assert found.gates[0].unplanned == 1


def test_nobody_is_missing_before_the_shift_begins_or_after_it_ended() -> None:
    planned = [shift(DANA, starts=10), shift(ZOE, starts=20), shift(LI, ends=0)]
    found = staffing(GATES, planned, [], NOW)
    assert states(found) == ["late_soon"]
    assert shorts(found) == [0, 0]


def test_a_shift_without_a_gate_is_anywhere() -> None:
    found = staffing(GATES, [shift(DANA, None)], [on(DANA, SOUTH)], NOW)
    assert states(found) == ["signed_on"]
    assert found.unplanned == []


who = st.sampled_from([DANA, ZOE, LI])
where = st.sampled_from([NORTH, SOUTH, None])


@given(
    st.lists(st.builds(shift, who, where, st.integers(-90, 30)), max_size=8),
    st.lists(st.builds(on, who, where), max_size=6),
)
def test_the_sums_add_up(planned: list[Planned], signed: list[SignedOn]) -> None:
    found = staffing(GATES, planned, signed, NOW)
    for gate in found.gates:
        assert 0 <= gate.short <= gate.wanted
        assert gate.there >= gate.unplanned
        assert gate.short + gate.there >= gate.wanted
    assert len(found.shifts) <= len(planned)
    missing = sum(one.state == "missing" for one in found.shifts)
    assert sum(shorts(found)) <= missing + states(found).count("elsewhere")
