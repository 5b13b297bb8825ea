"""Bytes of an export to rows of cells, one at a time. Pure.

CSV in the encodings and separators that exporters and spreadsheets write, XLSX by
openpyxl in its streaming mode. A row that cannot be read is given as `Unreadable`,
with its line, and the next row follows.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from importlib import import_module
from itertools import chain
from typing import BinaryIO, TypeAlias

import msgspec

from ops.errors import MalformedBody

ROWS_MAX = 500_000  # more is not one event's tickets
COLUMNS_MAX = 500
UNPACKED_BYTES_MAX = 1 << 30  # of a workbook: a small zip file can hold terabytes
CELL_LENGTH_MAX = 32_767  # what a spreadsheet's cell holds
FORMULA = "#FORMULA!"
"""Stands for a formula that was saved without its value."""

_SEPARATORS = ",;\t"
_NAMED_SEPARATORS = _SEPARATORS + "|:"
_CHUNK_BYTES = 1 << 20
_DIGITS_EXACT = 15  # a spreadsheet's number keeps no more


class UnreadableFile(MalformedBody):
    """The file is neither CSV text nor an XLSX workbook with rows."""

    code = "unreadable_file"


class Row(msgspec.Struct, frozen=True):
    """One row: the line it begins on (from 1, the header included) and its cells."""

    line: int
    cells: list[str]


class Unreadable(msgspec.Struct, frozen=True):
    """A row whose cells cannot be told apart, and why."""

    line: int
    cause: str


Line: TypeAlias = Row | Unreadable


class Table:
    """A table that is read once, from its first row on."""

    def __init__(
        self, kind: str, encoding: str, header: list[str], rows: Iterator[Line]
    ) -> None:
        self.kind = kind
        self.encoding = encoding
        self.header = header
        self.rows = rows


def open_table(file: BinaryIO) -> Table:
    """Recognise the format, read the header, and be ready to give the rows.

    Args:
        file: seekable; it is read from its beginning and must stay open.

    Raises:
        UnreadableFile: no header row, a damaged workbook, too many columns.
    """
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if start.startswith(b"PK\x03\x04"):
        kind, encoding, lines = "xlsx", "utf-8", _xlsx(file)
    else:
        encoding, errors = detect_encoding(file)
        file.seek(0)
        kind, lines = "csv", _csv(file, encoding, errors)
    header = next(lines, None)
    if not isinstance(header, Row) or not any(header.cells):
        cause = getattr(header, "cause", "it is empty")
        raise UnreadableFile(f"The file has no header row that can be read: {cause}.")
    if len(header.cells) > COLUMNS_MAX:
        raise UnreadableFile(f"The file has more than {COLUMNS_MAX} columns.")
    return Table(kind, encoding, header.cells, _checked(lines, len(header.cells)))


def _checked(lines: Iterator[Line], width: int) -> Iterator[Line]:
    """Rows as wide as the header; blank ones left out; an end to the file."""
    for count, line in enumerate(lines):
        if count == ROWS_MAX:
            where = line.line
            yield Unreadable(where, f"the file has more than {ROWS_MAX} rows")
            return
        if isinstance(line, Unreadable):
            yield line
            continue
        cells = line.cells
        if len(cells) > width:
            if any(cells[width:]):
                yield Unreadable(
                    line.line,
                    f"it has {len(cells)} cells, the header has {width}",
                )
                continue
            cells = cells[:width]
        if any(cells):
            yield Row(line.line, cells + [""] * (width - len(cells)))


# --- CSV


def detect_encoding(file: BinaryIO) -> tuple[str, str]:
    """Find the encoding of a text file, and how to treat what does not fit.

    By byte order mark; else UTF-16 by its zero bytes; else UTF-8, if the file is UTF-8
    but for single bad bytes, which then make bad rows; else Windows-1252, the superset
    of Latin-1 that old spreadsheets write.
    """
    start = file.read(4096)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig", "surrogateescape"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace"
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > len(start) // 5 and even < odd // 10 + 1:
        return "utf-16-le", "replace"
    if even > len(start) // 5 and odd < even // 10 + 1:
        return "utf-16-be", "replace"
    good, bad = _count_utf8(file, start)
    if good >= 10 * bad:
        return "utf-8", "surrogateescape"
    return "cp1252", "surrogateescape"


def _count_utf8(file: BinaryIO, start: bytes) -> tuple[int, int]:
    """Letters beyond ASCII that are UTF-8, and bytes that are not."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    block = start
    while block:
        text = decoder.decode(block)
        if not text.isascii():
            escaped = len(re.findall("[\udc80-\udcff]", text))
            bad += escaped
            good += len(re.findall("[^\x00-\x7f]", text)) - escaped
        block = file.read(_CHUNK_BYTES)
    return good, bad


