"""Dressed rows: other words and another door, the same people, tickets and times."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from ops.dev import kinds, people, sample
from ops.dev.programme import AREAS, GATES, SESSIONS, TYPES, Timetable
from ops.dev.sample import Evening
from ops.dev.tables import Row

OPENS = datetime(2026, 11, 22, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def evenings() -> dict[str, Evening]:
    persons = people.build(7, OPENS)
    return {
        kind: sample.build(
            7, 1, Timetable(OPENS), persons, lambda t, _: t.hex, "secret", kind
        )
        for kind in kinds.KINDS
    }


def rows(evening: Evening, name: str) -> list[Row]:
    return [row for table in evening.tables if table.name == name for row in table.rows]


def test_every_word_of_the_programme_has_another_one() -> None:
    words = {spec.name for spec in (*AREAS, *GATES, *TYPES)}
    words |= {spec.title for spec in SESSIONS}
    for kind in (kinds.FESTIVAL, kinds.CLUB):
        assert words <= set(kind.words), kind.name


@pytest.mark.parametrize(
    ("kind", "re_entry", "min_age"),
    [("festival", "after_exit", None), ("club", "never", 19)],
)
def test_a_kind_has_its_own_door(
    evenings: dict[str, Evening], kind: str, re_entry: str, min_age: int | None
) -> None:
    evening = evenings[kind]
    [venue] = [r for r in rows(evening, "ops.scopes") if r["kind"] == "venue"]
    assert (venue["tracks_exits"], venue["re_entry"]) == (True, re_entry)
    assert {r.get("min_age") for r in rows(evening, "ticket_types")} == {min_age}
    [event] = rows(evening, "events")
    assert event["event_type"] == kind
    settings = json.loads(event["settings"])
    assert (settings["preset"], settings["sample"]["kind"]) == (kind, kind)
    assert event["title"] == evening.title


def test_people_tickets_and_ids_are_the_same(evenings: dict[str, Evening]) -> None:
    plain = evenings["conference"]
    for kind in ("festival", "club"):
        assert evenings[kind].tickets == plain.tickets
        assert evenings[kind].ids == plain.ids
        for table in ("attendees", "tickets", "ops.ticket_codes"):
            assert rows(evenings[kind], table) == rows(plain, table)
