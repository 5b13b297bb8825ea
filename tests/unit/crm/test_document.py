"""What the OpenAPI document says of a resource, for those who write programs by it."""

from __future__ import annotations

from typing import Any

import pytest

from ops.app import create_app
from ops.crm.resources import BY_NAME, RESOURCES
from ops.settings import Settings


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(
        Settings(redis_url="redis://127.0.0.1:1/0")
    ).openapi_schema.to_schema()


def test_lists_say_their_filters_and_orders(document: dict[str, Any]) -> None:
    said = {
        p["name"]: p for p in document["paths"]["/api/v1/contacts"]["get"]["parameters"]
    }
    assert "-lead_score" in said["sort"]["schema"]["enum"]
    assert "gte" in said["lead_score"]["schema"]["properties"]
    assert said["lead_score"]["style"] == "deepObject"
    assert "password_hash" not in {
        p["name"] for p in document["paths"]["/api/v1/users"]["get"]["parameters"]
    }


def test_bodies_are_typed_with_words_and_examples(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    status = schemas["ContactCreate"]["properties"]["status"]
    assert {"active", "deleted"} <= set(status["enum"])
    for resource in RESOURCES:
        path = document["paths"].get(f"/api/v1/{resource.name}", {})
        if "post" not in path:
            assert "create" in resource.closed
            continue
        body = path["post"]["requestBody"]["content"]["application/json"]
        assert body["example"], resource.name
        headers = [p["name"] for p in path["post"]["parameters"]]
        assert "Idempotency-Key" in headers


def test_a_secret_column_is_nowhere() -> None:
    hidden = BY_NAME["users"].hidden
    assert "password_hash" in hidden
    for resource in RESOURCES:
        for field in resource.shown:
            assert field.kind != "bytes"
            assert not field.name.endswith(("_hash", "_sealed", "_token"))
