"""Cookies as browsers send them."""

from __future__ import annotations

import pytest

from ops.auth.middleware import cookie_value


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ops_session=a", "a"),
        ("x=1; ops_session=a; y=2", "a"),
        ("ops_session=", ""),
        ("ops_sessions=a", None),
        ("xops_session=a", None),
        ("", None),
        (";;=;", None),
        ("ops_session=a=b", "a=b"),
    ],
)
def test_one_cookie_is_found_by_its_whole_name(header: str, value: str | None) -> None:
    assert cookie_value(header, "ops_session") == value
