"""What holds the promises; a negative control takes one away."""

from __future__ import annotations

import msgspec


class Guards(msgspec.Struct, frozen=True):
    """True: as in the program. `tests/sim/test_controls.py` says who misses which."""

    key: bool = True
    """The unique keys of check_ins (I1)."""
    version: bool = True
    """A commit compares the ticket's version (I9)."""
    limits: bool = True
    """A commit asks the limits (I7)."""
    facts: bool = True
    """Facts are written in the transaction of their rows, not after its reply (I10)."""
    logs: bool = True
    """Answers that let nobody through wait for PostgreSQL or a journal (I11)."""
    idempotency: bool = True
    """The answer of a scan id is looked up (I4)."""
    amber: bool = True
    """Whoever was not shown green is amber at the next door, not red (I5)."""
    journal: bool = True
    """A line is on the disk before its green is sent (I2)."""
    answered: bool = True
    """A line of mode D is marked answered before its green is sent (I2)."""
    drain: bool = True
    """The sync process tells the cache what the desks could not (I6)."""
    fence: bool = True
    """Finish and claim are refused if the epoch moved (I3)."""
    epoch: bool = True
    """Each switch of the mode moves the epoch (I3)."""
    look: bool = True
    """After writing, all journals are looked at (R10, I3)."""
    report: bool = True
    """A merge writes down who lost his place (I3r)."""
    ends: bool = True
    """A merge waits for the exit before an entry, and ends by pass (I2 of exits)."""
    clocks: bool = True
    """What wins in the cache is a later pass or phase, not a later clock (I12)."""
