"""Passwords: checked in threads, alike for everybody, a bounded number at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Literal

import pytest
from argon2 import PasswordHasher

from ops.auth.passwords import WAITING_MAX, Passwords
from ops.errors import TooManyRequests, Unprocessable


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield made
    made.stop()


async def test_right_wrong_and_nobody(passwords: Passwords) -> None:
    stored = passwords.hash_now("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.check(stored, "correct horse")
    assert not await passwords.check(stored, "wrong horse")
    assert not await passwords.check(None, "nobody's password")
    assert not await passwords.check("not a hash", "x")
    assert not await passwords.check(stored, "\ud800")


async def test_nobody_costs_a_check_as_well() -> None:
    class Counting(PasswordHasher):
        checks = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            Counting.checks += 1
            return super().verify(hash, password)

    made = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))
    await made.check(None, "x")
    await made.check(made.hash_now("correct horse"), "x")
    made.stop()
    assert Counting.checks == 2


async def test_beyond_the_queue_the_answer_is_later(passwords: Passwords) -> None:
    checks = [passwords.check(None, "x") for _ in range(WAITING_MAX + 5)]
    results = await asyncio.gather(*checks, return_exceptions=True)
    refused = [r for r in results if isinstance(r, TooManyRequests)]
    assert len(refused) == 5
    assert not await passwords.check(None, "x")


@pytest.mark.parametrize("password", ["short", "x" * 1_001])
def test_a_password_has_a_length(passwords: Passwords, password: str) -> None:
    with pytest.raises(Unprocessable):
        passwords.hash_now(password)
