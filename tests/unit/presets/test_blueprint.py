"""What a preset and a copy are made of, without a store."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from ops.presets.blueprint import Wish, copy_of, from_preset, slug_of
from ops.presets.making import NAMES, PresetName, preset
from ops.watch.rules import RULES, Setting, problem_of, standard

START = datetime(2027, 6, 4, 23, 0, tzinfo=UTC)


def ids() -> Any:
    count = itertools.count(1)
    return lambda: UUID(int=next(count))


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_of_a_preset_is_to_a_row_of_it(name: PresetName) -> None:
    made = from_preset(name, preset(name), Wish("Été 🎪", START), "x", ids())
    known = {made.event["id"]} | {
        row["id"] for _, rows in made.tables for row in rows if "id" in row
    }
    for _, rows in made.tables:
        for row in rows:
            for column, value in row.items():
                if column.endswith("_id") and value is not None:
                    assert value in known, column
        # One statement writes them all: they have the same columns.
        assert len({tuple(row) for row in rows}) <= 1
    assert made.event["settings"]["preset"] == name
    assert made.event["status"] == "draft"


def test_presets_differ_where_their_doors_do() -> None:
    venue = {
        name: next(s for s in preset(name).scopes if s["kind"] == "venue")
        for name in NAMES
    }
    assert not venue["conference"]["tracks_exits"]
    assert venue["festival"]["re_entry"] == "after_exit"
    assert (venue["club"]["re_entry"], venue["club"]["passes_total"]) == ("never", 1)
    assert preset("club").event["day_starts_at"] == "12:00"


@pytest.mark.parametrize("name", NAMES)
def test_the_alerts_of_a_preset_can_be_as_it_says(name: PresetName) -> None:
    made = from_preset(name, preset(name), Wish("X", START), "x", ids())
    rows = dict(made.tables)["ops.alert_rules"]
    said = preset(name).event["settings"]["alerts"]
    assert {row["rule"] for row in rows} == set(said)
    for row in rows:
        setting = Setting(*(row[key] for key in Setting.__struct_fields__))
        assert problem_of(RULES[row["rule"]], setting) is None
        assert setting != standard(RULES[row["rule"]])
        assert said[row["rule"]].items() <= row.items()


def test_a_copy_has_new_ids_moved_times_and_nothing_that_happened() -> None:
    event = {
        "id": "e1",
        "title": "Old",
        "slug": "old",
        "timezone": "America/Toronto",
        "starts_at": "2026-10-25T23:00:00+00:00",
        "ends_at": "2026-10-26T03:00:00+00:00",
        "venue_id": "v1",
        "capacity": 10,
        "settings": {"preset": "club", "sample": {"seed": 1}},
        "status": "completed",
        "doors_state": "closed",
        "no": 4,
        "created_at": "2026-01-01T00:00:00+00:00",
    }
    tables = {
        "ops.areas": [
            {"id": "a1", "event_id": "e1", "parent_id": None, "inside": 7, "no": 1},
            {"id": "a2", "event_id": "e1", "parent_id": "a1", "inside": 3, "no": 2},
        ],
        "ops.gates": [
            {"id": "g1", "event_id": "e1", "area_id": "a2", "state": "closed"}
        ],
        "ops.entitlements": [
            {"id": "n1", "event_id": "e1", "ticket_id": "t1"},
            {"id": "n2", "event_id": "e1", "ticket_id": None},
        ],
    }
    wish = Wish("New", datetime(2026, 11, 9, 0, 0, tzinfo=UTC))
    made = copy_of(event, tables, wish, "new", ids())
    rows = dict(made.tables)
    outer, inner = rows["ops.areas"]
    assert inner["parent_id"] == outer["id"] != "a1"
    assert {row["event_id"] for row in rows["ops.areas"]} == {made.event["id"]}
    assert [row["inside"] for row in rows["ops.areas"]] == [0, 0]
    assert "no" not in outer
    assert rows["ops.gates"][0]["state"] == "open"
    assert made.gates == {"g1": rows["ops.gates"][0]["id"]}
    assert len(rows["ops.entitlements"]) == 1
    # 7 in the evening in October, 7 in the evening in November.
    assert made.event["starts_at"] == "2026-11-09T00:00:00+00:00"
    assert made.event["ends_at"] == "2026-11-09T04:00:00+00:00"
    assert made.event["venue_id"] == "v1"
    assert "sample" not in made.event["settings"]
    assert (made.event["status"], made.event["doors_state"]) == ("draft", "open")


@pytest.mark.parametrize(
    ("title", "slug"),
    [("Été & Co", "t-co-x"), ("李小龙", "event-x"), ("A" * 90, "a" * 40 + "-x")],
)
def test_a_slug_of_any_title(title: str, slug: str) -> None:
    assert slug_of(title, "x") == slug
