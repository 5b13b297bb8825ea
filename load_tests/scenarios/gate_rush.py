"""Paired devices at full gates: mostly good tickets, some copies, some nonsense.

Each answer is checked, not only timed: a fresh ticket must be let in, a copy must
not, a code that nobody has must be unknown.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

from locust import between, task
from locust.contrib.fasthttp import FastHttpUser

from load_tests.config import Target, load
from ops.ids import uuid7

COPIES, NONSENSE = 0.10, 0.05
COPIED_FROM = 500
"""A copy is of one of the last tickets that were let in."""


class Queue:
    """The people before the gates; one for all devices of the process."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._numbers = iter(range(target.start + 1, target.tickets + 1))
        self._inside: list[str] = []
        self._devices = itertools.count()
        self._rng = random.Random(11)

    def token(self) -> str:
        """The token of the next device."""
        tokens = self.target.tokens
        return tokens[next(self._devices) % len(tokens)]

    def next(self) -> tuple[str, str]:
        """The next code and what must become of it: `in`, `copy` or `unknown`."""
        dice = self._rng.random()
        if dice < NONSENSE:
            return f"NOBODY-{self._rng.randrange(10**9)}", "unknown"
        if dice < NONSENSE + COPIES and self._inside:
            return self._rng.choice(self._inside[-COPIED_FROM:]), "copy"
        number = next(self._numbers, None)
        if number is None:
            return f"NOBODY-{self._rng.randrange(10**9)}", "unknown"
        return f"{self.target.prefix}{number:08d}", "in"

    def let_in(self, code: str) -> None:
        """A ticket was admitted: it can be copied from now on."""
        self._inside.append(code)


_queues: list[Queue] = []


def queue() -> Queue:
    """The queue of this process, made when the first device asks."""
    if not _queues:
        _queues.append(Queue(load()))
    return _queues[0]


def complaint(expected: str, answer: dict[str, Any]) -> str:
    """What is wrong with an answer; empty if it is right."""
    verdict, reason = answer.get("verdict"), answer.get("reason")
    right = {
        "in": verdict == "admitted",
        "copy": verdict in ("refused", "hold"),
        "unknown": reason == "unknown_code",
    }[expected]
    return "" if right else f"{expected}: {verdict} {reason}"


class GateRush(FastHttpUser):
    """One device with its steward."""

    host = "http://127.0.0.1"
    wait_time = between(0.1, 0.3)
    weight = 4

    def on_start(self) -> None:
        """Take a place at a gate."""
        self.queue = queue()
        target = self.queue.target
        self.path = f"{target.host}/api/v1/events/{target.event_id}/scans"
        self.headers = {"Authorization": f"Device {self.queue.token()}"}

    @task
    def scan(self) -> None:
        """Scan the next guest."""
        code, expected = self.queue.next()
        body = {"id": str(uuid7()), "code": code}
        with self.client.post(
            self.path, json=body, headers=self.headers, name="scan", catch_response=True
        ) as answer:
            if answer.status_code != 200:
                answer.failure(f"status {answer.status_code}")
                return
            wrong = complaint(expected, answer.json())
            if wrong:
                answer.failure(wrong)
            elif expected == "in":
                self.queue.let_in(code)
