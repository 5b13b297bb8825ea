"""What the checks of one scan share: question, facts, and what is found. Pure."""

from __future__ import annotations

import msgspec

from ops.admission.ask import Ask, candidates
from ops.admission.outcome import Decision, say
from ops.admission.plan import Plan, ScopePlan, TypePlan
from ops.admission.questions import Given
from ops.admission.scan_facts import ScanFacts
from ops.admission.terms import Terms, of_ticket
from ops.cache.entry import NOTHING_SPECIAL, Special, TicketEntry


class Weighing(msgspec.Struct):
    """One scan on the scales.

    Attributes:
        scope: the one scope that is meant; None: none, or a person must choose.
        terms: what the ticket may there; None without scope, ticket or type.
        free: the places of the ticket that may enter now (check presence).
        again: they are inside already, and a repeat is welcome.
        persons: those that enter with this scan (check people).
        given: answers of this scan, to be stored.
    """

    plan: Plan
    ask: Ask
    facts: ScanFacts
    wanted: list[ScopePlan]
    scope: ScopePlan | None = None
    ticket: TicketEntry | None = None
    kind: TypePlan | None = None
    terms: Terms | None = None
    free: list[int] = []
    again: bool = False
    persons: list[int] = []
    given: tuple[Given, ...] = ()

    @property
    def special(self) -> Special:
        """What few tickets have."""
        found = self.ticket.special if self.ticket else None
        return found or NOTHING_SPECIAL

    def say(self, reason: str, **args: str | int | bool | None) -> Decision:
        """An answer that writes nothing, about the scope of this scan."""
        return say(reason, self.ask, self.scope, (), **args)


def weighing(plan: Plan, ask: Ask, facts: ScanFacts) -> Weighing:
    """The scales with everything on them that needs no check."""
    wanted = candidates(plan, ask)
    scope = wanted[0] if len(wanted) == 1 else None
    ticket = facts.ticket
    found = Weighing(plan, ask, facts, wanted, scope, ticket)
    if ticket is None:
        return found
    kind = found.kind = plan.types_by_no.get(ticket.type_no)
    if scope is not None and kind is not None:
        terms = plan.terms(scope, kind, ticket.access_class, ask.at)
        found.terms = of_ticket(terms, ticket, scope.no) if ticket.special else terms
    return found
