"""The composition root of the api role: everything is wired here and nowhere else."""

from __future__ import annotations

from ops import __version__
from ops.cache.client import Cache
from ops.clock import Clock
from ops.errors import StoreUnavailable
from ops.http.health import Probe
from ops.settings import Settings


class Runtime:
    """The parts of one api process, made from settings, started and stopped in order.

    Making one does no I/O. `start` returns when requests may come; `stop` may come
    twice, or without `start`.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings, self.clock = settings, clock
        self.cache = Cache(settings.redis_url)
        self.probe = Probe(__version__, self._ask_postgresql, self._ask_redis)

    async def start(self) -> None:
        """Start the stores, then what stands on them."""
        await self.cache.start()

    async def stop(self) -> None:
        """Stop in the opposite order."""
        await self.cache.stop()

    async def _ask_postgresql(self) -> None:
        raise StoreUnavailable("not connected")

    async def _ask_redis(self) -> None:
        await self.cache.redis.ping()
