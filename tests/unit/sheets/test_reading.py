"""Reading exports: encodings, separators, quoting, workbooks; bad rows are named."""

from __future__ import annotations

import contextlib
import io
import zipfile
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from ops.sheets.reading import FORMULA, Row, Table, Unreadable, UnreadableFile
from ops.sheets.reading import open_table as open_file


def open_table(data: bytes) -> Table:
    return open_file(io.BytesIO(data))


def lines(data: bytes) -> list[object]:
    return list(open_table(data).rows)


TEXT = "Name;Ville\r\nZoë;Montréal\r\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("latin-1"),
    ],
)
def test_encodings_are_recognised(data: bytes) -> None:
    table = open_table(data)
    assert table.header == ["Name", "Ville"]
    assert list(table.rows) == [Row(2, ["Zoë", "Montréal"])]


def test_windows_1252_has_letters_that_latin_1_lacks() -> None:
    assert lines("N\n“Łukasz”\n".replace("Ł", "L").encode("cp1252")) == [
        Row(2, ["“Lukasz”"])
    ]


def test_other_scripts_and_emoji_arrive_whole() -> None:
    rows = ["李小龙", "محمد", "O'Brien-Łukasz 🎟️"]
    data = "N\n" + "\n".join(rows) + "\n"
    assert lines(data.encode()) == [Row(i, [n]) for i, n in enumerate(rows, 2)]


def test_a_bad_byte_in_utf8_stays_in_its_row() -> None:
    data = "N\n" + "é\n" * 20
    table = lines(data.encode() + b"\xff\n" + "ü\n".encode())
    assert table[-1] == Row(23, ["ü"])
    assert table[-2] == Row(22, ["\udcff"])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_are_found_in_the_header(separator: str) -> None:
    data = f'"a, b; c"{separator}x{separator}y\n1{separator}2{separator}3\n'
    table = open_table(data.encode())
    assert table.header == ["a, b; c", "x", "y"]
    assert list(table.rows) == [Row(2, ["1", "2", "3"])]


def test_a_named_separator_that_is_none_is_not_obeyed() -> None:
    assert open_table(b'sep="\r\na,b\r\n').header == ["a", "b"]
    assert open_table(b"sep=\t\r\na\tb\r\n").header == ["a", "b"]


def test_the_separator_line_of_excel_is_obeyed() -> None:
    table = open_table(b"sep=;\r\na,b;c\r\n1;2\r\n")
    assert table.header == ["a,b", "c"]
    assert list(table.rows) == [Row(3, ["1", "2"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_outside_and_inside_of_quotes(end: str) -> None:
    text = f'a,b{end}"x{end}y",1{end}z,2{end}'
    assert lines(text.encode()) == [Row(2, [f"x{end}y", "1"]), Row(4, ["z", "2"])]


def test_a_quote_that_never_closes_is_named_with_its_line() -> None:
    found = lines(b'a,b\n1,2\n"x,3\ny,4\n')
    assert found[0] == Row(2, ["1", "2"])
    assert found[1] == Unreadable(3, "a quote is opened here and never closed")


def test_a_quote_in_the_wrong_place_is_one_bad_row() -> None:
    found = lines(b'a,b\n"x"y,1\nz,2\n')
    assert isinstance(found[0], Unreadable)
    assert found[0].line == 2
    assert found[1] == Row(3, ["z", "2"])


def test_short_rows_are_filled_long_rows_are_bad_blank_rows_are_nothing() -> None:
    assert lines(b"a,b,c\n1\n\n,,\n1,2,3,,\n1,2,3,4\n") == [
        Row(2, ["1", "", ""]),
        Row(5, ["1", "2", "3"]),
        Unreadable(6, "it has 4 cells, the header has 3"),
    ]


def test_nul_bytes_reach_the_row_check() -> None:
    assert lines(b"a,b\nx\x00y,1\n") == [Row(2, ["x\x00y", "1"])]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04broken", b'"a\n'])
def test_files_without_a_header_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile):
        open_table(data)


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_workbooks_are_read_as_people_see_them() -> None:
    found = lines(
        workbook(
            ["code", "price", "at", "ok"],
            ["0042", 149, datetime(2026, 11, 21, 12, 20), True],  # noqa: DTZ001
            [1234567890, 12.5, None, False],
            [12345678901234567, None, None, None],
        )
    )
    assert found == [
        Row(2, ["0042", "149", "2026-11-21 12:20:00", "Yes"]),
        Row(3, ["1234567890", "12.5", "", "No"]),
        Row(4, ["1.23457E+16", "", "", ""]),
    ]


def test_a_formula_without_its_value_is_marked() -> None:
    assert lines(workbook(["code", "n"], ["=A1&A2", 1], ["x", 2])) == [
        Row(2, [FORMULA, "1"]),
        Row(3, ["x", "2"]),
    ]


def test_inline_strings_are_text_even_if_they_look_like_formulas() -> None:
    data = workbook(["code", "n"], ["placeholder", 1])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = content.replace(b"placeholder", b"==Qx|@")
            new.writestr(name, content)
    assert lines(out.getvalue()) == [Row(2, ["==Qx|@", "1"])]


WORKBOOK = workbook(["code", "n"], ["0042", 1], ["=A1", None])


@given(
    st.lists(st.tuples(st.integers(0, len(WORKBOOK) - 1), st.integers(0, 255))),
    st.integers(0, len(WORKBOOK)),
)
def test_a_damaged_workbook_is_rows_or_an_unreadable_file(
    changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(WORKBOOK)
    for place, value in changes:
        data[place] = value
    with contextlib.suppress(UnreadableFile):
        lines(bytes(data))
    with contextlib.suppress(UnreadableFile):
        lines(WORKBOOK[:length])


def test_a_workbook_whose_sheet_is_no_xml_is_unreadable() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = content[: len(content) // 2]
            new.writestr(name, content)
    with pytest.raises(UnreadableFile):
        lines(out.getvalue())


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_bad_rows_or_an_unreadable_file(data: bytes) -> None:
    try:
        table = open_table(data)
    except UnreadableFile:
        return
    for line in table.rows:
        assert line.line >= 1
        if isinstance(line, Row):
            assert len(line.cells) == len(table.header)
