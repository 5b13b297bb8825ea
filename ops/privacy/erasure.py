"""Erases a person: values replaced, key deleted, ids and counts left as they are.

One transaction for the rows that are theirs, then a walk over all texts of all tables
for what others wrote about them. Safe to repeat; a person who was erased half is
finished by the next call. The cache hears of it by the relay like of any change of a
ticket, within a second; devices with the next delta of their package.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple
from uuid import UUID

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry
from ops.db.engine import Pooled
from ops.errors import NotFound
from ops.ids import uuid7
from ops.privacy.personal import (
    ADDRESS_GONE,
    GONE,
    UNTOUCHED,
    WIPES,
    Link,
    Traces,
    traces,
    words,
)

CALL_TIMEOUT_S: Final = 30.0
SWEEP_TIMEOUT_S: Final = 120.0
"""A table: three seconds of a core for two million rows, longer on a busy machine."""
PATIENT: Final = "SELECT set_config('statement_timeout', '120s', true)"
NAME_LIKE: Final = 0.8

CONTACTS: Final = """
SELECT id, profile_id, first_name, last_name, email, phone, phone_normal FROM contacts
 WHERE id = $1 OR merged_into_id = $1 ORDER BY id FOR UPDATE
"""
ATTENDEES: Final = """
SELECT id, event_id, first_name, last_name, email, email_as_given, phone FROM attendees
 WHERE contact_id = ANY($1::uuid[]) OR id = $2 ORDER BY id FOR UPDATE
"""
TICKETS: Final = "SELECT id FROM tickets WHERE attendee_id = ANY($1::uuid[])"
PROFILES: Final = """
SELECT p.id, p.email, p.full_name, p.phone FROM profiles p
 WHERE (p.id = ANY($1::uuid[]) OR p.email = ANY($2::text[])) AND NOT EXISTS (
       SELECT FROM users u WHERE u.profile_id = p.id)
"""
OTHERS: Final = """
UPDATE attendees SET email = NULL, email_as_given = NULL,
       phone = CASE WHEN phone = ANY($2::text[]) THEN NULL ELSE phone END,
       custom = custom - 'import'
 WHERE id = ANY($1::uuid[]) AND lower(email) = ANY($3::text[])
"""
NAMESAKES: Final = """
SELECT EXISTS (SELECT FROM contacts
                WHERE id <> ALL($1::uuid[])
                  AND lower(first_name || ' ' || last_name) = lower($3))
    OR EXISTS (SELECT FROM attendees
                WHERE id <> ALL($2::uuid[])
                  AND lower(first_name || ' ' || last_name) = lower($3))
    OR EXISTS (SELECT FROM users
                WHERE lower(first_name || ' ' || last_name) = lower($3))
"""
SHARED: Final = """
SELECT EXISTS (SELECT FROM contacts
                WHERE id <> ALL($1::uuid[]) AND (right(phone_normal, 9) = $2
                   OR phone_normal IS NULL
                  AND right(regexp_replace(phone, '\\D', '', 'g'), 9) = $2))
"""
"""A number of a household or a switchboard is others' own as well."""
FILES: Final = """
UPDATE ops.import_runs SET file_name = '(erased)', problems = '[]'
 WHERE event_id IN (SELECT event_id FROM attendees WHERE id = ANY($1::uuid[]))
   AND (file_name ~* $2 OR problems::text ~* $2)
"""
"""Names of files and lines of their problems: good for a day, and full of names."""
RECORD: Final = """
INSERT INTO ops.erasures (id, person_kind, person_id, reason, requested_by, result)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id, person_kind, person_id, reason, requested_by, result, erased_at
"""
TEXTS: Final = """
SELECT format('%I.%I', n.nspname, c.relname) AS tab,
       n.nspname || '.' || c.relname AS name,
       array_agg(format('%I', a.attname)) AS columns,
       array_agg(format_type(a.atttypid, NULL)) AS types
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'ops')
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attgenerated = ''
 WHERE c.relkind = 'r' AND format_type(a.atttypid, NULL)
       IN ('text', 'text[]', 'jsonb', 'json', 'character varying')
   AND NOT EXISTS (SELECT FROM pg_constraint k
                    WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u')
                      AND a.attnum = ANY(k.conkey))
 GROUP BY 1, 2 ORDER BY 1
"""


