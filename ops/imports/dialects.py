"""Whose export a file is, and which of its columns is what. Pure.

A dialect is recognised by its headers, in any of its languages and any order. What no
dialect knows takes a mapping from the organiser; `suggest` proposes one from the
headers. The words were read from the programs that write them (`docs/subsystems/
import.md` says which, and which are from their documentation only).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

UNNAMED_SELLER = "import"
"""Stands for the seller of a file that is nobody's known export, until one is named."""


class Field(StrEnum):
    """What a column can be."""

    CODE = "code"
    REF = "ref"
    ORDER = "order"
    POSITION = "position"
    PARENT = "parent"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMAIL = "email"
    BUYER_NAME = "buyer_name"
    BUYER_EMAIL = "buyer_email"
    PHONE = "phone"
    COMPANY = "company"
    JOB_TITLE = "job_title"
    TYPE = "type"
    VARIATION = "variation"
    QUANTITY = "quantity"
    PRICE = "price"
    CURRENCY = "currency"
    STATUS = "status"
    PAID = "paid"
    BLOCKED = "blocked"
    SEAT = "seat"
    NOTE = "note"
    LANGUAGE = "language"
    ORDER_DATE = "order_date"
    ORDER_TIME = "order_time"
    VALID_FROM = "valid_from"
    VALID_TO = "valid_to"


class Dialect(msgspec.Struct, frozen=True):
    """An exporter: its headers by field, and the headers that give it away."""

    name: str
    seller: str
    headers: Mapping[Field, tuple[str, ...]]
    # Each group must be there by one of its fields.
    needs: tuple[tuple[Field, ...], ...]
    # One of these headers must be there literally, where fields alone are common words.
    marks: tuple[str, ...] = ()


class Columns(msgspec.Struct, frozen=True):
    """Which column holds which field; a note may stand in several columns."""

    dialect: str
    seller: str
    by_field: dict[Field, int]
    notes: tuple[int, ...] = ()


def normal(header: str) -> str:
    """A header as it is compared: case, spaces and their kinds do not count."""
    text = unicodedata.normalize("NFKC", header).casefold().replace("’", "'")
    return re.sub(r"\s*:\s*", ": ", " ".join(text.split())).strip()


_F = Field

PRETIX_POSITIONS = Dialect(
    "pretix_positions",
    "pretix",
    {
        _F.ORDER: ("order code", "bestellnummer", "code de commande"),
        _F.POSITION: ("position id", "position", "id de la position"),
        _F.PARENT: (
            "add-on to position id",
            "zusatzprodukt zu position",
            "add-on à la position id",
        ),
        _F.STATUS: ("status", "statut"),
        _F.BUYER_EMAIL: ("email", "e-mail"),
        _F.PHONE: ("phone number", "telefonnummer", "numéro de téléphone"),
        _F.ORDER_DATE: ("order date", "bestelldatum", "date de commande"),
        _F.ORDER_TIME: ("order time", "bestelluhrzeit", "heure de commande"),
        _F.TYPE: ("product", "produkt", "produit"),
        _F.VARIATION: ("variation", "variante"),
        _F.PRICE: ("price", "preis", "prix"),
        _F.NAME: ("attendee name", "name teilnehmer*in", "nom du participant"),
        _F.FIRST_NAME: (
            "attendee name: given name",
            "name teilnehmer*in: vorname",
            "nom du participant: prénom",
        ),
        _F.LAST_NAME: (
            "attendee name: family name",
            "name teilnehmer*in: nachname",
            "nom du participant: nom de famille",
        ),
        _F.EMAIL: ("attendee email", "e-mail teilnehmer*in", "e-mail du participant"),
        _F.COMPANY: (
            "attendee company",
            "teilnehmer*innen-firma",
            "entreprise du participant",
        ),
        _F.CODE: ("ticket secret", "ticket-code", "secret du billet"),
        _F.SEAT: ("seat name", "sitzbezeichnung", "nom du siège"),
        _F.BLOCKED: ("blocked", "gesperrt", "bloqué"),
        _F.VALID_FROM: ("valid from", "gültig ab", "valable depuis"),
        _F.VALID_TO: ("valid until", "gültig bis", "valable jusqu'au"),
        # No note: the order's comment is the organiser's own, the check-in text of
        # the check-in list is meant for the door.
        _F.BUYER_NAME: (
            "invoice address name",
            "rechnungsadresse: name",
            "nom de l'adresse de facturation",
        ),
        _F.LANGUAGE: ("order locale", "bestellsprache", "langue de la commande"),
    },
    ((_F.ORDER,), (_F.POSITION,), (_F.CODE,), (_F.STATUS,)),
)

