"""Seals of the audit log: each a hash over a run of rows and over the seal before.

A row that is changed, taken away or put in later (by somebody with more rights than
the program has) breaks the seal of its run; a seal that is made anew breaks the next.
Keep the newest hash elsewhere (it stands in the table alone), and nobody
can rewrite the past without being seen. Ciphertexts are sealed, not their content:
an erasure, which deletes a key, breaks nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

ROWS_MAX: Final = 2_000
"""Rows in one seal; a longer backlog takes more seals."""
CALL_TIMEOUT_S: Final = 20.0
GENESIS: Final = bytes(32)
LOCK: Final = "SELECT pg_try_advisory_xact_lock(7301983)"

_ROW: Final = """
SELECT id, xid::text::bigint AS xid, concat_ws(E'\\x1f', id, extract(epoch FROM at),
       subject_kind, coalesce(subject_id::text, '-'), action,
       coalesce(target_kind, '-'), coalesce(target_id::text, '-'),
       coalesce(event_id::text, '-'), detail::text, coalesce(host(ip), '-'), xid,
       coalesce(key_id::text, '-'), coalesce(encode(personal, 'hex'), '-')) AS text
  FROM ops.audit_log
"""
LAST: Final = """
SELECT id, last_xid::text::bigint AS last_xid, last_id, hash FROM ops.audit_seals
 ORDER BY id DESC LIMIT 1
"""
UNSEALED: Final = f"""{_ROW}
 WHERE (xid, id) > ($1::text::xid8, $2)
   AND xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY xid, id LIMIT {ROWS_MAX}
"""
SEALED: Final = f"""{_ROW}
 WHERE (xid, id) > ($1::text::xid8, $2) AND (xid, id) <= ($3::text::xid8, $4)
 ORDER BY xid, id
"""
INSERT: Final = """
INSERT INTO ops.audit_seals (first_id, last_xid, last_id, rows, previous, hash)
VALUES ($1, $2::text::xid8, $3, $4, $5, $6)
"""
SEALS: Final = """
SELECT id, last_xid::text::bigint AS last_xid, last_id, rows, previous, hash
  FROM ops.audit_seals WHERE id > $1 ORDER BY id LIMIT 500
"""


class Broken(NamedTuple):
    """The first seal that does not fit what it seals, and why."""

    seal_id: int
    cause: str


def seal_of(previous: bytes, rows: Sequence[str]) -> bytes:
    """The hash of a run of rows and of the seal before it."""
    hashed = hashlib.sha256(previous)
    for row in rows:
        text = row.encode()
        hashed.update(len(text).to_bytes(8, "big") + text)
    return hashed.digest()


async def seal(pool: Any) -> int:
    """Seal what was committed since the last seal; how many rows that were.

    A duty of the sync role. Two at the same time do it once.
    """
    async with pool.acquire() as db, db.transaction():
        if not await db.fetchval(LOCK, timeout=CALL_TIMEOUT_S):
            return 0
        last = await db.fetchrow(LAST, timeout=CALL_TIMEOUT_S)
        previous = bytes(last["hash"]) if last else GENESIS
        xid, last_id = (last["last_xid"], last["last_id"]) if last else (0, 0)
        rows = await db.fetch(UNSEALED, str(xid), last_id, timeout=CALL_TIMEOUT_S)
        if not rows:
            return 0
        await db.execute(
            INSERT,
            rows[0]["id"],
            str(rows[-1]["xid"]),
            rows[-1]["id"],
            len(rows),
            previous,
            seal_of(previous, [row["text"] for row in rows]),
            timeout=CALL_TIMEOUT_S,
        )
        return len(rows)


async def verify(pool: Any) -> Broken | int:
    """Check all seals from the first on: how many rows stand, or what is broken."""
    at, xid, last_id, previous, counted = 0, 0, 0, GENESIS, 0
    while True:
        seals = await pool.fetch(SEALS, at, timeout=CALL_TIMEOUT_S)
        if not seals:
            return counted
        for one in seals:
            rows = await pool.fetch(
                SEALED,
                str(xid),
                last_id,
                str(one["last_xid"]),
                one["last_id"],
                timeout=CALL_TIMEOUT_S,
            )
            if bytes(one["previous"]) != previous:
                return Broken(one["id"], "chain")
            if len(rows) != one["rows"]:
                return Broken(one["id"], "rows")
            previous = seal_of(previous, [row["text"] for row in rows])
            if bytes(one["hash"]) != previous:
                return Broken(one["id"], "content")
            at, xid, last_id = one["id"], one["last_xid"], one["last_id"]
            counted += one["rows"]
