"""Where /admin hangs in the application; what it draws is loaded at the first request.

The one late import of the program (0.5 s, 30 MB): a door does not wait for it.
"""

from __future__ import annotations

import asyncio
import secrets
from importlib import import_module
from typing import Any, Final
from urllib.parse import quote

from litestar import asgi
from litestar.enums import ScopeType
from litestar.handlers import ASGIRouteHandler
from litestar.response.redirect import ASGIRedirectResponse
from litestar.types import Message, Receive, Scope, Send

from ops.auth.subjects import Staff
from ops.crm.records import Records

PREFIX: Final = "/admin"


def policy(nonce: str) -> str:
    """The content policy of the admin: its own files, scripts with the nonce.

    Its templates have handlers and styles in attributes; these are allowed here alone.
    """
    return (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}';"
        " script-src-attr 'unsafe-inline';"
        " style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " font-src 'self' data:;"
        " object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    )


class TableAdmin:
    """Makes the admin when somebody asks for it."""

    def __init__(self, records: Records, secret_key: str) -> None:
        self._records, self._secret_key = records, secret_key
        self._made: Any = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request below /admin."""
        if scope["type"] != ScopeType.HTTP:
            return
        # The router has put a slash at the end, which would be redirected for ever.
        path = "/" + str(scope["path"]).removeprefix(PREFIX).strip("/")
        if not isinstance(scope["user"], Staff):
            where = f"/?next={quote(PREFIX + path)}"
            await ASGIRedirectResponse(path=where, status_code=303)(
                scope, receive, send
            )
            return
        if self._made is None:
            async with self._making:
                if self._made is None:
                    self._made = await asyncio.to_thread(self._make)
        nonce = secrets.token_urlsafe(16)
        inner: dict[str, Any] = {
            **scope,
            "app": None,
            "path": PREFIX + path,
            "raw_path": quote(PREFIX + path).encode(),
            "root_path": "",
            "nonce": nonce,
            "state": {},
        }

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                header = (b"content-security-policy", policy(nonce).encode())
                message["headers"] = [*message["headers"], header]
            await send(message)

        await self._made(inner, receive, sending)

    def _make(self) -> Any:
        return import_module("ops.crm.admin").make(self._records, self._secret_key)


def mounted(admin: TableAdmin) -> ASGIRouteHandler:
    """The handler that hands everything below /admin over."""

    @asgi(PREFIX, is_mount=True, copy_scope=True)
    async def handler(scope: Scope, receive: Receive, send: Send) -> None:
        await admin(scope, receive, send)

    return handler
