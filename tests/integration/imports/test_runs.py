"""Imports into the real database: what a file makes, changes, and leaves alone."""

from __future__ import annotations

import csv
import io
import time
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.checkin import codes
from ops.checkin.coder import TicketCoder
from ops.checkin.keys import Seal, Signer
from ops.db.engine import Database
from ops.errors import Conflict, NotFound, Unprocessable
from ops.ids import uuid7
from ops.imports import statements as sql
from ops.imports.plan import SELLER_BLOCK
from ops.imports.result import Mapping, Result
from ops.imports.runs import run_import

SECRET = "a-secret-key-of-a-test-with-32-chars"
SEAL = Seal(SECRET)
CODER = TicketCoder(Signer(1, bytes(range(32))), SEAL)

POSITIONS = """
Order code,Position ID,Status,Email,Order date,Order time,Product,Variation,Price,
Attendee name,Attendee name: Given name,Attendee name: Family name,Attendee email,
Attendee company,Ticket secret,Seat name,Blocked,Valid from,Valid until,
Add-on to position ID,Invoice address name,Order locale
""".replace("\n", "").split(",")


def positions(*rows: dict[str, str]) -> bytes:
    """A list of positions as pretix writes it, escaping included."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(POSITIONS)
    for row in rows:
        writer.writerow([row.get(name, "") for name in POSITIONS])
    return out.getvalue().encode()


def position(order: str = "F9SJM", number: str = "1", **more: str) -> dict[str, str]:
    given = {name.replace("_", " "): value for name, value in more.items()}
    return {
        "Order code": order,
        "Position ID": number,
        "Status": "paid",
        "Email": "buyer@example.org",
        "Order date": "2026-09-01",
        "Order time": "10:31:31",
        "Product": "Conference ticket",
        "Price": "149.00",
        "Attendee name": "Zoë O'Brien-Łukasz",
        "Attendee name: Given name": "Zoë",
        "Attendee name: Family name": "O'Brien-Łukasz",
        "Ticket secret": f"secret-{order}-{number}",
    } | given


class Event:
    """An event in the database of this test, and imports into it."""

    def __init__(self, database: Database, event_id: UUID) -> None:
        self.database = database
        self.pool = database.pool
        self.id = event_id

    async def load(self, data: bytes, **more: Any) -> Result:
        return await run_import(
            self.pool, CODER, str(self.id), io.BytesIO(data), "file.csv", **more
        )

    async def rows(self, statement: str, *args: Any) -> list[asyncpg.Record]:
        return await self.pool.fetch(statement, *args)

    async def one(self, statement: str, *args: Any) -> Any:
        return await self.pool.fetchval(statement, *args)

    async def ticket(self, code: str) -> asyncpg.Record | None:
        """The ticket that a code opens, and who holds it."""
        return await self.pool.fetchrow(
            "SELECT t.*, a.first_name, a.last_name, a.email, a.company, a.notes,"
            " a.contact_id, o.order_number, o.total, o.status AS order_status,"
            " y.name AS type, c.revoked_reason, c.hint, c.kind, c.text_sealed"
            " FROM ops.ticket_codes c JOIN tickets t ON t.id = c.ticket_id"
            " JOIN attendees a ON a.id = t.attendee_id"
            " JOIN orders o ON o.id = t.order_id"
            " JOIN ticket_types y ON y.id = t.ticket_type_id"
            " WHERE c.event_id = $1 AND c.code_hash = $2",
            self.id,
            codes.code_hash(code),
        )

    async def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything an import may touch, versions and times included."""
        tables = (
            *("contacts", "orders", "attendees", "tickets", "ticket_types"),
            "ops.ticket_codes",
        )
        return {
            table: [
                tuple(row)
                for row in await self.rows(f"SELECT * FROM {table} ORDER BY id")
            ]
            for table in tables
        }


@pytest.fixture
async def event(database: Database) -> Event:
    event_id = uuid7()
    await database.pool.execute(
        "INSERT INTO events (id, title, slug, event_type, starts_at, ends_at)"
        " VALUES ($1, 'Fair', 'fair', 'conference', now(), now() + interval '1 day')",
        event_id,
    )
    return Event(database, event_id)


