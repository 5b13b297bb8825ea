"""How large a request may be, and the request class that reads bodies strictly."""

from __future__ import annotations

from typing import Any

from litestar import Request

from ops.decoding import decode

BODY_BYTES_MAX = 1_000_000
"""Every body but an upload; an uploading route sets `request_max_body_size`."""


class StrictRequest(Request[Any, Any, Any]):
    """Decodes a JSON body straight into the handler's type.

    The framework's own way decodes into plain values and converts them leniently:
    "5" would pass for a number. Here a wrong type is 400 and names the field.
    """

    async def json(self) -> Any:
        """The body as the type of the handler's `data`; of others, plain values.

        Raises:
            MalformedBody, UnknownField, Unprocessable: see `ops.decoding`.
        """
        body = await self.body()
        field = self.route_handler.parsed_fn_signature.parameters.get("data")
        return decode(Any if field is None else field.annotation, body or b"null")
