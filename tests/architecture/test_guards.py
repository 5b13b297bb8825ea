"""Every route says who may use it; a route that says nothing is refused."""

from __future__ import annotations

import pytest
from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler

from ops.app import create_app
from ops.auth.guards import Guard, Public, requires
from ops.settings import Settings

PUBLIC = {
    "/api/v1/auth/login",
    "/api/v1/auth/invitation",
    "/api/v1/devices/pair",
    "/api/v1/me/code",
    "/api/v1/me/token",
    "/api/v1/ticket/{code:str}",
    "/api/v1/ticket/{code:str}/qr.svg",
}
"""Everything else of the API asks who one is."""


def _unguarded(app: Litestar) -> list[str]:
    return [
        f"{method} {route.path}"
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if isinstance(handler, HTTPRouteHandler)
        for method in handler.http_methods
        if method != "OPTIONS"
        and not any(isinstance(guard, Guard) for guard in handler.resolve_guards())
    ]


def _app() -> Litestar:
    return create_app(Settings(redis_url="redis://127.0.0.1:1/0"))


def test_every_route_has_a_guard() -> None:
    assert _unguarded(_app()) == []


def test_a_route_without_a_guard_is_found() -> None:
    @get("/open-by-mistake", sync_to_thread=False)
    def handler() -> None: ...

    app = _app()
    app.register(handler)
    assert {line.split()[1] for line in _unguarded(app)} == {"/open-by-mistake"}


def test_public_routes_are_these() -> None:
    public = {
        route.path
        for route in _app().routes
        for handler in getattr(route, "route_handlers", [])
        for guard in handler.resolve_guards()
        if isinstance(guard, Public)
    }
    assert {path for path in public if path.startswith("/api/")} == PUBLIC


def test_a_guard_asks_for_a_resource_that_exists() -> None:
    with pytest.raises(ValueError, match="unknown resource"):
        requires("ticket", "read")
