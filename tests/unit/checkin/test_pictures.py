"""Pictures of codes: the same ones as anywhere else, few at a time."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from ops.checkin import codes, pictures, qr
from ops.checkin.pictures import Pictures
from ops.errors import TooManyRequests


def code(n: int) -> str:
    return codes.sign(bytes(32), 1, UUID(int=n), 0)


async def test_a_picture_is_drawn_once_and_kept() -> None:
    drawer = Pictures()
    first = await drawer.svg(code(1))
    assert first == qr.svg(code(1), qr.MASK_OF_OWN_CODES)
    assert await drawer.svg(code(1)) is first
    drawer.stop()
    # A kept one needs no thread.
    assert await drawer.svg(code(1)) is first


async def test_only_the_last_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "KEPT_MAX", 2)
    drawer = Pictures()
    first = await drawer.svg(code(1))
    second = await drawer.svg(code(2))
    assert await drawer.svg(code(1)) is first
    await drawer.svg(code(3))
    assert await drawer.svg(code(1)) is first
    assert await drawer.svg(code(2)) is not second
    drawer.stop()


async def test_a_crowd_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "WAITING_MAX", 3)
    drawer = Pictures()
    answers = await asyncio.gather(
        *(drawer.svg(code(n)) for n in range(5)), return_exceptions=True
    )
    assert sum(isinstance(answer, bytes) for answer in answers) == 3
    refused = [a for a in answers if isinstance(a, TooManyRequests)]
    assert [error.headers for error in refused] == [{"Retry-After": "2"}] * 2
    assert isinstance(await drawer.svg(code(4)), bytes)
    drawer.stop()
    drawer.stop()
