"""The figures of an event, defined once: screens, reports and answers use this. Pure.

All are people (door.md). They follow from counters: those that the finish script keeps
in the cache, or the same counted from rows by `ops.counters_v1`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

Counters = dict[str, dict[int, int]]
"""Letter of the counter -> number (scope, gate, type, minute, day, area) -> value."""

LETTERS = "iegxtmrwcy"


class Sold(msgspec.Struct, frozen=True):
    """A ticket type; `sold` and `expected` are people on guests' tickets."""

    no: int
    guest: bool
    sold: int
    expected: int


class Figures(msgspec.Struct, frozen=True):
    """One table for every screen, report and topic.

    Attributes:
        sold: on guests' tickets that are paid for.
        expected: on valid guests' tickets, by the show rate.
        entered: with at least one entry, since the event began.
        entered_today: with at least one entry on this event day.
        inside: present by scan, and counted without ticket.
        counted: of these, counted without ticket.
        re_entries: further passes of people who had entered before.
        exits: scanned at gates of the venue.
        no_show: expected guests who did not come; None before the end.
        refused_attempts: red answers, but for codes that were admitted just before.
        refused_people: the different tickets and codes of these.
    """

    sold: int
    expected: int
    entered: int
    entered_today: int
    inside: int
    counted: int
    re_entries: int
    exits: int
    no_show: int | None
    refused_attempts: int
    refused_people: int


def parse_counters(fields: Mapping[bytes, bytes | int]) -> Counters:
    """The counters of cache or database by letter; other names are left out."""
    counters: Counters = {letter: {} for letter in LETTERS}
    for field, value in fields.items():
        letter, _, number = field.decode("ascii", "replace").partition(":")
        of_letter = counters.get(letter)
        if of_letter is None or not (number.isdigit() or number == ""):
            continue
        of_letter[int(number or 0)] = int(value)
    return counters


def figures(
    counters: Counters,
    kinds: Iterable[Sold],
    *,
    venue_no: int | None,
    venue_areas: Collection[int],
    venue_gates: Collection[int],
    today: int,
    over: bool,
    refused_people: int,
) -> Figures:
    """The figures of an event.

    Args:
        venue_no: number of the venue's scope; None: the event has none.
        venue_areas, venue_gates: numbers of the venue's area, and of gates into it.
        today: the event day, in days since 1970.
        over: whether the event has ended.
        refused_people: no counter can tell them apart, the log can.
    """
    sold = list(kinds)
    expected = sum(kind.expected for kind in sold)
    guests = sum(counters["t"].get(kind.no, 0) for kind in sold if kind.guest)
    counted = sum(counters["c"].get(area, 0) for area in venue_areas)
    present = counters["i"].get(venue_no, 0) if venue_no is not None else 0
    entered = counters["e"].get(venue_no, 0) if venue_no is not None else 0
    return Figures(
        sold=sum(kind.sold for kind in sold),
        expected=expected,
        entered=entered,
        entered_today=counters["y"].get(today, 0),
        inside=present + counted,
        counted=counted,
        re_entries=sum(counters["w"].values()),
        exits=sum(counters["x"].get(gate, 0) for gate in venue_gates),
        no_show=max(0, expected - guests) if over else None,
        refused_attempts=sum(counters["r"].values()),
        refused_people=refused_people,
    )
