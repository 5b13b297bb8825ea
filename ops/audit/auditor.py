"""Writes entries in the caller's transaction, and reads them with values opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ops.audit.entry import Actor, Entry, split
from ops.audit.person_keys import PersonKeys

CALL_TIMEOUT_S: Final = 10.0
ENTRIES_MAX: Final = 1_000
"""As many as a bulk request has rows."""

INSERT: Final = """
INSERT INTO ops.audit_log (at, subject_kind, subject_id, action, target_kind, target_id,
                           event_id, detail, ip, key_id, personal)
SELECT clock_timestamp(), kind, subject, action, target_kind, target, event,
       detail::jsonb, ip::inet, key_id, personal
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[],
              $7::text[], $8::text[], $9::uuid[], $10::bytea[])
       AS e (kind, subject, action, target_kind, target, event, detail, ip, key_id,
             personal)
"""
ACT_AS: Final = "SELECT set_config('ops.user_id', $1, true)"
"""Who the triggers of the history name; until the end of the transaction."""

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Auditor:
    """One a process; takes whatever connection or pool has a transaction open."""

    def __init__(self, secret_key: str) -> None:
        self.keys = PersonKeys(secret_key)

    async def act_as(self, connection: Any, actor: Actor) -> None:
        """Tell the triggers who acts (`ops.stage_changes`, `ops.consents`)."""
        user = str(actor.id) if actor.kind == "user" and actor.id else ""
        await connection.execute(ACT_AS, user, timeout=CALL_TIMEOUT_S)

    async def record(self, connection: Any, entry: Entry) -> None:
        """Write one entry (see `record_all`)."""
        await self.record_all(connection, [entry])

    async def record_all(self, connection: Any, entries: Sequence[Entry]) -> None:
        """Write entries in the caller's transaction: one statement, and one or two
        more for persons whose keys are not remembered.

        Args:
            connection: of asyncpg; an entry is undone with its transaction.
            entries: at most `ENTRIES_MAX`.
        """
        if not entries:
            return
        assert len(entries) <= ENTRIES_MAX, "write a bulk in chunks"
        parts = [split(entry) for entry in entries]
        persons = [
            entry.person
            for entry, part in zip(entries, parts, strict=True)
            if entry.person is not None and part.personal
        ]
        keys = await self.keys.of(connection, persons) if persons else {}
        sealed = [
            (keys[entry.person.id].id, keys[entry.person.id].seal(part.personal))
            if entry.person is not None and part.personal
            else (None, None)
            for entry, part in zip(entries, parts, strict=True)
        ]
        await connection.execute(
            INSERT,
            [entry.actor.kind for entry in entries],
            [entry.actor.id for entry in entries],
            [entry.action for entry in entries],
            [entry.target_kind for entry in entries],
            [entry.target_id for entry in entries],
            [entry.event_id for entry in entries],
            [_encode(part.plain).decode() for part in parts],
            [entry.actor.ip or None for entry in entries],
            [key_id for key_id, _ in sealed],
            [text for _, text in sealed],
            timeout=CALL_TIMEOUT_S,
        )
