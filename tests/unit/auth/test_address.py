"""The client's address behind proxies, and what a client may claim."""

from __future__ import annotations

import pytest

from ops.auth.address import FORWARDED_BYTES_MAX, client_address, trusted_networks
from ops.errors import SettingsError

PROXIES = trusted_networks("10.0.0.0/8, 127.0.0.1, ::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "1.1.1.1", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, rubbish", "127.0.0.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("not an address", "1.1.1.1", "not an address"),
        ("127.0.0.1", "1.1.1.1," * FORWARDED_BYTES_MAX, "127.0.0.1"),
    ],
)
def test_the_nearest_hop_that_is_not_ours(
    peer: str, forwarded: str, address: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())]
    assert client_address(peer, headers, PROXIES) == address


def test_several_header_lines_are_one_list() -> None:
    headers = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"203.0.113.9")]
    assert client_address("127.0.0.1", headers, PROXIES) == "203.0.113.9"


def test_without_proxies_nobody_is_believed() -> None:
    headers = [(b"x-forwarded-for", b"1.1.1.1")]
    assert client_address("127.0.0.1", headers, ()) == "127.0.0.1"


def test_a_bad_setting_names_itself() -> None:
    with pytest.raises(SettingsError, match="OPS_TRUSTED_PROXIES"):
        trusted_networks("10.0.0.0/8, proxy.example.org")
