"""What is enough to look for."""

from __future__ import annotations

import pytest

from ops.attendance.search import searchable
from ops.errors import Unprocessable


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("Ng", "Ng"),
        ("李", "李"),
        ("  o\u2019brien ", "o\u2019brien"),
        ("0199", "0199"),
        ("O'B", "O'B"),
        ("a  b c", "a b c"),
        ("E\u0301a", "Éa"),
    ],
)
def test_enough(typed: str, taken: str) -> None:
    assert searchable(typed) == taken


@pytest.mark.parametrize("typed", ["", " ", "12", "a1", "--'", "🎉", "x y"])
def test_too_little(typed: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        searchable(typed)
    assert refused.value.code == "query_too_short"
