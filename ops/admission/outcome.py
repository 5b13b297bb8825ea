"""What was decided: the verdict, its reason and the rows to write. Pure."""

from __future__ import annotations

from uuid import UUID

import msgspec

from ops.admission.ask import Ask
from ops.admission.plan import ScopePlan
from ops.admission.questions import Given, Question
from ops.admission.scan_facts import Args
from ops.admission.verdicts import Verdict, verdict_of


class Open(msgspec.Struct, frozen=True, gc=False):
    """A visit to be written: one person enters one scope with this pass."""

    scope: ScopePlan
    person_no: int
    pass_no: int
    undone: int
    primary: bool
    event_day: int = 0
    """The event day of the entry, in days since 1970; its row keeps it."""
    day: int = 0
    day_used: int = 0
    """What the visit in the cache then says: its latest day, and the passes of it."""
    past: bool = False
    """An upload that a live scan has overtaken: a pass, but nobody is in by it."""


class Count(msgspec.Struct, frozen=True, gc=False):
    """A person without a ticket who goes in by a supervisor's act."""

    area_id: UUID
    people: int


class Close(msgspec.Struct, frozen=True, gc=False):
    """A presence to be ended; `must`: the decision stands only if it was there."""

    scope: ScopePlan
    person_no: int
    must: bool
    assumed: bool


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, its reason, the arguments of its sentence and the rows to write."""

    verdict: Verdict
    reason: str
    args: Args = {}
    scope: ScopePlan | None = None
    opens: tuple[Open, ...] = ()
    closes: tuple[Close, ...] = ()
    people: int = 0
    just_now: bool = False
    choices: tuple[int, ...] | tuple[UUID, ...] = ()
    overridden: str = ""
    """The reason that a supervisor set aside."""
    against: str = ""
    """The scan that was in the way by it, if there was one."""
    questions: tuple[Question, ...] = ()
    """What is to be asked; the scan comes again with `answers`."""
    given: tuple[Given, ...] = ()
    """Answers that are written with the admission."""
    counted: Count | None = None
    takes: UUID | None = None
    """The unconfirmed scan whose places this one takes over (`take_over`)."""
    past_limits: bool = False
    """An event manager's act: hard limits are not asked (door.md: nobody else may)."""

    @property
    def writes(self) -> bool:
        """Whether the decision changes who is inside."""
        return bool(self.opens or self.closes or self.counted)

    def asking(self, questions: tuple[Question, ...]) -> Decision:
        """The same with questions to ask."""
        return msgspec.structs.replace(self, questions=questions)

    @property
    def pass_no(self) -> int | None:
        """The pass of the first person admitted."""
        return next((item.pass_no for item in self.opens if item.primary), None)


def say(
    reason: str,
    ask: Ask,
    scope: ScopePlan | None = None,
    choices: tuple[int, ...] | tuple[UUID, ...] = (),
    **args: str | int | bool | None,
) -> Decision:
    """An answer that writes nothing; arguments that are None are left out."""
    return Decision(
        verdict=verdict_of(reason, ask.direction),
        reason=reason,
        scope=scope,
        choices=choices,
        args={name: value for name, value in args.items() if value is not None},
    )
