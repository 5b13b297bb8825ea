"""The short version of `make faults`: a few faults, and two guards taken away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.faults.__main__ import SEED
from tests.faults.catalogue import FAULTS
from tests.faults.ground import Ground, open_ground
from tests.faults.guards import CONTROLS, Control, control
from tests.faults.scenario import Fault, play

IN_GATE = [fault for fault in FAULTS if fault.in_gate]
CONTROLS_IN_GATE = [one for one in CONTROLS if one.in_gate]

# A door that gives up in the middle of connecting leaves a socket to the collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
async def ground() -> AsyncIterator[Ground]:
    async with open_ground() as ground:
        yield ground


@pytest.mark.parametrize("fault", IN_GATE, ids=lambda fault: fault.name)
async def test_every_promise_is_kept(ground: Ground, fault: Fault) -> None:
    result = await play(ground, fault, SEED, short=True)
    found = result.findings
    assert found.kept, (found.broken, found.examples, found.astray)
    assert found.acknowledged > 100
    assert result.served
    assert result.apart == {}, _logs(ground)


def _logs(ground: Ground) -> str:
    logs = sorted(ground.folder.glob("*.log"))
    said = (f"{log.name}:\n{log.read_text(errors='replace')[-4_000:]}" for log in logs)
    return "\n".join(said)


@pytest.mark.parametrize("one", CONTROLS_IN_GATE, ids=lambda one: one.name)
async def test_without_the_guard_the_checker_sees_it(
    ground: Ground, one: Control
) -> None:
    caught = await control(ground, one, SEED, short=True)
    assert caught.caught, caught.broken
