"""Reading hostile JSON: the answer names the field, and nothing else escapes."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.decoding import decode, nul_path
from ops.errors import ApiError, MalformedBody, UnknownField, Unprocessable


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[int, msgspec.Meta(ge=0)] = 0


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: Inner | None = None
    many: list[Inner] = []
    words: dict[str, str] = {}


@pytest.mark.parametrize(
    ("body", "kind", "field", "code"),
    [
        (b'{"name": 5}', MalformedBody, "name", "wrong_type"),
        (b'{"name": null}', MalformedBody, "name", "wrong_type"),
        (b"{}", MalformedBody, "name", "missing"),
        (b'{"name":"a","x":1}', UnknownField, "x", "unknown_field"),
        (
            b'{"name":"a","inner":{"y":1}}',
            UnknownField,
            "inner.y",
            "unknown_field",
        ),
        (
            b'{"name":"a","inner":{"number":"5"}}',
            MalformedBody,
            "inner.number",
            "wrong_type",
        ),
        (
            b'{"name":"a","many":[{"number":1},{"number":-1}]}',
            MalformedBody,
            "many[1].number",
            "bad_value",
        ),
        (b'{"name":"a\\u0000"}', Unprocessable, "name", "nul_character"),
        (
            b'{"name":"a","words":{"k":"\\u0000"}}',
            Unprocessable,
            "words.k",
            "nul_character",
        ),
    ],
)
def test_the_field_is_named(
    body: bytes, kind: type[ApiError], field: str, code: str
) -> None:
    with pytest.raises(kind) as refused:
        decode(Outer, body)
    [problem] = refused.value.errors
    assert (problem.field, problem.code) == (field, code)


def test_of_duplicate_keys_the_last_wins() -> None:
    assert decode(Outer, b'{"name":"a","name":"b"}').name == "b"


def test_an_escaped_backslash_is_not_a_nul() -> None:
    assert decode(Outer, b'{"name":"\\\\u0000"}').name == "\\u0000"


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_refusal(body: bytes) -> None:
    _decoded_or_refused(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "inner", "number", "many", "x"]), inner
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_gives_a_value_or_a_refusal(value: Any) -> None:
    decoded = _decoded_or_refused(json.dumps(value).encode())
    assert decoded is None or nul_path(decoded) is None


def _decoded_or_refused(body: bytes) -> Outer | None:
    """The value, or None for an answer of 4xx; anything else fails the test."""
    try:
        return decode(Outer, body)
    except (MalformedBody, UnknownField, Unprocessable):
        return None
