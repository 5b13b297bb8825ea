"""`ops import` against a real database: what it prints, that its codes are found."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from ops.checkin import codes
from ops.commands.importing import run
from ops.db.engine import Database
from ops.errors import NotFound
from ops.settings import Settings
from tests.integration.people.people_kit import make_place

FILE = (
    "Bestellnummer;Position;Status;E-Mail;Bestelldatum;Bestelluhrzeit;Produkt;Preis;"
    "Name Teilnehmer*in;Ticket-Code;Gesperrt;Gültig bis\r\n"
    "F9SJM;1;bezahlt;zoe@example.org;2026-09-01;10:31:31;Konferenz;149,00;"
    "\"Zoë\nO'Brien-Łukasz\";'@AT-0001;;21.11.2026 18:00\r\n"
    "F9SJM;2;storniert;zoe@example.org;2026-09-01;10:31:31;Konferenz;149,00;;"
    "1,2E+15;;\r\n"
).encode("utf-16")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_bytes(FILE)
    return path


async def test_the_command_imports_and_names_bad_rows(
    database: Database, database_url: str, file: Path
) -> None:
    place = await make_place(database)
    settings = Settings(database_url=database_url)
    out = io.StringIO()
    console = Console(file=out, width=200)
    result = await run(settings, str(place.event), file, None, False, console)
    assert (result.created, result.bad, result.mangled) == (1, 1, 1)
    assert result.problems[0].line == 4  # the quoted name of line 2 has two lines
    assert "line 4" in out.getvalue()
    row = await database.pool.fetchrow(
        "SELECT c.code_hash, t.valid_to, a.first_name, a.last_name, o.total"
        " FROM ops.ticket_codes c JOIN tickets t ON t.id = c.ticket_id"
        " JOIN attendees a ON a.id = t.attendee_id JOIN orders o ON o.id = t.order_id"
    )
    assert row is not None
    reading = codes.read("@AT-0001\r\n")
    assert isinstance(reading, codes.ForeignCode)
    assert bytes(row["code_hash"]) == codes.code_hash(reading.text)
    assert (row["first_name"], row["last_name"]) == ("Zoë", "O'Brien-Łukasz")
    assert row["valid_to"].isoformat() == "2026-11-21T23:00:00+00:00"


async def test_a_dry_run_writes_nothing(
    database: Database, database_url: str, file: Path
) -> None:
    place = await make_place(database)
    settings = Settings(database_url=database_url)
    console = Console(file=io.StringIO())
    result = await run(settings, str(place.event), file, None, True, console)
    assert result.created == 1
    assert await database.pool.fetchval("SELECT count(*) FROM contacts") == 0


async def test_an_unknown_event_is_named(database_url: str, file: Path) -> None:
    settings = Settings(database_url=database_url)
    with pytest.raises(NotFound, match="nobody"):
        await run(settings, "nobody", file, None, False, Console(file=io.StringIO()))