PRETIX_CHECKIN = Dialect(
    "pretix_checkin",
    "pretix",
    {
        _F.ORDER: PRETIX_POSITIONS.headers[_F.ORDER],
        _F.NAME: PRETIX_POSITIONS.headers[_F.NAME],
        _F.FIRST_NAME: (
            "attendee name: given name",
            "teilnehmer*innenname: vorname",
            "nom du participant: prénom",
        ),
        _F.LAST_NAME: (
            "attendee name: family name",
            "teilnehmer*innenname: nachname",
            "nom du participant: nom de famille",
        ),
        _F.TYPE: PRETIX_POSITIONS.headers[_F.TYPE],
        _F.PRICE: PRETIX_POSITIONS.headers[_F.PRICE],
        _F.PAID: ("paid", "bezahlt", "payé"),
        _F.CODE: ("secret",),
        _F.EMAIL: ("email", "e-mail"),
        _F.PHONE: PRETIX_POSITIONS.headers[_F.PHONE],
        _F.COMPANY: ("company", "firma", "entreprise"),
        _F.ORDER_DATE: PRETIX_POSITIONS.headers[_F.ORDER_DATE],
        _F.ORDER_TIME: PRETIX_POSITIONS.headers[_F.ORDER_TIME],
        _F.NOTE: ("check-in text", "check-in-hinweis", "texte d'enregistrement"),
        _F.SEAT: PRETIX_POSITIONS.headers[_F.SEAT],
        _F.BLOCKED: PRETIX_POSITIONS.headers[_F.BLOCKED],
        _F.VALID_FROM: PRETIX_POSITIONS.headers[_F.VALID_FROM],
        _F.VALID_TO: PRETIX_POSITIONS.headers[_F.VALID_TO],
    },
    ((_F.ORDER,), (_F.TYPE,), (_F.CODE,)),
    (
        "automatically checked in",
        "automatisch eingecheckt",
        "enregistrement automatique",
    ),
)

