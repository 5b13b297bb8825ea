"""A row of every resource, made through the API in the order of their references."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from ops.crm.resource import Resource
from ops.crm.resources import BY_NAME, RESOURCES

API = "/api/v1"
ORDER = """
    profiles roles users venues companies contacts events speakers areas sessions scopes
    gates ticket_types promoters vouchers orders attendees tickets access_rules
    questions exemptions held_places leads opportunities interactions campaigns
    campaign_recipients tasks notes sponsors event_feedback networking_connections
    event_materials event_announcements event_analytics bundles bundle_items
    promoter_commissions seat_maps seat_assignments members
""".split()  # noqa: SIM905
assert {*ORDER, "check_ins"} == {resource.name for resource in RESOURCES}
UNIQUE = ("email", "slug", "username", "code", "promoter_code", "order_number", "name")
CIRCLES = {"companies": {"primary_contact_id"}, "speakers": {"session_id"}}


def body_of(resource: Resource, ids: dict[str, str]) -> dict[str, Any]:
    """The example of a resource, with references to rows that are there."""
    writable = {field.name for field in resource.writable(creating=True)}
    body = {k: v for k, v in resource.example.items() if k in writable}
    mark = uuid4().hex[:8]
    for field in resource.writable(creating=True):
        table = (field.references or "").removeprefix("ops.").replace("public.", "")
        own = table == resource.table.partition(".")[2]
        if table in ids and not own:
            body[field.name] = ids[table]
        if field.name in UNIQUE and field.name in body:
            local, at, host = str(body[field.name]).partition("@")
            body[field.name] = f"{local}{'.' if at else '-'}{mark}{at}{host}"
        if field.name == "applicable_ticket_types" and "ticket_types" in ids:
            body[field.name] = [ids["ticket_types"]]
    if resource.name == "networking_connections":
        body["requester_id"] = ids["attendees"]
    if resource.name == "held_places":
        # Of an area or a scope, for a type or a class: one of each.
        del body["scope_id"], body["ticket_type_id"]
    return body


async def make(
    http: httpx.AsyncClient, bearer: dict[str, str], name: str, ids: dict[str, str]
) -> dict[str, Any]:
    """Make a row and remember its id."""
    resource = BY_NAME[name]
    body = body_of(resource, ids)
    answer = await http.post(f"{API}/{name}", json=body, headers=bearer)
    assert answer.status_code == 201, (name, body, answer.text)
    ids[resource.table.partition(".")[2]] = answer.json()["id"]
    found: dict[str, Any] = answer.json()
    return found


async def world(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    shared: dict[str, str] | None = None,
) -> dict[str, str]:
    """Make a row of each resource; of those in `shared`, none."""
    ids = dict(shared or {})
    for name in ORDER:
        if BY_NAME[name].table.partition(".")[2] not in ids:
            await make(http, bearer, name, ids)
    return ids