class Person(NamedTuple):
    """The ids of a person and what they are known by."""

    ids: dict[Link, list[UUID]]
    others: list[UUID]
    """Attendees who share the address and have a name of their own."""
    emails: list[str]
    phones: list[str]
    names: list[str]


class Eraser:
    """Erases contacts with all their tickets, and holders of tickets alone."""

    def __init__(self, database: Pooled, auditor: Auditor) -> None:
        self._database, self._auditor = database, auditor

    async def contact(self, actor: Actor, contact_id: UUID, reason: str) -> Any:
        """Erase a contact, those merged into it, and its tickets' holders of that name.

        Raises:
            NotFound: no such contact.
        """
        return await self._erase(actor, "contact", contact_id, reason)

    async def attendee(self, actor: Actor, attendee_id: UUID, reason: str) -> Any:
        """Erase the holder of a ticket who is no contact.

        Raises:
            NotFound: no such attendee.
        """
        return await self._erase(actor, "attendee", attendee_id, reason)

    async def _erase(
        self, actor: Actor, kind: str, person_id: UUID, reason: str
    ) -> Any:
        async with self._database.pool.acquire() as db, db.transaction():
            await self._auditor.act_as(db, actor)
            person = await who_is(db, kind, person_id)
            changed: dict[str, int] = {}
            for wipe in WIPES:
                ids = person.ids[wipe.link]
                if ids:
                    status = await db.execute(
                        wipe.statement, ids, timeout=CALL_TIMEOUT_S
                    )
                    count = int(status.split()[-1])
                    if count:
                        changed[wipe.table] = changed.get(wipe.table, 0) + count
            if person.others:
                await db.execute(
                    OTHERS,
                    person.others,
                    person.phones,
                    [email.lower() for email in person.emails],
                    timeout=CALL_TIMEOUT_S,
                )
            keys = [*person.ids["contact"], *person.ids["attendee"]]
            await self._auditor.keys.delete(db, keys)
            names = [n for n in person.names if not await _namesake(db, person, n)]
            if pattern := words(person.names):
                await db.execute(
                    FILES, person.ids["attendee"], pattern, timeout=CALL_TIMEOUT_S
                )
            numbers = [n for n in person.phones if not await _shared(db, person, n)]
            marks = traces(person.emails, numbers, names)
            swept = await sweep(db, marks)
            result = {
                "changed": changed,
                "mentions": swept,
                "kept_names": len(person.names) - len(names),
                "kept_numbers": len(person.phones) - len(numbers),
                "other_holders": len(person.others),
            }
            row = await db.fetchrow(
                RECORD,
                uuid7(),
                kind,
                person_id,
                reason,
                actor.id if actor.kind == "user" else None,
                result,
                timeout=CALL_TIMEOUT_S,
            )
            entry = Entry(actor, f"{kind}s.erase", f"{kind}s", person_id, detail=result)
            await self._auditor.record(db, entry)
            return row


async def who_is(db: Any, kind: str, person_id: UUID) -> Person:
    """The rows that are one person, locked.

    Raises:
        NotFound: nobody.
    """
    contacts: list[Any] = []
    if kind == "contact":
        contacts = await db.fetch(CONTACTS, person_id, timeout=CALL_TIMEOUT_S)
        if not contacts:
            raise NotFound("There is no such contact.")
    contact_ids = [row["id"] for row in contacts]
    holders = await db.fetch(
        ATTENDEES,
        contact_ids,
        None if contacts else person_id,
        timeout=CALL_TIMEOUT_S,
    )
    if not holders and not contacts:
        raise NotFound("There is no such attendee.")
    mine = [row for row in holders if not contacts or _is_own(row, contacts, holders)]
    mine_ids = [row["id"] for row in mine]
    tickets = await db.fetch(TICKETS, mine_ids, timeout=CALL_TIMEOUT_S)
    profile_ids = [row["profile_id"] for row in contacts if row["profile_id"]]
    emails = [row["email"] for row in contacts]
    profiles = await db.fetch(PROFILES, profile_ids, emails, timeout=CALL_TIMEOUT_S)
    people = [*contacts, *mine]
    return Person(
        {
            "contact": contact_ids,
            "attendee": mine_ids,
            "ticket": [row["id"] for row in tickets],
            "profile": [row["id"] for row in profiles],
        },
        [row["id"] for row in holders if row not in mine],
        _known(
            [
                *(row["email"] for row in people),
                *(row["email_as_given"] for row in mine),
                *(row["email"] for row in profiles),
            ]
        ),
        _known(
            [
                *(row["phone"] for row in [*people, *profiles]),
                *(row["phone_normal"] for row in contacts),
            ]
        ),
        _known(
            [
                *(f"{row['first_name']} {row['last_name']}".strip() for row in people),
                *(row["full_name"] for row in profiles),
            ]
        ),
    )


