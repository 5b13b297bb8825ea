"""What the scheduler does, one function a kind of job; each may come twice.

A duty works on the connection that holds its job and commits with it. What needs a
mail, a socket or minutes of time only writes down here that it is due.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ops import facts
from ops.crm_sync import statements
from ops.crm_sync.schedule import Duty, Job

NO_SHOWS_PER_CALL = 500
ATTENDEES_PER_CALL = 500


async def alert(connection: Any, job: Job, name: str, now: datetime) -> None:
    """Write an alert's fact, and ring for whoever shows alerts."""
    assert job.event_id is not None
    fact = facts.Alert(event_id=job.event_id, name=name, args=job.args, at=now)
    await connection.execute(
        statements.FACT_ALERT, job.event_id, facts.encode_object(fact)
    )
    await connection.execute(statements.RING_ALERTS, str(job.event_id))


async def check_in_opens(connection: Any, job: Job, now: datetime) -> None:
    """The doors of a session open: it is on, and the screens hear of it."""
    await connection.execute(statements.SESSION_LIVE, job.args["session_id"])
    await alert(connection, job, "check_in_opened", now)


async def check_in_closes(connection: Any, job: Job, now: datetime) -> None:
    """The doors of a session close."""
    await alert(connection, job, "check_in_closed", now)


async def no_shows(connection: Any, job: Job, _now: datetime) -> None:
    """Say of everybody who never came that they did not."""
    while await connection.fetchval(
        statements.NO_SHOWS, job.event_id, NO_SHOWS_PER_CALL
    ):
        pass
    await connection.fetchval(statements.ROLLUP, job.event_id)


async def effect_rules(connection: Any, job: Job, _now: datetime) -> None:
    """Hold the organiser's rules against those who came, or did not, before them."""
    last = UUID(int=0)
    while found := await connection.fetchval(
        statements.ATTENDED, job.event_id, last, ATTENDEES_PER_CALL
    ):
        await connection.execute(statements.RULES_FOLLOW, job.event_id, found)
        last = found[-1]


async def rollup(connection: Any, job: Job, _now: datetime) -> None:
    """The figures of an event into event_analytics."""
    await connection.fetchval(statements.ROLLUP, job.event_id)


DUTIES: dict[str, Duty] = {
    "check_in_opens": check_in_opens,
    "check_in_closes": check_in_closes,
    "no_shows": no_shows,
    "effect_rules": effect_rules,
    "rollup": rollup,
}
"""Presences that nobody scans out are ended by the closer, not by a job."""
