"""Signing keys in the database: made once, rotated, opened with the secret key only."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from ops.checkin import codes
from ops.checkin.codes import OwnCode
from ops.checkin.keys import SigningKeys
from ops.db.engine import Database
from ops.errors import SettingsError
from ops.ids import uuid7

SECRET = "a-secret-key-of-a-test-with-32-chars"
NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)


async def test_processes_that_start_at_once_make_one_key(database: Database) -> None:
    keys = SigningKeys(database.pool, SECRET)
    assert (await keys.load())[1] is None
    made = await asyncio.gather(*(keys.ensure(NOW) for _ in range(4)))
    assert len({signer for _, signer in made}) == 1
    assert len(made[0][0]) == 1


async def test_rotation_signs_anew_and_leaves_old_codes_genuine(
    database: Database,
) -> None:
    keys = SigningKeys(database.pool, SECRET)
    ticket = uuid7()
    _, first = await keys.ensure(NOW)
    assert await keys.rotate(NOW) == first.key_id + 1
    keyring, second = await keys.ensure(NOW)
    assert second.key_id == first.key_id + 1
    for signer in (first, second):
        own = codes.read(signer.sign(ticket, 0))
        assert isinstance(own, OwnCode)
        assert codes.verify(own, keyring) == "genuine"
    assert await keys.signers() == [second, first]


async def test_another_secret_key_does_not_open_the_keys(database: Database) -> None:
    await SigningKeys(database.pool, SECRET).ensure(NOW)
    with pytest.raises(SettingsError):
        await SigningKeys(database.pool, SECRET + "x").load()


async def test_private_keys_do_not_lie_open(database: Database) -> None:
    _, signer = await SigningKeys(database.pool, SECRET).ensure(NOW)
    row = await database.pool.fetchrow("SELECT * FROM ops.signing_keys")
    assert row is not None
    assert signer.private_key not in bytes(row["private_key_sealed"])
