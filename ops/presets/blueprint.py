"""The rows of a new event by table: from a preset's data, or from another event. Pure.

Rows are plain JSON objects: times as ISO texts, ids as texts. A row's own id is new; a
reference to a row that is copied follows it, any other one stays (a venue, a speaker).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.presets.shifting import Shift
from ops.watch.rules import RULES, standard

Row = dict[str, Any]
MakeId = Callable[[], UUID]

TABLES: Final = (
    "ops.areas",
    "public.sessions",
    "ops.scopes",
    "ops.gates",
    "public.ticket_types",
    "ops.access_rules",
    "ops.questions",
    "ops.held_places",
    "ops.offline_settings",
    "ops.items",
    "ops.redemption_points",
    "ops.entitlements",
    "ops.guest_lists",
    "ops.announcement_templates",
    "ops.alert_rules",
    "ops.gate_walks",
)
"""What an event is made of, in the order of its references."""

NEVER: Final = frozenset({"no", "version", "created_at", "updated_at"})
"""Columns that the database fills anew."""

EMPTY: Final[Mapping[str, Any]] = {
    "inside": 0,
    "manual": 0,
    "disputed": 0,
    "sold_count": 0,
    "reserved_count": 0,
    "current_registrations": 0,
    "recording_url": None,
}
"""Counters and traces of what happened; a new event begins without."""

OFFLINE: Final = ("mode", "budget", "package_hours")

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


class Blueprint(msgspec.Struct, frozen=True):
    """A new event: its row, and the rows of its tables in `TABLES` order.

    `gates` says which new gate stands for which old one (empty for a preset).
    """

    event: Row
    tables: list[tuple[str, list[Row]]]
    gates: dict[str, str]


class Wish(msgspec.Struct, frozen=True):
    """What is asked of a new event; None keeps what the preset or the old one says."""

    title: str
    starts_at: datetime
    ends_at: datetime | None = None
    timezone: str | None = None
    capacity: int | None = None
    venue_id: UUID | None = None
    languages: list[str] | None = None


class Preset(msgspec.Struct, frozen=True):
    """A preset's data, as it stands in its file."""

    event: Row
    areas: list[Row]
    gates: list[Row]
    scopes: list[Row]
    types: list[Row]
    rules: list[Row]


LENGTH_DEFAULT: Final = timedelta(hours=8)


def from_preset(
    name: str, preset: Preset, wish: Wish, slug: str, make_id: MakeId
) -> Blueprint:
    """The event of a preset."""
    event_id = str(make_id())
    ids = {
        kind: {row["key"]: str(make_id()) for row in rows}
        for kind, rows in (
            ("area", preset.areas),
            ("gate", preset.gates),
            ("scope", preset.scopes),
            ("type", preset.types),
        )
    }
    event = _preset_event(name, preset, wish, slug, event_id)
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    rows |= _places(preset, ids, event)
    rows |= _tickets(preset, ids, event_id, make_id)
    offline = preset.event["settings"].get("offline")
    if offline:
        rows["ops.offline_settings"] = [_offline(offline, event_id)]
    chosen = preset.event["settings"].get("alerts", {})
    rows["ops.alert_rules"] = [
        _alert_rule(event_id, name, numbers) for name, numbers in chosen.items()
    ]
    return Blueprint(event, list(rows.items()), {})


def _places(
    preset: Preset, ids: Mapping[str, Mapping[str, str]], event: Row
) -> dict[str, list[Row]]:
    event_id, capacity = event["id"], event["capacity"]
    areas = [
        {
            "id": ids["area"][row["key"]],
            "event_id": event_id,
            "name": row["name"],
            "kind": row["kind"],
            "parent_id": ids["area"].get(row.get("parent", "")),
            "capacity": capacity if row["kind"] == "venue" else row["capacity"],
            "limit_kind": "hard",
            "overflow_area_id": ids["area"].get(row.get("overflow", "")),
            "position": position,
        }
        for position, row in enumerate(preset.areas)
    ]
    scopes = [
        {
            "id": ids["scope"][row["key"]],
            "event_id": event_id,
            "name": row["name"],
            "kind": row["kind"],
            "area_id": ids["area"][row["area"]],
            "parent_id": ids["scope"].get(row.get("parent", "")),
            "tracks_exits": row["tracks_exits"],
            "re_entry": row["re_entry"],
            "passes_total": row.get("passes_total"),
        }
        for row in preset.scopes
    ]
    gates = [
        {
            "id": ids["gate"][row["key"]],
            "event_id": event_id,
            "name": row["name"],
            "area_id": ids["area"][row["area"]],
            "direction": row["direction"],
            "position": position,
        }
        for position, row in enumerate(preset.gates)
    ]
    return {"ops.areas": areas, "ops.scopes": scopes, "ops.gates": gates}


