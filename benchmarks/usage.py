"""CPU time of processes, read from /proc: what a scan costs whoever else is busy.

On a machine that others use, a rate says how much was left over; CPU time says what
the work costs. Both are printed.
"""

from __future__ import annotations

import os
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU time of a process and of its ended children, user and system."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) * TICK_S


def descendants(pid: int) -> list[int]:
    """A process and all its children's children."""
    found = [pid]
    for at in found:
        for task in Path(f"/proc/{at}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


class Usage:
    """CPU seconds of groups of processes since it was made."""

    def __init__(self, groups: dict[str, int]) -> None:
        self._groups = groups
        self._before = self._now()

    def _now(self) -> dict[str, float]:
        return {
            name: sum(_safe(pid) for pid in descendants(root))
            for name, root in self._groups.items()
        }

    def spent_s(self) -> dict[str, float]:
        """CPU seconds by group."""
        now = self._now()
        return {name: now[name] - self._before[name] for name in now}


def _safe(pid: int) -> float:
    try:
        return cpu_s(pid)
    except OSError:  # it ended between the two looks
        return 0.0
