"""How large a request may be, and the request class that reads bodies strictly."""

from __future__ import annotations

from typing import Any

from litestar import Request

from ops.decoding import decode
from ops.errors import MalformedBody

BODY_BYTES_MAX = 1_000_000
"""Every body but an upload; an uploading route sets `request_max_body_size`."""


class StrictRequest(Request[Any, Any, Any]):
    """Decodes a JSON body straight into the handler's type.

    The framework's own way decodes into plain values and converts them leniently:
    "5" would pass for a number. Here a wrong type is 400 and names the field.
    """

    @property
    def content_length(self) -> int | None:
        """The length that the client announces; None where it says none.

        The framework builds a whole mapping of the headers for this one, 6 % of a
        scan's time.

        Raises:
            MalformedBody: not a number.
        """
        for name, value in self.scope["headers"]:
            if name == b"content-length":
                if not value.isdigit():
                    raise MalformedBody("The content-length header is not a number.")
                return int(value)
        return None

    async def json(self) -> Any:
        """The body as the type of the handler's `data`; of others, plain values.

        Raises:
            MalformedBody, UnknownField, Unprocessable: see `ops.decoding`.
        """
        body = await self.body()
        field = self.route_handler.parsed_fn_signature.parameters.get("data")
        return decode(Any if field is None else field.annotation, body or b"null")
