"""Whose export it is: by headers, in each language, in any order."""

from __future__ import annotations

import pytest

from ops.imports import dialects
from ops.imports.dialects import Field, MappingError

PRETIX_DE = (
    "Kurzname der Veranstaltung|Bestellnummer|Position|Status|E-Mail|Telefonnummer|"
    "Bestelldatum|Bestelluhrzeit|Produkt|Variante|Preis|Name Teilnehmer*in|"
    "Name Teilnehmer*in: Vorname|Name Teilnehmer*in: Nachname|E-Mail Teilnehmer*in|"
    "Teilnehmer*innen-Firma|Ticket-Code|Sitzbezeichnung|Gesperrt|Gültig ab|Gültig bis|"
    "Zusatzprodukt zu Position|Rechnungsadresse: Name|Bestellsprache"
)
PRETIX_FR = (
    "Code de commande|ID de la position|Statut|E-Mail|Date de commande|Produit|"
    "Variante|Prix|Nom du participant|Nom du participant : Prénom|"
    "Nom du participant : Nom de famille|Secret du billet|Nom du siège|Bloqué|"
    "Add-on à la position ID|Langue de la commande"
)
CHECKIN_DE = (
    "Bestellnummer|Name Teilnehmer*in|Teilnehmer*innenname: Vorname|"
    "Teilnehmer*innenname: Nachname|Produkt|Preis|Eingecheckt|"
    "Automatisch eingecheckt|bezahlt|Secret|E-Mail|Firma|Check-in-Hinweis|Gesperrt"
)
EVENTBRITE_EN = (
    "Order #|Order Date|First Name|Last Name|Email|Quantity|Price Tier|Ticket Type|"
    "Attendee #|Barcode #|Currency|Total Paid|Attendee Status|Cell Phone"
)
EVENTBRITE_NEW = (
    "Order ID|Order date|Attendee status|Name|Email|Event name|Ticket quantity|"
    "Ticket type|Ticket price|Buyer name|Buyer email"
)
HIEVENTS = (
    "ID|First Name|Last Name|Email|Status|Is Checked In|Checked In At|Product ID|"
    "Product Name|Event ID|Public ID|Short ID|Created Date|Last Updated Date|Notes"
)
LUMA = (
    "api_id|name|first_name|last_name|email|phone_number|created_at|approval_status|"
    "checked_in_at|custom_source|qr_code_url|amount|currency|ticket_type_id|ticket_name"
)


@pytest.mark.parametrize(
    ("header", "dialect", "fields"),
    [
        (PRETIX_DE, "pretix_positions", {Field.CODE: "Ticket-Code"}),
        (PRETIX_FR, "pretix_positions", {Field.CODE: "Secret du billet"}),
        (CHECKIN_DE, "pretix_checkin", {Field.CODE: "Secret", Field.PAID: "bezahlt"}),
        (
            EVENTBRITE_EN,
            "eventbrite",
            {Field.CODE: "Barcode #", Field.REF: "Attendee #"},
        ),
        (EVENTBRITE_NEW, "eventbrite", {Field.BUYER_EMAIL: "Buyer email"}),
        (HIEVENTS, "hievents", {Field.CODE: "Public ID", Field.REF: "Short ID"}),
        (LUMA, "luma", {Field.CODE: "qr_code_url", Field.STATUS: "approval_status"}),
        (LUMA.replace("api_id", "guest_id"), "luma", {Field.REF: "guest_id"}),
    ],
)
def test_dialects_are_recognised(
    header: str, dialect: str, fields: dict[Field, str]
) -> None:
    cells = header.split("|")
    for order in (cells, cells[::-1], [cell.upper() for cell in cells]):
        columns = dialects.recognise(order)
        assert columns is not None
        assert columns.dialect == dialect
        for field, name in fields.items():
            assert order[columns.by_field[field]].casefold() == name.casefold()


def test_every_german_and_french_header_of_pretix_finds_its_field() -> None:
    for header in (PRETIX_DE, PRETIX_FR):
        columns = dialects.recognise(header.split("|"))
        assert columns is not None
        for field in (Field.ORDER, Field.POSITION, Field.PARENT, Field.STATUS):
            assert field in columns.by_field
        for field in (Field.FIRST_NAME, Field.LAST_NAME, Field.SEAT, Field.BLOCKED):
            assert field in columns.by_field


def test_the_first_of_two_equal_headers_is_taken() -> None:
    columns = dialects.recognise([*CHECKIN_DE.split("|"), "Firma", "E-Mail"])
    assert columns is not None
    assert columns.by_field[Field.EMAIL] == CHECKIN_DE.split("|").index("E-Mail")


def test_the_organisers_own_comment_is_no_note_for_the_door() -> None:
    columns = dialects.recognise([*PRETIX_DE.split("|"), "Bestellkommentar"])
    assert columns is not None
    assert columns.notes == ()


def test_others_are_nobodys_export_and_get_a_suggestion() -> None:
    header = ["Ticket code", "Guest name", "E-Mail address", "Kategorie", "Colour"]
    assert dialects.recognise(header) is None
    columns = dialects.suggest(header)
    assert columns.by_field == {
        Field.CODE: 0,
        Field.NAME: 1,
        Field.EMAIL: 2,
        Field.TYPE: 3,
    }


def test_a_column_is_suggested_for_one_field_only() -> None:
    columns = dialects.suggest(["id", "name", "position", "status"])
    assert len(set(columns.by_field.values())) == len(columns.by_field)


def test_a_mapping_is_taken_as_given() -> None:
    columns = dialects.mapped(["A ", "b"], {"code": "a", "note": "B"}, "booth")
    assert columns.by_field == {Field.CODE: 0, Field.NOTE: 1}
    assert (columns.seller, columns.notes) == ("booth", (1,))


@pytest.mark.parametrize("mapping", [{"cod": "a"}, {"code": "c"}])
def test_a_mapping_with_a_slip_is_refused(mapping: dict[str, str]) -> None:
    with pytest.raises(MappingError):
        dialects.mapped(["a", "b"], mapping)


def test_no_word_of_a_dialect_is_spelled_as_it_is_never_compared() -> None:
    for dialect in dialects.DIALECTS:
        for words in dialect.headers.values():
            assert all(dialects.normal(word) == word for word in words)
