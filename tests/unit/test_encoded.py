"""An answer that is JSON already goes out as the framework's own would."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Response, post
from litestar.testing import TestClient

from ops.encoded import Encoded

BODY = '{"name":"O\'Brien-Łukasz 李小龙"}'.encode()


@post("/encoded", status_code=200)
async def encoded() -> Response[bytes]:
    return Encoded(BODY)


@post("/framework", status_code=200)
async def framework() -> Response[bytes]:
    return Response(BODY, media_type="application/json", status_code=200)


def test_it_is_what_the_framework_would_have_sent():
    seen: list[Any] = []

    async def before_send(message: Any, _: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"x-house", b"ours")]
        seen.append(message["type"])

    app = Litestar([encoded, framework], before_send=[before_send])
    with TestClient(app) as client:
        ours, theirs = client.post("/encoded"), client.post("/framework")
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    assert dict(ours.headers) == dict(theirs.headers)
    assert ours.headers["x-house"] == "ours", "hooks before sending see it"
    assert seen == ["http.response.start", "http.response.body"] * 2
