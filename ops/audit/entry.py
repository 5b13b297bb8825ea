"""One entry of the audit log, and which of its values are personal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

PersonKind = Literal["contact", "attendee", "user"]
TEXT_LENGTH_MAX: Final = 4_000
"""A longer value is cut: the log says what changed, it is no archive of documents."""

PLAIN: Final = frozenset(
    {
        "access_class",
        "account_type",
        "admits",
        "amount",
        "amount_paid",
        "basis",
        "campaign_type",
        "company_size",
        "contact_type",
        "currency",
        "delta",
        "direction",
        "discount_total",
        "due_date",
        "email_consent",
        "enabled",
        "estimated_value",
        "expected_close_date",
        "id",
        "interaction_type",
        "is_anonymous",
        "is_important",
        "is_private",
        "keep_days",
        "lead_score",
        "lead_source",
        "lead_status",
        "level",
        "marketing_consent",
        "note_type",
        "phone_consent",
        "points",
        "price",
        "priority",
        "probability",
        "probability_percentage",
        "purpose",
        "quantity",
        "reminder_date",
        "reminder_sent",
        "signal",
        "sms_consent",
        "stage",
        "state",
        "status",
        "subtotal",
        "task_type",
        "tax_total",
        "total",
        "version",
    }
)
"""Fields whose values say nothing about who a person is."""
PLAIN_ENDINGS: Final = ("_id", "_at")
SECRET: Final = frozenset(
    {
        "badge_code_hash",
        "code_hash",
        "csrf_hash",
        "key_sealed",
        "password",
        "password_hash",
        "pin",
        "pin_hash",
        "private_key_sealed",
        "text_sealed",
        "token_hash",
    }
)
"""Fields that the log never holds, not even sealed."""
UNSAID: Final = "(changed)"


class Actor(NamedTuple):
    """Who acts: `user`, `device`, `operator`, `attendee` or `system`; from where."""

    kind: str
    id: UUID | None = None
    ip: str | None = None


SYSTEM: Final = Actor("system")


class Person(NamedTuple):
    """Whom an entry is about: the key that its values are sealed under."""

    kind: PersonKind
    id: UUID


class Entry(NamedTuple):
    """Something that was done.

    Args:
        action: `<resource>.<verb>`, for example `contacts.update`, `login.failed`.
        before, after: columns and values; only those that differ are kept if both are
            given. An insert has no `before`, a delete no `after`.
        person: whom the values are about. None: values that may be personal are not
            kept at all, only that they changed.
        detail: what else is worth knowing; must not hold personal values.
    """

    actor: Actor
    action: str
    target_kind: str | None = None
    target_id: UUID | None = None
    event_id: UUID | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    person: Person | None = None
    detail: Mapping[str, Any] | None = None


class Parts(NamedTuple):
    """The values of an entry: in the clear, and to be sealed."""

    plain: dict[str, Any]
    personal: dict[str, Any]


def changed(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sides without what is equal, and without what the log never holds."""
    old, new = dict(before or {}), dict(after or {})
    if before is not None and after is not None:
        # A patch names some columns: of the others only the old value is known.
        old = {name: old[name] for name in new if name in old}
        same = {name for name in old if old[name] == new[name]}
        old = {name: value for name, value in old.items() if name not in same}
        new = {name: value for name, value in new.items() if name not in same}
    for side in (old, new):
        for name in SECRET & set(side):
            side[name] = UNSAID
    return old, new


def split(entry: Entry) -> Parts:
    """What of an entry lies in the clear, and what is sealed.

    Without a person nothing can be sealed: then a value that may be personal is told
    as changed and not kept.
    """
    plain: dict[str, Any] = dict(entry.detail or {})
    personal: dict[str, Any] = {}
    for side, values in zip(
        ("before", "after"), changed(entry.before, entry.after), strict=True
    ):
        open_values, closed = {}, {}
        for name, value in values.items():
            if is_plain(name) or value is None or isinstance(value, bool):
                open_values[name] = value
            elif name in SECRET or entry.person is None:
                open_values[name] = UNSAID
            else:
                closed[name] = _cut(value)
        if open_values:
            plain[side] = open_values
        if closed:
            personal[side] = closed
    return Parts(plain, personal)


def is_plain(name: str) -> bool:
    """Whether values of a column lie in the clear."""
    return name in PLAIN or name.endswith(PLAIN_ENDINGS)


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > TEXT_LENGTH_MAX:
        return value[:TEXT_LENGTH_MAX] + "…"
    if isinstance(value, bytes):
        return UNSAID
    return value
