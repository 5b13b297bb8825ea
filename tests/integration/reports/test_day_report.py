"""Every number of the day report equals SQL of its own over what the doors wrote."""

from __future__ import annotations

import csv
import io
from typing import Any

from ops.ids import uuid7
from tests.integration.attendance.kit import Doors


async def evening(doors: Doors) -> None:
    """Entries, exits, refusals, taps, a session, a conflict, an announcement."""
    for n in range(1, 9):
        assert (await doors.scan(f"T-{n}"))["verdict"] == "admitted"
    await doors.scan("V-1")
    await doors.scan("V-1", doors.event.lounge_device)
    await doors.scan("G-1", admit=3)
    for code in ("T-1", "T-2"):
        await doors.scan(code, direction="out")
    assert (await doors.scan("T-1"))["verdict"] == "admitted"
    # Red: the same again, codes of nothing, a place that is not theirs.
    await doors.scan("T-3", doors.event.other_device)
    for code in ("NOTHING-1", "NOTHING-1", "NOTHING-2"):
        await doors.scan(code)
    await doors.scan("T-4", doors.event.lounge_device)
    tap = {"id": str(uuid7()), "gate_id": str(doors.event.main_gate), "delta": 4}
    await doors.ok(f"{doors.base}/counts", tap, doors.at())
    pool = doors.database.pool
    await pool.execute(
        """INSERT INTO ops.session_registrations
             (session_id, event_id, ticket_id, status)
           SELECT $1, $2, t, 'registered' FROM unnest($3::uuid[]) AS t""",
        *(doors.event.session, doors.event.id),
        [doors.event.tickets[code] for code in ("T-1", "T-2", "T-5")],
    )
    await doors.scan("T-5", session_id=str(doors.event.session))
    await pool.execute(
        """UPDATE attendees SET first_name = '李小龙 🎪', last_name = 'מרים' WHERE id =
             (SELECT attendee_id FROM tickets WHERE id = $1)""",
        doors.event.tickets["T-6"],
    )
    await pool.execute(
        """INSERT INTO ops.conflicts (event_id, kind, ticket_id, people)
           VALUES ($1, 'double_entry', $2, 1)""",
        *(doors.event.id, doors.event.tickets["T-6"]),
    )
    made = await doors.ok(
        f"{doors.base}/announcements", {"title": "Bus 🚌", "content": "At one."}
    )
    await doors.ok(f"{doors.base}/announcements/{made['id']}/send", {"at_once": True})


async def report(doors: Doors) -> dict[str, Any]:
    answer = await doors.get(f"{doors.base}/day-report")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_each_number_is_counted_again(doors: Doors) -> None:
    await evening(doors)
    found = await report(doors)
    figures, value = found["figures"], doors.value
    scope = doors.event.venue_scope
    assert (
        figures["entered"]
        == 12
        == await value(
            "SELECT count(DISTINCT (ticket_id, person_no)) FROM check_ins"
            " WHERE scope_id = $1 AND undone_at IS NULL",
            scope,
        )
    )
    assert (
        figures["inside"]
        == 15
        == await value(
            "SELECT s.inside + a.manual FROM ops.scopes s JOIN ops.areas a"
            " ON a.id = s.area_id WHERE s.id = $1",
            scope,
        )
    )
    assert (figures["counted"], figures["re_entries"], figures["exits"]) == (4, 1, 2)
    assert found["peak_inside"] == 12
    assert sum(one["people"] for one in found["curve"]) == figures["entered"]
    assert [one["people"] for one in found["days"]] == [figures["entered_today"]]

    refusals = {one["reason"]: one for one in found["refusals"]}
    rows = await doors.database.pool.fetch(
        """SELECT reason, count(*) AS attempts,
                  count(DISTINCT coalesce(ticket_id::text, encode(code_hash, 'hex')))
                    AS people
             FROM ops.scan_log WHERE verdict = 'refused' AND NOT args ? 'just_now'
            GROUP BY reason"""
    )
    assert {row["reason"]: row["attempts"] for row in rows} == {
        reason: one["attempts"] for reason, one in refusals.items()
    }
    assert {row["reason"]: row["people"] for row in rows} == {
        reason: one["people"] for reason, one in refusals.items()
    }
    assert refusals["unknown_code"] == {
        "reason": "unknown_code",
        "attempts": 3,
        "people": 2,
    }
    assert (
        sum(one["attempts"] for one in refusals.values())
        == (figures["refused_attempts"])
    )


async def test_gates_types_sessions_and_what_was_said(doors: Doors) -> None:
    await evening(doors)
    found = await report(doors)
    gates = {one["name"]: one for one in found["gates"]}
    main = gates["Main gate"]
    assert (main["entered"], main["exited"], main["counted"]) == (13, 2, 4)
    # Each entry into a gate's own area, each refusal at a gate, is at one of them.
    assert sum(one["entered"] for one in found["gates"]) == await doors.value(
        """SELECT count(*) FROM check_ins c JOIN ops.gates g ON g.id = c.gate_id
            WHERE c.area_id = g.area_id AND c.undone_at IS NULL"""
    )
    assert (
        sum(one["refused"] for one in found["gates"])
        == (found["figures"]["refused_attempts"])
    )
    types = {one["name"]: one for one in found["types"]}
    assert (types["Regular"]["entered"], types["Group of 4"]["entered"]) == (8, 3)
    assert types["Regular"]["valid"] == 20
    assert sum(one["entered"] for one in found["types"]) == found["figures"]["entered"]
    [session] = found["sessions"]
    assert (session["registered"], session["attended"], session["no_shows"]) == (
        3,
        1,
        2,
    )
    [conflict] = found["conflicts"]
    assert (conflict["conflicts"], conflict["open"], conflict["people"]) == (1, 1, 1)
    assert found["conflict_list"][0]["holder"] == "李小龙 🎪 מרים"
    [said] = found["announcements"]
    assert said["counted"] == said["delivered"] + said["missed"] > 0


async def test_csv_and_pdf_say_the_same(doors: Doors) -> None:
    await evening(doors)
    found = await report(doors)
    answer = await doors.get(f"{doors.base}/day-report.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    told = {(one["section"], one["item"], one["figure"]): one["value"] for one in lines}
    for name, value in found["figures"].items():
        assert told["figures", "", name] == ("" if value is None else str(value))
    for gate in found["gates"]:
        assert told["gates", gate["name"], "entered"] == str(gate["entered"])
    printed = await doors.get(f"{doors.base}/day-report.pdf", language="fr")
    assert printed.content.startswith(b"%PDF-")
    assert "day-report.pdf" in printed.headers["content-disposition"]


async def test_who_may_read_it(doors: Doors) -> None:
    path = f"{doors.base}/day-report"
    manager = await doors.staff("door_manager")
    assert (await doors.get(path, manager)).status_code == 200
    for role in ("steward", "viewer"):  # no figures, or no names
        who = await doors.staff(role)
        assert (await doors.get(path, who)).status_code == 403
    lost = await doors.get(f"/events/{uuid7()}/day-report")
    assert lost.status_code == 404
    assert (await doors.get(path, doors.at())).status_code == 403
