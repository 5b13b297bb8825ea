"""Contacts that may be one person: found by number, mailbox and name, judged, listed.

One contact costs two statements. The list (`ops.duplicates`) is made by a duty or on
request: set-based joins over equal numbers and mailboxes and over like names within
a company; a pair that somebody dismissed stays dismissed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry
from ops.crm.likeness import LISTED_FROM, Known, Likeness, compare, phone_of
from ops.db.engine import Pooled
from ops.errors import NotFound

PHONES_PER_TURN: Final = 5_000
PAIRS_MAX: Final = 20_000
NEAR_MAX: Final = 50
CALL_TIMEOUT_S: Final = 25.0
GROUP_MAX: Final = 20
"""A number that more contacts have is a switchboard, and proves nothing."""

PHONES: Final = """
SELECT id, phone, country FROM contacts
 WHERE phone IS NOT NULL AND phone_normal IS NULL ORDER BY id LIMIT $1
"""
SET_PHONES: Final = """
UPDATE contacts c SET phone_normal = p.number
  FROM unnest($1::uuid[], $2::text[], $3::text[]) AS p (id, phone, number)
 WHERE c.id = p.id AND c.phone = p.phone
"""
_KNOWN: Final = """
c.id, c.first_name, c.last_name, c.email, coalesce(c.phone_normal, '') AS phone,
coalesce(c.city, '') AS city, coalesce(k.name, '') AS company, c.created_at,
(SELECT count(*) FROM attendees a WHERE a.contact_id = c.id) AS tickets
"""
ONE: Final = f"""
SELECT {_KNOWN} FROM contacts c LEFT JOIN companies k ON k.id = c.company_id
 WHERE c.id = $1 AND c.status IS DISTINCT FROM 'deleted'
"""
NEAR: Final = f"""
SELECT {_KNOWN} FROM contacts c LEFT JOIN companies k ON k.id = c.company_id
 WHERE c.status IS DISTINCT FROM 'deleted' AND c.id IN (
       (SELECT id FROM contacts WHERE phone_normal = $2 AND $2 <> '' LIMIT {NEAR_MAX})
       UNION
       (SELECT id FROM contacts
         WHERE lower(regexp_replace(email, '(\\+[^@]*)?@', '@'))
               = lower(regexp_replace($3, '(\\+[^@]*)?@', '@')) LIMIT {NEAR_MAX})
       UNION
       (SELECT id FROM contacts
         WHERE lower(first_name || ' ' || last_name) % lower($4)
         ORDER BY similarity(lower(first_name || ' ' || last_name), lower($4)) DESC
         LIMIT {NEAR_MAX}))
   AND c.id <> $1
"""
LIKE_ENOUGH: Final = "SELECT set_config('pg_trgm.similarity_threshold', '0.45', true)"
"""At PostgreSQL's own 0.3 a common name finds thousands, to be thrown away again."""
PAIRS: Final = f"""
WITH people AS MATERIALIZED (
    SELECT id, phone_normal, company_id, lower(first_name || ' ' || last_name) AS name,
           lower(regexp_replace(email, '(\\+[^@]*)?@', '@')) AS mailbox
      FROM contacts WHERE status IS DISTINCT FROM 'deleted'
), groups AS (
    SELECT array_agg(id) AS ids FROM people WHERE phone_normal <> ''
     GROUP BY phone_normal HAVING count(*) BETWEEN 2 AND {GROUP_MAX}
    UNION ALL
    SELECT array_agg(id) FROM people GROUP BY mailbox
    HAVING count(*) BETWEEN 2 AND {GROUP_MAX}
    UNION ALL
    SELECT array_agg(id) FROM people WHERE company_id IS NOT NULL
     GROUP BY company_id, left(name, 1) HAVING count(*) BETWEEN 2 AND {GROUP_MAX}
)
SELECT DISTINCT a.id AS low, b.id AS high FROM groups g
 CROSS JOIN LATERAL unnest(g.ids) a (id)
 CROSS JOIN LATERAL unnest(g.ids) b (id)
 WHERE a.id < b.id
   AND NOT EXISTS (SELECT FROM ops.duplicates d
                    WHERE d.low_id = a.id AND d.high_id = b.id)
 LIMIT $1
"""
MANY: Final = f"""
SELECT {_KNOWN} FROM contacts c LEFT JOIN companies k ON k.id = c.company_id
 WHERE c.id = ANY($1::uuid[])
"""
INSERT: Final = """
INSERT INTO ops.duplicates (low_id, high_id, score, reasons)
SELECT low, high, score, string_to_array(reasons, ',')
  FROM unnest($1::uuid[], $2::uuid[], $3::numeric[], $4::text[])
       AS p (low, high, score, reasons)
ON CONFLICT (low_id, high_id) DO NOTHING
"""
PAGE: Final = """
SELECT d.low_id, d.high_id, d.score::float8 AS score, d.reasons, d.found_at
  FROM ops.duplicates d
  JOIN contacts l ON l.id = d.low_id AND l.status IS DISTINCT FROM 'deleted'
  JOIN contacts h ON h.id = d.high_id AND h.status IS DISTINCT FROM 'deleted'
 WHERE d.state = 'open'
   AND ($1::float8 IS NULL OR (d.score, d.low_id, d.high_id) < ($1::numeric, $2, $3))
 ORDER BY d.score DESC, d.low_id DESC, d.high_id DESC LIMIT $4
"""
DISMISS: Final = """
INSERT INTO ops.duplicates (low_id, high_id, score, reasons, state, decided_by,
                            decided_at)
VALUES (least($1::uuid, $2::uuid), greatest($1::uuid, $2::uuid), 0, '{}', 'dismissed',
        $3, now())
ON CONFLICT (low_id, high_id) DO UPDATE
   SET state = 'dismissed', decided_by = $3, decided_at = now()
"""


