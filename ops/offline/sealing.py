"""The keys that seal names: one a shift and event, handed to devices at sign-on.

A package lies on every phone for a day; the names in it are read only with the key of
the shift, which a phone holds while somebody is signed on (core.md item 30). In the
database the key is sealed with the installation's secret.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ops.errors import SettingsError
from ops.ids import uuid7
from ops.offline import queries

SHIFT = timedelta(hours=12)
"""A key is good so long at most; a new one begins with the next package after it."""
NONCE_LENGTH = 12
_TIMEOUT_S = 5.0
_PURPOSE = b"ops.offline_keys"


class ShiftKey(msgspec.Struct, frozen=True):
    """A key in the clear: only in memory, and on its way to a device."""

    id: UUID
    key: bytes
    valid_until: datetime

    def seal(self, plain: bytes) -> bytes:
        """Nonce (12 bytes), ciphertext and tag: what WebCrypto's AES-GCM opens."""
        nonce = secrets.token_bytes(NONCE_LENGTH)
        return nonce + AESGCM(self.key).encrypt(nonce, plain, self.id.bytes)

    def open(self, sealed: bytes) -> bytes:
        """The plain bytes.

        Raises:
            InvalidTag: sealed by another key.
        """
        nonce, body = sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:]
        return AESGCM(self.key).decrypt(nonce, body, self.id.bytes)


class ShiftKeys:
    """`ops.offline_keys`, one living key an event."""

    def __init__(self, secret_key: str) -> None:
        key = hashlib.blake2b(secret_key.encode(), digest_size=32, person=_PURPOSE)
        self._box = AESGCM(key.digest())

    async def current(self, db: Any, event_id: UUID, now: datetime) -> ShiftKey:
        """The key of this shift; made if there is none. In the caller's transaction,
        which must be allowed to write."""
        row = await db.fetchrow(queries.KEY, event_id, now, timeout=_TIMEOUT_S)
        if row is None:
            await db.execute(queries.LOCK_KEYS, str(event_id), timeout=_TIMEOUT_S)
            row = await db.fetchrow(queries.KEY, event_id, now, timeout=_TIMEOUT_S)
        if row is None:
            return await self._make(db, event_id, now)
        return ShiftKey(
            row["id"], self._opened(row["id"], row["key_sealed"]), row["valid_until"]
        )

    async def end(self, db: Any, event_id: UUID, now: datetime) -> None:
        """End the shift's key: packages that come are sealed by another."""
        await db.execute(queries.END_KEYS, event_id, now, timeout=_TIMEOUT_S)

    async def _make(self, db: Any, event_id: UUID, now: datetime) -> ShiftKey:
        made = ShiftKey(uuid7(), secrets.token_bytes(32), now + SHIFT)
        nonce = secrets.token_bytes(NONCE_LENGTH)
        sealed = nonce + self._box.encrypt(nonce, made.key, made.id.bytes)
        await db.execute(
            queries.INSERT_KEY,
            made.id,
            event_id,
            sealed,
            now,
            made.valid_until,
            timeout=_TIMEOUT_S,
        )
        return made

    def _opened(self, key_id: UUID, sealed: bytes) -> bytes:
        nonce, body = sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:]
        try:
            return self._box.decrypt(nonce, body, key_id.bytes)
        except InvalidTag:
            raise SettingsError(
                "OPS_SECRET_KEY is not the one that sealed this database's keys"
            ) from None
