"""What a value must be before it goes to the database, and its one written form.

Pure. Each rule that the schema has stands in `Field`; here they are checked first, so
that the answer names the field and what is allowed, and nothing is rounded or cut
silently. Rules by name (`_BY_NAME`) hold for a column wherever it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from ops.crm.fields import LIST_LENGTH_MAX, Field
from ops.errors import FieldProblem

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""No date of an event or a life lies outside; far ones overflow in some time zone."""
_CURRENCY: Final = re.compile(r"^[A-Z]{3}$")
_LANGUAGE: Final = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
_SLUG: Final = re.compile(r"^[a-z0-9]+(?:-[a-z0-9]+)*$")
_URL: Final = re.compile(r"^(https?://|/)[^\s]+$")


def checked(fields: Iterable[Field], values: dict[str, Any]) -> list[FieldProblem]:
    """Put the values into their written form, in place; returns what is wrong.

    Args:
        values: by column; those that are not there are not looked at.
    """
    problems = []
    for field in fields:
        if field.name not in values:
            continue
        value, problem = _one(field, values[field.name])
        values[field.name] = value
        if problem is not None:
            problems.append(problem)
    return problems


def _one(field: Field, value: Any) -> tuple[Any, FieldProblem | None]:
    name = field.name
    if value is None:
        if field.nullable:
            return None, None
        return None, FieldProblem(name, "missing", "This field is required.")
    problem = _by_kind(field, value)
    if problem is None and field.allowed is not None:
        problem = _not_a_word(field, value)
    if problem is None and (rule := _BY_NAME.get(name)) and isinstance(value, str):
        form, said = rule(value)
        if said:
            problem = FieldProblem(name, "bad_value", said)
        value = form
    return value, problem


def _not_a_word(field: Field, value: Any) -> FieldProblem | None:
    assert field.allowed is not None
    words = value if isinstance(value, list) else [value]
    if all(word in field.allowed for word in words):
        return None
    return FieldProblem(
        field.name,
        "not_allowed",
        f"Allowed here: {', '.join(field.allowed)}.",
        list(field.allowed),
    )


def _by_kind(field: Field, value: Any) -> FieldProblem | None:
    name = field.name
    if isinstance(value, str):
        if len(value) > field.length_max:
            said = f"At most {field.length_max} characters."
            return FieldProblem(name, "too_long", said)
        if not value.strip() and not field.nullable and not field.has_default:
            return FieldProblem(name, "missing", "This field is required.")
        return None
    if isinstance(value, list):
        if len(value) > LIST_LENGTH_MAX:
            said = f"At most {LIST_LENGTH_MAX} entries."
            return FieldProblem(name, "too_long", said)
        if any(isinstance(v, str) and len(v) > field.length_max for v in value):
            return FieldProblem(name, "too_long", "An entry is too long.")
        return None
    if isinstance(value, datetime):
        return _in_time(name, value)
    if isinstance(value, date):
        if EARLIEST.date() <= value <= LATEST.date():
            return None
        return FieldProblem(name, "out_of_range", "Between 1900 and 2200.")
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _number(field, Decimal(value))
    return None


def _in_time(name: str, value: datetime) -> FieldProblem | None:
    if value.tzinfo is None:
        return FieldProblem(name, "no_zone", "Say the zone: 2026-11-26T18:00:00Z.")
    # Without arithmetic: 0001-01-01 with an offset cannot be brought to UTC.
    if EARLIEST.year < value.year < LATEST.year:
        return None
    return FieldProblem(name, "out_of_range", "Between 1900 and 2200.")


def _number(field: Field, value: Decimal) -> FieldProblem | None:
    if not value.is_finite():
        return FieldProblem(field.name, "bad_value", "A finite number is needed.")
    low, high = field.low, field.high
    if (low is not None and value < low) or (high is not None and value > high):
        said = f"Between {low} and {high}."
        allowed = [str(low), str(high)]
        return FieldProblem(field.name, "out_of_range", said, allowed)
    exponent = value.as_tuple().exponent
    if field.scale is not None and isinstance(exponent, int):
        places = -exponent
        if places > field.scale and value != round(value, field.scale):
            said = f"At most {field.scale} places after the point."
            return FieldProblem(field.name, "too_precise", said)
    return None


def email_form(text: str) -> tuple[str, str | None]:
    """The stored form of an address (NFC, trimmed, lower case), or why it is none."""
    form = unicodedata.normalize("NFC", text).strip().lower()
    try:
        validate_email(form, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return form, "This is no e-mail address."
    return form, None


def _zone(text: str) -> tuple[str, str | None]:
    known = text in available_timezones()
    return text, None if known else "Not a time zone, like America/Toronto."


def _matching(
    pattern: re.Pattern[str], said: str
) -> Callable[[str], tuple[str, str | None]]:
    def rule(text: str) -> tuple[str, str | None]:
        return text, None if pattern.match(text) else said

    return rule


_web = _matching(_URL, "An address begins with https:// (or http://, or /).")
_BY_NAME: Final[dict[str, Callable[[str], tuple[str, str | None]]]] = {
    "email": email_form,
    "contact_email": email_form,
    "timezone": _zone,
    "currency": _matching(_CURRENCY, "Three capital letters, like CAD."),
    "language": _matching(_LANGUAGE, "A language, like en or fr-CA."),
    "slug": _matching(_SLUG, "Small letters, digits and single hyphens."),
    "website": _web,
    "website_url": _web,
    "linkedin_url": _web,
    "file_url": _web,
    "logo_url": _web,
    "avatar_url": _web,
    "recording_url": _web,
    "map_image_url": _web,
    "contract_url": _web,
    "headshot_url": _web,
    "bio_image_url": _web,
    "video_intro_url": _web,
    "presentation_slides_url": _web,
}
