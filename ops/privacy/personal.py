"""Where personal values lie in PostgreSQL, and what an erasure leaves in their place.

Pure. `WIPES` are the columns of rows that belong to a person. What other rows say about
them (a note about a colleague, a line of an import's problems) is found by value, in
every text of every table but `UNTOUCHED`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

Link = Literal["contact", "attendee", "ticket", "profile"]

GONE: Final = "(erased)"
NAME_GONE: Final = "Erased"
ADDRESS_GONE: Final = "erased.invalid"
"""A domain that can never exist: contacts need an address, and a unique one."""
NAME_LENGTH_MIN: Final = 6
"""A shorter name is a word of the language: replacing it would harm other texts."""
PHONE_DIGITS_MIN: Final = 7
APART: Final = r"[ ().\-]*"
"""What may stand between two digits of a number."""


class Wipe(NamedTuple):
    """Columns of a table to overwrite, in the rows that `column` links to a person."""

    table: str
    link: Link
    column: str
    sets: dict[str, str]

    @property
    def statement(self) -> str:
        """UPDATE .. with the ids of the persons as $1."""
        sets = ", ".join(f"{name} = {value}" for name, value in self.sets.items())
        return f"UPDATE {self.table} SET {sets} WHERE {self.column} = ANY($1::uuid[])"


def _nothing(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "NULL")


_NAME: Final = f"'{NAME_GONE}'"
_TEXT: Final = f"'{GONE}'"
_ADDRESS: Final = f"'erased-' || id || '@{ADDRESS_GONE}'"

WIPES: Final = (
    Wipe(
        "public.contacts",
        "contact",
        "id",
        {
            "first_name": _NAME,
            "last_name": "''",
            "email": _ADDRESS,
            "status": "'deleted'",
            "tags": "'{}'",
            "lead_score": "0",
            "contact_type": "'individual'",
            "country": "NULL",
            "profile_id": "NULL",
            "company_id": "NULL",
            "assigned_to": "NULL",
            "marketing_consent": "false",
            "email_consent": "false",
            "sms_consent": "false",
            "phone_consent": "false",
            **_nothing(
                "phone",
                "phone_normal",
                "date_of_birth",
                "gender",
                "address_line1",
                "address_line2",
                "city",
                "state_province",
                "postal_code",
                "lead_source",
                "job_title",
                "industry",
                "annual_income_range",
            ),
        },
    ),
    Wipe(
        "public.attendees",
        "attendee",
        "id",
        {
            "first_name": _NAME,
            "last_name": "''",
            "flags": "'{}'",
            "notes": "'{}'",
            "custom": "'{\"erased\": true}'",
            **_nothing(
                "email",
                "email_as_given",
                "phone",
                "company",
                "job_title",
                "language",
                "accessibility_needs",
            ),
        },
    ),
    Wipe(
        "public.profiles",
        "profile",
        "id",
        {"email": _ADDRESS, **_nothing("full_name", "avatar_url", "phone")},
    ),
    Wipe("public.orders", "contact", "contact_id", _nothing("language")),
    Wipe("public.tickets", "ticket", "id", _nothing("blocked_reason")),
    Wipe(
        "public.interactions",
        "contact",
        "contact_id",
        _nothing("subject", "content", "outcome", "next_action"),
    ),
    Wipe(
        "public.notes",
        "contact",
        "contact_id",
        {"content": _TEXT, **_nothing("title")},
    ),
    Wipe(
        "public.tasks",
        "contact",
        "contact_id",
        {"title": _TEXT, **_nothing("description")},
    ),
    Wipe(
        "public.leads",
        "contact",
        "contact_id",
        _nothing(
            "budget_range",
            "decision_timeline",
            "decision_makers",
            "pain_points",
            "requirements",
        ),
    ),
    Wipe(
        "public.opportunities",
        "contact",
        "contact_id",
        {
            "name": _TEXT,
            **_nothing("description", "competitor", "win_reason", "loss_reason"),
        },
    ),
    Wipe(
        "public.speakers",
        "contact",
        "contact_id",
        _nothing(
            "bio",
            "expertise_areas",
            "certifications",
            "website_url",
            "linkedin_url",
            "twitter_handle",
            "company_affiliation",
            "travel_arrangements",
            "accommodation_needs",
            "dietary_restrictions",
            "headshot_url",
            "bio_image_url",
            "video_intro_url",
        ),
    ),
    Wipe(
        "public.promoters",
        "contact",
        "contact_id",
        _nothing("company_name", "tax_id", "phone", "email", "address"),
    ),
    Wipe(
        "public.event_feedback",
        "attendee",
        "attendee_id",
        {
            "is_anonymous": "true",
            **_nothing(
                "comments",
                "suggestions",
                "best_aspects",
                "improvement_areas",
                "session_comments",
            ),
        },
    ),
    *(
        Wipe(
            "public.networking_connections",
            "attendee",
            column,
            _nothing(
                "connection_reason",
                "message",
                "meeting_location",
                "meeting_notes",
                "follow_up_notes",
            ),
        )
        for column in ("requester_id", "target_id")
    ),
    Wipe(
        "ops.sponsor_leads",
        "attendee",
        "attendee_id",
        {"answers": "'{}'", **_nothing("notes")},
    ),
    Wipe("ops.guest_list_entries", "ticket", "ticket_id", _nothing("decision_reason")),
    Wipe("ops.incidents", "ticket", "ticket_id", {"summary": _TEXT}),
    Wipe("ops.consents", "contact", "contact_id", _nothing("evidence", "key_id")),
)

UNTOUCHED: Final = frozenset(
    {
        "ops.audit_log",  # sealed under the person's key, which is deleted
        "ops.audit_seals",
        "ops.consent_texts",  # the organiser's own words
        "ops.facts",  # ids
        "ops.schema_version",
        "ops.stage_changes",
        "public.users",  # people who work here: another erasure
        "ops.operators",
        "public.roles",
    }
)
"""Tables that a search by value leaves alone."""


WORD_LENGTH_MIN: Final = 4


def words(names: Sequence[str]) -> str:
    """A pattern for any longer word of these names; '' if there is none.

    Only for texts that are of no use but may be about the person: a file's name.
    """
    found = {
        escaped(word)
        for name in names
        for word in name.split()
        if len(word) >= WORD_LENGTH_MIN
    }
    return "|".join(sorted(found))


class Traces(NamedTuple):
    """By what a person is found in texts: regular expressions of PostgreSQL.

    `hints` find at least what `patterns` find, in small letters and without looking
    around, which makes them twenty times as fast: of a million rows they leave the few
    that the patterns are asked about.
    """

    patterns: tuple[str, ...]
    hints: tuple[str, ...]

    @property
    def hint(self) -> str:
        """All hints in one, for a text in small letters."""
        return "|".join(self.hints)

    @property
    def pattern(self) -> str:
        """All of them in one."""
        return "|".join(self.patterns)


def traces(
    emails: Sequence[str], phones: Sequence[str], names: Sequence[str]
) -> Traces:
    """Patterns for addresses, numbers however they are written, and full names.

    Args:
        names: only those that nobody else has.
    """
    addresses = [
        escaped(email)
        for email in emails
        if "@" in email and not email.endswith(ADDRESS_GONE)
    ]
    found = [rf"(?<![\w.+-]){address}(?![\w-])" for address in addresses]
    found += [_number(phone) for phone in phones if _long(phone)]
    hints = [address.lower() for address in addresses]
    hints += [_last_digits(phone) for phone in phones if _long(phone)]
    for name in names:
        words = name.split()
        if len(words) > 1 and len(name) >= NAME_LENGTH_MIN:
            found.append(r"\s+".join(escaped(word) for word in words))
            hints.append(r"\s+".join(_small(word) for word in words))
    return Traces(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(hints)))


def _long(phone: str) -> bool:
    return len(re.sub(r"\D", "", phone)) >= PHONE_DIGITS_MIN


def _number(phone: str) -> str:
    """A number however it is spaced, with the country's code or without it."""
    digits = re.sub(r"\D", "", phone)
    own = 10 if len(digits) == 11 and digits[0] == "1" else min(9, len(digits))
    apart = APART
    country = apart.join(digits[:-own])
    before = f"(?:{country}{apart})?0?" if country else "0?"
    return rf"\+?(?<!\d){before}\(?{apart.join(digits[-own:])}(?!\d)"


def _last_digits(phone: str) -> str:
    """The end of a number, however it is spaced."""
    return APART.join(re.sub(r"\D", "", phone)[-PHONE_DIGITS_MIN:])


def _small(word: str) -> str:
    """A word in small letters; one of two small forms may be anything."""
    parts = re.split("[İıſßẞσςΣ]", word)
    return ".{1,3}".join(escaped(part.lower()) for part in parts)


def escaped(text: str) -> str:
    """A text that stands for itself in a regular expression of PostgreSQL."""
    return re.sub(r"([\\.^$*+?()\[\]{}|\-/])", r"\\\1", text)
