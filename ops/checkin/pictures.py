"""Draws the QR codes that guests open on their phones, beside the event loop.

A picture takes 6 ms of a core, and ten thousand guests open theirs within the hour
before the doors: drawn on the event loop they would keep scans waiting. One thread
draws, a few wait, the last ones are kept. No stores.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from ops.checkin import qr
from ops.errors import TooManyRequests

WAITING_MAX = 200
"""A bit more than a second of drawing; who comes later is asked to try again."""
KEPT_MAX = 500
"""Of 7 KB each: people reload their ticket while they stand in the queue."""


class Pictures:
    """Makes SVG pictures of our own codes."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "qr")
        self._waiting = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def stop(self) -> None:
        """Drop what waits; may come twice."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def svg(self, code: str) -> bytes:
        """The picture of an own code, one of the kept ones if it is among them.

        Raises:
            TooManyRequests: too many pictures are waiting.
        """
        kept = self._kept.get(code)
        if kept is not None:
            self._kept.move_to_end(code)
            return kept
        if self._waiting >= WAITING_MAX:
            raise TooManyRequests(headers={"Retry-After": "2"})
        self._waiting += 1
        try:
            drawn = await asyncio.get_running_loop().run_in_executor(
                self._thread, qr.svg, code, qr.MASK_OF_OWN_CODES
            )
        finally:
            self._waiting -= 1
        self._kept[code] = drawn
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return drawn
