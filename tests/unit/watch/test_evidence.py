"""Which scans a case is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ops.ids import uuid7
from ops.watch.evidence import Scan, parts, whose

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def scan(verdict: str, ticket: UUID | None = None) -> Scan:
    more: list[Any] = [None] * 6
    return Scan(
        uuid7(), NOW, None, verdict, "ok", "in", "qr_code", 1, False, None, None, None,
        None, None, *more, None, None, ticket,
    )  # fmt: skip


def marks(scans: list[Scan]) -> list[str | None]:
    return [one.part for one in scans]


def test_a_case_that_names_its_scans_is_believed() -> None:
    scans = [scan("refused"), scan("admitted"), scan("refused")]
    parts(scans, str(scans[0].scan_id), str(scans[1].scan_id))
    assert marks(scans) == ["first", "second", None]


def test_else_the_entry_comes_first_and_the_last_one_second() -> None:
    scans = [scan("refused"), scan("admitted"), scan("refused"), scan("refused")]
    parts(scans, None, None)
    assert marks(scans) == [None, "first", None, "second"]


def test_of_an_order_both_are_of_one_ticket() -> None:
    mine, other = uuid7(), uuid7()
    scans = [
        scan("admitted", other),
        scan("admitted", mine),
        scan("refused", other),
        scan("refused", mine),
        scan("admitted", uuid7()),
    ]
    parts(scans, None, None)
    assert marks(scans) == [None, "first", None, "second", None]


def test_one_scan_is_the_first_and_none_the_second() -> None:
    scans = [scan("refused")]
    parts(scans, None, None)
    assert marks(scans) == ["first"]
    parts([], None, None)


def test_whose_scans() -> None:
    ticket = str(uuid7())
    assert whose("two_gates_fast", ticket, {}) == ("ticket", ticket)
    assert whose("refused_at_gates", "00ff", {}) == ("code", "00ff")
    assert whose("order_duplicates", "x", {"order_id": "y"}) == ("order", "y")
    assert whose("code_guessing", ticket, {}) == ("guesses", ticket)
    assert whose("override_rate", ticket, {}) == ("overrides", ticket)
