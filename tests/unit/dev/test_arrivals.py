"""The crowd's evening: the same every time, within its hours, with what a door sees."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest

from ops.checkin import codes
from ops.dev import arrivals, people, programme, sample
from ops.dev.arrivals import Step
from ops.dev.programme import Timetable
from ops.dev.sample import Evening

AT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
PEAK_A_DEVICE_MAX = 20  # scans a second: below this a device is never limited


def sign(ticket_id: UUID, issue_no: int) -> str:
    return codes.sign(b"k" * 32, 1, ticket_id, issue_no)


@pytest.fixture(scope="module")
def evening() -> Evening:
    return sample.build(1, 1, Timetable(AT), people.build(1, AT), sign, "s" * 32)


@pytest.fixture(scope="module")
def steps(evening: Evening) -> list[Step]:
    return arrivals.plan(evening)


def test_it_is_the_same_every_time(evening: Evening, steps: list[Step]) -> None:
    assert arrivals.plan(evening) == steps


def test_steps_are_in_order_with_ids_of_their_own(steps: list[Step]) -> None:
    assert all(a.at_s <= b.at_s for a, b in pairwise(steps))
    assert len({step.scan_id for step in steps}) == len(steps)
    assert {step.scan_id.version for step in steps} == {7}


def test_it_stays_within_the_evening_and_its_devices(
    evening: Evening, steps: list[Step]
) -> None:
    assert steps[0].at_s > 0
    assert steps[-1].at_s <= evening.timetable.length_s
    assert {step.device for step in steps} == {d.name for d in evening.devices}


def test_no_device_has_more_to_do_than_it_may(steps: list[Step]) -> None:
    per = Counter((step.device, int(step.at_s) // 10) for step in steps)
    assert max(per.values()) / 10 < PEAK_A_DEVICE_MAX


def test_the_door_sees_everything_it_must_refuse(steps: list[Step]) -> None:
    seen = Counter(step.why for step in steps)
    for why in ("twice", "copied", "wrong_gate", "strange", "too_early", "back"):
        assert seen[why] >= 10, why
    assert 4_000 < seen["arrive"] < 4_700


def test_most_come_before_the_keynote(evening: Evening, steps: list[Step]) -> None:
    begins = programme.SESSIONS[0].begin * evening.timetable.length_s
    arriving = [step.at_s for step in steps if step.why == "arrive"]
    assert sum(at < begins for at in arriving) > 0.75 * len(arriving)


def test_somebody_is_at_one_session_at_a_time(
    evening: Evening, steps: list[Step]
) -> None:
    ends = {spec.key: spec.end for spec in programme.SESSIONS}
    length = evening.timetable.length_s
    visits: dict[UUID | None, list[Step]] = {}
    for step in steps:
        if step.session:
            visits.setdefault(step.ticket_id, []).append(step)
    for mine in visits.values():
        for before, after in pairwise(mine):
            assert before.session is not None
            assert ends[before.session] * length <= after.at_s + 0.035 * length


def test_spellings_read_as_the_same_code(evening: Evening, steps: list[Step]) -> None:
    mine = {ticket.id: ticket.code for ticket in evening.tickets}
    spelled = [s for s in steps if s.ticket_id and s.code != mine[s.ticket_id]]
    assert spelled
    for step in spelled:
        assert step.ticket_id is not None
        own = codes.read(step.code)
        assert isinstance(own, codes.OwnCode)
        assert own.text == mine[step.ticket_id]


def test_another_try_has_an_id_of_its_own_and_the_same_one_again(
    steps: list[Step],
) -> None:
    step = steps[0]
    first, second = arrivals.again(step, 1, 0.0), arrivals.again(step, 2, 5.0)
    assert len({step.scan_id, first.scan_id, second.scan_id}) == 3
    assert arrivals.again(step, 1, 0.0) == first
    assert second.at_s == step.at_s + 5.0
    assert first.scan_id.version == 7
