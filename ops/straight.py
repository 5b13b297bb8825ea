"""Calls a handler without what the framework does for all handlers at once.

    @post("/events/{event_id:uuid}/scans", guards=[..], middleware=[straight])

The handler keeps its place: address, guards, document, errors, hooks before sending.
What is left out are the framework's copies of the handler for each guard, its models of
arguments and its task groups for dependencies: a tenth of what a scan costs the api
process. In return the handler may ask only for what stands here:

    request       as any handler
    data          the body, as the request decodes it
    {name}        of the address, or a part of the runtime by its name

and answers with `Encoded`. It cannot be idempotent by key.
"""

from __future__ import annotations

from typing import Any, cast

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from ops.encoded import Encoded
from ops.errors import MalformedBody


def straight(app: ASGIApp) -> ASGIApp:
    """What stands where `app`, the framework, would call the handler."""
    calls: dict[HTTPRouteHandler, _Call] = {}

    async def call_it(scope: Scope, receive: Receive, send: Send) -> None:
        handler = cast(HTTPRouteHandler, scope["route_handler"])
        call = calls.get(handler)
        if call is None:
            call = calls[handler] = _Call(handler)
        await call.answer(scope, receive, send)

    return call_it


class _Call:
    """How one handler is called, found out once."""

    def __init__(self, handler: HTTPRouteHandler) -> None:
        assert not handler.opt.get("idempotent"), "not for a handler with a key"
        self._handler, self._function = handler, handler.fn
        self._guards = cast(list[Any], handler.resolve_guards())
        self._request_class = handler.resolve_request_class()
        names = handler.parsed_fn_signature.parameters
        self._with_request, self._with_data = "request" in names, "data" in names
        self._names = [name for name in names if name not in ("request", "data")]

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the guards, read, call, send.

        Raises:
            ApiError, HTTPException: as of any handler.
        """
        request = self._request_class(scope, receive, send)
        for guard in self._guards:
            await guard(request, self._handler)
        answer: Encoded = await self._function(**await self._arguments(request))
        await answer.send(send)

    async def _arguments(self, request: Request[Any, Any, Any]) -> dict[str, Any]:
        given, parts = request.path_params, request.app.state.parts
        arguments = {
            name: given[name] if name in given else parts[name] for name in self._names
        }
        if self._with_request:
            arguments["request"] = request
        if self._with_data:
            if not await request.body():
                raise MalformedBody("A JSON body is missing.")
            arguments["data"] = await request.json()
        return arguments
