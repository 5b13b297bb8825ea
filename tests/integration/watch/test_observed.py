"""What is observed at gates, devices, shifts, and of who arrives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from ops.ids import uuid7
from ops.watch.watcher import Watcher
from tests.integration.watch.watch_kit import TEXTS, Evening


async def test_a_silent_gate_rings_only_while_the_doors_are_open(
    evening: Evening,
) -> None:
    await evening.passed(0, 0, 0, *[6] * 12)
    await evening.pool.execute(
        "UPDATE events SET doors_state = 'held' WHERE id = $1", evening.event.id
    )
    await evening.look()
    assert await evening.rules_open() == set()
    await evening.pool.execute(
        "UPDATE events SET doors_state = 'open' WHERE id = $1", evening.event.id
    )
    await evening.look()
    assert {"gate_silent", "gate_drop"} <= await evening.rules_open()


async def test_devices_that_are_gone_empty_or_full(evening: Evening) -> None:
    now = datetime.now(UTC)
    await evening.pool.execute(
        "UPDATE ops.devices SET battery = 9, pending = 12, last_seen_at = $2"
        " WHERE id = $1",
        evening.event.device,
        now - timedelta(minutes=7),
    )
    await evening.look()
    assert await evening.rules_open() == {"device_gone", "low_battery"}
    # Unsent for five minutes, by the clock of the store.
    await evening.held_since("unsent_scans", str(evening.event.device), 301)
    await evening.look()
    assert "unsent_scans" in await evening.rules_open()


async def test_vips_and_parties_arrive_and_a_speaker_does_not(
    evening: Evening, owner: UUID
) -> None:
    pool = evening.pool
    contact, speaker = uuid7(), uuid7()
    await pool.execute(
        "INSERT INTO contacts (id, email, first_name, last_name)"
        " VALUES ($1, 'lin@example.org', 'Lin', 'Ó Briain')",
        contact,
    )
    await pool.execute(
        "INSERT INTO speakers (id, event_id, contact_id, status)"
        " VALUES ($1, $2, $3, 'confirmed')",
        speaker,
        evening.event.id,
        contact,
    )
    await pool.execute(
        "UPDATE sessions SET speaker_id = $1, end_time = now() + interval '2 hours',"
        " start_time = now() + interval '30 minutes' WHERE id = $2",
        speaker,
        evening.event.session,
    )
    guest_list = uuid7()
    await pool.execute(
        "INSERT INTO ops.guest_lists (id, event_id, name, host, host_user_id,"
        " ticket_type_id, quota) VALUES ($1, $2, 'Band', 'Sam', $3, $4, 10)",
        guest_list,
        evening.event.id,
        owner,
        evening.event.group,
    )
    await pool.execute(
        "INSERT INTO ops.guest_list_entries (id, list_id, event_id, ticket_id, people,"
        " state) VALUES ($1, $2, $3, $4, 4, 'approved')",
        uuid7(),
        guest_list,
        evening.event.id,
        evening.event.tickets["G-1"],
    )
    await evening.scan("V-2")
    await evening.admitted("G-1", admit=3)
    await evening.look()
    found = await evening.by_rule()
    assert found["vip_arrived"]["holder"] == "李小龙"
    party = found["party_arrived"]
    [(_, subject, _)] = await mails(evening)  # the VIP has no host
    assert subject.startswith("Band has arrived: ")
    assert (party["list"], party["value"], party["args"]["of"]) == ("Band", 3, 4)
    assert party["host"] is not None
    missing = found["speaker_missing"]
    assert (missing["holder"], missing["session"]) == ("Lin Ó Briain", "Opening")
    assert 28 <= missing["value"] <= 30


async def test_a_smaller_room_rings_until_its_people_fit(evening: Evening) -> None:
    run, session = evening.pool.execute, evening.event.session
    seats = "UPDATE sessions SET max_attendees = $2, end_time = $3 WHERE id = $1"
    later = datetime.now(UTC) + timedelta(hours=2)
    for ticket in list(evening.event.tickets.values())[:3]:
        await run(
            "INSERT INTO ops.session_registrations (id, session_id, event_id,"
            " attendee_id, ticket_id, status, registered_at)"
            " SELECT $1, $2, event_id, attendee_id, id, 'registered', now()"
            " FROM tickets WHERE id = $3",
            uuid7(),
            session,
            ticket,
        )
    await run(seats, session, 3, later)
    await evening.look()
    assert "too_many_registered" not in await evening.by_rule()
    await run(seats, session, 1, later)
    await evening.look()
    said = (await evening.by_rule())["too_many_registered"]
    assert (said["session"], said["value"]) == ("Opening", 2)
    await run(seats, session, 3, later)
    await evening.look()
    assert "too_many_registered" not in await evening.rules_open()


async def test_mode_d_rings_while_it_lasts(evening: Evening) -> None:
    async def mode(_: UUID) -> str | None:
        return "D"

    watcher = Watcher(evening.database, mode, TEXTS, look_s=0.0)
    await watcher.look(evening.event.id)
    assert await evening.rules_open() == {"journal_mode"}
    await evening.look()
    assert await evening.rules_open() == set()


async def test_a_machine_whose_journals_do_not_come_in_rings(evening: Evening) -> None:
    """In mode D alone, after its time, named; it ends when they are in."""

    async def mode(_: UUID) -> str | None:
        return "D"

    watcher = Watcher(evening.database, mode, TEXTS, look_s=0.0)
    machine = uuid7()
    await evening.pool.execute(
        "INSERT INTO ops.machines (id, name, first_seen_at)"
        " VALUES ($1, 'hall', now() - interval '1 hour')",
        machine,
    )
    merged = (
        "INSERT INTO ops.merges (machine_id, event_id, epoch, merged_at)"
        " VALUES ($1, $2, 7, now() - $3 * interval '1 second')"
        " ON CONFLICT (machine_id, event_id)"
        " DO UPDATE SET merged_at = excluded.merged_at"
    )
    await evening.pool.execute(merged, machine, evening.event.id, 40)
    await watcher.look(evening.event.id)
    assert "journal_behind" not in await evening.rules_open()  # it has to hold for 5 s
    await evening.held_since("journal_behind", "journals", 6)
    await watcher.look(evening.event.id)
    behind = (await evening.by_rule())["journal_behind"]
    assert (behind["value"], behind["args"]) == (40, {"machine": "hall"})
    await evening.choose("journal_behind", clear_s=0)
    await evening.pool.execute(merged, machine, evening.event.id, 0)
    await watcher.look(evening.event.id)
    assert await evening.rules_open() == {"journal_mode"}
    # A machine that was retired is waited for by nobody.
    await evening.pool.execute(merged, machine, evening.event.id, 90)
    await evening.pool.execute("UPDATE ops.machines SET retired_at = now()")
    await evening.choose("journal_behind", for_s=0)
    await watcher.look(evening.event.id)
    assert "journal_behind" not in await evening.rules_open()


async def sign_on(evening: Evening, role: str = "steward") -> str:
    """A new operator, signed on at the device of the main gate; the id."""
    body = {"name": "Zoë O'Brien-Łukasz", "pin": "240917", "role": role}
    made = await evening.http.post(
        f"{evening.root}/operators", json=body, headers=evening.bearer
    )
    assert made.status_code == 201, made.text
    signed = await evening.http.post(
        "/api/v1/devices/operator",
        json={"pin": "240917"},
        headers={"Authorization": f"Device dev_{evening.event.device}"},
    )
    assert signed.status_code == 200, signed.text
    return str(made.json()["id"])


async def test_an_operator_who_overrides_much_rings_and_is_a_case(
    evening: Evening,
) -> None:
    operator = await sign_on(evening, "supervisor")
    for n in range(1, 7):
        await evening.pool.execute(
            "UPDATE tickets SET state = 'cancelled' WHERE id = $1",
            evening.event.tickets[f"T-{n}"],
        )
        assert "override_rate" not in await evening.rules_open()
        await evening.admitted(f"T-{n}", override={"reason": "she knows them"})
        await evening.logged(n)
        await evening.look()
    [alert] = await evening.alerts(rule="override_rate")
    assert (alert["operator"], alert["value"]) == ("Zoë O'Brien-Łukasz", 6)
    assert (alert["operator_id"], alert["args"]["tickets"]) == (operator, 6)
    assert alert["gate"] == "Main gate"
    record = await evening.get(f"/alerts/{alert['id']}/evidence")
    assert {one["operator"] for one in record["scans"]} == {"Zoë O'Brien-Łukasz"}
    assert len(record["scans"]) == 6


async def test_changes_that_wait_ring_until_the_doors_have_heard_of_them(
    evening: Evening,
) -> None:
    """Nobody relays here: what a ticket's row has become waits in the outbox."""
    await evening.pool.execute("DELETE FROM ops.outbox")
    await evening.look()
    await evening.pool.execute(
        "UPDATE tickets SET state = 'blocked' WHERE id = $1",
        evening.event.tickets["T-1"],
    )
    await evening.look()
    assert "sync_behind" not in await evening.rules_open()
    await evening.pool.execute(
        "UPDATE ops.outbox SET created_at = now() - interval '1 minute'"
    )
    await evening.look()
    assert "sync_behind" not in await evening.rules_open()  # it must stand for 5 s
    await evening.held_since("sync_behind", "relay", 6)
    await evening.look()
    [alert] = await evening.alerts(rule="sync_behind")
    assert 60 <= alert["value"] <= 300
    await evening.choose("sync_behind", clear_s=0)
    await evening.pool.execute("DELETE FROM ops.outbox")
    await evening.look()
    assert "sync_behind" not in await evening.rules_open()