EVENTBRITE = Dialect(
    "eventbrite",
    "eventbrite",
    {
        _F.ORDER: (
            "order #",
            "order id",
            "order no.",
            "bestellnr.",
            "bestellung nr.",
            "bestell-id",
            "bestellnummer",
            "n° de commande",
            "no de commande",
            "commande n°",
            "id de commande",
        ),
        _F.REF: (
            "attendee #",
            "attendee no.",
            "attendee id",
            "teilnehmernr.",
            "teilnehmer nr.",
            "teilnehmer-id",
            "n° de participant",
            "no de participant",
            "participant n°",
            "id du participant",
        ),
        _F.CODE: (
            "barcode #",
            "barcode",
            "barcode no.",
            "barcode number",
            "barcode-nr.",
            "strichcode",
            "strichcode-nr.",
            "code-barres",
            "code barres",
            "n° de code-barres",
            "code-barres n°",
        ),
        _F.ORDER_DATE: (
            "order date",
            "bestelldatum",
            "date de la commande",
            "date de commande",
        ),
        _F.NAME: ("attendee name", "name", "teilnehmername", "nom du participant"),
        _F.FIRST_NAME: ("attendee first name", "first name", "vorname", "prénom"),
        _F.LAST_NAME: (
            "attendee last name",
            "attendee surname",
            "last name",
            "surname",
            "nachname",
            "nom de famille",
            "nom",
        ),
        _F.EMAIL: (
            "attendee email",
            "email",
            "email address",
            "e-mail",
            "e-mail-adresse",
            "adresse e-mail",
            "courriel",
        ),
        _F.BUYER_NAME: ("buyer name", "name des käufers", "nom de l'acheteur"),
        _F.BUYER_EMAIL: ("buyer email", "e-mail des käufers", "e-mail de l'acheteur"),
        _F.PHONE: (
            "cell phone",
            "mobile phone",
            "home phone",
            "work phone",
            "phone number",
            "handynummer",
            "mobiltelefon",
            "téléphone portable",
        ),
        _F.COMPANY: ("company", "firma", "unternehmen", "entreprise", "société"),
        _F.JOB_TITLE: (
            "job title",
            "berufsbezeichnung",
            "position",
            "fonction",
            "intitulé du poste",
        ),
        _F.TYPE: (
            "ticket type",
            "ticketart",
            "tickettyp",
            "ticket-typ",
            "type de billet",
        ),
        _F.QUANTITY: ("quantity", "ticket quantity", "anzahl", "menge", "quantité"),
        _F.PRICE: (
            "ticket price",
            "total paid",
            "ticketpreis",
            "gesamtbetrag bezahlt",
            "prix du billet",
            "total payé",
        ),
        _F.CURRENCY: ("currency", "währung", "devise"),
        _F.STATUS: ("attendee status", "teilnehmerstatus", "statut du participant"),
        _F.NOTE: ("notes", "attendee notes", "notizen", "remarques"),
    },
    ((_F.ORDER,), (_F.TYPE,), (_F.STATUS, _F.REF)),
)

HIEVENTS = Dialect(
    "hievents",
    "hievents",
    {
        _F.REF: ("short id", "kurz-id", "kurze id", "id court", "identifiant court"),
        _F.CODE: ("public id", "öffentliche id", "id public", "identifiant public"),
        _F.ORDER: ("order id", "bestell-id", "id de commande"),
        _F.FIRST_NAME: ("first name", "vorname", "prénom"),
        _F.LAST_NAME: ("last name", "nachname", "nom de famille"),
        _F.EMAIL: ("email", "e-mail", "courriel"),
        _F.STATUS: ("status", "statut"),
        _F.TYPE: (
            "product name",
            "ticket name",
            "produktname",
            "ticketname",
            "nom du produit",
            "nom du billet",
        ),
        _F.ORDER_DATE: ("created date", "erstellungsdatum", "date de création"),
        _F.NOTE: ("notes", "notizen"),
    },
    ((_F.REF,), (_F.CODE,), (_F.STATUS,)),
)

LUMA = Dialect(
    "luma",
    "luma",
    {
        _F.REF: ("guest_id", "api_id"),
        _F.CODE: ("qr_code_url",),
        _F.NAME: ("name",),
        _F.FIRST_NAME: ("first_name",),
        _F.LAST_NAME: ("last_name",),
        _F.EMAIL: ("email",),
        _F.PHONE: ("phone_number",),
        _F.ORDER_DATE: ("created_at",),
        _F.STATUS: ("approval_status",),
        _F.PRICE: ("amount",),
        _F.CURRENCY: ("currency",),
        _F.TYPE: ("ticket_name",),
    },
    ((_F.REF,), (_F.EMAIL,), (_F.STATUS,)),
)

# The more particular first: a check-in list lacks what a list of positions has.
DIALECTS = (PRETIX_POSITIONS, PRETIX_CHECKIN, HIEVENTS, LUMA, EVENTBRITE)