async def test_a_row_makes_contact_order_attendee_ticket_and_code(event: Event) -> None:
    result = await event.load(
        positions(
            position(
                Attendee_company="'=Evil Corp",
                Seat_name="Stalls, Row H, Seat 4",
                Variation="Regular",
                Ticket_secret="'==Qx\\|Y+Zab",
            )
        )
    )
    assert (result.dialect, result.created, result.bad) == ("pretix_positions", 1, 0)
    assert result.types_created == ["Conference ticket – Regular"]
    ticket = await event.ticket("==Qx|Y+Zab")
    assert ticket is not None
    assert ticket["first_name"] == "Zoë"
    assert ticket["last_name"] == "O'Brien-Łukasz"
    assert ticket["company"] == "=Evil Corp"
    assert ticket["seat_label"] == "Stalls, Row H, Seat 4"
    assert ticket["type"] == "Conference ticket – Regular"
    assert (ticket["price"], ticket["total"]) == (Decimal("149.00"), Decimal("149.00"))
    assert (ticket["order_number"], ticket["order_status"]) == ("F9SJM", "paid")
    assert (ticket["state"], ticket["kind"]) == ("valid", "imported")
    assert ticket["contact_id"] is not None
    assert SEAL.open(ticket["text_sealed"]) == "==Qx|Y+Zab"


async def test_the_same_file_again_changes_nothing(event: Event) -> None:
    data = positions(
        position(), position(number="2", Status="canceled"), position("GDXC3")
    )
    await event.load(data)
    before = await event.snapshot()
    again = await event.load(data)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 3)
    assert await event.snapshot() == before


async def test_a_changed_row_changes_what_a_same_row_would_not(event: Event) -> None:
    """The negative control of the test above."""
    await event.load(positions(position()))
    before = await event.snapshot()
    again = await event.load(positions(position(Status="canceled")))
    assert again.changed == 1
    assert await event.snapshot() != before
    ticket = await event.ticket("secret-F9SJM-1")
    assert ticket is not None
    assert (ticket["state"], ticket["order_status"]) == ("cancelled", "cancelled")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("paid", "valid"),
        ("pending", "pending"),
        ("pending (confirmed)", "valid"),
        ("approval pending", "pending"),
        ("canceled", "cancelled"),
        ("refunded", "refunded"),
        ("expired", "expired"),
    ],
)
async def test_states_become_the_tickets_states(
    event: Event, status: str, state: str
) -> None:
    await event.load(positions(position(Status=status)))
    ticket = await event.ticket("secret-F9SJM-1")
    assert ticket is not None
    assert ticket["state"] == state


async def test_a_block_of_the_seller_goes_with_it_a_local_one_outlives_imports(
    event: Event,
) -> None:
    await event.load(positions(position(Blocked="Yes"), position(number="2")))
    theirs = await event.ticket("secret-F9SJM-1")
    assert theirs is not None
    assert (theirs["state"], theirs["blocked_reason"]) == ("blocked", SELLER_BLOCK)
    await event.pool.execute(
        "UPDATE tickets SET state = 'blocked', blocked_reason = 'ban'"
        " WHERE external_ref = 'pretix:F9SJM/2'"
    )
    await event.load(
        positions(position(), position(number="2", Attendee_company="New Ltd"))
    )
    theirs = await event.ticket("secret-F9SJM-1")
    ours = await event.ticket("secret-F9SJM-2")
    assert theirs is not None
    assert ours is not None
    assert (theirs["state"], theirs["blocked_reason"]) == ("valid", None)
    assert (ours["state"], ours["blocked_reason"]) == ("blocked", "ban")
    assert ours["company"] == "New Ltd"


async def test_a_missing_ticket_is_listed_and_never_cancelled(event: Event) -> None:
    await event.load(positions(position(), position("GDXC3")))
    result = await event.load(positions(position()))
    assert result.missing_total == 1
    assert result.missing[0].order_number == "GDXC3"
    ticket = await event.ticket("secret-GDXC3-1")
    assert ticket is not None
    assert ticket["state"] == "valid"


async def test_nobody_is_renamed_in_contacts(event: Event) -> None:
    await event.pool.execute(
        "INSERT INTO contacts (first_name, last_name, email)"
        " VALUES ('Ada', 'Lovelace', 'buyer@example.org')"
    )
    await event.load(positions(position(Email=" Buyer@Example.ORG ")))
    contacts = await event.rows("SELECT first_name, last_name, email FROM contacts")
    assert [tuple(row) for row in contacts] == [
        ("Ada", "Lovelace", "buyer@example.org")
    ]
    attendee = await event.rows("SELECT first_name, email_as_given FROM attendees")
    assert tuple(attendee[0]) == ("Zoë", "Buyer@Example.ORG")


async def test_a_shared_address_is_the_buyers(event: Event) -> None:
    await event.load(
        positions(
            position(Invoice_address_name="李小龙"),
            position(number="2", Attendee_email="own@example.org"),
        )
    )
    contacts = await event.rows("SELECT email, first_name FROM contacts ORDER BY email")
    assert [tuple(row) for row in contacts] == [
        ("buyer@example.org", "李小龙"),
        ("own@example.org", "Zoë"),
    ]


