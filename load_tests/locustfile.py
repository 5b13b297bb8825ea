"""What locust runs: the scenarios, after both locks were opened (see config.py)."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from locust import events
from locust.env import Environment

from load_tests.config import Target, load, require_load_test
from load_tests.scenarios.gate_rush import GateRush
from load_tests.scenarios.watchers import Watcher

__all__ = ["GateRush", "Watcher"]


def refuse_real_events(environment: Environment, **_: Any) -> None:
    """Ask the server what the event is, before anybody scans.

    Raises:
        Refused: the address is not this machine's, or the event is a real one.
    """
    require_load_test(_event(load()))


events.init.add_listener(refuse_real_events)  # type: ignore[no-untyped-call]


def _event(target: Target) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{target.host}/api/v1/events/{target.event_id}",
        headers={"Authorization": f"Device {target.tokens[0]}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
