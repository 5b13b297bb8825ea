"""The audit log of the generic API: each change of a row, in its transaction."""

from __future__ import annotations

from typing import Any, Final

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor as Acting
from ops.audit.entry import Entry, Person, PersonKind
from ops.auth.guards import network_address
from ops.crm.changes import Actor, Change, Hook

_PERSONS: Final[dict[str, PersonKind]] = {
    "contacts": "contact",
    "attendees": "attendee",
    "users": "user",
}
_HEARD: Final = frozenset(
    {
        "stage",
        "lead_status",
        "marketing_consent",
        "email_consent",
        "sms_consent",
        "phone_consent",
    }
)
"""Columns whose triggers write down who changed them."""
_ABOUT: Final[tuple[tuple[str, PersonKind], ...]] = (
    ("contact_id", "contact"),
    ("attendee_id", "attendee"),
    ("user_id", "user"),
)


def acting(actor: Actor) -> Acting:
    """Who acts, as the audit log names it."""
    return Acting("user", actor.staff.user_id, network_address(actor.address))


def entry_of(change: Change) -> Entry:
    """The entry that tells a change."""
    after: dict[str, Any] | None = None
    if change.verb == "create":
        after = {k: v for k, v in (change.after or {}).items() if v is not None}
        after.pop("etag", None)
    elif change.values:
        after = dict(change.values)
    return Entry(
        acting(change.actor),
        f"{change.resource.name}.{change.verb}",
        change.resource.name,
        change.id,
        change.event_id,
        before=change.before,
        after=after,
        person=_person(change),
    )


def _person(change: Change) -> Person | None:
    """Whose values the row holds: its own person's, or those of whom it is about."""
    kind = _PERSONS.get(change.resource.name)
    if kind is not None:
        return Person(kind, change.id)
    row = change.after or change.before or {}
    for column, about in _ABOUT:
        if row.get(column) is not None:
            return Person(about, row[column])
    return None


def audited(auditor: Auditor) -> Hook:
    """The hook that writes each change down."""

    async def hook(db: Any, change: Change) -> None:
        await auditor.record(db, entry_of(change))

    return hook


def named(auditor: Auditor) -> Hook:
    """The hook that tells PostgreSQL's triggers who acts (stages, consents)."""

    async def hook(db: Any, change: Change) -> None:
        # A lead begins at a stage, whatever is said.
        begins = change.verb == "create" and change.resource.name != "contacts"
        if begins or change.values.keys() & _HEARD:
            await auditor.act_as(db, acting(change.actor))

    return hook
