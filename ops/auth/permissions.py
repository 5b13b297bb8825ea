"""Permissions as the roles' JSON holds them: {resource: {read, write, delete}}.

Each is true, false or "own": then it holds for the rows that are the person's own, and
only where a resource says which those are (`Resource.mine`). Whoever does not ask for
"own" is told no.

The built-in roles are made by `ops.auth.queries.ensure_roles`; an installation may
change them or add its own. `*` as a resource stands for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Action = Literal["read", "write", "delete"]
Granted = bool | Literal["own"]
Permissions = Mapping[str, Mapping[str, Granted]]

RESOURCES: Final = (
    "analytics",
    "announcements",
    "attendees",
    "audit",
    "bundles",
    "campaigns",
    "companies",
    "contact_details",
    "contacts",
    "devices",
    "events",
    "feedback",
    "finance",
    "imports",
    "incidents",
    "interactions",
    "leads",
    "materials",
    "members",
    "networking",
    "notes",
    "operators",
    "opportunities",
    "orders",
    "places",
    "privacy",
    "profiles",
    "promoters",
    "roles",
    "scans",
    "seating",
    "segments",
    "sensitive",
    "sessions",
    "settings",
    "speakers",
    "sponsors",
    "tasks",
    "ticket_types",
    "tickets",
    "users",
    "venues",
    "vouchers",
)


class BuiltInRole(NamedTuple):
    """A role that every installation starts with."""

    name: str
    level: int
    description: str
    permissions: dict[str, dict[str, Granted]]


def _grant(
    read: str = "",
    write: str = "",
    delete: str = "",
    own: str = "",
    own_write: str = "",
) -> dict[str, dict[str, Granted]]:
    """Permissions from lists of words; `write` includes reading."""
    reading, writing, deleting = (set(w.split()) for w in (read, write, delete))
    granted: dict[str, dict[str, Granted]] = {
        resource: {
            "read": True,
            "write": resource in writing,
            "delete": resource in deleting,
        }
        for resource in sorted(reading | writing | deleting)
    }
    mine = own_write.split()
    for resource in sorted({*own.split(), *mine}):
        changes: Granted = "own" if resource in mine else False
        granted[resource] = {"read": "own", "write": changes, "delete": False}
    return granted


_PRIVATE = "contact_details sensitive finance"
_EVENT = (
    "events sessions attendees tickets ticket_types orders scans devices operators"
    " announcements places seating materials feedback networking bundles vouchers"
    " incidents"
)
_CRM = (
    "contacts companies leads opportunities interactions tasks campaigns notes segments"
)
_PARTNERS = "speakers sponsors promoters"

BUILT_IN_ROLES: Final = (
    BuiltInRole("owner", 100, "Everything", _grant("*", "*", "*")),
    BuiltInRole(
        "organiser",
        80,
        "All events, the whole CRM, the team",
        _grant(
            "audit roles",
            f"{_EVENT} {_CRM} {_PARTNERS} {_PRIVATE} analytics imports members users"
            " profiles venues settings privacy",
            f"{_EVENT} {_CRM} {_PARTNERS} analytics imports members profiles venues",
        ),
    ),
    BuiltInRole(
        "event_manager",
        60,
        "One event: its doors, tickets and people",
        _grant(
            f"analytics audit venues contacts companies roles promoters {_PRIVATE}",
            f"{_EVENT} imports members speakers sponsors tasks notes",
            "devices sessions places materials members bundles seating",
        ),
    ),
    BuiltInRole(
        "door_manager",
        50,
        "The doors: gates, devices, operators, counts",
        _grant(
            "analytics attendees orders sessions announcements ticket_types"
            " contact_details",
            "events scans tickets devices operators places incidents",
        ),
    ),
    BuiltInRole(
        "supervisor",
        40,
        "Helps at the doors and may override",
        _grant(
            "events sessions attendees tickets ticket_types devices operators places"
            " contact_details",
            "scans incidents",
        ),
    ),
    BuiltInRole(
        "marketing",
        30,
        "Contacts and campaigns",
        _grant(
            "events sessions attendees orders analytics opportunities venues feedback"
            " speakers sponsors contact_details",
            "contacts companies leads interactions tasks campaigns notes materials"
            " vouchers segments",
            "campaigns",
        ),
    ),
    BuiltInRole(
        "sales",
        30,
        "Contacts, leads and opportunities",
        _grant(
            "events sessions attendees orders analytics campaigns venues sponsors"
            " ticket_types contact_details finance segments",
            "contacts companies leads opportunities interactions tasks notes",
            "tasks",
        ),
    ),
    BuiltInRole(
        "registration_desk",
        25,
        "Finds, corrects and admits people at the desk",
        _grant(
            "events sessions ticket_types places seating contact_details",
            "attendees orders tickets scans notes",
        ),
    ),
    BuiltInRole(
        "cashier",
        25,
        "Sells and takes money at the door",
        _grant(
            "events sessions attendees ticket_types vouchers bundles places",
            "orders tickets scans",
        ),
    ),
    BuiltInRole(
        "artist_liaison",
        25,
        "Looks after speakers and artists",
        _grant(
            "events sessions attendees venues places contact_details sensitive",
            "speakers materials tasks notes",
        ),
    ),
    BuiltInRole(
        "security",
        25,
        "Keeps the place safe: who is inside, who is banned",
        _grant("events sessions attendees scans places devices operators", "incidents"),
    ),
    BuiltInRole(
        "table_host",
        20,
        "Seats guests at their tables",
        _grant("events sessions attendees tickets ticket_types", "seating scans"),
    ),
    BuiltInRole(
        "medical",
        20,
        "First aid: who needs what",
        _grant("events sessions attendees places devices sensitive", "incidents"),
    ),
    BuiltInRole("steward", 20, "Scans", _grant("events sessions places", "scans")),
    BuiltInRole(
        "promoter",
        10,
        "Sells for a commission",
        _grant("events sessions ticket_types bundles", own="promoters orders"),
    ),
    BuiltInRole(
        "speaker",
        10,
        "Speaks at an event",
        _grant("events sessions", own="materials", own_write="speakers"),
    ),
    BuiltInRole(
        "sponsor",
        10,
        "Is seen at an event",
        _grant("events sessions", own="materials", own_write="sponsors"),
    ),
    BuiltInRole(
        "viewer",
        10,
        "Watches figures",
        _grant("events sessions scans analytics devices places"),
    ),
)


def allows(permissions: Permissions, resource: str, action: Action) -> bool:
    """Whether the permissions grant an action; unknown words grant nothing."""
    for key in (resource, "*"):
        granted = permissions.get(key)
        if isinstance(granted, Mapping) and granted.get(action) is True:
            return True
    return False


def allows_own(permissions: Permissions, resource: str, action: Action) -> bool:
    """Whether an action is granted at least on rows that are one's own."""
    granted = permissions.get(resource)
    if isinstance(granted, Mapping) and granted.get(action) == "own":
        return True
    return allows(permissions, resource, action)
