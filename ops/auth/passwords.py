"""Passwords: argon2id, off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ops.errors import TooManyRequests, Unprocessable

HASHES_AT_ONCE_MAX = 2
"""A hash takes a quarter second of a core and 64 MiB."""
WAITING_MAX = 40
"""Beyond ten seconds of work the honest answer is: later."""
PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 1_000


class Passwords:
    """Hashes and checks passwords in its own threads.

    Args:
        hasher: tests pass a cheap one; its parameters are stored in each hash.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE_MAX, "argon2")
        self._waiting = 0
        # Checked when there is no account, so that this takes as long as when there is;
        # made in a thread, because the start shall not wait for it.
        self._nobody = self._threads.submit(self._hasher.hash, "nobody's password")

    def stop(self) -> None:
        """Let running hashes end, drop waiting ones; may come twice."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def hash_now(self, password: str) -> str:
        """Hash in this thread.

        Raises:
            Unprocessable: too short or too long.
        """
        if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
            raise Unprocessable(
                f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} "
                "characters.",
                code="password_length",
            )
        return self._hasher.hash(password)

    async def hash(self, password: str) -> str:
        """Hash in a thread, behind those who wait.

        Raises:
            Unprocessable: too short or too long.
            TooManyRequests: too many are waiting.
        """
        if self._waiting >= WAITING_MAX:
            raise TooManyRequests(headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self.hash_now, password
            )
        finally:
            self._waiting -= 1

    async def check(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one; takes as long when nothing is stored.

        Cancelling lets the thread finish its hash.

        Raises:
            TooManyRequests: too many checks are waiting.
        """
        if self._waiting >= WAITING_MAX:
            raise TooManyRequests(headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            matches = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._check, stored, password
            )
        finally:
            self._waiting -= 1
        return matches and stored is not None

    def _check(self, stored: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(stored or self._nobody.result(), password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
