"""Templates over HTTP: two languages, kept whole, and what has no provider says so."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from ops.announcements.templates import TemplateBody, built_in
from ops.db.engine import Database
from ops.runtime import Runtime
from tests.integration.people.crowd import make_crowd
from tests.integration.people.people_kit import Place, sign_in
from tests.integration.people.people_kit import user as make_user

BODY: dict[str, Any] = {
    "name": "Last bus 🚌",
    "title": "Last bus at one",
    "content": "It leaves from gate B.",
    "translations": {"fr": {"title": "Dernier bus", "content": "Porte B."}},
    "target_segments": {"checked_in": True},
    "priority": "high",
}


class Shelf:
    """The organiser's calls."""

    def __init__(self, http: httpx.AsyncClient, bearer: dict[str, str], event: UUID):
        self._http, self._headers = http, bearer
        self._path = f"/api/v1/events/{event}"

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self._http.request(
            method, self._path + path, headers=self._headers, json=body
        )

    async def names(self, query: str = "") -> list[str]:
        answer = await self.call("GET", f"/announcement-templates{query}")
        assert answer.status_code == 200, answer.text
        return [one["name"] for one in answer.json()["items"]]


@pytest.fixture
def shelf(http: httpx.AsyncClient, bearer: dict[str, str], place: Place) -> Shelf:
    return Shelf(http, bearer, place.event)


async def test_a_template_is_kept_changed_listed_and_deleted(shelf: Shelf) -> None:
    made = await shelf.call("POST", "/announcement-templates", BODY)
    assert made.status_code == 201, made.text
    kept = made.json()
    assert kept["translations"] == BODY["translations"]
    assert kept["target_segments"] == {"checked_in": True}
    path = f"/announcement-templates/{kept['id']}"
    other = {**BODY, "purpose": "emergency", "title": "Leave now"}
    changed = await shelf.call("PUT", path, other)
    assert (changed.status_code, changed.json()["title"]) == (200, "Leave now")
    assert await shelf.names("?purpose=emergency") == [BODY["name"]]
    assert await shelf.names("?purpose=ordinary") == []
    assert (await shelf.call("DELETE", path)).status_code == 204
    assert await shelf.names() == []
    assert (await shelf.call("DELETE", path)).status_code == 404


async def test_pages_follow_each_other(shelf: Shelf) -> None:
    for number in range(5):
        await shelf.call(
            "POST", "/announcement-templates", {**BODY, "name": f"{number}"}
        )
    seen: list[str] = []
    cursor = ""
    while True:
        answer = await shelf.call("GET", f"/announcement-templates?limit=2{cursor}")
        page = answer.json()
        seen += [one["name"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"title": " "}, 422, "invalid_announcement"),
        ({"translations": {"french": BODY["translations"]["fr"]}}, 422, None),
        ({"target_segments": {"area_ids": [str(uuid4())]}}, 422, "unknown_reference"),
        ({"purpose": "party"}, 400, None),
        ({"colour": "red"}, 400, None),
        ({"name": ""}, 400, None),
    ],
)
async def test_what_cannot_be_sent_is_not_kept(
    shelf: Shelf, change: dict[str, Any], status: int, code: str | None
) -> None:
    answer = await shelf.call("POST", "/announcement-templates", {**BODY, **change})
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code
    assert await shelf.names() == []


async def test_a_name_is_given_once(shelf: Shelf) -> None:
    await shelf.call("POST", "/announcement-templates", BODY)
    again = await shelf.call("POST", "/announcement-templates", BODY)
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


async def test_another_events_template_is_not_there(
    shelf: Shelf, http: httpx.AsyncClient, database: Database, place: Place
) -> None:
    made = (await shelf.call("POST", "/announcement-templates", BODY)).json()
    await make_user(database, "steward@example.org", "steward")
    steward = await sign_in(http, "steward@example.org")
    path = f"/api/v1/events/{place.event}/announcement-templates"
    assert (await http.get(path, headers=steward)).status_code == 403
    answer = await shelf.call("PUT", f"/announcement-templates/{uuid4()}", BODY)
    assert (answer.status_code, answer.json()["code"]) == (404, "template_unknown")
    assert await shelf.names() == [made["name"]]


async def test_a_way_that_nobody_carries_says_so(
    shelf: Shelf, database: Database, place: Place
) -> None:
    await make_crowd(database, place)
    states = (await shelf.call("GET", "/announcement-channels")).json()
    by_name = {one["channel"]: one for one in states}
    assert by_name["in_app"]["configured"]
    assert not by_name["sms"]["configured"]
    assert by_name["sms"]["why"]
    draft = {"title": "a", "content": "b", "delivery_method": ["in_app", "push", "sms"]}
    counted = (await shelf.call("POST", "/announcements/preview", draft)).json()
    assert counted["not_configured"] == ["push", "sms"]
    assert counted["by_channel"] == {"in_app": 7, "push": 0, "sms": 0}
    made = (await shelf.call("POST", "/announcements", draft)).json()["id"]
    await shelf.call("POST", f"/announcements/{made}/send", {"at_once": True})
    rows = await database.pool.fetch(
        """SELECT channel, failure, count(*) AS n FROM ops.announcement_receipts
            WHERE announcement_id = $1 GROUP BY 1, 2 ORDER BY 1, 2""",
        UUID(made),
    )
    assert [tuple(row) for row in rows] == [
        ("in_app", None, 7),
        ("push", "not_configured", 7),
        ("sms", "no_address", 7),
    ]


def test_an_event_without_templates_has_texts_for_an_emergency(
    runtime: Runtime,
) -> None:
    found: list[TemplateBody] = built_in(runtime.texts, "emergency")
    assert {one.name for one in found} == {"evacuate", "shelter", "storm", "stay"}
    for one in found + built_in(runtime.texts, "all_clear"):
        assert set(one.translations) == {"en", "fr"}
        assert one.translations["fr"].title != one.title
        assert not one.title.startswith("emergency.")
    assert built_in(runtime.texts, "ordinary") == []
