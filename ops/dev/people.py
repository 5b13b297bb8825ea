"""The five thousand people of the sample, who come evening after evening. Pure.

They buy in groups: one buyer with an e-mail address, who is a contact of the CRM, and
perhaps friends who come under their own names with the buyer's address. Some have no
address at all; they are attendees without a contact.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec

from ops.dev import names, seeds
from ops.dev.programme import ATTENDEES
from ops.dev.tables import Row, Table

COMPANIES = 300
_GROUP_SIZES = (1, 2, 3, 4, 5)
_GROUP_WEIGHTS = (70, 15, 8, 5, 2)
_WITHOUT_EMAIL = 0.03
_WITH_COMPANY = 0.7
_DOMAINS = ("example.org", "example.com", "example.net")


class Person(msgspec.Struct, frozen=True):
    """Somebody who comes; `buyer` is the position of the one who pays."""

    name: names.Name
    buyer: int
    email: str | None
    contact_id: UUID | None
    company: str | None
    job_title: str
    language: str


class People(msgspec.Struct, frozen=True):
    """All of them, and the rows that put them into an empty CRM."""

    persons: list[Person]
    tables: list[Table]


def build(seed: int, at: datetime) -> People:
    """The people of a seed; `at` is when they came into the CRM."""
    rng = seeds.rng(seed, "people")
    companies = [
        (seeds.uuid7(rng, at), name) for name in names.companies(rng, COMPANIES)
    ]
    persons: list[Person] = []
    contacts: list[Row] = []
    for size in _groups(rng):
        buyer = len(persons)
        name = _name(rng, buyer)
        address = None
        if rng.random() >= _WITHOUT_EMAIL:
            address = email(name, buyer, rng)
        contact_id = seeds.uuid7(rng, at) if address else None
        company = rng.choice(companies) if rng.random() < _WITH_COMPANY else None
        language = "fr" if rng.random() < 0.22 else "en"
        job = names.job(rng)
        if address:
            contacts.append(
                {
                    "id": contact_id,
                    "first_name": name.first,
                    "last_name": name.last,
                    "email": address,
                    "company_id": company[0] if company else None,
                    "job_title": job,
                    "lead_source": "event",
                    "lead_score": rng.randrange(101),
                    "email_consent": rng.random() < 0.5,
                    "created_at": at,
                }
            )
        for _ in range(size):
            persons.append(
                Person(
                    name if len(persons) == buyer else _name(rng, len(persons)),
                    buyer,
                    address,
                    contact_id,
                    company[1] if company else None,
                    job if len(persons) == buyer else names.job(rng),
                    language,
                )
            )
    tables = [_companies(companies, at, rng), Table("contacts", contacts)]
    return People(persons, tables)


def email(name: names.Name, number: int, rng: random.Random) -> str:
    """A normalised address, unique by its number, in a domain nobody owns."""
    plain = unicodedata.normalize("NFKD", name.full.lower())
    letters = "".join(c if c.isascii() and c.isalnum() else "." for c in plain)
    word = ".".join(part for part in letters.split(".") if part)[:40] or "guest"
    return f"{word}.{number}@{rng.choice(_DOMAINS)}"


def _groups(rng: random.Random) -> Iterator[int]:
    left = ATTENDEES
    while left:
        size = min(left, rng.choices(_GROUP_SIZES, _GROUP_WEIGHTS)[0])
        left -= size
        yield size


def _name(rng: random.Random, position: int) -> names.Name:
    """One in 200 is awkward, each of them at least once."""
    if position % 200 == 7 and position // 200 < len(names.AWKWARD):
        return names.AWKWARD[position // 200]
    return names.person(rng)


def _companies(
    companies: list[tuple[UUID, str]], at: datetime, rng: random.Random
) -> Table:
    sizes = ("startup", "small", "medium", "large", "enterprise")
    rows = [
        {
            "id": id_,
            "name": name,
            "company_size": rng.choice(sizes),
            "city": "Toronto",
            "state_province": "Ontario",
            "account_type": "customer",
            "created_at": at,
        }
        for id_, name in companies
    ]
    return Table("companies", rows)
