"""Finding people over HTTP, and what a kiosk may."""

from __future__ import annotations

import pytest

from ops.ids import uuid7
from tests.integration.attendance.kit import Doors

PEOPLE = (
    (
        "Siobhán",
        "D'Arcy-Žižka",
        "Münch & Söhne",
        "sio@example.org",
        "+1 416 555 0199",
    ),
    ("Kim", "Ng", None, "kim.ng@example.org", None),
    ("李小龙", "", None, None, None),
    ("Zoë", "Müller", None, "zoe@example.org", "0049 30 901820"),
    ("Zoe", "Muller", None, "zm@example.org", None),
)


@pytest.fixture
async def people(doors: Doors) -> Doors:
    for n, (first, last, company, email, phone) in enumerate(PEOPLE):
        order = uuid7()
        await doors.database.pool.execute(
            "INSERT INTO orders (id, event_id, order_number) VALUES ($1, $2, $3)",
            order,
            doors.event.id,
            f"A-10{n}",
        )
        ticket = await doors.event.add_ticket(
            doors.database.pool, f"S-000{n}", doors.event.regular, first
        )
        await doors.database.pool.execute(
            "UPDATE attendees SET last_name = $2, company = $3, email = $4, phone = $5,"
            " order_id = $6 WHERE id = (SELECT attendee_id FROM tickets WHERE id = $1)",
            ticket,
            last,
            company,
            email,
            phone,
            order,
        )
        await doors.database.pool.execute(
            "UPDATE tickets SET order_id = $2 WHERE id = $1", ticket, order
        )
        await doors.database.pool.execute(
            "UPDATE ops.ticket_codes SET hint = $2 WHERE ticket_id = $1",
            ticket,
            f"…000{n}",
        )
    return doors


async def names(doors: Doors, q: str, who: dict[str, str] | None = None) -> list[str]:
    answer = await doors.get(f"{doors.base}/attendees", who, q=q)
    assert answer.status_code == 200, answer.text
    return [item["first_name"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("d'arcy", ["Siobhán"]),
        ("DARCY", ["Siobhán"]),
        ("zizka", ["Siobhán"]),
        ("zikza", ["Siobhán"]),
        ("siobhan dar", ["Siobhán"]),
        ("sohne", ["Siobhán"]),
        ("ng", ["Kim"]),
        ("李", ["李小龙", "李小龙"]),
        ("0199", ["Siobhán"]),
        ("A-102", ["李小龙"]),
        ("S-0003", ["Zoë"]),
        ("kim.ng@exa", ["Kim"]),
        ("müler", ["Zoe", "Zoë"]),
        ("nobody-here", []),
        ("k' OR 1=1 --", []),
        ("100%_", []),
    ],
)
async def test_found(people: Doors, q: str, found: list[str]) -> None:
    assert sorted(await names(people, q)) == sorted(found)


async def test_the_best_ten_and_how_many_more(doors: Doors) -> None:
    answer = (await doors.get(f"{doors.base}/attendees", q="guest")).json()
    assert (len(answer["items"]), answer["more"]) == (10, 10)
    ticket = answer["items"][0]["tickets"][0]
    assert (ticket["state"], ticket["type"]) == ("valid", "Regular")


@pytest.mark.parametrize("q", ["ab1", "a", "  ", "'-", "x"])
async def test_short(doors: Doors, q: str) -> None:
    answer = await doors.get(f"{doors.base}/attendees", q=q)
    assert answer.status_code in (200, 400, 422)
    assert (answer.status_code == 422) == (q in ("  ", "'-"))


async def test_it_is_written_down_without_what_was_typed(people: Doors) -> None:
    await names(people, "zizka", people.at())
    row = await people.database.pool.fetchrow(
        "SELECT subject_kind, detail FROM ops.audit_log"
        " WHERE action = 'attendees.search'"
    )
    assert row["subject_kind"] == "device"
    assert (row["detail"]["signs"], row["detail"]["found"]) == (5, 1)
    assert "zizka" not in str(row)


async def test_it_is_limited_by_device(doors: Doors) -> None:
    for _ in range(40):
        answer = await doors.get(f"{doors.base}/attendees", doors.at(), q="guest")
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    other = doors.at(doors.event.other_device)
    assert (
        await doors.get(f"{doors.base}/attendees", other, q="guest")
    ).status_code == 200


async def test_an_erased_name_is_found_nowhere(people: Doors) -> None:
    await people.database.pool.execute(
        "UPDATE attendees SET first_name = 'Erased', last_name = '', email = NULL,"
        " company = NULL, phone = NULL WHERE first_name = 'Siobhán'"
    )
    assert await names(people, "zizka") == []
    left = "SELECT count(*) FROM ops.name_words WHERE word = 'zizka'"
    assert await people.value(left) == 0


async def kiosk(doors: Doors) -> dict[str, str]:
    await doors.database.pool.execute(
        "UPDATE ops.devices SET profile = 'kiosk' WHERE id = $1",
        doors.event.lounge_device,
    )
    return doors.at(doors.event.lounge_device)


async def test_a_kiosk_looks_up_exactly_and_shows_an_initial(people: Doors) -> None:
    device = await kiosk(people)
    answer = await people.get(f"{people.base}/attendees", device, q="zizka")
    assert (answer.status_code, answer.json()["code"]) == (403, "kiosk")
    path = f"{people.base}/lookup"
    body = {"surname": "darcy-zizka", "order_number": "A-100"}
    assert (await people.ok(path, body, device))["match"] is None
    body["surname"] = "d'arcy-zizka"
    match = (await people.ok(path, body, device))["match"]
    assert (match["first_name"], match["initial"]) == ("Siobhán", "D")
    assert set(match) == {"ticket_id", "first_name", "initial"}
    body = {"surname": "NG", "email": " Kim.Ng@Example.org "}
    assert (await people.ok(path, body, device))["match"]["first_name"] == "Kim"
    assert await people.refused(path, {"surname": "Ng"}, device) == (422, "one_of")


async def test_a_kiosk_has_five_tries(people: Doors) -> None:
    device, path = await kiosk(people), f"{people.base}/lookup"
    right = {"surname": "Ng", "email": "kim.ng@example.org"}
    for _ in range(8):  # who is found uses no try up
        assert (await people.ok(path, right, device))["match"]
    wrong = {"surname": "Ng", "order_number": "A-999"}
    for _ in range(5):
        assert (await people.ok(path, wrong, device))["match"] is None
    assert (await people.refused(path, right, device))[0] == 429