async def test_a_missing_shift_rings_until_somebody_stands_there(
    evening: Evening,
) -> None:
    operator = await sign_on(evening)
    now = datetime.now(UTC)
    for gate, minutes in ((evening.event.lounge_gate, 7), (evening.event.main_gate, 9)):
        body = {
            "operator_id": operator,
            "gate_id": str(gate),
            "starts_at": (now - timedelta(minutes=minutes)).isoformat(),
            "ends_at": (now + timedelta(hours=2)).isoformat(),
        }
        added = await evening.http.post(
            f"{evening.root}/shifts", json=body, headers=evening.bearer
        )
        assert added.status_code == 201, added.text
    await evening.look()
    # At the main gate is who should be there; at the lounge nobody is.
    [alert] = await evening.alerts(rule="shift_missing")
    assert (alert["operator"], alert["value"]) == ("Zoë O'Brien-Łukasz", 7)
    assert (alert["gate"], alert["args"]["state"]) == ("Lounge gate", "elsewhere")
    await evening.pool.execute(
        "UPDATE ops.devices SET operator_id = NULL WHERE id = $1", evening.event.device
    )
    await evening.look()
    assert len(await evening.alerts(rule="shift_missing", open_only=True)) == 2
    await evening.choose("shift_missing", threshold=30, clear_at=30)
    await evening.look()
    assert await evening.alerts(rule="shift_missing", open_only=True) == []


