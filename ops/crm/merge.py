"""Two contacts were one person: the winner gets all that hangs on the loser.

What hangs on a contact is read from PostgreSQL's catalogue, so a table that is added
tomorrow is merged as well. A row that cannot move because the winner has one like it
(both got the same campaign) stays with the loser, which is kept as another name of the
winner (`merged_into_id`): readers look at both, and an import that brings the old
address finds the winner.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, Literal, NamedTuple, get_args
from uuid import UUID

import asyncpg

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry, Person
from ops.db.engine import Pooled
from ops.errors import Conflict, NotFound
from ops.ids import uuid7

CALL_TIMEOUT_S: Final = 25.0

Field = Literal[
    "first_name",
    "last_name",
    "email",
    "phone",
    "date_of_birth",
    "gender",
    "address_line1",
    "address_line2",
    "city",
    "state_province",
    "postal_code",
    "country",
    "contact_type",
    "lead_source",
    "job_title",
    "company_id",
    "industry",
    "annual_income_range",
    "assigned_to",
    "profile_id",
]
FIELDS: Final[tuple[str, ...]] = get_args(Field)

REFERENCES: Final = """
SELECT format('%I.%I', n.nspname, c.relname) AS tab, format('%I', a.attname) AS col
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
 WHERE k.contype = 'f' AND k.confrelid = 'public.contacts'::regclass
   AND cardinality(k.conkey) = 1
 ORDER BY 1, 2
"""
BOTH: Final = """
SELECT * FROM contacts WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""
DONE: Final = """
SELECT id, winner_id, loser_id, moved, merged_at FROM ops.contact_merges
 WHERE loser_id = $1
"""
RETIRE: Final = """
UPDATE contacts SET status = 'deleted', merged_into_id = $2, assigned_to = NULL
 WHERE id = $1
"""
SWAP_EMAIL: Final = """
UPDATE contacts SET email = CASE WHEN id = $1 THEN 'swap:' || id ELSE email END
 WHERE id = $1
"""
SET_EMAIL: Final = "UPDATE contacts SET email = $2 WHERE id = $1"
BEST_OF_BOTH: Final = """
UPDATE contacts w
   SET tags = ARRAY(SELECT DISTINCT t FROM unnest(w.tags || l.tags) t ORDER BY t),
       lead_score = greatest(w.lead_score, l.lead_score),
       last_contacted_at = greatest(w.last_contacted_at, l.last_contacted_at),
       last_event_attended_at =
           greatest(w.last_event_attended_at, l.last_event_attended_at)
  FROM contacts l WHERE w.id = $1 AND l.id = $2
"""
RECORD: Final = """
INSERT INTO ops.contact_merges (id, winner_id, loser_id, moved, merged_by)
VALUES ($1, $2, $3, $4, $5) RETURNING id, winner_id, loser_id, moved, merged_at
"""
FORGET_PAIRS: Final = """
DELETE FROM ops.duplicates WHERE low_id = $1 OR high_id = $1
"""


class Merged(NamedTuple):
    """What was done; `replayed` if it had been done before."""

    row: Any
    replayed: bool


