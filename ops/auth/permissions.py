"""Permissions as the roles' JSON holds them: {resource: {read, write, delete}}.

The built-in roles are made by `ops.auth.queries.ensure_roles`; an installation may
change them or add its own. `*` as a resource stands for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Action = Literal["read", "write", "delete"]
Permissions = Mapping[str, Mapping[str, bool]]

RESOURCES: Final = (
    "analytics",
    "announcements",
    "attendees",
    "audit",
    "campaigns",
    "companies",
    "contacts",
    "devices",
    "events",
    "imports",
    "incidents",
    "interactions",
    "leads",
    "members",
    "operators",
    "opportunities",
    "orders",
    "privacy",
    "roles",
    "scans",
    "segments",
    "sessions",
    "settings",
    "speakers",
    "tasks",
    "tickets",
    "users",
    "venues",
)


class BuiltInRole(NamedTuple):
    """A role that every installation starts with."""

    name: str
    level: int
    description: str
    permissions: dict[str, dict[str, bool]]


def _grant(
    read: str = "", write: str = "", delete: str = ""
) -> dict[str, dict[str, bool]]:
    """Permissions from three lists of words; `write` includes reading."""
    reading, writing, deleting = (set(w.split()) for w in (read, write, delete))
    return {
        resource: {
            "read": True,
            "write": resource in writing,
            "delete": resource in deleting,
        }
        for resource in sorted(reading | writing | deleting)
    }


_EVENT = (
    "events sessions attendees tickets orders scans devices operators announcements"
    " incidents"
)
_CRM = "contacts companies leads opportunities interactions tasks campaigns segments"

BUILT_IN_ROLES: Final = (
    BuiltInRole("owner", 100, "Everything", _grant("*", "*", "*")),
    BuiltInRole(
        "organiser",
        80,
        "All events, the whole CRM, the team",
        _grant(
            "audit roles",
            f"{_EVENT} {_CRM} analytics imports members speakers users venues settings"
            " privacy",
            f"{_EVENT} {_CRM} imports members speakers venues",
        ),
    ),
    BuiltInRole(
        "event_manager",
        60,
        "One event: its doors, tickets and people",
        _grant(
            "analytics audit venues", f"{_EVENT} imports members speakers", "devices"
        ),
    ),
    BuiltInRole(
        "door_manager",
        50,
        "The doors: gates, devices, operators, counts",
        _grant(
            "analytics attendees orders sessions announcements",
            "events scans tickets devices operators incidents",
        ),
    ),
    BuiltInRole(
        "supervisor",
        40,
        "Helps at the doors and may override",
        _grant(
            "events sessions attendees tickets devices operators", "scans incidents"
        ),
    ),
    BuiltInRole(
        "security",
        25,
        "Calls for help and incidents",
        _grant("events devices", "incidents"),
    ),
    BuiltInRole(
        "medical",
        25,
        "Calls for help and incidents",
        _grant("events devices", "incidents"),
    ),
    BuiltInRole(
        "marketing",
        30,
        "Contacts and campaigns",
        _grant(
            "events attendees orders analytics opportunities",
            "contacts companies leads interactions tasks campaigns segments",
        ),
    ),
    BuiltInRole(
        "sales",
        30,
        "Contacts, leads and opportunities",
        _grant(
            "events attendees orders analytics campaigns segments",
            "contacts companies leads opportunities interactions tasks",
        ),
    ),
    BuiltInRole("steward", 20, "Scans", _grant("events sessions", "scans")),
    BuiltInRole(
        "viewer",
        10,
        "Watches figures",
        _grant("events sessions scans analytics devices"),
    ),
)


def allows(permissions: Permissions, resource: str, action: Action) -> bool:
    """Whether the permissions grant an action; unknown words grant nothing."""
    for key in (resource, "*"):
        granted = permissions.get(key)
        if isinstance(granted, Mapping) and granted.get(action) is True:
            return True
    return False
