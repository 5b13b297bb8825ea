"""The audit log over PostgreSQL: sealed values, the loss of a key, seals of runs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from ops.audit import sealing
from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry, Person
from ops.audit.person_keys import PersonKeys
from ops.db.engine import Database
from ops.ids import uuid7

SECRET = "a secret key of the tests, long enough"
NAME = "Zoë-李 O'Brien-Łukasz"


def entry(person: UUID | None, name: str = NAME) -> Entry:
    return Entry(
        Actor("user", uuid7(), "192.0.2.7"),
        "contacts.update",
        "contacts",
        person,
        before={"first_name": "Old", "status": "active"},
        after={
            "first_name": name,
            "status": "blocked",
            "date_of_birth": date(1990, 2, 3),
            "annual_revenue": Decimal("12.50"),
        },
        person=Person("contact", person) if person else None,
    )


async def opened(database: Database, keys: PersonKeys) -> list[object]:
    rows = await database.pool.fetch(
        "SELECT key_id, personal FROM ops.audit_log ORDER BY id"
    )
    return await keys.open(
        database.pool, [(row["key_id"], row["personal"]) for row in rows]
    )


async def test_personal_values_are_sealed_until_the_key_is_gone(
    database: Database,
) -> None:
    auditor, who = Auditor(SECRET), uuid7()
    async with database.pool.acquire() as db, db.transaction():
        await auditor.record_all(db, [entry(who), entry(who), entry(None)])
    text = await database.pool.fetchval(
        "SELECT string_agg(a::text, ' ') FROM ops.audit_log a"
    )
    assert NAME not in text
    assert "Old" not in text
    values = await opened(database, PersonKeys(SECRET))
    assert values[0]["after"] == {
        "first_name": NAME,
        "date_of_birth": "1990-02-03",
        "annual_revenue": "12.50",
    }
    assert values[1] == values[0]
    assert values[2] is None
    assert await opened(database, PersonKeys("another secret key, as long as it")) == [
        None,
        None,
        None,
    ]
    assert await sealing.seal(database.pool) == 3
    await PersonKeys(SECRET).delete(database.pool, [who])
    assert await opened(database, PersonKeys(SECRET)) == [None, None, None]
    assert await sealing.verify(database.pool) == 3
    row = await database.pool.fetchrow("SELECT * FROM ops.audit_log ORDER BY id")
    assert row["detail"]["before"] == {"status": "active"}
    assert row["detail"]["after"] == {"status": "blocked"}


async def test_an_entry_goes_with_its_transaction(database: Database) -> None:
    auditor, who = Auditor(SECRET), uuid7()
    async with database.pool.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        for _ in range(2):
            await auditor.record(db, entry(who))
        await transaction.rollback()
    assert await database.pool.fetchval("SELECT count(*) FROM ops.audit_log") == 0
    assert await database.pool.fetchval("SELECT count(*) FROM ops.person_keys") == 0
    # The key of the undone transaction is not used afterwards.
    await auditor.record(database.pool, entry(who))
    assert (await opened(database, auditor.keys))[0]["after"]["first_name"] == NAME


async def test_a_merged_person_goes_with_the_one_that_stays(database: Database) -> None:
    auditor, loser, winner = Auditor(SECRET), uuid7(), uuid7()
    await auditor.record(database.pool, entry(loser))
    await auditor.record(database.pool, entry(winner, "Stays"))
    await auditor.keys.hand_over(database.pool, loser, winner)
    await auditor.keys.delete(database.pool, [winner])
    assert await opened(database, auditor.keys) == [None, None]


async def test_a_row_that_commits_late_is_sealed_all_the_same(
    database: Database,
) -> None:
    auditor = Auditor(SECRET)
    async with database.pool.acquire() as late:
        transaction = late.transaction()
        await transaction.start()
        await auditor.record(late, entry(None))
        await auditor.record(database.pool, entry(None))
        # The later row waits for the earlier one, whose number is smaller.
        assert await sealing.seal(database.pool) == 0
        await transaction.commit()
    assert await sealing.seal(database.pool) == 2
    assert await sealing.seal(database.pool) == 0
    assert await sealing.verify(database.pool) == 2


@pytest.mark.parametrize(
    ("harm", "cause"),
    [
        ("UPDATE ops.audit_log SET action = 'nothing' WHERE id = 2", "content"),
        ("DELETE FROM ops.audit_log WHERE id = 2", "rows"),
        ("UPDATE ops.audit_seals SET previous = hash WHERE id = 2", "chain"),
        ("SELECT 1", None),
    ],
)
async def test_a_rewritten_past_is_seen(
    database: Database, harm: str, cause: str | None
) -> None:
    auditor = Auditor(SECRET)
    for _ in range(2):
        await auditor.record_all(database.pool, [entry(None), entry(None)])
        assert await sealing.seal(database.pool) == 2
    async with database.pool.acquire() as db, db.transaction():
        await db.execute("ALTER TABLE ops.audit_log DISABLE TRIGGER append_only")
        await db.execute("ALTER TABLE ops.audit_seals DISABLE TRIGGER append_only")
        await db.execute(harm)
    found = await sealing.verify(database.pool)
    if cause is None:
        assert found == 4
    else:
        assert isinstance(found, sealing.Broken)
        assert found.cause == cause


async def test_nobody_alters_the_log(database: Database) -> None:
    await Auditor(SECRET).record(database.pool, entry(None))
    await sealing.seal(database.pool)
    for statement in (
        "UPDATE ops.audit_log SET action = 'x'",
        "DELETE FROM ops.audit_log",
        "DELETE FROM ops.audit_seals",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.pool.execute(statement)
