"""Which header of a file is which column, and what its cells say. Pure.

A mapping `{"columns": {"Header": "column"}}` counts; else headers are recognised by
name, in English and French. Beside the columns of a table some resources know names of
other rows: a contact's `company`, a lead's `contact_email`, a ticket's `ticket_type`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from ops.crm.fields import Field
from ops.crm.resource import Resource
from ops.errors import FieldProblem, Unprocessable
from ops.sheets.cells import unescape


class Lookup(NamedTuple):
    """A cell that names another row: `column` takes the id of the row of `resource`
    whose `by` is the cell; `make`: a row that is not there is made."""

    column: str
    resource: str
    by: str
    make: bool = False


LOOKUPS: Final[dict[str, dict[str, Lookup]]] = {
    "contacts": {"company": Lookup("company_id", "companies", "name", True)},
    "leads": {
        "contact_email": Lookup("contact_id", "contacts", "email"),
        "company": Lookup("company_id", "companies", "name", True),
    },
    "tickets": {
        "ticket_type": Lookup("ticket_type_id", "ticket_types", "name"),
        "order_number": Lookup("order_id", "orders", "order_number"),
    },
}
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "contacts": ("email", "id"),
    "companies": ("name", "id"),
    "leads": ("id",),
    "tickets": ("external_ref", "id"),
}
"""By what a row of the file is a row that is there; the first is the default."""

_SYNONYMS: Final[dict[str, str]] = {
    "prenom": "first_name",
    "given name": "first_name",
    "nom": "last_name",
    "nom de famille": "last_name",
    "family name": "last_name",
    "surname": "last_name",
    "courriel": "email",
    "e mail": "email",
    "adresse courriel": "email",
    "email address": "email",
    "telephone": "phone",
    "phone number": "phone",
    "mobile": "phone",
    "entreprise": "company",
    "societe": "company",
    "organisation": "company",
    "organization": "company",
    "company name": "company",
    "fonction": "job_title",
    "titre": "job_title",
    "ville": "city",
    "pays": "country",
    "province": "state_province",
    "state": "state_province",
    "code postal": "postal_code",
    "zip": "postal_code",
    "secteur": "industry",
    "site web": "website",
    "source": "lead_source",
    "value": "estimated_value",
    "valeur": "estimated_value",
    "type": "ticket_type",
    "seat": "seat_label",
    "siege": "seat_label",
    "reference": "external_ref",
}
_TRUE: Final = frozenset({"1", "true", "yes", "y", "oui", "o", "vrai", "x"})
_FALSE: Final = frozenset({"0", "false", "no", "n", "non", "faux"})


def plain(header: str) -> str:
    """A header without accents, case, and signs between words."""
    text = unicodedata.normalize("NFKD", header.strip().lower())
    kept = "".join(
        c if c.isalnum() else " " for c in text if not unicodedata.combining(c)
    )
    return " ".join(kept.split())


def taken(resource: Resource) -> frozenset[str]:
    """The columns that a file may fill."""
    own = {field.name for field in resource.writable(creating=True)} | {"id"}
    return frozenset(own | set(LOOKUPS.get(resource.name, {})))


def mapped(
    resource: Resource, header: Sequence[str], said: Mapping[str, str] | None
) -> dict[int, str]:
    """The column of each cell that has one, by the cell's place.

    Raises:
        Unprocessable: a mapping names a header or column that is not there, or two
            headers mean one column.
    """
    known = taken(resource)
    if said is not None:
        return _as_said(header, said, known)
    found: dict[int, str] = {}
    for at, text in enumerate(header):
        word = plain(text)
        column = word.replace(" ", "_")
        if column not in known:
            column = _SYNONYMS.get(word, "")
        if column in known and column not in found.values():
            found[at] = column
    return found


def _as_said(
    header: Sequence[str], said: Mapping[str, str], known: frozenset[str]
) -> dict[int, str]:
    problems = []
    found: dict[int, str] = {}
    for text, column in said.items():
        if text not in header:
            detail = f"The file has no header {text[:100]!r}."
            problems.append(FieldProblem("mapping", "unknown_header", detail))
        elif column not in known or column in found.values():
            detail = f"{column[:100]}: not a column, or named twice."
            problems.append(
                FieldProblem("mapping", "not_allowed", detail, sorted(known))
            )
        else:
            found[header.index(text)] = column
    if problems:
        raise Unprocessable(problems[0].detail, errors=problems)
    return found


def value_of(field: Field, cell: str) -> Any:
    """What a cell says, None for an empty one.

    Raises:
        ValueError: it cannot be read as the column's kind; the text says why.
    """
    text = unescape(cell).strip()
    if not text:
        return None
    if field.kind == "text":
        return text
    if field.kind == "boolean":
        word = plain(text)
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise ValueError("Say yes or no.")
    if field.kind in ("texts", "uuids"):
        parts: Any = [part.strip() for part in text.split(";") if part.strip()]
    elif field.kind in ("json", "objects"):
        raise ValueError("Not taken from a file.")
    elif field.kind in ("integer", "decimal"):
        parts = _number(text)
    else:
        parts = text
    try:
        return msgspec.convert(parts, field.python, strict=False)
    except (msgspec.ValidationError, OverflowError):
        raise ValueError(f"Not a {field.kind}.") from None


def _number(text: str) -> str:
    """12 500,50 $ and 12,500.50 as 12500.50."""
    digits = "".join(c for c in text if c.isdigit() or c in ",.-")
    if "," in digits and "." in digits:
        point = max(digits.rfind(","), digits.rfind("."))
        head = digits[:point].replace(",", "").replace(".", "")
        return f"{head}.{digits[point + 1 :]}"
    if digits.count(",") == 1 and len(digits) - digits.index(",") != 4:
        return digits.replace(",", ".")
    return digits.replace(",", "")
