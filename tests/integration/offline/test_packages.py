"""Packages over HTTP from real rows: whole, as deltas, and what they must not miss."""

from __future__ import annotations

import struct
from typing import Any

import asyncpg
import httpx
import msgspec
from nacl.signing import VerifyKey

from ops.db.engine import Database
from ops.ids import uuid7
from ops.offline import queries
from ops.offline.package import VISIT_COLUMNS, signed_part
from tests.integration.offline.kit import Phone, ids_of
from tests.small_event import SmallEvent, code_hash


def visits_of(sections: Any) -> list[dict[str, int]]:
    body = sections["visits"]
    count = len(body) // 4 // len(VISIT_COLUMNS)
    columns = [
        struct.unpack_from(f"<{count}I", body, at * count * 4)
        for at in range(len(VISIT_COLUMNS))
    ]
    return [
        dict(zip(VISIT_COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)
    ]


async def test_a_whole_package_has_every_ticket_and_is_signed(
    phone: Phone, event: SmallEvent
) -> None:
    await phone.scan("T-1")
    answer = await phone.http.get(
        f"{phone.base}/offline-package", headers=phone.headers
    )
    head, sections = await phone.package()
    assert head["kind"] == "full"
    assert head["counts"]["tickets"] == len(event.tickets)
    assert head["mode"] == "bounded"
    assert head["granted"] == 50
    assert sorted(ids_of(sections["ids"])) == sorted(event.tickets.values())
    plan = msgspec.json.decode(sections["plan"])
    assert plan["event"]["id"] == str(event.id)
    at = sections["code_hashes"].find(code_hash("V-2")[:12]) // 12
    ticket = struct.unpack_from("<I", sections["code_tickets"], at * 4)[0]
    assert ids_of(sections["ids"])[ticket] == event.tickets["V-2"]
    [visit] = visits_of(sections)
    assert ids_of(sections["ids"])[visit["ticket"]] == event.tickets["T-1"]
    keys = {key_id: bytes.fromhex(key) for key_id, key in head["keys"]}
    message, signature = signed_part(answer.content)
    VerifyKey(keys[head["signed_by"]]).verify(message, signature)
    for name in ("O'Brien", "李小龙"):
        assert name.encode() not in answer.content


async def test_a_rule_holds_in_the_next_whole_package(
    phone: Phone, event: SmallEvent, database: Database
) -> None:
    """Also just after another device had one; tickets are not read again so soon."""
    await phone.package()
    await database.pool.execute(
        "UPDATE ticket_types SET min_age = 19 WHERE id = $1", event.regular
    )
    _, sections = await phone.package()
    types = msgspec.json.decode(sections["plan"])["types"]
    ages = {one["id"]: one["min_age"] for one in types}
    assert ages[str(event.regular)] == 19


async def test_a_delta_brings_what_changed_and_nothing_else(
    phone: Phone, event: SmallEvent, database: Database
) -> None:
    head, _ = await phone.package()
    await phone.scan("T-3")
    await database.pool.execute(
        "UPDATE tickets SET state = 'refunded' WHERE id = $1", event.tickets["T-4"]
    )
    await database.pool.execute(
        "UPDATE ops.ticket_codes SET revoked_at = now(), revoked_reason = 'reissued'"
        " WHERE ticket_id = $1",
        event.tickets["T-5"],
    )
    await database.pool.execute(
        "DELETE FROM tickets WHERE id = $1", event.tickets["T-6"]
    )
    sold = await event.add_ticket(database.pool, "T-99", event.regular, "Walk-up")
    delta, sections = await phone.package(head["cursor"])
    assert delta["kind"] == "delta"
    touched = {event.tickets[code] for code in ("T-3", "T-4", "T-5")} | {sold}
    assert set(ids_of(sections["ids"])) == touched
    assert ids_of(sections["gone"]) == [event.tickets["T-6"]]
    [visit] = visits_of(sections)
    assert ids_of(sections["ids"])[visit["ticket"]] == event.tickets["T-3"]
    at = sections["code_hashes"].find(code_hash("T-5")[:12]) // 12
    assert sections["code_states"][at] == 1
    again, after = await phone.package(delta["cursor"])
    assert again["counts"]["tickets"] == 0
    assert after["ids"] == b""


async def test_a_transaction_that_commits_late_is_not_missed(
    phone: Phone, event: SmallEvent, database: Database, database_url: str
) -> None:
    """The control: a reader by `xid > newest seen` would never read it again."""
    late = await asyncpg.connect(database_url)
    try:
        async with late.transaction():
            await late.execute(
                "UPDATE tickets SET state = 'blocked' WHERE id = $1",
                event.tickets["T-7"],
            )
            late_xid = await late.fetchval("SELECT pg_current_xact_id()::text::bigint")
            await database.pool.execute(
                "UPDATE tickets SET state = 'refunded' WHERE id = $1",
                event.tickets["T-8"],
            )
            head, _ = await phone.package()
            newest_seen = await database.pool.fetchval(
                "SELECT max(xid::text::bigint) FROM ops.offline_changes"
            )
    finally:
        await late.close()
    assert late_xid < newest_seen
    missed = await database.pool.fetch(
        queries.SINCE, event.id, str(newest_seen + 1), 100
    )
    assert missed == []
    _, sections = await phone.package(head["cursor"])
    assert event.tickets["T-7"] in ids_of(sections["ids"])


async def test_a_cursor_of_another_database_gets_the_whole(
    phone: Phone, event: SmallEvent
) -> None:
    head, _ = await phone.package()
    parts = head["cursor"].split(".")
    for at, other in ((1, "77"), (2, "9"), (3, "9" * 18), (4, "1")):
        changed = ".".join([*parts[:at], other, *parts[at + 1 :]])
        assert (await phone.package(changed))[0]["kind"] == "full"
    assert (await phone.package("rubbish"))[0]["kind"] == "full"


async def test_names_are_handed_to_a_device_that_somebody_works(
    phone: Phone, event: SmallEvent, database: Database
) -> None:
    refused = await phone.http.post(f"{phone.base}/offline-key", headers=phone.headers)
    assert refused.status_code == 403
    assert refused.json()["code"] == "no_operator"
    await database.pool.execute(
        "WITH o AS (INSERT INTO ops.operators (id, event_id, name, role)"
        " VALUES ($1, $2, 'Dana', 'steward') RETURNING id)"
        " UPDATE ops.devices SET operator_id = o.id FROM o WHERE devices.id = $3",
        uuid7(),
        event.id,
        event.device,
    )
    head, _ = await phone.package()
    given = await phone.post("offline-key", {})
    assert given["id"] == head["names_key"]


async def test_a_device_of_another_event_gets_nothing(
    phone: Phone, database: Database, http: httpx.AsyncClient
) -> None:
    other = await SmallEvent.make(database.pool, tickets=1)
    answer = await http.get(
        f"/api/v1/events/{other.id}/offline-package", headers=phone.headers
    )
    assert answer.status_code == 403