async def mails(evening: Evening) -> list[tuple[str, str, str]]:
    """To whom, subject and text of what hosts are told."""
    rows = await evening.pool.fetch(
        "SELECT to_address, subject, body FROM ops.mails WHERE kind = 'host'"
        " ORDER BY created_at, id"
    )
    return [tuple(row) for row in rows]


async def test_hosts_are_told_once_that_their_guests_are_there(
    evening: Evening, owner: UUID
) -> None:
    pool, event = evening.pool, evening.event
    buyer, order, seats = uuid7(), uuid7(), uuid7()
    await pool.execute(
        "INSERT INTO contacts (id, email, first_name, last_name, assigned_to)"
        " VALUES ($1, 'lin@example.org', 'Lin', 'Ó Briain', $2)",
        *(buyer, owner),
    )
    await pool.execute("UPDATE users SET language = 'fr' WHERE id = $1", owner)
    await pool.execute(
        "INSERT INTO orders (id, event_id, contact_id, order_number)"
        " VALUES ($1, $2, $3, 'A-7')",
        *(order, event.id, buyer),
    )
    await pool.execute(
        "INSERT INTO seat_maps (id, event_id, name) VALUES ($1, $2, 'Salle')",
        *(seats, event.id),
    )
    for seat, code in enumerate(("T-1", "T-2"), 1):
        await pool.execute(
            "UPDATE tickets SET order_id = $1 WHERE id = $2",
            *(order, event.tickets[code]),
        )
        await pool.execute(
            "INSERT INTO seat_assignments (id, seat_map_id, ticket_id, row_number,"
            " seat_number, section_name) VALUES ($1, $2, $3, 12, $4, 'Balcon')",
            *(uuid7(), seats, event.tickets[code], seat),
        )
    await evening.admitted("T-3")
    await evening.look()
    assert await mails(evening) == []  # nobody's guest
    await evening.admitted("T-1")
    await evening.look()
    await evening.admitted("T-2")
    await evening.look()
    [(to, subject, body)] = await mails(evening)
    address = await pool.fetchval("SELECT email FROM users WHERE id = $1", owner)
    title = await pool.fetchval("SELECT title FROM events WHERE id = $1", event.id)
    assert (to, subject) == (address, f"Table 12 Balcon est là : {title}")
    assert "Main gate" in body
    [alert] = await evening.alerts(rule="party_arrived")
    assert (alert["value"], alert["args"]["host_id"]) == (2, str(owner))


async def test_who_was_put_out_rings_until_the_incident_is_closed(
    evening: Evening,
) -> None:
    await evening.admitted("T-3")
    ticket, incident = evening.event.tickets["T-3"], str(uuid7())
    answer = await evening.http.post(
        f"{evening.root}/tickets/{ticket}/eject",
        json={"id": incident, "reason": "Threw a bottle"},
        headers=evening.bearer,
    )
    assert answer.status_code == 200, answer.text
    await evening.look()
    [alert] = await evening.alerts(rule="ejected")
    assert (alert["gravity"], alert["ticket_id"]) == ("warn", str(ticket))
    assert alert["holder"] is not None
    record = await evening.get(f"/alerts/{alert['id']}/evidence")
    assert [scan["verdict"] for scan in record["scans"]] == ["admitted", "exited"]
    await evening.look()
    assert len(await evening.alerts(rule="ejected")) == 1
    closed = await evening.http.patch(
        f"{evening.root}/incidents/{incident}",
        json={"state": "closed"},
        headers=evening.bearer,
    )
    assert closed.status_code == 200, closed.text
    await evening.look()
    assert await evening.alerts(rule="ejected", open_only=True) == []