class _Borrowed(io.TextIOWrapper):
    """Text over a file of the caller's, who alone closes it."""

    def close(self) -> None:
        """Leave the file open, also when this wrapper is thrown away."""


def _csv(file: BinaryIO, encoding: str, errors: str) -> Iterator[Line]:
    text = _Borrowed(file, encoding, errors, newline="")
    first = text.readline()
    separator = _separator(first)
    if first.lower().startswith("sep="):
        # Excel's own way to name the separator, on a line before the header.
        named = first.rstrip("\r\n")[4:5]
        separator = named if named and named in _NAMED_SEPARATORS else separator
        yield from _csv_rows(text, separator, 1)
    else:
        yield from _csv_rows(chain([first], text), separator, 0)


def _csv_rows(lines: Iterable[str], separator: str, skipped: int) -> Iterator[Line]:
    csv.field_size_limit(CELL_LENGTH_MAX * 4)
    # strict: a quote in the wrong place is a bad row, not silently other cells.
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Unreadable(line, _QUOTING.get(str(error), str(error)))
            continue
        yield Row(line, [cell.strip(" \t\r\n\ufeff") for cell in cells])


_QUOTING = {
    "unexpected end of data": "a quote is opened here and never closed",
    f"field larger than field limit ({CELL_LENGTH_MAX * 4})": (
        "a cell is too long; perhaps a quote is opened here and never closed"
    ),
}


def _separator(first: str) -> str:
    """The separator that stands most often outside quotes in the header."""
    bare = re.sub(r'"(?:[^"]|"")*"?', "", first)
    return max(_SEPARATORS, key=bare.count)


# --- XLSX


def _xlsx(file: BinaryIO) -> Iterator[Line]:
    try:
        yield from _sheet(file)
    except UnreadableFile:
        raise
    except Exception as error:
        # The library raises whatever damaged bytes lead it to: bad zip, bad XML, a
        # missing part, a number that is none. None of them is the program's fault.
        raise UnreadableFile("The workbook is damaged or encrypted.") from error


def _sheet(file: BinaryIO) -> Iterator[Line]:
    """The rows of the first sheet; a sheet with formulas is read twice, in step."""
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > UNPACKED_BYTES_MAX:
        raise UnreadableFile("The workbook is too large when it is unpacked.")
    rows = _rows_of(file, data_only=True)
    if not _has_formulas(file):
        for number, cells in enumerate(rows, 1):
            yield Row(number, [_cell(cell) for cell in cells])
        return
    pairs = zip(rows, _rows_of(file, data_only=False), strict=False)
    for number, (cells, sources) in enumerate(pairs, 1):
        yield Row(
            number,
            [
                FORMULA if cell is None and source is not None else _cell(cell)
                for cell, source in zip(cells, sources, strict=False)
            ],
        )


def _rows_of(file: BinaryIO, *, data_only: bool) -> Iterator[tuple[object, ...]]:
    # Loaded with the first workbook: it costs each api process 0.4 s at its start.
    openpyxl = import_module("openpyxl")
    book = openpyxl.load_workbook(file, read_only=True, data_only=data_only)
    if not book.worksheets:
        raise UnreadableFile("The workbook has no sheet.")
    sheet = book.worksheets[0]
    # A wrong dimension in the file would cut rows off.
    sheet.reset_dimensions()
    rows: Iterator[tuple[object, ...]] = sheet.iter_rows(values_only=True)
    return rows


def _has_formulas(file: BinaryIO) -> bool:
    """Whether the first sheet has a formula; only then it is read twice."""
    with zipfile.ZipFile(file) as archive:
        names = [n for n in archive.namelist() if n.startswith("xl/worksheets/sheet")]
        for name in names[:1]:
            with archive.open(name) as stream:
                tail = b""
                while block := stream.read(_CHUNK_BYTES):
                    if b"<f>" in tail + block or b"<f " in tail + block:
                        return True
                    tail = block[-2:]
    return False


def _cell(value: object) -> str:
    """A cell as the text that its owner would read."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip(" \t\r\n")
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and len(str(abs(value))) > _DIGITS_EXACT:
        # The digits beyond are lost: say it the way a spreadsheet shows it.
        return f"{value:.5E}"
    return str(value)
