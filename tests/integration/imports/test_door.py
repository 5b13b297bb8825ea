"""What was imported opens the door: the file, the database, the desk, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ops.checkin import codes
from ops.checkin.keys import SigningKeys
from ops.db.engine import Database
from ops.ids import uuid7
from ops.runtime import Runtime
from tests.integration.people.people_kit import Place, pair_device

FILE = """\
Order code,Position ID,Status,Product,Attendee name,Ticket secret,Blocked
F9SJM,1,paid,Day,Zoë O'Brien-Łukasz,'=QCh\\|x,
F9SJM,2,paid,Day,李小龙,0042,
GDXC3,1,pending,Day,Bo,pending-1,
GDXC3,2,canceled,Day,Bo,cancelled-1,
GDXC3,3,refunded,Day,Bo,refunded-1,
GDXC3,4,expired,Day,Bo,expired-1,
GDXC3,5,paid,Day,Bo,blocked-1,Yes
GDXC3,6,paid,Day,Zoë,,
""".encode()


class Door:
    """A paired device at the gate of an event with imported tickets."""

    def __init__(
        self, http: httpx.AsyncClient, place: Place, device: dict[str, str]
    ) -> None:
        self._http, self._device = http, device
        self._path = f"/api/v1/events/{place.event}/scans"

    async def scan(self, code: str) -> dict[str, Any]:
        body = {"id": str(uuid7()), "code": code}
        answer = await self._http.post(self._path, json=body, headers=self._device)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
async def door(http: httpx.AsyncClient, bearer: dict[str, str], place: Place) -> Door:
    path = f"/api/v1/events/{place.event}/imports"
    done = await http.post(path, content=FILE, headers=bearer)
    assert done.json()["created"] == 8, done.text
    _, device = await pair_device(http, bearer, place)
    return Door(http, place, device)


async def test_imported_codes_open_the_door_exactly_as_sold(door: Door) -> None:
    told = await door.scan("=QCh|x")
    assert (told["verdict"], told["ticket"]["holder"]) == (
        "admitted",
        "Zoë O'Brien-Łukasz",
    )
    assert (await door.scan("0042\r\n"))["verdict"] == "admitted"
    for other in ("=qch|x", "42", "'=QCh\\|x"):
        assert (await door.scan(other))["reason"] == "unknown_code"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("pending-1", "unpaid"),
        ("cancelled-1", "cancelled"),
        ("refunded-1", "refunded"),
        ("blocked-1", "blocked"),
        ("https://shop.example/ticket/1", "unknown_code"),
        ("hello world", "unknown_code"),
        ("BEGIN:VCARD\nFN:Zoë\nEND:VCARD", "malformed_code"),
        ("x" * 513, "malformed_code"),
    ],
)
async def test_states_and_texts_get_their_reasons(
    door: Door, code: str, reason: str
) -> None:
    told = await door.scan(code)
    assert told["verdict"] != "admitted"
    assert told["reason"] == reason


async def test_an_expired_ticket_stays_outside(door: Door) -> None:
    assert (await door.scan("expired-1"))["verdict"] in ("refused", "hold")


async def test_a_ticket_sold_without_a_code_enters_with_ours(
    door: Door, database: Database, runtime: Runtime
) -> None:
    ticket = await database.pool.fetchval(
        "SELECT id FROM tickets WHERE external_ref = 'pretix:GDXC3/6'"
    )
    keys = SigningKeys(database.pool, runtime.settings.secret_key)
    _, signer = await keys.load()
    assert signer is not None
    code = signer.sign(ticket, 0)
    spelled = f"https://any.example/t/{code[:40].lower()}-{code[40:]}"
    forged = code[:100] + ("A" if code[100] != "A" else "B") + code[101:]
    assert (await door.scan(forged))["reason"] == "forged_code"
    assert (await door.scan(code[:-3]))["reason"] == "malformed_code"
    assert (await door.scan(signer.sign(uuid7(), 0)))["verdict"] == "refused"
    told = await door.scan(spelled)
    assert told["verdict"] == "admitted", told
    assert told["ticket"]["code_hint"] == codes.hint(code)