async def test_add_ons_take_the_name_of_their_parent(event: Event) -> None:
    nobody = {
        "Attendee name": "",
        "Attendee name: Given name": "",
        "Attendee name: Family name": "",
    }
    add_on = position(number="2", Add="x") | nobody | {"Add-on to position ID": "1"}
    await event.load(positions(position(), add_on))
    ticket = await event.ticket("secret-F9SJM-2")
    assert ticket is not None
    assert (ticket["first_name"], ticket["last_name"]) == ("Zoë", "O'Brien-Łukasz")


async def test_bad_rows_are_named_and_the_rest_is_imported(event: Event) -> None:
    result = await event.load(
        positions(
            position(),
            position("A1", Status="perhaps"),
            position("A2", Ticket_secret="1.2E+15"),
            position("A3", Price="a lot"),
            position("A4", **{"Attendee name": "x\x00y"}),
            position("A5", Ticket_secret="secret-F9SJM-1"),
            position("A6", Ticket_secret="BEGIN:VCARD\nFN:x"),
            position("A7"),
        )
    )
    assert (result.rows_total, result.created, result.bad) == (8, 2, 6)
    assert [(problem.line, problem.kind) for problem in result.problems] == [
        (4, "mangled"),
        (3, "bad"),
        (5, "bad"),
        (6, "bad"),
        (7, "bad"),
        (8, "bad"),
    ]
    assert "spreadsheet" in result.problems[0].cause
    assert "line 2" in result.problems[4].cause
    run = (await event.rows("SELECT * FROM ops.import_runs"))[0]
    assert (run["state"], run["rows_ok"], run["rows_bad"]) == ("done", 2, 6)
    assert run["problems"][0]["line"] == 4


async def test_a_row_that_the_database_refuses_is_bisected_out(event: Event) -> None:
    """The refusal comes from the database alone: a rule of this test's own."""
    await event.pool.execute(
        "ALTER TABLE attendees ADD CONSTRAINT poison CHECK (first_name <> 'Poison')"
    )
    poison = {"Attendee name: Given name": "Poison"}
    rows = [position(f"P{n}", **(poison if n in (3, 11) else {})) for n in range(20)]
    result = await event.load(positions(*rows))
    assert (result.created, result.bad) == (18, 2)
    assert [problem.line for problem in result.problems] == [5, 13]
    assert all("CheckViolation" in problem.cause for problem in result.problems)
    assert await event.one("SELECT count(*) FROM tickets") == 18


async def test_equal_codes_of_two_sellers_are_a_bad_row_that_names_the_other(
    event: Event,
) -> None:
    await event.load(positions(position(Ticket_secret="0042")))
    other = b"Code,Name,Order\n0042,Ann Ng,77\n42,Bo Wu,78\n"
    result = await event.load(other, mapping=Mapping(seller="booth"))
    assert (result.created, result.bad) == (1, 1)
    assert "pretix" in result.problems[0].cause
    assert "F9SJM" in result.problems[0].cause
    ticket = await event.ticket("42")
    assert ticket is not None
    assert ticket["order_number"] == "78"


async def test_equal_order_numbers_of_two_sellers_stay_two_orders(event: Event) -> None:
    await event.load(positions(position("77")))
    other = b"Code,Name,Order\nabc,Ann Ng,77\n"
    for _ in range(2):
        await event.load(other, mapping=Mapping(seller="booth"))
    numbers = await event.rows("SELECT order_number FROM orders ORDER BY 1")
    assert [row[0] for row in numbers] == ["77", "booth-77"]


async def test_a_code_replaced_by_the_seller_answers_reissued(event: Event) -> None:
    await event.load(positions(position()))
    await event.load(positions(position(Ticket_secret="fresh-secret")))
    old, new = await event.ticket("secret-F9SJM-1"), await event.ticket("fresh-secret")
    assert old is not None
    assert new is not None
    assert old["id"] == new["id"]
    assert (old["revoked_reason"], new["revoked_reason"]) == ("reissued", None)


async def test_the_check_in_list_and_the_positions_are_the_same_tickets(
    event: Event,
) -> None:
    checkin = (
        "Order code,Attendee name,Product,Price,Checked in,Automatically checked in,"
        "Secret,Email,Company,Check-in text,Seat name,Blocked\n"
        "F9SJM,Zoë O'Brien-Łukasz,Conference ticket,149.00,,No,secret-F9SJM-1,"
        "buyer@example.org,Acme,Hand out badge,,\n"
    ).encode()
    first = await event.load(checkin)
    second = await event.load(positions(position()))
    assert (first.created, second.created, second.changed) == (1, 0, 1)
    ticket = await event.ticket("secret-F9SJM-1")
    assert ticket is not None
    assert (ticket["notes"], ticket["company"]) == (["Hand out badge"], "Acme")
    assert ticket["external_ref"] == "pretix:F9SJM/1"


