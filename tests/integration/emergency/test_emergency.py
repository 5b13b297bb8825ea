"""An emergency over HTTP, felt at the doors: stop, freeze, publish, clear, back."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from ops.emergency import returning
from ops.ids import uuid7
from tests.integration.attendance.kit import Doors

HELD = {"held_ms": 2_100}
WHY = {"reason": "smoke in the kitchen 🔥", "drill": False, **HELD}


async def start(doors: Doors, who: Any = None, **fields: Any) -> dict[str, Any]:
    path = f"{doors.base}/emergency"
    found: dict[str, Any] = await doors.ok(path, {**WHY, **fields}, who)
    return found


async def step(doors: Doors, name: str, who: Any = None, **fields: Any) -> Any:
    return await doors.ok(f"{doors.base}/emergency/{name}", {**HELD, **fields}, who)


async def texts(doors: Doors, purpose: str = "emergency") -> list[dict[str, Any]]:
    answer = await doors.get(f"{doors.base}/emergency/texts", purpose=purpose)
    found: list[dict[str, Any]] = answer.json()
    return found


async def roll(doors: Doors, who: Any = None) -> dict[str, Any]:
    answer = await doors.get(f"{doors.base}/roll-call", who)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def never_again(doors: Doors, gap: int = 60) -> None:
    """The rule of a club: one entry."""
    await doors.database.pool.execute(
        "UPDATE ops.scopes SET re_entry = 'never', pass_gap_minutes = $2 WHERE id = $1",
        *(doors.event.venue_scope, gap),
    )


async def test_staff_first_then_the_stop_and_exits_go_on(doors: Doors) -> None:
    assert (await doors.scan("T-1"))["verdict"] == "admitted"
    assert (await doors.get(f"{doors.base}/emergency")).json()["emergency"] is None
    found = await start(doors)
    assert found["stopped_at"] is not None
    told = await doors.database.pool.fetchrow(
        """SELECT e.* FROM ops.emergencies m
             JOIN event_announcements e ON e.id = m.staff_announcement_id"""
    )
    assert told is not None
    assert told["target_segments"] == {"devices": True}
    stopped = await doors.value("SELECT stopped_at FROM ops.emergencies")
    assert told["sent_at"] <= stopped
    assert set(told["translations"]) == {"en", "fr"}
    # Felt through the rule that every door has.
    refused = await doors.scan("T-2")
    assert (refused["verdict"], refused["reason"]) == ("refused", "admission_stopped")
    assert (await doors.scan("T-1", direction="out"))["verdict"] == "exited"
    # The same act again goes on with the same one.
    again = await start(doors)
    assert again["id"] == found["id"]
    assert await doors.value("SELECT count(*) FROM ops.admission_stops") == 1
    assert await doors.value("SELECT count(*) FROM event_announcements") == 1


async def test_ten_hands_at_once_begin_one(doors: Doors) -> None:
    found = await asyncio.gather(*(start(doors) for _ in range(10)))
    assert len({one["id"] for one in found}) == 1
    holding = "SELECT count(*) FROM ops.admission_stops WHERE lifted_at IS NULL"
    assert await doors.value(holding) == 1
    assert await doors.value("SELECT count(*) FROM event_announcements") == 1


async def test_who_may_and_what_must_be_held(doors: Doors) -> None:
    path = f"{doors.base}/emergency"
    assert await doors.refused(path, {**WHY, "held_ms": 1_999}) == (422, "not_held")
    security = await doors.staff("security")
    assert await doors.refused(path, WHY, security) == (403, "needs_door_manager")
    steward = await doors.staff("steward")
    assert (await doors.post(path, WHY, steward)).status_code == 403
    await doors.sign_on("supervisor")
    assert await doors.refused(path, WHY, doors.at()) == (403, "needs_door_manager")
    assert await doors.refused(f"{path}/freeze", HELD) == (409, "no_emergency")
    both = {"area_id": str(doors.event.venue), "gate_id": str(doors.event.main_gate)}
    assert await doors.refused(path, {**WHY, **both}) == (422, "area_or_gate")
    lost = {**WHY, "area_id": str(uuid7())}
    assert await doors.refused(path, lost) == (422, "not_of_event")
    assert await doors.value("SELECT count(*) FROM ops.emergencies") == 0
    manager = await doors.staff("door_manager")
    assert (await start(doors, manager))["id"]


async def test_a_stop_of_one_gate_stops_one_gate(doors: Doors) -> None:
    await start(doors, gate_id=str(doors.event.lounge_gate))
    assert (await doors.scan("T-1"))["verdict"] == "admitted"
    refused = await doors.scan("V-1", doors.event.lounge_device)
    assert refused["reason"] == "admission_stopped"


async def test_a_drill_stops_nothing_and_tells_the_staff_only(doors: Doors) -> None:
    found = await start(doors, drill=True)
    assert found["stopped_at"] is None
    assert (await doors.scan("T-1"))["verdict"] == "admitted"
    [text, *_] = await texts(doors)
    await step(doors, "publish", text=text)
    rows = await doors.database.pool.fetch(
        "SELECT title, target_segments FROM event_announcements"
    )
    assert len(rows) == 2
    assert all(row["title"].startswith("DRILL: ") for row in rows)
    assert all(row["target_segments"] == {"devices": True} for row in rows)
    await step(doors, "all-clear")
    assert await doors.refused(f"{doors.base}/emergency/reopen", HELD) == (409, "drill")
    assert (await step(doors, "close"))["closed_at"]


async def test_a_real_emergency_ends_a_drill(doors: Doors) -> None:
    """Going on with the drill would answer 200 and stop no door."""
    drill = await start(doors, drill=True)
    found = await start(doors)
    assert found["id"] != drill["id"]
    assert (found["drill"], found["stopped_at"] is None) == (False, False)
    assert (await doors.scan("T-1"))["reason"] == "admission_stopped"
    listed = (await doors.get(f"{doors.base}/emergencies")).json()["items"]
    assert [one["closed_at"] is None for one in listed] == [True, False]
    # A drill that is begun in an emergency is that emergency.
    assert (await start(doors, drill=True))["id"] == found["id"]


@pytest.mark.parametrize(("drill", "word"), [(False, ""), (True, "DRILL: ")])
async def test_a_text_keeps_its_own_words_beside_a_translation(
    doors: Doors, drill: bool, word: str
) -> None:
    """The words of the text itself are for whoever reads no language it was put in."""
    await start(doors, drill=drill)
    french = {"title": "Sortez", "content": "Par le parc."}
    text = {"name": "x", "title": "Leave", "content": "By the park."}
    await step(doors, "publish", text={**text, "translations": {"fr": french}})
    row = await doors.database.pool.fetchrow(
        """SELECT title, content, translations FROM event_announcements a
            WHERE id = (SELECT announcement_id FROM ops.emergencies)"""
    )
    assert row is not None
    assert (row["title"], row["content"]) == (f"{word}Leave", "By the park.")
    assert row["translations"]["fr"]["title"].endswith("Sortez")
    assert set(row["translations"]) == {"fr"}


async def test_devices_confirm_one_by_one(doors: Doors) -> None:
    found = await start(doors)
    assert found["unconfirmed"] == len(found["devices"]) > 1
    first = found["devices"][0]["id"]
    await doors.ok("/devices/heartbeat", {}, doors.at(UUID(first)))
    view = (await doors.get(f"{doors.base}/emergency")).json()["emergency"]
    assert view["unconfirmed"] == found["unconfirmed"] - 1
    assert view["devices"][-1]["id"] == first  # who has not confirmed stands first
    assert view["devices"][-1]["heard"]


async def test_the_list_is_frozen_and_people_are_marked(doors: Doors) -> None:
    await doors.scan("T-1")
    await doors.scan("V-1")
    await doors.scan("V-1", doors.event.lounge_device)
    await doors.scan("G-1", admit=3)
    tap = {"id": str(uuid7()), "gate_id": str(doors.event.main_gate), "delta": 5}
    await doors.ok(f"{doors.base}/counts", tap, doors.at())
    await doors.database.pool.execute(
        """UPDATE attendees SET accessibility_needs = 'wheelchair',
                  first_name = '李小龙'
            WHERE id = (SELECT attendee_id FROM tickets WHERE id = $1)""",
        doors.event.tickets["V-1"],
    )
    operator = await doors.sign_on("supervisor")
    before = await roll(doors)
    assert (before["frozen"], before["totals"]["people"]) == (False, 5)
    await start(doors)
    await step(doors, "freeze")
    await doors.scan("T-1", direction="out")
    found = await roll(doors)
    assert (found["frozen"], found["totals"]["people"]) == (True, 5)
    assert (found["totals"]["counted"], found["totals"]["all"]) == (5, 10)
    lines = {line["name"]: line for line in found["areas"]}
    # Each person once, in the innermost place.
    assert (lines["VIP lounge"]["people"], lines["Venue"]["people"]) == (1, 4)
    assert lines["VIP lounge"]["needs"] == 1
    assert [one["operator_id"] for one in found["staff"]] == [str(operator)]

    vip = next(one for one in found["people"] if one["needs"])
    assert (vip["name"][:3], vip["needs"]) == ("李小龙", "wheelchair")
    mark = {"ticket_id": vip["ticket_id"], "person_no": vip["person_no"]}
    path = f"{doors.base}/emergency/marks"
    marks = {"people": [mark, mark], "staff": [{"operator_id": str(operator)}]}
    assert (await doors.ok(path, marks))["changed"] == 2
    assert (await doors.ok(path, marks))["changed"] == 0
    area = f"{doors.base}/emergency/areas/{doors.event.lounge}"
    await doors.ok(area, {"clear": True}, doors.at())
    after = (await roll(doors))["totals"]
    assert (after["safe"], after["missing"], after["clear"]) == (1, 4, 1)
    assert (after["needs_missing"], after["staff_safe"]) == (0, 1)
    undone = {"people": [{**mark, "safe": False}]}
    assert (await doors.ok(path, undone))["changed"] == 1
    lost = await doors.refused(f"{doors.base}/emergency/areas/{uuid7()}", {})
    assert lost == (404, "area_unknown")


async def test_of_two_who_freeze_the_second_adds_nobody(doors: Doors) -> None:
    """The second has read that nothing is frozen, and waits while the first one is."""
    await start(doors, drill=True)
    waits = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with doors.database.pool.acquire() as first, first.transaction():
        await first.execute("SELECT FROM ops.emergencies FOR UPDATE")
        second = asyncio.create_task(step(doors, "freeze"))
        while not await first.fetchval(waits):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await first.execute("UPDATE ops.emergencies SET frozen_at = now()")
        # Comes in after the first list was written.
        assert (await doors.scan("T-1"))["verdict"] == "admitted"
    await second
    assert (await roll(doors))["people"] == []
    assert await doors.value("SELECT count(*) FROM ops.emergency_people") == 0


async def test_a_device_reads_it_only_with_a_supervisor(doors: Doors) -> None:
    path = f"{doors.base}/roll-call"
    answer = await doors.get(path, doors.at())
    assert (answer.status_code, answer.json()["code"]) == (403, "needs_supervisor")
    await doors.sign_on("steward")
    assert (await doors.get(path, doors.at())).status_code == 403
    await doors.sign_on("supervisor")
    assert (await roll(doors, doors.at()))["totals"]["people"] == 0
    # What people need is told to everybody who looks only in an emergency.
    await doors.scan("T-1")
    await doors.database.pool.execute(
        "UPDATE attendees SET accessibility_needs = 'deaf'"
    )
    security = await doors.staff("security")
    medical = await doors.staff("medical")
    for who, needs in ((security, None), (medical, "deaf"), (doors.at(), "deaf")):
        assert (await roll(doors, who))["people"][0]["needs"] == needs
    await start(doors)
    assert (await roll(doors, security))["people"][0]["needs"] == "deaf"


async def test_heads_are_counted_once(doors: Doors) -> None:
    path = f"{doors.base}/emergency/counts"
    tap = {"id": str(uuid7()), "place": "Car park B", "delta": 5}
    assert await doors.refused(path, tap) == (409, "no_emergency")
    await start(doors)
    assert await doors.refused(path, tap, doors.at()) == (403, "needs_steward")
    await doors.sign_on("steward")
    await doors.ok(path, tap, doors.at())
    await doors.ok(path, tap, doors.at())
    found = await doors.ok(path, {**tap, "id": str(uuid7()), "delta": -1})
    assert [(one["place"], one["people"]) for one in found] == [("Car park B", 4)]
    # A time without a zone is nobody's time.
    naive = {**tap, "id": str(uuid7()), "at": "2026-11-22T18:00:00"}
    assert (await doors.refused(path, naive))[0] == 400


async def test_a_second_person_publishes_where_that_is_set(doors: Doors) -> None:
    answer = await doors.http.put(
        f"/api/v1{doors.base}/emergency/settings",
        json={"two_people": True, "assembly_points": ["Car park B", "Church"]},
        headers=doors.owner,
    )
    assert answer.status_code == 200, answer.text
    await start(doors)
    assert (await roll(doors))["assembly_points"] == ["Car park B", "Church"]
    [text, *_] = await texts(doors)
    path = f"{doors.base}/emergency/publish"
    refused = await doors.refused(path, {**HELD, "text": text})
    assert refused == (403, "needs_second_person")
    assert await doors.value("SELECT count(*) FROM event_announcements") == 1
    manager = await doors.staff("door_manager")
    await step(doors, "publish", manager, text=text)
    sent = await doors.database.pool.fetchrow(
        "SELECT * FROM event_announcements WHERE target_segments = '{}'"
    )
    assert sent is not None
    assert (sent["priority"], sent["status"]) == ("urgent", "sent")
    assert set(sent["translations"]) == {"en", "fr"}


async def test_after_a_storm_everybody_comes_back_once(doors: Doors) -> None:
    await never_again(doors)
    for code in ("T-1", "T-2", "T-3"):
        assert (await doors.scan(code))["verdict"] == "admitted"
    assert (await doors.scan("T-3", direction="out"))["verdict"] == "exited"
    found = await start(doors, reason="storm")
    await step(doors, "freeze")
    assert (await doors.scan("T-2", direction="out"))["verdict"] == "exited"
    path = f"{doors.base}/emergency/reopen"
    assert await doors.refused(path, HELD) == (409, "clear_first")
    await step(doors, "all-clear", text=(await texts(doors, "all_clear"))[0])
    assert (await doors.scan("T-1"))["reason"] == "admission_stopped"
    view = await step(doors, "reopen", readmit=True)
    again = await step(doors, "reopen", readmit=True)
    assert again["readmitted_at"] == view["readmitted_at"]
    assert await doors.value("SELECT count(*) FROM ops.exemptions") == 2
    # Presence starts at 0.
    inside = "SELECT inside FROM ops.areas WHERE id = $1"
    assert await doors.value(inside, doors.event.venue) == 0
    # Who was inside at the freeze comes in once more, at any gate, without waiting.
    for code in ("T-1", "T-2"):
        back = await doors.scan(code, doors.event.other_device)
        assert (back["verdict"], back["reason"]) == ("admitted", "ok"), code
    # Who had left before follows the normal rule, and so does everybody afterwards.
    assert (await doors.scan("T-3"))["reason"] == "re_entry_not_allowed"
    await doors.scan("T-1", direction="out")
    assert (await doors.scan("T-1"))["verdict"] == "refused"
    assert (await doors.scan("T-4"))["verdict"] == "admitted"
    view = (await doors.get(f"{doors.base}/emergency")).json()["emergency"]
    assert (view["listed"], view["returned"]) == (2, 2)
    closed = await step(doors, "close")
    path = f"{doors.base}/emergencies/{found['id']}/report"
    report = (await doors.get(path)).json()
    assert (report["returned"], report["not_returned"]) == (2, 0)
    assert report["closed_at"] == closed["closed_at"]
    assert [line["what"] for line in report["log"]] == [
        *("started", "stopped", "frozen", "all_clear", "readmitted", "reopened"),
        "closed",
    ]
    # The next one begins afresh.
    assert (await start(doors, drill=True))["id"] != found["id"]


async def test_without_the_grant_nobody_comes_back(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: presences end, and the rule never holds."""
    monkeypatch.setattr(returning, "_grant", lambda *_: None)
    await never_again(doors)
    await doors.scan("T-1")
    await start(doors)
    await step(doors, "freeze")
    await step(doors, "all-clear")
    await step(doors, "reopen", readmit=True)
    assert (await doors.scan("T-1"))["reason"] == "re_entry_not_allowed"


async def test_the_report_names_the_missing_in_any_script(doors: Doors) -> None:
    names = ("李小龙", "مريم", "Siobhán O'Brien-Łukasz", "Zoë 🎪")
    for code, name in zip(("T-1", "T-2", "T-3", "T-4"), names, strict=True):
        await doors.scan(code)
        await doors.database.pool.execute(
            """UPDATE attendees SET first_name = $2, last_name = ''
                WHERE id = (SELECT attendee_id FROM tickets WHERE id = $1)""",
            *(doors.event.tickets[code], name),
        )
    found = await start(doors)
    await step(doors, "freeze")
    path = f"{doors.base}/emergencies/{found['id']}/report"
    report = (await doors.get(path)).json()
    assert {one["name"] for one in report["missing"]} == set(names)
    assert report["totals"]["missing"] == 4
    for language in ("en", "fr"):
        answer = await doors.get(f"{path}.pdf", language=language)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
    listed = (await doors.get(f"{doors.base}/emergencies")).json()["items"]
    assert [one["id"] for one in listed] == [found["id"]]
    other = await doors.get(f"{doors.base}/emergencies/{uuid7()}/report")
    assert (other.status_code, other.json()["code"]) == (404, "emergency_unknown")
