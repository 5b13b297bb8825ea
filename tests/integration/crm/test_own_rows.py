"""Speakers, sponsors and promoters: what is theirs, and nothing of each other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from ops.db.engine import Database
from tests.integration.crm.rows import API
from tests.integration.crm.test_team import member, role_ids
from tests.integration.people.people_kit import Place, sign_in

Bearer = dict[str, str]
ANA, BO = "ana@example.org", "bo@example.org"


class Api:
    """The API as one person."""

    def __init__(self, http: httpx.AsyncClient, headers: Bearer) -> None:
        self._http, self._headers = http, headers

    async def make(self, path: str, **body: Any) -> str:
        answer = await self._http.post(
            f"{API}/{path}", json=body, headers=self._headers
        )
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    async def ids(self, path: str) -> set[str]:
        answer = await self._http.get(f"{API}/{path}", headers=self._headers)
        assert answer.status_code == 200, answer.text
        return {item["id"] for item in answer.json()["items"]}

    async def get(self, path: str) -> httpx.Response:
        return await self._http.get(f"{API}/{path}", headers=self._headers)

    async def patch(self, path: str, **body: Any) -> httpx.Response:
        return await self._http.patch(f"{API}/{path}", json=body, headers=self._headers)


@pytest.fixture
def owner_api(http: httpx.AsyncClient, bearer: Bearer) -> Api:
    return Api(http, bearer)


@pytest.fixture
async def contacts(owner_api: Api) -> dict[str, str]:
    return {
        email: await owner_api.make(
            "contacts", first_name="Ana", last_name="O'Brien-Łukasz", email=email
        )
        for email in (ANA, BO)
    }


async def two_of(
    owner_api: Api, path: str, contacts: dict[str, str], place: Place, **more: Any
) -> list[str]:
    """A row of each contact in the same event: Ana's, then Bo's."""
    return [
        await owner_api.make(
            path, contact_id=contacts[email], event_id=str(place.event), **more
        )
        for email in (ANA, BO)
    ]


async def test_a_speaker_sees_and_changes_the_own_row_alone(
    http: httpx.AsyncClient,
    owner_api: Api,
    contacts: dict[str, str],
    database: Database,
    place: Place,
) -> None:
    mine, other = await two_of(
        owner_api, "speakers", contacts, place, speaker_fee="900.00"
    )
    talk = {"start_time": "2027-10-01T14:00:00Z", "end_time": "2027-10-01T15:00:00Z"}
    slides = []
    for speaker in (mine, other):
        session = await owner_api.make(
            "sessions", event_id=str(place.event), title="7", speaker_id=speaker, **talk
        )
        slides.append(
            await owner_api.make(
                "event_materials",
                event_id=str(place.event),
                session_id=session,
                title="Slides",
            )
        )
    await member(database, place, ANA, "speaker")
    ana = Api(http, await sign_in(http, ANA))
    assert await ana.ids("speakers?labels=true") == {mine}
    assert await ana.ids("speakers?speaker_fee[gte]=1") == {mine}
    assert (await ana.get(f"speakers/{mine}")).json()["speaker_fee"] == "900.00"
    assert (await ana.get(f"speakers/{other}")).status_code == 404
    assert await ana.ids("event_materials") == {slides[0]}
    assert (await ana.get("speakers/export.csv")).text.count("\r\n") == 2
    changed = await ana.patch(f"speakers/{mine}", bio="Queues 🎈")
    assert changed.json()["bio"] == "Queues 🎈"
    assert (await ana.patch(f"speakers/{other}", bio="x")).status_code == 404
    for wrong in (
        {"speaker_fee": "9000.00"},
        {"status": "confirmed"},
        {"contact_id": contacts[BO]},
    ):
        refused = await ana.patch(f"speakers/{mine}", **wrong)
        assert refused.status_code == 403, wrong
        assert refused.json()["code"] == "not_yours_to_change"
    made = await http.post(
        f"{API}/speakers",
        json={"event_id": str(place.event), "contact_id": contacts[ANA]},
        headers=ana._headers,
    )
    assert made.status_code == 403
    assert (await ana.get("contacts")).status_code == 403


async def test_a_sponsor_and_a_promoter_see_what_is_theirs(
    http: httpx.AsyncClient,
    owner_api: Api,
    contacts: dict[str, str],
    database: Database,
    place: Place,
) -> None:
    mine, _ = await two_of(
        owner_api, "sponsors", contacts, place, sponsorship_amount="15000.00"
    )
    promoters = [
        await owner_api.make(
            "promoters", contact_id=contacts[email], promoter_code=email[:3].upper()
        )
        for email in (ANA, BO)
    ]
    orders = [
        await owner_api.make(
            "orders",
            event_id=str(place.event),
            order_number=f"P-{n}",
            promoter_id=promoter,
        )
        for n, promoter in enumerate(promoters)
    ]
    commissions = [
        await owner_api.make(
            "promoter_commissions",
            promoter_id=promoter,
            order_id=order,
            commission_amount="18.00",
        )
        for promoter, order in zip(promoters, orders, strict=True)
    ]
    await member(database, place, ANA, "sponsor")
    ana = Api(http, await sign_in(http, ANA))
    assert await ana.ids("sponsors") == {mine}
    assert (await ana.patch(f"sponsors/{mine}", status="confirmed")).status_code == 403
    logo = await ana.patch(f"sponsors/{mine}", logo_url="https://example.org/logo.png")
    assert logo.status_code == 200, logo.text
    assert (await ana.get("promoters")).status_code == 403
    await _role(database, ANA, place, "promoter")
    ana = Api(http, await sign_in(http, ANA))
    assert await ana.ids("promoters") == {promoters[0]}
    assert await ana.ids("orders") == {orders[0]}
    assert await ana.ids("promoter_commissions") == {commissions[0]}
    assert (await ana.get("sponsors")).status_code == 403


async def test_a_role_that_reads_all_sees_both(
    http: httpx.AsyncClient,
    owner_api: Api,
    contacts: dict[str, str],
    database: Database,
    place: Place,
) -> None:
    """The negative control: it is the word "own" that narrows."""
    both = await two_of(owner_api, "speakers", contacts, place, speaker_fee="900.00")
    for word, seen in ((True, both), ("own", both[:1])):
        role = await owner_api.make(
            "roles",
            name=f"reads {word}",
            level=10,
            permissions={"speakers": {"read": word}},
        )
        if word is True:
            await member(database, place, ANA, f"reads {word}")
        else:
            await _role(database, ANA, place, f"reads {word}")
        ana = Api(http, await sign_in(http, ANA))
        assert await ana.ids("speakers") == set(seen), role


async def test_own_is_no_word_for_deleting(http: httpx.AsyncClient, bearer: Bearer):
    for granted in ({"delete": "own"}, {"read": "mine"}):
        body = {"name": "x", "level": 10, "permissions": {"speakers": granted}}
        answer = await http.post(f"{API}/roles", json=body, headers=bearer)
        assert answer.status_code == 422, answer.text


async def _role(database: Database, email: str, place: Place, name: str) -> None:
    """Another role in the same event, of somebody who signs in anew."""
    role: UUID = (await role_ids(database))[name]
    await database.pool.execute(
        "UPDATE ops.event_members SET role_id = $1 WHERE event_id = $2 AND user_id ="
        " (SELECT id FROM users WHERE email = $3)",
        role,
        place.event,
        email,
    )