class Merging:
    """Merges contacts, each merge in one transaction."""

    def __init__(self, database: Pooled, auditor: Auditor) -> None:
        self._database, self._auditor = database, auditor

    async def merge(
        self,
        actor: Actor,
        winner_id: UUID,
        loser_id: UUID,
        take: Collection[str] = (),
    ) -> Merged:
        """Give the winner all that hangs on the loser, and the loser's values where it
        has none.

        Args:
            take: fields of which the loser's value is better.

        Raises:
            NotFound: one of them is no contact.
            Conflict: both are the same; one was merged or erased before.
        """
        if winner_id == loser_id:
            raise Conflict("A contact is not merged into itself.", code="same_contact")
        async with self._database.pool.acquire() as db, db.transaction():
            await self._auditor.act_as(db, actor)
            found = {
                row["id"]: row
                for row in await db.fetch(
                    BOTH, [winner_id, loser_id], timeout=CALL_TIMEOUT_S
                )
            }
            if len(found) != 2:
                raise NotFound("There is no such contact.")
            winner, loser = found[winner_id], found[loser_id]
            done = await db.fetchrow(DONE, loser_id, timeout=CALL_TIMEOUT_S)
            if done is not None and done["winner_id"] == winner_id:
                return Merged(done, True)
            for row in (winner, loser):
                if row["status"] == "deleted":
                    raise Conflict(
                        "This contact was merged or erased.", code="contact_gone"
                    )
            moved = await self._move(db, winner_id, loser_id)
            changes = await self._fill(db, winner, loser, take)
            await db.execute(RETIRE, loser_id, winner_id, timeout=CALL_TIMEOUT_S)
            await db.execute(FORGET_PAIRS, loser_id, timeout=CALL_TIMEOUT_S)
            await self._auditor.keys.hand_over(db, loser_id, winner_id)
            recorded = await db.fetchrow(
                RECORD,
                uuid7(),
                winner_id,
                loser_id,
                moved,
                actor.id if actor.kind == "user" else None,
                timeout=CALL_TIMEOUT_S,
            )
            await self._auditor.record(
                db,
                Entry(
                    actor,
                    "contacts.merge",
                    "contacts",
                    winner_id,
                    before=dict(winner),
                    after=changes,
                    person=Person("contact", winner_id),
                    detail={"loser_id": loser_id, "moved": moved},
                ),
            )
            return Merged(recorded, False)

    async def _move(self, db: Any, winner: UUID, loser: UUID) -> dict[str, Any]:
        """Hand over every reference; how many rows of each column."""
        moved: dict[str, Any] = {}
        for reference in await db.fetch(REFERENCES, timeout=CALL_TIMEOUT_S):
            table, column = reference["tab"], reference["col"]
            count = await _hand_over(db, table, column, winner, loser)
            if count:
                moved[f"{table}.{column}"] = count
        return moved

    async def _fill(
        self, db: Any, winner: Any, loser: Any, take: Collection[str]
    ) -> dict[str, Any]:
        """The winner's new values, written."""
        changes = {
            name: loser[name]
            for name in FIELDS
            if loser[name] is not None
            and loser[name] != winner[name]
            and (name in take or winner[name] in (None, ""))
        }
        await db.execute(
            BEST_OF_BOTH, winner["id"], loser["id"], timeout=CALL_TIMEOUT_S
        )
        others = {name: value for name, value in changes.items() if name != "email"}
        if others:
            # The names come from FIELDS, never from a request.
            sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(others, 2))
            await db.execute(
                f"UPDATE contacts SET {sets} WHERE id = $1",
                winner["id"],
                *others.values(),
                timeout=CALL_TIMEOUT_S,
            )
        if "email" in changes:
            # An address is unique: the loser keeps the winner's old one, so that both
            # lead to the winner.
            await db.execute(SWAP_EMAIL, loser["id"], timeout=CALL_TIMEOUT_S)
            for row, address in ((winner, loser["email"]), (loser, winner["email"])):
                await db.execute(SET_EMAIL, row["id"], address, timeout=CALL_TIMEOUT_S)
        return changes


async def _hand_over(
    db: Any, table: str, column: str, winner: UUID, loser: UUID
) -> int:
    """Move one reference; rows that a rule of the table keeps back stay.

    Table and column come from the catalogue, quoted by PostgreSQL.
    """
    update = f"UPDATE {table} SET {column} = $2 WHERE {column} = $1"
    refusals = (asyncpg.IntegrityConstraintViolationError,)
    try:
        async with db.transaction():
            status = await db.execute(update, loser, winner, timeout=CALL_TIMEOUT_S)
            return int(status.split()[-1])
    except refusals:
        pass
    rows = await db.fetch(
        f"SELECT ctid::text AS at FROM {table} WHERE {column} = $1",
        loser,
        timeout=CALL_TIMEOUT_S,
    )
    moved = 0
    for row in rows:
        try:
            async with db.transaction():
                await db.execute(
                    f"{update} AND ctid = $3::text::tid",
                    loser,
                    winner,
                    row["at"],
                    timeout=CALL_TIMEOUT_S,
                )
            moved += 1
        except refusals:
            continue
    return moved
