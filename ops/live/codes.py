"""The close codes of the live socket, and what a client does about each.

Codes from 4000 are the application's; docs/protocol.md carries the same table.
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Why the server closed a socket."""

    NO_HELLO = 4001
    """No hello within 5 s, or another frame came first. Reconnect and say hello."""
    FORBIDDEN = 4003
    """The token opens nothing here. Do not reconnect with the same token."""
    TOO_SLOW = 4008
    """Twice in a minute the socket did not take what it was sent. Reconnect later."""
    FRAME_TOO_BIG = 4009
    """A frame of more than 64 KB. A fault of the client."""
    TOO_FAST = 4029
    """Too many frames a second. Reconnect later."""
    REVOKED = 4100
    """The token was revoked while the socket was open. Do not reconnect."""
    RESTARTING = 4101
    """The server stops; reconnect after the `retry_ms` of the bye."""
    OVERLOADED = 1013
    """The process has as many sockets as it takes. Reconnect later, elsewhere."""
    SILENT = 1011
    """No pong: the connection is taken for dead. Reconnect."""


RECONNECT = frozenset(
    {
        CloseCode.NO_HELLO,
        CloseCode.TOO_SLOW,
        CloseCode.TOO_FAST,
        CloseCode.RESTARTING,
        CloseCode.OVERLOADED,
        CloseCode.SILENT,
    }
)
"""After these a client comes back (with full jitter); after all others it does not.
A code below 4000 that is not listed means a broken connection: come back."""
