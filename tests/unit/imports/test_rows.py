"""Rows of each dialect to import rows, and what makes a row a bad one."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ops.checkin import codes
from ops.imports import dialects
from ops.imports.dialects import Columns
from ops.imports.rows import Code, ImportRow, Problem, Rows, Settings
from ops.sheets.reading import FORMULA, Row, Unreadable

SETTINGS = Settings(ZoneInfo("America/Toronto"), False)


def read_code(text: str) -> Code | str:
    reading = codes.read(text)
    if isinstance(reading, codes.Malformed):
        return reading.why.value
    return reading.text, codes.code_hash(reading.text), codes.hint(reading.text)


def made(header: str, *rows: str, columns: Columns | None = None) -> list[object]:
    """The import rows and problems of a table with commas."""
    cells = header.split(",")
    found = columns or dialects.recognise(cells) or dialects.suggest(cells)
    rows_of_file = Rows(found, SETTINGS, read_code)
    parsed = csv.reader(io.StringIO("\n".join(rows)))
    lines = [Row(number, line) for number, line in enumerate(parsed, 2)]
    return list(rows_of_file.each(iter(lines)))


def good(row: object) -> ImportRow:
    assert isinstance(row, ImportRow), row
    return row


def cause(row: object) -> str:
    assert isinstance(row, Problem), row
    return row.cause


PRETIX = (
    "Order code,Position ID,Status,Email,Product,Variation,Price,Attendee name,"
    "Ticket secret,Blocked,Valid until,Add-on to position ID,Invoice address name"
)


def test_a_position_of_pretix() -> None:
    row = good(
        made(
            PRETIX,
            'NE9MP,2,paid,Guest@example.org,Workshop,Room 1: C++,"25,00",Léo Höfner,'
            "'==gCS\\|x,,12/24/2026 6:00 p.m.,,",
        )[0]
    )
    assert row.code is not None
    assert row.code[0] == "==gCS|x"
    assert (row.ref, row.order_ref) == ("pretix:NE9MP/2", "pretix:NE9MP")
    assert (row.first_name, row.last_name) == ("Léo", "Höfner")
    assert (row.email, row.email_as_given) == ("guest@example.org", "Guest@example.org")
    assert (row.ticket_type, row.price) == ("Workshop – Room 1: C++", Decimal("25.00"))
    assert row.valid_to is not None
    assert row.valid_to.isoformat() == "2026-12-24T18:00:00-05:00"


def test_add_ons_have_the_name_of_the_position_they_belong_to() -> None:
    rows = made(
        PRETIX,
        "A,1,paid,a@example.org,Day,,,Zoë,x1,,,,Buyer Name",
        "A,2,paid,a@example.org,Lunch,,,,x2,,,1,Buyer Name",
        "B,2,paid,a@example.org,Lunch,,,,x3,,,1,Buyer Name",
    )
    names = [(good(row).first_name, good(row).last_name) for row in rows]
    assert names == [("Zoë", ""), ("Zoë", ""), ("Buyer", "Name")]


@pytest.mark.parametrize(
    ("status", "blocked", "state", "order"),
    [
        ("paid", "", "valid", "paid"),
        ("paid", "Yes", "blocked", "paid"),
        ("canceled", "Yes", "cancelled", "cancelled"),
        ("pending (confirmed)", "", "valid", "pending"),
        ("pending", "", "pending", "pending"),
    ],
)
def test_status_and_block(status: str, blocked: str, state: str, order: str) -> None:
    row = good(made(PRETIX, f"A,1,{status},,Day,,,Zoë,x1,{blocked},,,")[0])
    assert (row.state, row.order_status) == (state, order)


def test_an_unpaid_ticket_of_a_check_in_list() -> None:
    header = "Order code,Product,Automatically checked in,Paid,Secret,Check-in text"
    rows = made(header, "A,Day,No,No,x1,Ask for ID", "A,Day,No,Yes,x2,")
    assert [good(row).state for row in rows] == ["unpaid", "valid"]
    assert [good(row).notes for row in rows] == [("Ask for ID",), ()]
    assert good(rows[0]).ref is None


def test_eventbrite_takes_its_own_numbers() -> None:
    header = (
        "Order #,First Name,Last Name,Email,Quantity,Ticket Type,Attendee #,Barcode #,"
        "Attendee Status"
    )
    row = good(made(header, "1001,Aïda,Ng,a@example.com,4,VIP,5001,0050,Attending")[0])
    assert (row.ref, row.order_number) == ("eventbrite:5001", "1001")
    assert row.code is not None
    assert (row.code[0], row.admits, row.state) == ("0050", 4, "valid")


def test_luma_takes_the_address_in_its_qr_code_only_if_it_is_the_guests() -> None:
    header = "guest_id,name,email,approval_status,qr_code_url"
    rows = made(
        header,
        "g1,Zoë,z@example.com,approved,https://luma.com/check-in/evt-1?pk=g-1",
        "g2,Bo,b@example.com,invited,https://luma.com/check-in/evt-1",
    )
    assert good(rows[0]).code is not None
    assert good(rows[1]).code is None
    assert (good(rows[1]).ref, good(rows[1]).state) == ("luma:g2", "pending")


def test_codes_keep_case_zeros_and_inner_spaces() -> None:
    rows = made("Code,Name", "0042,a", "42,b", "aB c,d", "AB c,e")
    texts = [good(row).code for row in rows]
    assert [code and code[0] for code in texts] == ["0042", "42", "aB c", "AB c"]


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("1.23457E+16", "mangled", "spreadsheet"),
        ("#REF!", "mangled", "#REF!"),
        (FORMULA, "mangled", "FORMULA"),
        ("a\x00b", "bad", "NUL"),
        ("a\udcffb", "bad", "no text"),
        ("a\ufffdb", "bad", "lost"),
        ("x" * 513, "bad", "too long"),
        ("MECARD:N:x;;", "bad", "not a ticket"),
        ("", "bad", "neither a code"),
    ],
)
def test_codes_that_no_door_can_read_are_bad_rows(
    code: str, kind: str, says: str
) -> None:
    problem = made("Code,Name", f"{code},Zoë")[0]
    assert says in cause(problem)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.kind) == (2, kind)


def test_the_second_of_two_equal_codes_is_bad_and_names_the_first() -> None:
    rows = made("Code,Name", "x1,a", "x2,b", "x1,c")
    assert cause(rows[2]) == "the same code as line 2"
    assert good(rows[0]).first_name == "a"


def test_the_second_of_two_equal_positions_is_bad() -> None:
    rows = made(PRETIX, "A,1,paid,,D,,,Z,x1,,,,", "A,1,paid,,D,,,Z,x2,,,,")
    assert cause(rows[1]) == "the same ticket as line 2"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("A,1,perhaps,,D,,,Z,x1,,,,", "status"),
        ("A,1,paid,,D,,a lot,Z,x1,,,,", "price"),
        ("A,1,paid,,D,,,Z,x1,maybe,,,", "blocked"),
        ("A,1,paid,,D,,,Z,x1,,never,,", "valid_to"),
        ("A,1,paid,,D,,,Z\x00,x1,,,,", "name"),
    ],
)
def test_a_bad_row_names_its_field(row: str, field: str) -> None:
    problem = made(PRETIX, row)[0]
    assert isinstance(problem, Problem)
    assert problem.field == field
    assert problem.cause.startswith(field.replace("_", " "))


def test_an_unusable_address_is_a_note_and_the_row_is_good() -> None:
    row = good(made("Code,Name,Email", "x1,Zoë,no address")[0])
    assert (row.email, row.email_as_given) == ("", "no address")
    assert [note.kind for note in row.warnings] == ["note"]


def test_an_unreadable_line_is_a_problem_with_its_line() -> None:
    columns = dialects.suggest(["Code", "Name"])
    rows = Rows(columns, SETTINGS, read_code)
    assert rows.make(Unreadable(7, "why")) == Problem(7, "why")


def test_the_content_of_a_row_does_not_depend_on_its_line() -> None:
    one, two = made("Code,Name", "x1,Zoë"), made("Code,Name", "x9,Bo", "x1,Zoë")
    assert good(one[0]).content() == good(two[1]).content()
    assert good(one[0]).content() != good(two[0]).content()
