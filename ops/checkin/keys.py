"""The keys that sign ticket codes, and the key that seals what must not lie open.

Rows of `ops.signing_keys`: public keys in the clear, private keys in a NaCl SecretBox.
Keys for sealing are derived from the secret key of the settings, one for each purpose,
so that a sealed signing key and a sealed imported code never share one.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.signing import SigningKey

from ops.checkin import codes
from ops.errors import OpsError, SettingsError

_FOR_SIGNING_KEYS = b"ops.signing_keys"  # at most 16 bytes: blake2b's `person`
_FOR_CODES = b"ops.ticket_codes"

_LOAD = """
SELECT key_id, public_key, private_key_sealed, retired_at
FROM ops.signing_keys ORDER BY key_id
"""
# The one lock that conflicts with itself and lets readers pass: two processes that
# start at once make one key.
_LOCK = "LOCK TABLE ops.signing_keys IN SHARE ROW EXCLUSIVE MODE"
_NEXT = "SELECT coalesce(max(key_id), 0) + 1 FROM ops.signing_keys"
_ACTIVE = "SELECT key_id FROM ops.signing_keys WHERE retired_at IS NULL LIMIT 1"
_RETIRE = "UPDATE ops.signing_keys SET retired_at = $1 WHERE retired_at IS NULL"
_INSERT = """
INSERT INTO ops.signing_keys (key_id, public_key, private_key_sealed, created_at)
VALUES ($1, $2, $3, $4)
"""


class KeysExhausted(OpsError):
    """All 63 key ids were used: codes need a new format to rotate further."""


def sealing_key(secret_key: str, purpose: bytes) -> bytes:
    """Derive a 32-byte key for one purpose (at most 16 bytes) from the secret key."""
    return hashlib.blake2b(secret_key.encode(), digest_size=32, person=purpose).digest()


class Seal:
    """Seals imported codes, so that they can be printed again but not read from a
    stolen database.
    """

    def __init__(self, secret_key: str) -> None:
        self._box = SecretBox(sealing_key(secret_key, _FOR_CODES))

    def close(self, text: str) -> bytes:
        """Seal a code; 40 bytes longer than its UTF-8."""
        return bytes(self._box.encrypt(text.encode()))

    def open(self, sealed: bytes) -> str:
        """Give back the code.

        Raises:
            SettingsError: sealed under another `OPS_SECRET_KEY`.
        """
        return _opened(self._box, sealed).decode()


class Signer(msgspec.Struct, frozen=True):
    """The active key: signs new codes."""

    key_id: int
    private_key: bytes

    def sign(self, ticket_id: UUID, issue_no: int) -> str:
        """Make the code of one issue of a ticket (`codes.sign`)."""
        return codes.sign(self.private_key, self.key_id, ticket_id, issue_no)

    def sign_bytes(self, message: bytes) -> bytes:
        """64 bytes over a message that begins with a context string of its own."""
        return bytes(SigningKey(self.private_key).sign(message).signature)


class SigningKeys:
    """The signing keys of the installation, in `ops.signing_keys`."""

    def __init__(self, pool: asyncpg.Pool, secret_key: str) -> None:
        self._pool = pool
        self._box = SecretBox(sealing_key(secret_key, _FOR_SIGNING_KEYS))

    async def load(self) -> tuple[codes.Keyring, Signer | None]:
        """Read all public keys, and the active private key if there is one.

        Raises:
            SettingsError: the key was sealed under another `OPS_SECRET_KEY`.
        """
        rows = await self._pool.fetch(_LOAD)
        keyring = codes.Keyring.from_rows(
            (row["key_id"], row["public_key"]) for row in rows
        )
        active = [row for row in rows if row["retired_at"] is None]
        if not active:
            return keyring, None
        newest = active[-1]
        seed = _opened(self._box, newest["private_key_sealed"])
        return keyring, Signer(newest["key_id"], seed)

    async def signers(self) -> list[Signer]:
        """All keys that ever signed, the newest first: for printing old codes again.

        Raises:
            SettingsError: as `load`.
        """
        rows = await self._pool.fetch(_LOAD)
        return [
            Signer(row["key_id"], _opened(self._box, row["private_key_sealed"]))
            for row in reversed(rows)
        ]

    async def ensure(self, now: datetime) -> tuple[codes.Keyring, Signer]:
        """Load the keys, after making the first one where there is none.

        Safe to run in several processes at once: they end with the same key.
        """
        keyring, signer = await self.load()
        if signer is None:
            await self._make(now, rotate=False)
            keyring, signer = await self.load()
        assert signer is not None, "a key was just made"
        return keyring, signer

    async def rotate(self, now: datetime) -> int:
        """Make a new key for new codes and retire the old one; returns the new id.

        Codes that the old key signed stay genuine.

        Raises:
            KeysExhausted: the 63 ids are used up.
        """
        return await self._make(now, rotate=True)

    async def _make(self, now: datetime, *, rotate: bool) -> int:
        key = SigningKey.generate()
        sealed = bytes(self._box.encrypt(bytes(key)))
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_LOCK)
            active = await connection.fetchval(_ACTIVE)
            if active is not None and not rotate:
                return int(active)
            key_id = int(await connection.fetchval(_NEXT))
            if key_id > codes.KEY_ID_MAX:
                raise KeysExhausted
            await connection.execute(_RETIRE, now)
            await connection.execute(
                _INSERT, key_id, bytes(key.verify_key), sealed, now
            )
            return key_id


def _opened(box: SecretBox, sealed: bytes) -> bytes:
    try:
        return bytes(box.decrypt(bytes(sealed)))
    except CryptoError:
        raise SettingsError(
            "OPS_SECRET_KEY is not the one that sealed this database's keys"
        ) from None
