"""Stepping back, seen from outside: a process, its niceness, its session's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ops.priority import NICENESS_MAX

PROGRAM = """
import sys
from ops import priority
for wanted in sys.argv[1:]:
    print(priority.step_back(int(wanted)))
try:
    print(priority.AUTOGROUP.read_text().split()[-1])
except (OSError, IndexError):  # no such file, none to read, or a process in no group
    print("-")
"""
ROOT = Path(__file__).parents[2]


def stepped(*wanted: str, leads: bool, nice: int = 0) -> list[str]:
    """What a process says that steps back so often, and that of its session."""
    run = subprocess.run(
        ["nice", "-n", str(nice), sys.executable, "-c", PROGRAM, *wanted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        start_new_session=leads,
    )
    return run.stdout.split()


@pytest.fixture(scope="module")
def before() -> int:
    """The niceness of the tests themselves."""
    return int(stepped("0", leads=False)[0])


def test_who_steps_back_is_nicer(before: int) -> None:
    assert stepped("5", "5", leads=False)[:2] == [str(max(before, 5))] * 2


def test_nobody_steps_forward(before: int) -> None:
    nice = min(before + 11, NICENESS_MAX)
    assert stepped("3", leads=False, nice=11)[0] == str(max(nice, 3))


def test_nobody_steps_back_further_than_there_is() -> None:
    assert stepped(str(NICENESS_MAX + 9), leads=False)[0] == str(NICENESS_MAX)


def test_a_session_of_its_own_steps_back_with_it(before: int) -> None:
    mine = stepped("0", leads=False)[-1]
    if stepped("0", leads=True)[-1] == "-":  # a kernel that shares by process alone
        assert stepped("5", leads=True) == [str(max(before, 5)), "-"]
        return
    # The kernel takes one such wish in 100 ms from who is not privileged.
    assert any(stepped("5", leads=True)[-1] == "5" for _ in range(10))
    # The control: who shares a session does not speak for the others in it.
    assert stepped("5", leads=False)[-1] == mine
