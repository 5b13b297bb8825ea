"""A load test must not be able to touch a real event."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from load_tests import config
from load_tests.config import Refused, require_load_test, require_loopback


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000", "http://[::1]:8000", "ws://127.9.9.9:1/live"],
)
def test_this_machine_is_taken(url: str) -> None:
    require_loopback("host", url)


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.7:8000",
        "http://0.0.0.0:8000",
        "http://[2001:db8::1]:8000",
        "http://[::ffff:192.0.2.7]:8000",
        "http://example.test",
        "http://localhost:8000",  # a name, whatever it is resolved to
        "http://127.0.0.1.example.test",
        "http://127.0.0.1@example.test",
        "http://2130706433",
        "https://127.0.0.1",
        "//127.0.0.1",
        "",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        require_loopback("host", url)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"slug": None},
        {"slug": "gala-2026"},
        {"slug": "my-load-test-1"},
        {"slug": "LOAD-TEST-1"},
        {"title": "load-test-1"},
    ],
)
def test_a_real_event_is_refused(event: dict[str, object]) -> None:
    with pytest.raises(Refused):
        require_load_test(event)


def test_a_marked_event_is_taken() -> None:
    require_load_test({"slug": "load-test-1"})


def target(**more: object) -> dict[str, object]:
    return {
        "host": "http://127.0.0.1:1",
        "live": "ws://127.0.0.1:2/live",
        "event_id": str(uuid4()),
        "tokens": ["dev_1"],
        "prefix": "T-",
        "tickets": 10,
        **more,
    }


def written(folder: Path, content: object) -> dict[str, str]:
    path = folder / "target.json"
    path.write_text(json.dumps(content))
    return {"LOAD_TARGET": str(path)}


def test_the_target_is_read(tmp_path: Path) -> None:
    found = config.load(written(tmp_path, target()))
    assert (found.prefix, found.tickets, found.start) == ("T-", 10, 0)


@pytest.mark.parametrize(
    "content",
    [
        target(host="http://192.0.2.7"),
        target(live="ws://192.0.2.7/live"),
        target(hosts="http://192.0.2.7"),
        {},
        [],
    ],
)
def test_a_bad_target_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(Refused):
        config.load(written(tmp_path, content))


def test_no_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        config.load({})
    with pytest.raises(Refused):
        config.load({"LOAD_TARGET": str(tmp_path / "gone.json")})