_OTHERS: Mapping[Field, tuple[str, ...]] = {
    _F.CODE: ("code", "ticket code", "ticketcode", "qr code", "qr-code", "qrcode"),
    _F.REF: ("id", "ticket id", "ticket-id", "reference", "référence", "referenz"),
    _F.ORDER: (
        "order",
        "order number",
        "booking",
        "booking reference",
        "bestellung",
        "commande",
        "numéro de commande",
        "buchungsnummer",
    ),
    _F.NAME: (
        "full name",
        "guest",
        "guest name",
        "holder",
        "teilnehmer",
        "gast",
        "participant",
        "nom complet",
        "nom et prénom",
        "vollständiger name",
    ),
    _F.FIRST_NAME: ("firstname", "given name", "forename", "rufname"),
    _F.LAST_NAME: ("lastname", "family name", "familienname"),
    _F.EMAIL: ("mail", "e-mail address", "email-adresse"),
    _F.PHONE: ("phone", "mobile", "telephone", "telefon", "téléphone"),
    _F.COMPANY: ("organisation", "organization", "employer", "unternehmen"),
    _F.JOB_TITLE: ("title", "role", "funktion"),
    _F.TYPE: (
        "ticket",
        "category",
        "kategorie",
        "catégorie",
        "type",
        "typ",
        "billet",
        "tarif",
    ),
    _F.STATUS: ("state", "zustand", "état"),
    _F.PRICE: ("amount", "betrag", "montant"),
    _F.SEAT: ("seat", "sitzplatz", "platz", "siège", "place"),
    _F.NOTE: ("note", "comment", "comments", "kommentar", "commentaire", "remarks"),
    _F.LANGUAGE: ("language", "sprache", "langue", "locale"),
    _F.QUANTITY: ("qty", "persons", "people", "personen", "personnes", "admits"),
}


def recognise(header: Iterable[str]) -> Columns | None:
    """The columns of a known export, or None."""
    cells = [normal(cell) for cell in header]
    for dialect in DIALECTS:
        columns = _locate(cells, dialect.headers)
        if dialect.marks and not set(dialect.marks) & set(cells):
            continue
        if all(any(field in columns for field in group) for group in dialect.needs):
            return Columns(
                dialect.name, dialect.seller, columns, _notes(cells, dialect.headers)
            )
    return None


def suggest(header: Iterable[str]) -> Columns:
    """The best guess for a file that is nobody's export; may be empty."""
    words: dict[Field, tuple[str, ...]] = dict(_OTHERS)
    for dialect in DIALECTS:
        for field, names in dialect.headers.items():
            words[field] = words.get(field, ()) + names
    cells = [normal(cell).replace("_", " ") for cell in header]
    known = {
        field: tuple(name.replace("_", " ") for name in names)
        for field, names in words.items()
    }
    columns: dict[Field, int] = {}
    for field, place in _locate(cells, known).items():
        if place not in columns.values():
            columns[field] = place
    return Columns("other", UNNAMED_SELLER, columns, _notes(cells, known))


class MappingError(ValueError):
    """A mapping names a field or a column that is not there."""


def mapped(
    header: Iterable[str], mapping: Mapping[str, str], seller: str = UNNAMED_SELLER
) -> Columns:
    """The columns that an organiser named: field -> header of its column.

    Raises:
        MappingError: an unknown field, a header that is not in the file.
    """
    cells = [normal(cell) for cell in header]
    columns: dict[Field, int] = {}
    for word, name in mapping.items():
        try:
            field = Field(word)
        except ValueError:
            known = ", ".join(Field)
            raise MappingError(f"no field is called {word!r}; known: {known}") from None
        if normal(name) not in cells:
            raise MappingError(f"the file has no column {name!r}")
        columns[field] = cells.index(normal(name))
    notes = (columns[_F.NOTE],) if _F.NOTE in columns else ()
    return Columns("other", seller, columns, notes)


def _locate(
    cells: list[str], words: Mapping[Field, tuple[str, ...]]
) -> dict[Field, int]:
    """The first column of each field; the first word of a field wins over the next."""
    places: dict[str, int] = {}
    for place, cell in enumerate(cells):
        # Two address blocks of pretix share their headers: the first is the guest's.
        places.setdefault(cell, place)
    found: dict[Field, int] = {}
    for field, names in words.items():
        here = [places[name] for name in names if name in places]
        if here:
            found[field] = here[0]
    return found


def _notes(cells: list[str], words: Mapping[Field, tuple[str, ...]]) -> tuple[int, ...]:
    names = set(words.get(_F.NOTE, ()))
    return tuple(place for place, cell in enumerate(cells) if cell in names)