def _tickets(
    preset: Preset,
    ids: Mapping[str, Mapping[str, str]],
    event_id: str,
    make_id: MakeId,
) -> dict[str, list[Row]]:
    least = preset.event["settings"].get("minimum_age")
    types = [
        {
            "id": ids["type"][row["key"]],
            "event_id": event_id,
            "name": row["name"],
            "ticket_category": row["category"],
            "access_class": row["access_class"],
            "price": row.get("price", "0"),
            # Who works there may be younger than who dances there.
            "min_age": row.get(
                "min_age", least if row["access_class"] == "guest" else None
            ),
        }
        for row in preset.types
    ]
    rules = [
        {
            "id": str(make_id()),
            "event_id": event_id,
            "scope_id": ids["scope"][row["scope"]],
            "ticket_type_id": ids["type"][row["type"]],
            **{k: v for k, v in row.items() if k not in ("scope", "type")},
        }
        for row in preset.rules
    ]
    return {"public.ticket_types": types, "ops.access_rules": rules}


def _preset_event(
    name: str, preset: Preset, wish: Wish, slug: str, event_id: str
) -> Row:
    said = copy.deepcopy(preset.event)
    before = timedelta(minutes=said.pop("doors_before_minutes"))
    ends_at = wish.ends_at or wish.starts_at + LENGTH_DEFAULT
    opens = wish.starts_at - before
    settings = {**said.pop("settings"), "preset": name}
    return {
        **said,
        "id": event_id,
        "title": wish.title,
        "slug": slug,
        "status": "draft",
        "timezone": wish.timezone or "America/Toronto",
        "venue_id": _text(wish.venue_id),
        "languages": wish.languages or ["en", "fr"],
        "capacity": wish.capacity or said["capacity"],
        "starts_at": wish.starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        "doors_open_at": opens.isoformat(),
        "admission_opens_at": opens.isoformat(),
        "admission_closes_at": ends_at.isoformat(),
        "settings": settings,
    }


def copy_of(
    event: Row,
    tables: Mapping[str, Sequence[Row]],
    wish: Wish,
    slug: str,
    make_id: MakeId,
) -> Blueprint:
    """The event of another one, its times moved, without anything that happened."""
    zone = wish.timezone or event["timezone"]
    before = datetime.fromisoformat(event["starts_at"])
    shift = Shift.between(zone, before, wish.starts_at)
    ids = {event["id"]: str(make_id())}
    for rows in tables.values():
        ids |= {row["id"]: str(make_id()) for row in rows if "id" in row}
    made = _moved(event, ids, shift)
    settings = {k: v for k, v in (made["settings"] or {}).items() if k != "sample"}
    made |= {
        "title": wish.title,
        "slug": slug,
        "status": "draft",
        "doors_state": "open",
        "timezone": zone,
        "settings": {**settings, "copied_from": event["id"]},
    }
    if wish.ends_at is not None:
        made["ends_at"] = wish.ends_at.isoformat()
    for name in ("capacity", "venue_id", "languages"):
        value = getattr(wish, name)
        if value is not None:
            made[name] = _text(value) if isinstance(value, UUID) else value
    copied = [
        (
            name,
            [
                _part(name, row, ids, shift)
                for row in tables.get(name, ())
                if row.get("ticket_id") is None  # what one ticket was given
                and (name != "ops.alert_rules" or row["rule"] in RULES)
            ],
        )
        for name in TABLES
    ]
    gates = {row["id"]: ids[row["id"]] for row in tables.get("ops.gates", ())}
    return Blueprint(made, copied, gates)


def _part(table: str, row: Row, ids: Mapping[str, str], shift: Shift) -> Row:
    if table == "ops.offline_settings":
        return _offline(row, ids[row["event_id"]])
    if table == "ops.alert_rules":
        return _alert_rule(ids[row["event_id"]], row["rule"], row)
    made = _moved(row, ids, shift)
    if table == "ops.gates":
        made["state"] = "open"
    if table == "ops.gate_walks":  # either way: the table has the lower id first
        walk = sorted((made["low_gate_id"], made["high_gate_id"]), key=UUID)
        made["low_gate_id"], made["high_gate_id"] = walk
    if table == "ops.announcement_templates":
        made["target_segments"] = {
            key: [ids.get(one, one) for one in value]
            if isinstance(value, list)
            else value
            for key, value in row["target_segments"].items()
        }
    return made


def _offline(row: Row, event_id: str) -> Row:
    """How devices decide alone; who chose it, and when, is the new event's own."""
    said = {name: row[name] for name in OFFLINE if row.get(name) is not None}
    return {"event_id": event_id, "budget": 50, "package_hours": 24, **said}


def _alert_rule(event_id: str, name: str, numbers: Mapping[str, Any]) -> Row:
    """What an event has otherwise than the catalogue of alerts; nobody chose it yet."""
    usual = msgspec.structs.asdict(standard(RULES[name]))
    said = {key: numbers.get(key, value) for key, value in usual.items()}
    return {"event_id": event_id, "rule": name, **said}


def _moved(row: Row, ids: Mapping[str, str], shift: Shift) -> Row:
    made: Row = {}
    for name, value in row.items():
        if name in NEVER:
            continue
        if name in EMPTY:
            value = EMPTY[name]
        elif isinstance(value, str) and value in ids:
            value = ids[value]
        elif isinstance(value, str) and _TIME.match(value) and name != "settings":
            value = shift(datetime.fromisoformat(value)).isoformat()
        made[name] = value
    return made


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def slug_of(title: str, ending: str) -> str:
    """An address word for a title in any script, unique by its ending."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    return f"{words or 'event'}-{ending}"
