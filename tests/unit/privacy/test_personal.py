"""What is looked for in texts: the quick hint finds all that the pattern finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.privacy.personal import Traces, traces

NAMES = ["Zoë O'Brien-Łukasz", "欧阳小龙 李明明", "نور الهدى", "Straße Weiß", "(x) [y]"]


def found(marks: Traces, text: str) -> bool:
    return re.search(marks.pattern, text, re.IGNORECASE) is not None


def hinted(marks: Traces, text: str) -> bool:
    return re.search(marks.hint, text.lower()) is not None


@given(
    st.sampled_from(NAMES),
    st.from_regex(r"[a-zA-Z.+]{1,12}@[a-z]{1,8}\.org", fullmatch=True),
    st.text("0123456789", min_size=7, max_size=13),
    st.text(max_size=20),
    st.text(max_size=20),
    st.lists(st.sampled_from(["", " ", "-", ". ", "("]), min_size=13, max_size=13),
    st.booleans(),
)
def test_the_hint_finds_whatever_the_pattern_finds(
    name: str,
    email: str,
    phone: str,
    before: str,
    after: str,
    apart: list[str],
    loud: bool,
) -> None:
    marks = traces([email], [phone], [name])
    spaced = "".join(a + b for a, b in zip(phone, apart, strict=False))
    for said in (email, name, phone, spaced, name.replace(" ", " \n")):
        text = before + (said.upper() if loud else said) + after
        assert hinted(marks, text) or not found(marks, text), text


@pytest.mark.parametrize("name", NAMES)
def test_a_hint_is_no_word_of_everybody(name: str) -> None:
    """The negative control: somebody else's text is not hinted at."""
    marks = traces(["zoe@example.org"], ["+1 416 555 0199"], [name])
    assert not hinted(marks, "Call back on 12 May about 3 tables. ")
    assert hinted(marks, f"Ask {name}")
