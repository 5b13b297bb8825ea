"""The client's address, believing only the proxies that the operator named."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from ops.errors import SettingsError

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]
FORWARDED_BYTES_MAX = 1_000
"""A longer X-Forwarded-For is somebody's joke; the peer's address counts then."""


def trusted_networks(text: str) -> Networks:
    """The networks of `OPS_TRUSTED_PROXIES`: addresses or CIDRs, comma separated.

    Raises:
        SettingsError: an entry is neither.
    """
    try:
        return tuple(
            ip_network(part.strip(), strict=False)
            for part in text.split(",")
            if part.strip()
        )
    except ValueError as error:
        raise SettingsError(f"bad value for OPS_TRUSTED_PROXIES: {error}") from None


@lru_cache(maxsize=4096)
def _is_trusted(address: str, trusted: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)


def client_address(
    peer: str, headers: Iterable[tuple[bytes, bytes]], trusted: Networks
) -> str:
    """The nearest address that is not one of our proxies.

    X-Forwarded-For is read from the right, because everything left of the first
    untrusted hop was written by the client.
    """
    if not trusted or not _is_trusted(peer, trusted):
        return peer
    forwarded = b",".join(v for k, v in headers if k == b"x-forwarded-for")
    if len(forwarded) > FORWARDED_BYTES_MAX:
        return peer
    nearest = peer
    for hop in reversed(forwarded.decode("latin-1").split(",")):
        hop = hop.strip()
        try:
            nearest = str(ip_address(hop))
        except ValueError:
            return nearest
        if not _is_trusted(nearest, trusted):
            return nearest
    return nearest
