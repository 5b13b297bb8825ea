"""Taking over: a steward lets in who was held because nobody saw the green. Pure.

The admission of the earlier scan becomes that of this one: same people, same pass, no
second row. It happens only while the earlier one is still unconfirmed; PostgreSQL (or
in mode D the cache and the journals) is the arbiter of that.
"""

from __future__ import annotations

from uuid import UUID

from ops.admission.outcome import Decision, Open
from ops.admission.weighing import Weighing


def take_over(w: Weighing, held: Decision, rank: int) -> Decision:
    """The admission instead of `held`, if this scan names the one that is in the way.

    Args:
        rank: of the operator at the device; nobody may not.
    """
    wanted = w.ask.scan.take_over
    if (
        wanted is None
        or held.reason != "unconfirmed"
        or held.args.get("previous") != str(wanted)
        or rank < 1
        or w.scope is None
        or w.ticket is None
    ):
        return held
    opens = _same_places(w, wanted)
    if not opens:
        return held
    return Decision(
        verdict="admitted",
        reason="ok",
        scope=w.scope,
        opens=opens,
        people=sum(opened.primary for opened in opens),
        args={"name": w.ticket.name},
        takes=wanted,
    )


def _same_places(w: Weighing, scan_id: UUID) -> tuple[Open, ...]:
    """What the earlier scan took, of what was read: it is taken again by this one."""
    opens = []
    for (scope_no, person), visit in w.facts.visits.items():
        scope = w.plan.scopes_by_no.get(scope_no)
        if scope is None or visit.scan_id != scan_id.bytes or not visit.inside:
            continue
        opens.append(
            Open(
                scope,
                person,
                visit.pass_no,
                visit.undone,
                scope is w.scope,
                visit.day,
                visit.day,
                visit.day_used,
            )
        )
    return tuple(opens)
