"""After a storm: everybody of the list may come in once more, and nobody is inside.

The rows are those that every door reads anyway (`ops.exemptions`, ended presences), so
caches, offline packages and both modes of the desk hear of it as of anything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.admission.plan import Plan, PlanRows, TypePlan
from ops.attendance.acting import Doer, House
from ops.emergency import statements
from ops.emergency.readmission import Grant, Used, grant

PEOPLE_PER_TURN: Final = 200
"""Of one lock of the event, as the closer does it."""
TURNS_MAX: Final = 1_000
Log = Callable[[Any, Doer, UUID, str, Any], Awaitable[None]]
"""Writes a line of the emergency's log in a transaction."""
_plan_rows = msgspec.json.Decoder(PlanRows)


async def grant_all(house: House, doer: Doer, row: Any, log: Log) -> None:
    """Give everybody of the list one more entry, once, in one transaction."""
    event_id, now = row["event_id"], house.clock.now()

    async def work(db: Any) -> None:
        done = await db.fetchval(
            "UPDATE ops.emergencies SET readmitted_at = $2"
            " WHERE id = $1 AND readmitted_at IS NULL RETURNING id",
            *(row["id"], now),
        )
        if done is None:
            return
        plan = await _plan(db, event_id)
        used = await db.fetch(statements.USED, event_id, row["id"])
        kinds = {one.id: one for one in plan.rows.types}
        made = (_grant(plan, kinds, one, now) for one in used)
        grants = [one for one in made if one]
        await db.execute(
            statements.EXEMPT,
            event_id,
            [one.ticket_id for one in grants],
            [one.scope_id for one in grants],
            [one.re_entry for one in grants],
            [one.passes_total for one in grants],
            [one.passes_per_day for one in grants],
            f"emergency {row['id']}",
            doer.user_id,
        )
        detail = {"tickets": len({one["ticket_id"] for one in used})}
        await log(db, doer, row["id"], "readmitted", detail)

    await house.once(work)


async def end_presences(house: House, event_id: UUID) -> int:
    """End all presences, assumed, a few hundred at once: exits go on meanwhile.

    Admission is still stopped, so nobody comes in between; again ends nothing.
    """
    pool, now, ended = house.database.pool, house.clock.now(), 0
    plan = await _plan(pool, event_id)
    for scope in plan.scopes.values():
        inner = [one.id for one in plan.below(scope)]
        for _ in range(TURNS_MAX):
            found = await pool.fetchval(
                statements.END_PRESENCES,
                *(event_id, plan.event.no, scope.id, inner, now, now, PEOPLE_PER_TURN),
            )
            if not found:
                break
            ended += found
    return ended


async def _plan(db: Any, event_id: UUID) -> Plan:
    text = await db.fetchval("SELECT ops.read_plan_v1($1)::text", event_id)
    return Plan(_plan_rows.decode(text))


def _grant(
    plan: Plan, kinds: dict[UUID, TypePlan], row: Any, now: datetime
) -> Grant | None:
    """What a ticket gets for a scope; None where the plan has it no more."""
    scope = plan.scopes.get(row["scope_id"])
    kind = kinds.get(row["ticket_type_id"])
    if scope is None or kind is None:
        return None
    terms = plan.terms(scope, kind, row["access_class"], now)
    mine = msgspec.structs.replace(
        terms,
        re_entry=row["re_entry"] or terms.re_entry,
        passes_total=row["passes_total"] or terms.passes_total,
        passes_per_day=row["passes_per_day"] or terms.passes_per_day,
    )
    return grant(Used(row["ticket_id"], row["scope_id"], row["used"]), mine)