class Pair(NamedTuple):
    """Two contacts and how alike they are."""

    one: Any
    other: Any
    likeness: Likeness


class Duplicates:
    """Finds, lists and dismisses."""

    def __init__(self, database: Pooled, auditor: Auditor) -> None:
        self._database, self._auditor = database, auditor

    async def near(self, contact_id: UUID) -> list[Pair]:
        """Who may be the same person as a contact, the likeliest first.

        Raises:
            NotFound: no such contact, or it was merged or erased.
        """
        await self.read_phones()
        pool = self._database.pool
        one = await pool.fetchrow(ONE, contact_id, timeout=CALL_TIMEOUT_S)
        if one is None:
            raise NotFound("There is no such contact.")
        async with pool.acquire() as db, db.transaction():
            await db.execute(LIKE_ENOUGH, timeout=CALL_TIMEOUT_S)
            rows = await db.fetch(
                NEAR,
                contact_id,
                one["phone"],
                one["email"],
                f"{one['first_name']} {one['last_name']}",
                timeout=CALL_TIMEOUT_S,
            )
        pairs = [Pair(one, row, compare(_known(one), _known(row))) for row in rows]
        likely = [pair for pair in pairs if pair.likeness.reasons]
        return sorted(likely, key=lambda pair: -pair.likeness.score)

    async def find(self) -> int:
        """Fill the list; how many pairs are new."""
        while await self.read_phones() == PHONES_PER_TURN:
            pass
        pool = self._database.pool
        pairs = await pool.fetch(PAIRS, PAIRS_MAX, timeout=CALL_TIMEOUT_S)
        found = await self._by_id(
            {row["low"] for row in pairs} | {row["high"] for row in pairs}
        )
        judged = [
            (row["low"], row["high"], compare(*_both(found, row)))
            for row in pairs
            if row["low"] in found and row["high"] in found
        ]
        listed = [each for each in judged if each[2].score >= LISTED_FROM]
        await pool.execute(
            INSERT,
            [low for low, _, _ in listed],
            [high for _, high, _ in listed],
            [likeness.score for _, _, likeness in listed],
            [",".join(likeness.reasons) for _, _, likeness in listed],
            timeout=CALL_TIMEOUT_S,
        )
        return len(listed)

    async def page(
        self, after: tuple[float, UUID, UUID] | None, limit: int
    ) -> list[tuple[Any, Any, Any]]:
        """At most `limit + 1` open pairs with both contacts, the likeliest first."""
        rows = await self._database.pool.fetch(
            PAGE, *(after or (None, None, None)), limit + 1, timeout=CALL_TIMEOUT_S
        )
        ids = {row["low_id"] for row in rows} | {row["high_id"] for row in rows}
        found = await self._by_id(ids)
        return [(row, found[row["low_id"]], found[row["high_id"]]) for row in rows]

    async def dismiss(self, actor: Actor, one: UUID, other: UUID) -> None:
        """They are two people: never list them again.

        Raises:
            NotFound: one of them is no contact.
        """
        if one == other or len(await self._by_id({one, other})) != 2:
            raise NotFound("Name two contacts.")
        async with self._database.pool.acquire() as db, db.transaction():
            user = actor.id if actor.kind == "user" else None
            await db.execute(DISMISS, one, other, user, timeout=CALL_TIMEOUT_S)
            entry = Entry(
                actor, "duplicates.dismiss", "contacts", one, detail={"other": other}
            )
            await self._auditor.record(db, entry)

    async def read_phones(self) -> int:
        """Read the numbers that changed into E.164; how many they were."""
        pool = self._database.pool
        rows = await pool.fetch(PHONES, PHONES_PER_TURN, timeout=CALL_TIMEOUT_S)
        if rows:
            await pool.execute(
                SET_PHONES,
                [row["id"] for row in rows],
                [row["phone"] for row in rows],
                [phone_of(row["phone"], row["country"]) for row in rows],
                timeout=CALL_TIMEOUT_S,
            )
        return len(rows)

    async def _by_id(self, ids: set[UUID]) -> dict[UUID, Any]:
        if not ids:
            return {}
        rows: Sequence[Any] = await self._database.pool.fetch(
            MANY, list(ids), timeout=CALL_TIMEOUT_S
        )
        return {row["id"]: row for row in rows}


def _both(found: dict[UUID, Any], row: Any) -> tuple[Known, Known]:
    return _known(found[row["low"]]), _known(found[row["high"]])


def _known(row: Any) -> Known:
    name = f"{row['first_name']} {row['last_name']}"
    return Known(name, row["email"], row["phone"], row["company"], row["city"])
