"""permessage-deflate without a compressor a socket.

The library would deflate each message for each socket. Here the hub deflates a message
once for all (`frames.SharedFrame`), which no message before it may have a part in: so
the extension is agreed on without context takeover only, and costs an idle socket
nothing. What the library sends itself (a welcome, a pong) stays plain; what clients
send is read either way, and never inflated beyond the limit of a message.
"""

from __future__ import annotations

from collections.abc import Sequence

from websockets.exceptions import NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame
from websockets.typing import ExtensionParameter

from ops.live.frames import WINDOW_BITS


class Packed(PerMessageDeflate):
    """Reads deflated messages; leaves what it is given to send as it is."""

    def encode(self, frame: Frame) -> Frame:
        return frame


class PackedFactory(ServerPerMessageDeflateFactory):
    """Agrees on deflated frames that stand on their own, in a window of 32 KB."""

    def __init__(self) -> None:
        super().__init__(
            server_no_context_takeover=True, client_no_context_takeover=True
        )

    def process_request_params(
        self,
        params: Sequence[ExtensionParameter],
        accepted_extensions: Sequence[Extension],
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """What is agreed on.

        Raises:
            NegotiationError: the client wants a smaller window than all others read.
        """
        said, agreed = super().process_request_params(params, accepted_extensions)
        if agreed.local_max_window_bits < WINDOW_BITS:
            raise NegotiationError("a window of 15 bits is the only one here")
        return said, Packed(
            agreed.remote_no_context_takeover,
            agreed.local_no_context_takeover,
            agreed.remote_max_window_bits,
            agreed.local_max_window_bits,
        )
