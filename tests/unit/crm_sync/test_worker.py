"""The sampler's share of the time: what it costs, not what it waits."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ops.crm_sync.worker import SAMPLE_SHARE, Worker
from ops.settings import Settings

PAUSE_S = 0.1


@pytest.mark.parametrize("rested", [True, False])
async def test_a_pause_to_look_again_does_not_put_off_the_next_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rested: bool
) -> None:
    settings = Settings(
        database_url="postgresql://nowhere/x",
        redis_url="redis://nowhere",
        data_dir=tmp_path,
    )
    worker = Worker(settings)
    slept: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        slept.append(seconds)

    async def sample() -> int:
        await sleep(PAUSE_S)
        worker.reconciler.rested_s = PAUSE_S if rested else 0.0
        return 0

    worker.reconciler.sample = sample  # type: ignore[method-assign]
    monkeypatch.setattr("ops.crm_sync.worker.asyncio.sleep", noted)
    await worker._sample()
    assert (slept[0] >= PAUSE_S / SAMPLE_SHARE) is not rested
