"""How often something may be tried: by device, ticket or account, seldom by address.

By address only before anybody has signed in, and with room for ten thousand guests
behind one Wi-Fi. Counted in Redis for all processes; without Redis each process
counts for itself. A paired device's scans are never limited below 20 a second.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from typing import Final, NamedTuple

from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.scripts import RATE_LIMIT
from ops.clock import Clock
from ops.errors import StoreUnavailable, TooManyRequests


class Rule(NamedTuple):
    """A bucket of `burst` units that refills with `per_second` units a second."""

    name: str
    per_second: float
    burst: int


LOGIN_BY_ACCOUNT: Final = Rule("login-account", 1 / 30, 20)
"""Beside users.failed_login_attempts, and alike for addresses that have no account."""
LOGIN_BY_ADDRESS: Final = Rule("login-address", 5, 300)
"""argon2id costs a quarter second of a core: one address shall not buy all of them."""
PAIR_BY_ADDRESS: Final = Rule("pair-address", 5, 600)
"""60 rented phones and their retries; a code of 58 bits is not found by trying."""
PIN_BY_DEVICE: Final = Rule("pin-device", 0.5, 20)
"""PINs without a name tried at one device; the device itself goes on scanning."""
GUESTS_BY_ADDRESS: Final = Rule("guests-address", 500, 20_000)
"""Pages of guests without an account: ten thousand on one Wi-Fi, twice."""
SCANS_BY_DEVICE: Final = Rule("scans-device", 100, 1_000)
"""A broken trigger, not a busy door: doors never come near."""

BUCKETS_MAX = 20_000
"""Buckets a process keeps by itself; the one unused for longest is dropped."""
REDIS_PAUSE_S = 1.0
"""After a failure of Redis a process counts alone for so long before asking again."""


def refill(
    full_at_s: float, now_s: float, rule: Rule, cost: int
) -> tuple[float, float]:
    """Take `cost` units; returns (new time at which the bucket is full, wait in s).

    The bucket is described by the time at which it will be full again, as in
    `rate_limit.lua`. A wait above 0 means: refused, nothing taken.
    """
    unit_s = 1 / rule.per_second
    window_s = unit_s * rule.burst
    full_at_s = min(max(full_at_s, now_s), now_s + window_s)
    next_full_at_s = full_at_s + unit_s * cost
    wait_s = next_full_at_s - (now_s + window_s)
    # Sums of floats: a bucket that is exactly empty must not refuse by rounding.
    if wait_s > 1e-9:
        return full_at_s, wait_s
    return next_full_at_s, 0.0


class LocalLimiter:
    """The buckets of one process; no I/O, for scans and for when Redis is gone."""

    def __init__(self, clock: Clock, buckets_max: int = BUCKETS_MAX) -> None:
        self._clock, self._buckets_max = clock, buckets_max
        self._full_at_s: OrderedDict[tuple[str, str], float] = OrderedDict()

    def wait_s(self, rule: Rule, subject: str, cost: int = 1) -> float:
        """Take from a bucket; 0 if taken, else the seconds until it would be."""
        key, now_s = (rule.name, subject), self._clock.monotonic_s()
        full_at_s, wait_s = refill(self._full_at_s.get(key, now_s), now_s, rule, cost)
        self._full_at_s[key] = full_at_s
        self._full_at_s.move_to_end(key)
        if len(self._full_at_s) > self._buckets_max:
            self._full_at_s.popitem(last=False)
        return wait_s


class RateLimiter:
    """Counts in Redis, alone while Redis is gone; never the reason for a failure."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache, self._clock = cache, clock
        self._local = LocalLimiter(clock)
        self._alone_until_s = -math.inf

    async def take(self, rule: Rule, subject: str, cost: int = 1) -> None:
        """Take from the bucket of a subject.

        Raises:
            TooManyRequests: with `Retry-After` in whole seconds.
        """
        wait_s = await self._wait_s(rule, subject, cost)
        if wait_s > 0:
            raise TooManyRequests(
                headers={"Retry-After": str(max(1, math.ceil(wait_s)))}
            )

    async def _wait_s(self, rule: Rule, subject: str, cost: int) -> float:
        if self._clock.monotonic_s() < self._alone_until_s:
            return self._local.wait_s(rule, subject, cost)
        # Hashed: addresses and e-mails do not belong in a cache's dump.
        digest = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()
        try:
            taken, wait_ms = await self._cache.call(
                RATE_LIMIT,
                [keys.rate_limit(rule.name, digest[:32])],
                [round(1_000_000 / rule.per_second), rule.burst, cost],
            )
        except StoreUnavailable:
            self._alone_until_s = self._clock.monotonic_s() + REDIS_PAUSE_S
            return self._local.wait_s(rule, subject, cost)
        return 0.0 if taken else wait_ms / 1000