async def test_a_ticket_without_a_code_gets_one_of_ours(event: Event) -> None:
    data = (
        b"Order #,Order Date,First Name,Last Name,Email,Quantity,Ticket Type,"
        b"Attendee #,Attendee Status\n"
        b"11211912243,11/29/24 22:28,Ann,Ng,ann@example.com,3,Group,18441583423,"
        b"Attending\n"
    )
    result = await event.load(data)
    assert (result.dialect, result.created) == ("eventbrite", 1)
    row = (await event.rows("SELECT id, admits FROM tickets"))[0]
    code = CODER.issue(row["id"])[0]
    ticket = await event.ticket(code)
    assert ticket is not None
    assert (ticket["kind"], row["admits"]) == ("own", 3)


async def test_a_preview_says_what_an_import_would_do_and_writes_nothing(
    event: Event,
) -> None:
    await event.load(positions(position()))
    before = await event.snapshot()
    data = positions(position(Status="canceled"), position("X1", Product="VIP"))
    preview = await event.load(data, dry_run=True)
    assert (preview.created, preview.changed) == (1, 1)
    assert preview.types_created == ["VIP"]
    assert preview.sample[0]["code"] == "…JM-1"
    assert await event.snapshot() == before
    result = await event.load(data)
    assert (result.created, result.changed) == (1, 1)


async def test_one_import_at_a_time(event: Event) -> None:
    number = await event.one("SELECT no FROM events WHERE id = $1", event.id)
    async with event.pool.acquire() as other:
        await other.fetchval(sql.LOCK, number)
        with pytest.raises(Conflict):
            await event.load(positions(position()))
        await other.fetchval(sql.UNLOCK, number)
    assert (await event.load(positions(position()))).created == 1


async def test_unknown_events_and_unknown_files_are_refused(event: Event) -> None:
    with pytest.raises(NotFound):
        await run_import(event.pool, CODER, "nobody", io.BytesIO(b"a\n"), "x.csv")
    with pytest.raises(Unprocessable):
        await event.load(b"Colour,Size\nred,4\n")
    with pytest.raises(Unprocessable):
        await event.load(b"A,B\n1,2\n", mapping=Mapping(columns={"code": "C"}))


async def test_a_mapping_names_the_columns(event: Event) -> None:
    data = "Losung;Mensch;Sorte\r\n007;Zoë;Presse\r\n".encode("utf-16")
    mapping = Mapping(
        columns={"code": "Losung", "name": "Mensch", "type": "Sorte"}, seller="kiosk"
    )
    assert (await event.load(data, mapping=mapping)).created == 1
    ticket = await event.ticket("007")
    assert ticket is not None
    assert (ticket["first_name"], ticket["last_name"]) == ("Zoë", "")
    assert ticket["contact_id"] is None


_STATUSES = ["paid", "pending", "canceled", "expired", "refunded"]
_rows = st.lists(
    st.builds(
        lambda order, number, status, name, price, email: position(
            order,
            str(number),
            Status=status,
            Price=price,
            Email=email,
            **{"Attendee name: Given name": name},
        ),
        st.sampled_from(["AA", "BB", "CC"]),
        st.integers(1, 3),
        st.sampled_from(_STATUSES),
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.sampled_from(["", "0", "12,50", "1.249,00", "free", "oops"]),
        st.sampled_from(["", "a@example.org", "A@Example.org", "no address"]),
    ),
    max_size=8,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(files=st.lists(_rows, min_size=1, max_size=2))
async def test_importing_twice_is_importing_once(
    event: Event, files: list[list[dict[str, str]]]
) -> None:
    """Whatever is there already: the examples leave their rows to the next ones."""
    for rows in files:
        await event.load(positions(*rows))
    before = await event.snapshot()
    result = await event.load(positions(*files[-1]))
    assert result.created == result.changed == 0
    assert await event.snapshot() == before


async def test_twenty_thousand_rows_in_one_go(event: Event, capsys: Any) -> None:
    """Timing is printed, not asserted; the counts are."""
    count = 20_000
    rows = [position(f"O{n // 2}", str(n % 2 + 1)) for n in range(count)]
    data = positions(*rows)
    seen: list[tuple[int, int]] = []
    start = time.perf_counter()
    result = await event.load(data, progress=lambda *step: seen.append(step))
    first_s = time.perf_counter() - start
    start = time.perf_counter()
    again = await event.load(data)
    again_s = time.perf_counter() - start
    assert (result.created, again.unchanged) == (count, count)
    assert seen[-1] == (2 * count, 2 * count)
    with capsys.disabled():
        print(f"\n{count} rows: {first_s:.1f} s, again {again_s:.1f} s")  # noqa: T201
