"""What a stage brings with it, however an opportunity gets there: hooks of the API.

The board, a form, an import, a change of a thousand and `Pipeline.move` all write the
column `stage`; what closing means holds for each of them. A lost deal says why, a
closed one has its day and is worth all or nothing, one that is opened again neither.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from ops.clock import Clock
from ops.crm.changes import Change, Hooks
from ops.errors import FieldProblem, Unprocessable

CALL_TIMEOUT_S: Final = 10.0
PROBABILITIES: Final[dict[str, int]] = {
    "prospecting": 10,
    "qualification": 25,
    "proposal": 50,
    "negotiation": 75,
    "closed_won": 100,
    "closed_lost": 0,
}
"""What a deal of a stage is worth in the forecast, if it does not say itself."""
CLOSED: Final = frozenset({"closed_won", "closed_lost"})

TODAY: Final = """
SELECT ($1::timestamptz AT TIME ZONE coalesce(
            (SELECT timezone FROM events WHERE id = $2), 'UTC'))::date
"""
CLOSE_LEAD: Final = """
UPDATE leads SET lead_status = $2
 WHERE id = $1 AND lead_status NOT IN ('closed_won', 'closed_lost')
"""


async def today(db: Any, clock: Clock, event_id: UUID | None) -> date:
    """The local day of an event; without one, of UTC."""
    found: date = await db.fetchval(
        TODAY, clock.now(), event_id, timeout=CALL_TIMEOUT_S
    )
    return found


async def close_lead(db: Any, lead_id: UUID, stage: str) -> None:
    """A lead ends as its deal does, unless it ended before."""
    await db.execute(CLOSE_LEAD, lead_id, stage, timeout=CALL_TIMEOUT_S)


def reason_required(field: str) -> Unprocessable:
    """The refusal of a lost deal that does not say why."""
    problem = FieldProblem(field, "reason_required", "Say why it was lost.")
    return Unprocessable(problem.detail, code=problem.code, errors=[problem])


def register(hooks: Hooks, clock: Clock) -> None:
    """Give the pipeline its say in changes of opportunities."""

    async def staged(db: Any, change: Change) -> None:
        """Write what the new stage brings with it.

        Raises:
            Unprocessable: `reason_required`, lost without a reason.
        """
        before, values = change.before or {}, change.values
        row = {**before, **values}
        stage = row.get("stage")
        touched = values.keys() & {"stage", "loss_reason"}
        said = (row.get("loss_reason") or "").strip()
        if touched and stage == "closed_lost" and not said:
            raise reason_required("loss_reason")
        if stage is None or stage == before.get("stage"):
            return
        if stage in CLOSED:
            values["probability"] = PROBABILITIES[stage]
            if values.get("actual_close_date") is None:
                values["actual_close_date"] = await today(db, clock, change.event_id)
        elif before:
            values.setdefault("probability", PROBABILITIES[stage])
            values.setdefault("actual_close_date", None)

    async def lead_follows(db: Any, change: Change) -> None:
        """The lead of a deal that was closed ends with it."""
        before, after = change.before or {}, change.after or {}
        stage, lead_id = after.get("stage"), after.get("lead_id")
        if lead_id and stage in CLOSED and stage != before.get("stage"):
            await close_lead(db, lead_id, stage)

    hooks.before.setdefault("opportunities", []).append(staged)
    hooks.after.setdefault("opportunities", []).append(lead_follows)