async def sweep(db: Any, marks: Traces) -> dict[str, int]:
    """Replace what texts of any table say of a person; rows by table.

    A scan of every table with texts: about a second for a million rows, because the
    patterns are asked about those alone that the hints find.
    """
    found: dict[str, int] = {}
    if not marks.patterns:
        return found
    await db.execute(PATIENT, timeout=CALL_TIMEOUT_S)
    for table in await db.fetch(TEXTS, timeout=CALL_TIMEOUT_S):
        if table["name"] in UNTOUCHED:
            continue
        sets, tests = [], []
        for column, kind in zip(table["columns"], table["types"], strict=True):
            sets.append(f"{column} = {_replaced(column, kind)}")
            tests.append(f"{column}::text ~* $1")
        whole = ", ".join(f"{column}::text" for column in table["columns"])
        status = await db.execute(
            f"UPDATE {table['tab']} SET {', '.join(sets)}"
            f" WHERE lower(concat_ws(E'\\n', {whole})) ~ $2 AND ({' OR '.join(tests)})",
            marks.pattern,
            marks.hint,
            timeout=SWEEP_TIMEOUT_S,
        )
        count = int(status.split()[-1])
        if count:
            found[table["name"]] = count
    return found


def _replaced(column: str, kind: str) -> str:
    """The SQL of a column without the person; names come quoted from the catalogue."""
    if kind == "text[]":
        return (
            f"CASE WHEN {column} IS NULL THEN NULL ELSE ARRAY(SELECT"
            f" regexp_replace(x, $1, '{GONE}', 'gi') FROM unnest({column}) x) END"
        )
    text = f"regexp_replace({column}::text, $1, '{GONE}', 'gi')"
    return text if kind in ("text", "character varying") else f"({text})::{kind}"


async def _namesake(db: Any, person: Person, name: str) -> bool:
    """Whether somebody else has the name: then texts that name it may mean them."""
    same: bool = await db.fetchval(
        NAMESAKES,
        person.ids["contact"],
        person.ids["attendee"],
        name,
        timeout=CALL_TIMEOUT_S,
    )
    return same


async def _shared(db: Any, person: Person, phone: str) -> bool:
    """Whether another contact has the number: then it stays theirs."""
    end = re.sub(r"\D", "", phone)[-9:]
    shared: bool = await db.fetchval(
        SHARED, person.ids["contact"], end, timeout=CALL_TIMEOUT_S
    )
    return shared


def _folded(row: Any) -> str:
    return " ".join(f"{row['first_name']} {row['last_name']}".casefold().split())


def _is_own(holder: Any, contacts: list[Any], holders: list[Any]) -> bool:
    """Whether a ticket is the contact's own, and not one bought for a friend.

    It is if the name is theirs or nearly, or if it is their only one of an event.
    """
    folded = _folded(holder)
    if any(
        SequenceMatcher(None, folded, _folded(one)).ratio() >= NAME_LIKE
        for one in contacts
    ):
        return True
    same_event = [row for row in holders if row["event_id"] == holder["event_id"]]
    return len(same_event) == 1


def _known(values: list[str | None]) -> list[str]:
    return list(
        dict.fromkeys(
            value
            for value in values
            if value and not value.endswith(ADDRESS_GONE) and value != "Erased"
        )
    )
