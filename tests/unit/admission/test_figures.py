"""The one table of figures, from counters."""

from __future__ import annotations

from ops.admission.figures import Sold, figures, parse_counters

KINDS = [Sold(1, True, 120, 100), Sold(2, False, 0, 0)]


def told(fields: dict[bytes, bytes | int], **more: object) -> dict[str, int | None]:
    given = {
        "venue_no": 1,
        "venue_areas": [1],
        "venue_gates": [1, 2],
        "today": 20_000,
        "over": False,
        "refused_people": 3,
    } | more
    found = figures(parse_counters(fields), KINDS, **given)  # type: ignore[arg-type]
    return {name: getattr(found, name) for name in found.__struct_fields__}


COUNTED: dict[bytes, bytes | int] = {
    b"i:1": 61, b"i:2": 9, b"e:1": 80, b"c:1": 7, b"c:2": 2, b"y:20000": 12,
    b"y:19999": 70, b"w:": 11, b"x:1": 30, b"x:2": 4, b"x:9": 50, b"t:1": 75,
    b"t:2": 5, b"r:1": 6,
}  # fmt: skip


def test_people_of_the_venue() -> None:
    assert told(COUNTED) == {
        "sold": 120,
        "expected": 100,
        "entered": 80,
        "entered_today": 12,
        "inside": 68,
        "counted": 7,
        "re_entries": 11,
        "exits": 34,
        "no_show": None,
        "refused_attempts": 6,
        "refused_people": 3,
    }


def test_who_came_yesterday_and_today_counts_on_both_days_and_once_in_all() -> None:
    assert told(COUNTED, today=19_999)["entered_today"] == 70
    assert told(COUNTED, today=20_001)["entered_today"] == 0


def test_no_show_counts_guests_alone_after_the_end() -> None:
    assert told(COUNTED, over=True)["no_show"] == 25


def test_an_event_without_a_venue_has_nobody_inside() -> None:
    found = told({}, venue_no=None, venue_areas=[], venue_gates=[])
    assert (found["inside"], found["entered"], found["exits"]) == (0, 0, 0)
