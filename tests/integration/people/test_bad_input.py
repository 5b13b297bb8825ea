"""What bad input gets: problem documents that name the field, never a 500."""

from __future__ import annotations

from uuid import uuid4

import httpx

from tests.integration.people.people_kit import Place

LOGIN = "/api/v1/auth/login"


async def _post(
    http: httpx.AsyncClient,
    url: str,
    body: bytes,
    headers: dict[str, str] | None = None,
) -> tuple[int, str, list[str]]:
    sent = {"Content-Type": "application/json", **(headers or {})}
    answer = await http.post(url, content=body, headers=sent)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors"}
    assert problem["status"] == answer.status_code
    fields = [entry["field"] for entry in problem["errors"]]
    return answer.status_code, problem["code"], fields


UNREADABLE = {
    "empty": b"",
    "words": b"not json",
    "truncated": b"{",
    "trailing": b'{"email": "a", "password": "b"} trailing',
    "lone surrogate": b'{"email": "\\ud800", "password": "b"}',
    "not utf-8": b'{"email": "\xff\xfe", "password": "b"}',
    "bad escape": b'{"email": "\\x41", "password": "b"}',
    "deep arrays": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"email": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
    "null": b"null",
    "array": b"[]",
}


async def test_a_body_that_cannot_be_read_is_400(http: httpx.AsyncClient) -> None:
    for name, body in UNREADABLE.items():
        status, code, _ = await _post(http, LOGIN, body)
        assert (status, code) == (400, "malformed_body"), name


async def test_unknown_missing_and_wrong_fields_are_named(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place
) -> None:
    assert await _post(http, LOGIN, b'{"email":"a","password":"b","admin":true}') == (
        400,
        "unknown_field",
        ["admin"],
    )
    assert await _post(http, LOGIN, b'{"email":"a"}') == (
        400,
        "malformed_body",
        ["password"],
    )
    assert await _post(http, LOGIN, b'{"email":5,"password":"b"}') == (
        400,
        "malformed_body",
        ["email"],
    )
    # A number in quotes is not a number: nothing is coerced.
    url = f"/api/v1/events/{place.event}/enrolments"
    body = b'{"max_devices":"5","valid_until":"2099-01-01T00:00:00Z"}'
    assert await _post(http, url, body, bearer) == (
        400,
        "malformed_body",
        ["max_devices"],
    )
    body = b'{"max_devices":5,"valid_until":"2099-01-01T00:00:00"}'
    assert (await _post(http, url, body, bearer))[2] == ["valid_until"]
    url = f"/api/v1/events/{place.event}/devices"
    body = b'{"name":"x","profile":"tank"}'
    assert (await _post(http, url, body, bearer))[2] == ["profile"]
    body = b'{"name":"x","gate_id":"not-a-uuid"}'
    assert (await _post(http, url, body, bearer))[2] == ["gate_id"]


async def test_a_nul_is_refused_before_the_database_sees_it(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place
) -> None:
    url = f"/api/v1/events/{place.event}/devices"
    assert await _post(http, url, b'{"name":"a\\u0000b"}', bearer) == (
        422,
        "nul_character",
        ["name"],
    )


async def test_ten_megabytes_are_413_with_and_without_a_length(
    http: httpx.AsyncClient,
) -> None:
    body = b'{"email":"' + b"a" * 10_000_000 + b'","password":"b"}'
    assert (await _post(http, LOGIN, body))[:2] == (413, "too_large")

    async def chunks():  # type: ignore[no-untyped-def]
        for at in range(0, len(body), 100_000):
            yield body[at : at + 100_000]

    answer = await http.post(LOGIN, content=chunks())
    assert answer.status_code == 413


async def test_addresses_and_methods_that_are_not_there(
    http: httpx.AsyncClient, bearer: dict[str, str]
) -> None:
    for method, url, status, code in (
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", f"/api/v1/events/{uuid4()}", 404, "not_found"),
        ("GET", "/api/v1/events/not-a-uuid", 404, "not_found"),
        ("GET", "/api/v1/events/%00", 404, "not_found"),
        ("DELETE", LOGIN, 405, "method_not_allowed"),
        ("GET", "/api/v1/events?limit=0", 400, "bad_parameter"),
        ("GET", "/api/v1/events?limit=many", 400, "bad_parameter"),
        ("GET", "/api/v1/events?cursor=%00%ff", 400, "bad_cursor"),
        ("GET", "/api/v1/events?cursor=bm90aGluZw", 400, "bad_cursor"),
    ):
        answer = await http.request(method, url, headers=bearer)
        assert (answer.status_code, answer.json()["code"]) == (status, code), url
        assert answer.headers["content-type"] == "application/problem+json"


async def test_every_answer_carries_the_security_headers(
    http: httpx.AsyncClient,
) -> None:
    for url in ("/healthz", "/api/v1/nothing", "/api/v1/auth/me"):
        headers = (await http.get(url)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self' 'wasm-unsafe-eval'" in policy
        assert "unsafe-inline" not in policy
        assert "ws://localhost:8001" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers.get("cache-control") == (
            "no-store" if url.startswith("/api/") else None
        )
        assert headers.get_list("content-security-policy") == [policy]
