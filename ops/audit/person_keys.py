"""The keys of persons: made when first needed, sealed by the installation's key,
deleted by an erasure.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.utils import random as random_bytes

from ops.audit.entry import Person
from ops.ids import uuid7

REMEMBERED_MAX: Final = 5_000
REMEMBERED_S: Final = 60.0
"""An opened key is remembered this long at most; after an erasure it is good for
nothing but writing what nobody can read."""
_PURPOSE: Final = b"ops.person_keys"  # at most 16 bytes: blake2b's `person`

NEWEST: Final = """
SELECT DISTINCT ON (person_id) person_id, id, key_sealed, created_at < now() AS stands
  FROM ops.person_keys
 WHERE person_id = ANY($1::uuid[]) ORDER BY person_id, created_at DESC, id DESC
"""
INSERT: Final = """
INSERT INTO ops.person_keys (id, person_kind, person_id, key_sealed)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[])
"""
BY_ID: Final = "SELECT id, key_sealed FROM ops.person_keys WHERE id = ANY($1::uuid[])"
DELETE: Final = "DELETE FROM ops.person_keys WHERE person_id = ANY($1::uuid[])"
HAND_OVER: Final = """
UPDATE ops.person_keys SET person_id = $2, person_kind = 'contact' WHERE person_id = $1
"""
CALL_TIMEOUT_S: Final = 10.0

_encode = msgspec.json.Encoder(enc_hook=str).encode
_decode = msgspec.json.Decoder().decode


class PersonKey(NamedTuple):
    """An opened key and the id of its row."""

    id: UUID
    key: bytes

    def seal(self, value: Any) -> bytes:
        """Seal a value as JSON."""
        return bytes(SecretBox(self.key).encrypt(_encode(value)))


class PersonKeys:
    """Finds, makes and deletes keys on the caller's connection."""

    def __init__(self, secret_key: str) -> None:
        self._box = SecretBox(
            hashlib.blake2b(
                secret_key.encode(), digest_size=32, person=_PURPOSE
            ).digest()
        )
        self._remembered: OrderedDict[UUID, tuple[PersonKey, float]] = OrderedDict()

    async def of(
        self, connection: Any, persons: Iterable[Person]
    ) -> dict[UUID, PersonKey]:
        """The keys to seal under, by person; made where there is none.

        At most two statements, none if all are remembered.
        """
        now_s = time.monotonic()
        wanted = {person.id: person for person in persons}
        found: dict[UUID, PersonKey] = {}
        for person_id in wanted:
            remembered = self._remembered.get(person_id)
            if remembered is not None and now_s < remembered[1]:
                found[person_id] = remembered[0]
        missing = [person_id for person_id in wanted if person_id not in found]
        if not missing:
            return found
        rows = await connection.fetch(NEWEST, missing, timeout=CALL_TIMEOUT_S)
        for row in rows:
            key = self._opened(row["id"], row["key_sealed"])
            if key is not None:
                found[row["person_id"]] = key
        fresh = [
            (wanted[person_id], PersonKey(uuid7(), random_bytes(SecretBox.KEY_SIZE)))
            for person_id in missing
            if person_id not in found
        ]
        if fresh:
            await connection.execute(
                INSERT,
                [key.id for _, key in fresh],
                [person.kind for person, _ in fresh],
                [person.id for person, _ in fresh],
                [bytes(self._box.encrypt(key.key)) for _, key in fresh],
                timeout=CALL_TIMEOUT_S,
            )
            found |= {person.id: key for person, key in fresh}
        # Keys made in this transaction are not remembered: it may be undone.
        for row in rows:
            if row["stands"] and row["person_id"] in found:
                self._remember(row["person_id"], found[row["person_id"]], now_s)
        return found

    async def open(
        self, connection: Any, sealed: Sequence[tuple[UUID | None, bytes | None]]
    ) -> list[Any]:
        """The values behind (key id, ciphertext) pairs; None where the key is gone."""
        ids = list({key_id for key_id, text in sealed if key_id and text})
        keys: dict[UUID, PersonKey] = {}
        if ids:
            for row in await connection.fetch(BY_ID, ids, timeout=CALL_TIMEOUT_S):
                key = self._opened(row["id"], row["key_sealed"])
                if key is not None:
                    keys[row["id"]] = key
        return [
            _open(keys.get(key_id) if key_id else None, text) for key_id, text in sealed
        ]

    async def delete(self, connection: Any, person_ids: Sequence[UUID]) -> None:
        """Forget persons for good: what was sealed for them is noise from now on."""
        for person_id in person_ids:
            self._remembered.pop(person_id, None)
        await connection.execute(DELETE, list(person_ids), timeout=CALL_TIMEOUT_S)

    async def hand_over(self, connection: Any, loser: UUID, winner: UUID) -> None:
        """Two contacts were one: erasing the one that stays erases both."""
        self._remembered.pop(loser, None)
        await connection.execute(HAND_OVER, loser, winner, timeout=CALL_TIMEOUT_S)

    def _opened(self, key_id: UUID, sealed: bytes) -> PersonKey | None:
        try:
            return PersonKey(key_id, bytes(self._box.decrypt(bytes(sealed))))
        except CryptoError:
            # Sealed under another OPS_SECRET_KEY: as good as gone.
            return None

    def _remember(self, person_id: UUID, key: PersonKey, now_s: float) -> None:
        self._remembered[person_id] = (key, now_s + REMEMBERED_S)
        self._remembered.move_to_end(person_id)
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)


def _open(key: PersonKey | None, text: bytes | None) -> Any:
    if key is None or text is None:
        return None
    try:
        return _decode(SecretBox(key.key).decrypt(bytes(text)))
    except CryptoError:
        return None
