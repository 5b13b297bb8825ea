"""Uploads: what a device decided at a door without the server. Pure.

Whoever was let in is in: limits do not ask again, and where no row can be written the
entry becomes a conflict (`ops.doors_told_v1`). Whoever was turned away is out: the
attempt is kept as the door answered it, and never becomes an entry afterwards.
"""

from __future__ import annotations

import msgspec

from ops.admission.ask import Ask
from ops.admission.decision import decide
from ops.admission.outcome import Decision
from ops.admission.plan import Plan
from ops.admission.scan import DoorDecision
from ops.admission.scan_facts import ScanFacts
from ops.admission.verdicts import REASONS


def decided(plan: Plan, ask: Ask, facts: ScanFacts) -> Decision:
    """The decision of a scan, live or uploaded, with what the door showed."""
    door = ask.scan.door
    if not ask.scan.offline or door is None or ask.scan.dry_run:
        return decide(plan, ask, facts)
    # The limit was the door's to ask.
    decision = decide(plan, ask, msgspec.structs.replace(facts, people=None))
    if door.verdict in ("refused", "hold") and decision.writes:
        return Decision(
            verdict=door.verdict,
            reason=_reason(door),
            scope=decision.scope,
            args=decision.args,
        )
    if door.verdict == decision.verdict == "admitted":
        return msgspec.structs.replace(decision, past_limits=True)
    return decision


def _reason(door: DoorDecision) -> str:
    """The door's word, if it is one of ours for that verdict."""
    rule = REASONS.get(door.reason)
    if rule is not None and rule.verdict == door.verdict:
        return door.reason
    return "unknown_code" if door.verdict == "refused" else "needs_supervisor"
