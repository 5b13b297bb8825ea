"""The scheduler: runs what is due, once, whichever process is first.

A job's row stays locked by the connection that does its work until that work is
committed, so a claim needs no lease and no clock: the lock goes with its process. What
fell due while nothing ran is done at the next start. Duties are a table by kind; a job
of a kind that nobody has registered waits for the release that knows it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from ops import log, metrics
from ops.clock import Clock
from ops.crm_sync import calendar, statements
from ops.db.engine import Database

ATTEMPTS_MAX = 50
"""About four hours of trying; then the job is left for a person, its error in it."""
JOBS_PER_TURN = 100

_logger = log.get(__name__)


class Job(msgspec.Struct, frozen=True):
    """A job that is being done."""

    kind: str
    key: str
    event_id: UUID | None
    due_at: datetime
    args: dict[str, Any]
    every_seconds: int | None
    until: datetime | None
    attempts: int


Duty = Callable[[Any, Job, datetime], Awaitable[None]]
"""Does a job on the connection whose transaction holds it; raising means: not done."""


class Schedule:
    """Plans what the programme asks for and runs what is due.

    Args:
        duties: what to do, by kind of job.
    """

    def __init__(
        self, database: Database, clock: Clock, duties: Mapping[str, Duty]
    ) -> None:
        self._database = database
        self._clock = clock
        self._duties = dict(duties)

    async def plan(self) -> int:
        """Write down what is due when; how many jobs were new or moved."""
        now = self._clock.now()
        planned = await self._database.pool.fetchval(statements.PLAN_JOBS, now)
        return int(planned)

    async def turn(self) -> int:
        """Do what is due; how many jobs that were."""
        done = 0
        while done < JOBS_PER_TURN and await self._one():
            done += 1
        return done

    async def _one(self) -> bool:
        async with self._database.pool.acquire() as connection:
            async with connection.transaction():
                row = await connection.fetchrow(
                    statements.JOB_NEXT,
                    list(self._duties),
                    self._clock.now(),
                    ATTEMPTS_MAX,
                )
                if row is None:
                    return False
                job = msgspec.convert(dict(row), Job)
                await self._do(connection, job)
            return True

    async def _do(self, connection: Any, job: Job) -> None:
        now = self._clock.now()
        late_s = max(0.0, (now - job.due_at).total_seconds())
        try:
            async with connection.transaction():  # a savepoint: the job's row survives
                await self._duties[job.kind](connection, job, now)
        except (asyncpg.PostgresError, ValueError, LookupError) as error:
            metrics.jobs_total.labels(job.kind, "failed").inc()
            _logger.warning(
                "job_failed", kind=job.kind, key=job.key, error=log.scrubbed(error)
            )
            again = calendar.after_failure(now, job.attempts)
            await connection.execute(
                statements.JOB_FAILED, job.kind, job.key, again, type(error).__name__
            )
            return
        metrics.jobs_total.labels(job.kind, "done").inc()
        metrics.job_late_seconds.observe(late_s)
        due = calendar.next_turn(job.due_at, now, job.every_seconds, job.args)
        if due is not None and job.until is not None and job.due_at >= job.until:
            due = None
        await connection.execute(statements.JOB_DONE, job.kind, job.key, due, now)
