"""Who sees which announcement, and that nobody's history has a hole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ops.announcements.board import (
    ITEMS_MAX,
    Board,
    Item,
    Reader,
    needs_ids,
    update,
)
from ops.ids import uuid7

ADA, SAM, PHONE = uuid7(), uuid7(), uuid7()
STAFF = Reader(staff=True)
STRANGER = Reader()


def row(seq: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "seq": seq,
        "title": f"No. {seq}",
        "content": "Come in.",
        "translations": {"fr": {"title": f"N° {seq}", "content": "Entrez."}},
        "priority": "normal",
        "target_audience": "all",
        "target_segments": {},
        "delivery_method": ["in_app", "website"],
        "commercial": False,
        "sent_at": datetime(2026, 11, 22, 18, tzinfo=UTC),
        "link_url": None,
        "session_id": None,
        "corrects_id": None,
        **changed,
    }


def titles(data: bytes) -> list[str]:
    return [item["title"] for item in msgspec.json.decode(data)["items"]]


def test_each_reader_sees_what_concerns_him() -> None:
    public = Item(row(1), None)
    app_only = Item(row(2, delivery_method=["in_app"]), None)
    for_ada = Item(row(3, target_audience="vip"), frozenset({ADA}))
    for_phone = Item(row(4, target_segments={"devices": True}), frozenset({PHONE}))
    board = Board("e1")
    for item in (public, app_only, for_ada, for_phone):
        board.add(item)
    assert board.view(STAFF) == (1, 2, 3, 4)
    assert board.view(Reader(ADA)) == (1, 2, 3)
    assert board.view(Reader(SAM)) == (1, 2)
    assert board.view(Reader(PHONE, device=True)) == (4,)
    assert board.view(STRANGER) == (1,)
    assert titles(board.data(Reader(SAM, "fr"))) == ["N° 1", "N° 2"]


def test_whom_it_does_not_concern_gets_its_number_and_nothing_else() -> None:
    secret = Item(row(7, target_audience="vip", title="Champagne"), frozenset({ADA}))
    assert titles(update(secret, Reader(ADA))) == ["Champagne"]
    assert update(secret, Reader(SAM)) == b'{"items":[]}'


def test_which_need_the_ids_of_their_audience() -> None:
    assert not needs_ids(row(1))
    assert needs_ids(row(1, target_audience="vip"))
    assert needs_ids(row(1, target_segments={"checked_in": True}))
    assert needs_ids(row(1, commercial=True))
    assert not needs_ids(row(1, commercial=True, priority="urgent"))


@given(sent=st.integers(0, 3 * ITEMS_MAX), mine=st.integers(0, 3 * ITEMS_MAX + 2))
def test_all_that_was_missed_or_nothing(sent: int, mine: int) -> None:
    board = Board("e1")
    for seq in range(1, sent + 1):
        board.add(Item(row(seq), None if seq % 2 else frozenset({ADA})))
    for reader in (Reader(ADA), Reader(SAM), STRANGER):
        missed = board.missed(reader, mine)
        if missed is None:
            assert mine > sent or sent - mine > ITEMS_MAX
            continue
        at = mine
        for prev, offset, _ in missed:
            assert prev == at
            at = offset
        assert at == sent


def test_a_hole_in_what_is_kept_ends_in_a_snapshot() -> None:
    board = Board("e1")
    for seq in (1, 2, 4):  # somebody deleted the third by hand
        board.add(Item(row(seq), None))
    assert board.missed(Reader(UUID(int=1)), 1) is None
    assert board.missed(Reader(UUID(int=1)), 3) is not None
