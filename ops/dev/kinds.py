"""What a demo's evening is: a conference, a festival, a club night. Pure.

The sample is made as a conference; another kind dresses its rows: the names of places,
sessions and tickets, and the rules of the outer door, as the preset of that kind has
them (`ops/presets/data/`). Ids, people, codes and times stay, so that a crowd that
starts again finds its tickets whatever the kind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from ops.dev.tables import Row, Table

KindName = Literal["conference", "festival", "club"]


class Kind(NamedTuple):
    """How a kind differs: words, and what its outer door does."""

    name: str
    title: str
    tracks_exits: bool
    re_entry: str
    min_age: int | None
    words: Mapping[str, str]


FESTIVAL: Final = Kind(
    "festival",
    "Lakeshore Festival",
    True,
    "after_exit",
    None,
    {
        "Lakeshore Hall": "Festival grounds",
        "VIP lounge": "Backstage",
        "Main stage": "Main stage",
        "Harbour room": "Harbour stage",
        "Gallery": "Silent disco",
        "Studio One": "Tent One",
        "Studio Two": "Tent Two",
        "North doors": "North entrance",
        "South doors": "South entrance",
        "Lakeside doors": "Lake entrance",
        "Main stage doors": "Front of stage",
        "Session rooms": "Tents",
        "General admission": "Weekend pass",
        "Early bird": "Early weekend pass",
        "Student": "Day ticket",
        "VIP": "Weekend with backstage",
        "Sponsor": "Stall",
        "Speaker": "Artist",
        "Opening keynote: the day when everything scans": "The Barrier Jumpers",
        "Panel: queues that end": "Long Queue, acoustic",
        "Workshop: PostgreSQL under a crowd": "Workshop: drums for everybody",
        "Demo: maps of moving people": "Silent disco, first set",
        "Table ronde : servir en deux langues": "Chanson des deux rives",
        "Workshop: build a scanner": "Workshop: build a synth",
        "Demo: doors for everybody": "Silent disco, second set",
        "Closing keynote: what we counted": "One Out One In",
    },
)

CLUB: Final = Kind(
    "club",
    "Lakeshore Club Night",
    True,
    "never",
    19,
    {
        "Lakeshore Hall": "Club",
        "VIP lounge": "Upper floor",
        "Main stage": "Main floor",
        "Harbour room": "Harbour bar",
        "Gallery": "Chill-out",
        "Studio One": "Booth One",
        "Studio Two": "Booth Two",
        "North doors": "Front door",
        "South doors": "Guest list door",
        "Lakeside doors": "Lake door",
        "Main stage doors": "Main floor",
        "Session rooms": "Bar",
        "General admission": "Entry",
        "Early bird": "Entry before eleven",
        "Student": "Student entry",
        "VIP": "Guest list",
        "Sponsor": "House list",
        "Speaker": "Artist",
        "Opening keynote: the day when everything scans": "DJ Idempotent",
        "Panel: queues that end": "Harbour bar: vinyl only",
        "Workshop: PostgreSQL under a crowd": "Booth One: listening session",
        "Demo: maps of moving people": "Chill-out, early",
        "Table ronde : servir en deux langues": "Bar du port : deux platines",
        "Workshop: build a scanner": "Booth Two: listening session",
        "Demo: doors for everybody": "Chill-out, late",
        "Closing keynote: what we counted": "Last Entry b2b Lights On",
    },
)

KINDS: Final[Mapping[str, Kind | None]] = {
    "conference": None,
    "festival": FESTIVAL,
    "club": CLUB,
}
_WORDS: Final[Mapping[str, str]] = {
    "ops.areas": "name",
    "ops.gates": "name",
    "ops.scopes": "name",
    "sessions": "title",
    "ticket_types": "name",
}


def title_of(kind: str, title: str, number: int) -> str:
    """The title of an evening of this kind."""
    found = KINDS[kind]
    return title if found is None else f"{found.title}, evening {number}"


def dress(kind: str, number: int, tables: list[Table]) -> list[Table]:
    """The rows of an evening of this kind; a conference stays as it is."""
    found = KINDS[kind]
    if found is None:
        return tables
    return [
        Table(table.name, [_row(found, number, table.name, row) for row in table.rows])
        for table in tables
    ]


def _row(kind: Kind, number: int, table: str, row: Row) -> Row:
    made: dict[str, Any] = dict(row)
    column = _WORDS.get(table)
    if column is not None:
        made[column] = kind.words.get(row[column], row[column])
    match table:
        case "events":
            settings = json.loads(row["settings"]) | {"preset": kind.name}
            made |= {
                "title": f"{kind.title}, evening {number}",
                "slug": f"{kind.name}-{row['slug']}",
                "event_type": kind.name,
                "settings": json.dumps(settings),
            }
        case "ops.scopes" if row["kind"] == "venue":
            made |= {"tracks_exits": kind.tracks_exits, "re_entry": kind.re_entry}
        case "ticket_types" if kind.min_age is not None:
            made["min_age"] = kind.min_age
    return made
