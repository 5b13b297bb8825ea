"""Security headers: what a page may load, and the live address among it."""

from __future__ import annotations

from ops.http.headers import security_headers
from ops.settings import Settings


def test_behind_a_proxy_the_live_address_is_the_same_origin() -> None:
    headers = dict(security_headers(Settings(public_url="https://doors.example.org")))
    policy = headers[b"content-security-policy"].decode()
    assert "connect-src 'self' wss://doors.example.org;" in policy
    assert b"strict-transport-security" in headers


def test_on_a_laptop_both_spellings_of_the_loopback() -> None:
    headers = dict(security_headers(Settings(live_port=9001)))
    policy = headers[b"content-security-policy"].decode()
    assert "ws://127.0.0.1:9001 ws://localhost:9001" in policy
    assert b"strict-transport-security" not in headers


def test_nothing_inline_and_nothing_from_elsewhere() -> None:
    policy = dict(security_headers(Settings()))[b"content-security-policy"].decode()
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert "http:" not in policy
    assert "default-src 'self'" in policy
