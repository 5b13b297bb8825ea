"""A handler that is called straight answers as one that the framework calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from litestar import Litestar, Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.middleware import ASGIMiddleware
from litestar.params import FromPath, JSONBody

from ops.auth.guards import device_required
from ops.auth.subjects import DeviceIdentity, Nobody
from ops.encoded import Encoded
from ops.http.limits import StrictRequest
from ops.http.problem import EXCEPTION_HANDLERS
from ops.straight import straight

EVENT = uuid4()
BYTES_MAX = 200_000


class Named(msgspec.Struct, forbid_unknown_fields=True):
    name: str


async def _answer(
    request: Request[Any, Any, Any],
    data: JSONBody[Named],
    event_id: FromPath[UUID],
    part: NamedDependency[str],
) -> Response[bytes]:
    device, body = request.scope["user"], await request.body()
    said = [data.name, len(body), device.name, str(event_id), part]
    return Encoded(msgspec.json.encode(said))


class Subjects(ASGIMiddleware):
    """Who comes, by a header: nobody, or a device that is locked or not."""

    async def handle(self, scope: Any, receive: Any, send: Any, next_app: Any) -> None:
        who = dict(scope["headers"]).get(b"x-who")
        scope["user"] = Nobody()
        if who is not None:
            scope["user"] = DeviceIdentity(
                id=uuid4(),
                no=1,
                name="Gate phone 李",
                profile="scanner",
                event_ids=frozenset({EVENT}),
                token_hash=b"",
                locked=who == b"locked",
                sponsor_id=None,
            )
        await next_app(scope, receive, send)


def _routes() -> list[Any]:
    address, more = (
        "/{event_id:uuid}",
        {"guards": [device_required], "status_code": 200},
    )
    return [
        post(f"/straight{address}", middleware=[straight], **more)(_answer),
        post(f"/framework{address}", **more)(_answer),
    ]


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    parts = {"part": "a part"}
    app = Litestar(
        _routes(),
        dependencies={
            "part": Provide(lambda: parts["part"], sync_to_thread=False),
        },
        state=State({"parts": parts}, deep_copy=False),
        exception_handlers=EXCEPTION_HANDLERS,
        request_class=StrictRequest,
        request_max_body_size=BYTES_MAX,
        middleware=[Subjects()],
        logging_config=None,
        openapi_config=None,
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


async def _parts(body: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


GOOD = b'{"name":"O\'Brien-\xc5\x81ukasz"}'


@pytest.mark.parametrize(
    ("who", "event", "body", "status"),
    [
        ("device", EVENT, GOOD, 200),
        ("device", EVENT, b"", 400),
        ("device", EVENT, b'{"name":', 400),
        ("device", EVENT, b'{"name":5}', 400),
        ("device", EVENT, b'{"name":"x","other":1}', 400),
        ("device", EVENT, b'{"name":"a\\u0000b"}', 422),
        ("device", EVENT, b'{"name":"' + b"x" * BYTES_MAX + b'"}', 413),
        ("device", uuid4(), GOOD, 403),
        ("locked", EVENT, GOOD, 423),
        (None, EVENT, GOOD, 401),
    ],
)
@pytest.mark.parametrize("in_parts", [False, True])
async def test_both_ways_say_the_same(
    http: httpx.AsyncClient,
    who: str | None,
    event: UUID,
    body: bytes,
    status: int,
    in_parts: bool,
) -> None:
    answers = [
        await http.post(
            f"/{way}/{event}",
            content=_parts(body, 70_000) if in_parts else body,
            headers={"x-who": who} if who else {},
        )
        for way in ("straight", "framework")
    ]
    assert answers[0].status_code == status
    ours, theirs = ((one.status_code, one.headers, one.json()) for one in answers)
    assert ours == theirs


async def test_who_may_not_is_told_before_the_body_is_read(
    http: httpx.AsyncClient,
) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was asked for")
        yield b""

    answer = await http.post(f"/straight/{EVENT}", content=never())
    assert answer.status_code == 401


async def test_what_is_announced_too_large_is_not_read_to_its_end(
    http: httpx.AsyncClient,
) -> None:
    read = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"x" * 1_000

    answer = await http.post(
        f"/straight/{EVENT}",
        content=parts(),
        headers={"x-who": "device", "content-length": str(BYTES_MAX + 1)},
    )
    assert answer.status_code == 413
    assert read < 5
