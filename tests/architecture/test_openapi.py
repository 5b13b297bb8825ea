"""The document of the API names what others build on (design: api.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ops.app import create_app
from ops.settings import Settings

CONTRACT = {
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/logout",
    "GET /api/v1/auth/me",
    "POST /api/v1/events/{event_id}/devices",
    "POST /api/v1/events/{event_id}/enrolments",
    "POST /api/v1/devices/pair",
    "POST /api/v1/devices/operator",
    "POST /api/v1/devices/{device_id}/revoke",
    "POST /api/v1/devices/heartbeat",
    "POST /api/v1/events/{event_id}/scans",
    "POST /api/v1/scans",
    "POST /api/v1/events/{event_id}/scans/batch",
    "POST /api/v1/events/{event_id}/scans/confirm",
    "POST /api/v1/events/{event_id}/scans/{scan_id}/undo",
    "GET /api/v1/events/{event_id}/scans",
    "GET /api/v1/events/{event_id}/occupancy",
    "GET /api/v1/events/{event_id}/attendees",
    "POST /api/v1/events/{event_id}/lookup",
    "POST /api/v1/tickets/{ticket_id}/reissue",
    "POST /api/v1/tickets/{ticket_id}/transfer",
    "POST /api/v1/tickets/{ticket_id}/upgrade",
    "POST /api/v1/tickets/{ticket_id}/block",
    "POST /api/v1/tickets/{ticket_id}/unblock",
    "POST /api/v1/tickets/{ticket_id}/cancel",
    "POST /api/v1/events/{event_id}/redemptions",
    "POST /api/v1/events/{event_id}/counts",
    "GET /api/v1/ticket/{code}",
    "GET /api/v1/ticket/{code}/qr.svg",
}


def test_every_address_of_the_contract_is_in_the_document() -> None:
    app = create_app(Settings(redis_url="redis://127.0.0.1:1/0"))
    document = app.openapi_schema.to_schema()
    there = {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item
    }
    assert there >= CONTRACT
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation.get("summary"), f"{method} {path} has no summary"


def test_a_time_of_day_is_no_duration() -> None:
    """The framework would call it one; clients are generated from the document."""
    app = create_app(Settings(redis_url="redis://127.0.0.1:1/0"))
    found = list(_named(app.openapi_schema.to_schema(), "day_starts_at"))
    assert found
    for schema in found:
        kinds = schema.get("oneOf", [schema])
        texts = [kind for kind in kinds if kind["type"] == "string"]
        assert texts, schema
        assert all("format" not in kind for kind in texts), schema


def _named(schema: Any, name: str) -> Iterator[dict[str, Any]]:
    """The schemas of a property, wherever it is."""
    if isinstance(schema, dict):
        if name in (properties := schema.get("properties") or {}):
            yield properties[name]
        for value in schema.values():
            yield from _named(value, name)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from _named(value, name)
