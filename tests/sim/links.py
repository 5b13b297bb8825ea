"""The network of the simulation: cuts on one side, lost replies, late calls."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from ops.admission.commands import Down

LOST_REPLY = 0.012
LATE = 0.2


class Links:
    """Who reaches which store. `busy` is True while things may go wrong by chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.cut: set[tuple[str, str]] = set()
        self.late: list[Callable[[], Any]] = []
        self.busy = True

    def reaches(self, who: str, store: str) -> bool:
        """Whether the link is whole."""
        return (who, store) not in self.cut

    def fails(self, share: float) -> bool:
        """Something small goes wrong now and then."""
        return self.busy and self.chance.random() < share

    def call(self, who: str, store: str, call: Callable[[], Any]) -> Any:
        """The reply, or Down: not done, done but not heard of, or done one day."""
        if not self.reaches(who, store):
            if self.fails(LATE):
                self.late.append(call)
            return Down(store)
        reply = call()
        return Down(store) if self.fails(LOST_REPLY) else reply

    def land(self) -> None:
        """A call of before arrives after all."""
        if self.late:
            self.late.pop(self.chance.randrange(len(self.late)))()

    def heal(self) -> None:
        """Everything is whole, and what was under way has arrived."""
        self.cut.clear()
        while self.late:
            self.late.pop(0)()
