"""A read text finds the exact code before the tag that it may be."""

from __future__ import annotations

import pytest

from ops.checkin import codes
from ops.db.code_keys import exact_first, known_by
from ops.db.engine import Database

EXACT = codes.code_hash("04:a2:b9:c1")
TAG = codes.uid_hash("04A2B9C1")
OTHER = codes.code_hash("T-1")
FIND = f"""
SELECT h FROM unnest($1::bytea[]) AS known(h)
 WHERE {known_by("h")} {exact_first("h")}
"""


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ([TAG, EXACT, OTHER], EXACT),
        ([TAG, OTHER], TAG),
        ([EXACT, OTHER], EXACT),
        ([OTHER], None),
    ],
)
async def test_the_exact_text_counts_first(
    database: Database, known: list[bytes], found: bytes | None
) -> None:
    key = codes.key("04:a2:b9:c1")
    assert await database.pool.fetchval(FIND, known, key) == found


async def test_what_is_no_tag_is_its_exact_text_alone(database: Database) -> None:
    assert codes.key("T-1") == OTHER
    found = await database.pool.fetchval(FIND, [TAG, b"", OTHER], codes.key("T-1"))
    assert found == OTHER
    assert await database.pool.fetchval(FIND, [TAG, EXACT], codes.key("T-1")) is None
