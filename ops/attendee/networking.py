"""Networking: ask to meet, accept, decline, block, agree on a place and time.

Only people who made themselves visible are found; an e-mail is shown once both agreed.
Who was declined or blocked is told neither: for them it stays pending.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec

from ops.auth.subjects import Attendee
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Conflict, NotFound
from ops.ids import uuid7

ConnectionType = Literal[
    "business", "collaboration", "mentorship", "friendship", "partnership"
]
Act = Literal["accept", "decline", "block"]
_TO = {"accept": "accepted", "decline": "declined", "block": "blocked"}
PENDING_MAX: Final = 50
"""Requests of a person that wait: nobody writes to a whole conference."""

PEOPLE: Final = """
SELECT a.id, a.first_name, a.last_name, a.company, a.job_title, a.headline
  FROM attendees a
 WHERE a.event_id = $2 AND a.networking_visible AND a.status <> 'cancelled'
   AND a.id <> $1 AND ($3::uuid IS NULL OR a.id > $3)
   AND ($4 = '' OR concat_ws(' ', a.first_name, a.last_name, a.company, a.job_title,
                             a.headline) ILIKE '%' || $4 || '%')
   AND NOT EXISTS (SELECT FROM networking_connections n
     WHERE n.event_id = $2 AND n.status = 'blocked'
       AND ((n.requester_id = a.id AND n.target_id = $1)
            OR (n.requester_id = $1 AND n.target_id = a.id)))
 ORDER BY a.id LIMIT $5
"""
MINE: Final = """
SELECT n.id, n.requester_id = $1 AS from_me,
       CASE WHEN n.requester_id = $1 AND n.status IN ('declined', 'blocked')
            THEN 'pending' ELSE n.status END AS status,
       n.connection_type, n.message, n.meeting_scheduled, n.meeting_location,
       n.created_at, o.id AS person_id, o.first_name, o.last_name, o.company,
       o.job_title, o.headline,
       CASE WHEN n.status = 'accepted' THEN o.email END AS email
  FROM networking_connections n
  JOIN attendees o
    ON o.id = CASE WHEN n.requester_id = $1 THEN n.target_id ELSE n.requester_id END
 WHERE n.event_id = $2 AND (n.requester_id = $1 OR n.target_id = $1)
   AND NOT (n.target_id = $1 AND n.status = 'blocked')
 ORDER BY n.created_at DESC, n.id LIMIT 500
"""
ASK: Final = """
INSERT INTO networking_connections (id, event_id, requester_id, target_id,
                                    connection_type, message, created_at)
SELECT $1, $2, $3, a.id, $5, $6, $7 FROM attendees a
 WHERE a.id = $4 AND a.event_id = $2 AND a.networking_visible
   AND a.status <> 'cancelled' AND a.id <> $3
   AND (SELECT count(*) FROM networking_connections
         WHERE event_id = $2 AND requester_id = $3 AND status = 'pending') < $8
ON CONFLICT (event_id, requester_id, target_id) DO NOTHING
RETURNING id
"""
# Only the one who was asked answers; a block may come from either and at any time.
ANSWER: Final = """
UPDATE networking_connections SET status = $4
 WHERE id = $1 AND event_id = $2
   AND ((target_id = $3 AND status <> 'blocked')
        OR (requester_id = $3 AND $4 = 'blocked'))
RETURNING id
"""
MEET: Final = """
UPDATE networking_connections
   SET meeting_requested = true, meeting_scheduled = $4, meeting_location = $5
 WHERE id = $1 AND event_id = $2 AND status = 'accepted'
   AND (requester_id = $3 OR target_id = $3)
RETURNING id
"""
FOUND: Final = """
SELECT id, status FROM networking_connections
 WHERE event_id = $1 AND requester_id = $2 AND target_id = $3
"""


class Person(msgspec.Struct, frozen=True):
    """Somebody who wants to be found."""

    id: UUID
    first_name: str
    last_name: str
    company: str | None
    job_title: str | None
    headline: str | None


class MyConnection(msgspec.Struct, frozen=True):
    """A request and the other person; their e-mail once both agreed."""

    id: UUID
    from_me: bool
    status: str
    connection_type: str | None
    message: str | None
    meeting_scheduled: datetime | None
    meeting_location: str | None
    created_at: datetime
    person_id: UUID
    first_name: str
    last_name: str
    company: str | None
    job_title: str | None
    headline: str | None
    email: str | None


class AskBody(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to ask, and why."""

    person_id: UUID
    connection_type: ConnectionType = "business"
    message: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class AnswerBody(msgspec.Struct, forbid_unknown_fields=True):
    """What to do with a request."""

    act: Act


class MeetingBody(msgspec.Struct, forbid_unknown_fields=True):
    """When and where."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    place: Annotated[str, msgspec.Meta(max_length=200)]


class Networking:
    """Requests between people of one event; one statement a call."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def people(
        self, who: Attendee, words: str, after: UUID | None, limit: int
    ) -> list[Any]:
        """Visible people, one more than `limit`."""
        plain = words.replace("\\", "").replace("%", "").replace("_", "")
        rows: list[Any] = await self._database.pool.fetch(
            PEOPLE, who.attendee_id, who.event_id, after, plain, limit + 1
        )
        return rows

    async def mine(self, who: Attendee) -> list[MyConnection]:
        """Requests from and to this person, newest first."""
        rows = await self._database.pool.fetch(MINE, who.attendee_id, who.event_id)
        return [msgspec.convert(dict(row), MyConnection) for row in rows]

    async def ask(self, who: Attendee, body: AskBody) -> None:
        """Ask to meet; asking again changes nothing.

        Raises:
            NotFound: nobody visible has this id here.
            Conflict: `too_many_requests_open`.
        """
        args = (who.event_id, who.attendee_id, body.person_id)
        made = await self._database.pool.fetchval(
            ASK,
            *(uuid7(), *args, body.connection_type, body.message),
            *(self._clock.now(), PENDING_MAX),
        )
        if made is not None or await self._database.pool.fetchrow(FOUND, *args):
            return
        waiting = await self._database.pool.fetchval(
            "SELECT count(*) FROM networking_connections WHERE event_id = $1"
            " AND requester_id = $2 AND status = 'pending'",
            who.event_id,
            who.attendee_id,
        )
        if waiting >= PENDING_MAX:
            raise Conflict("Enough requests wait.", code="too_many_requests_open")
        raise NotFound("Nobody here has this id.")

    async def answer(self, who: Attendee, connection_id: UUID, act: Act) -> None:
        """Accept, decline or block.

        Raises:
            NotFound: not a request to this person.
        """
        await self._change(ANSWER, who, connection_id, _TO[act])

    async def meet(self, who: Attendee, connection_id: UUID, body: MeetingBody) -> None:
        """Note where and when both meet.

        Raises:
            NotFound: not a connection of this person that both agreed to.
        """
        await self._change(MEET, who, connection_id, body.at, body.place)

    async def _change(self, statement: str, who: Attendee, *args: Any) -> None:
        connection_id, *rest = args
        found = await self._database.pool.fetchval(
            statement, connection_id, who.event_id, who.attendee_id, *rest
        )
        if found is None:
            raise NotFound("There is no such request to you.")
