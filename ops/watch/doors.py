"""The state of doors: the event's and each gate's; the stricter one holds."""

from __future__ import annotations

_STRICTNESS = ("open", "last_entry", "held", "closed")


def stricter_doors(event: str | None, gate: str | None) -> str:
    """Doors are a state of the event and of the gate: the stricter one holds."""
    states = [state for state in (event, gate) if state is not None]
    return max(states, key=_STRICTNESS.index, default="open")
