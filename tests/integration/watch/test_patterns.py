"""Cases: patterns of fraud in what really happened at doors, and their records."""

from __future__ import annotations

from typing import Any

from ops.ids import uuid7
from ops.live.alerts import read_alerts
from tests.integration.watch.watch_kit import Evening


async def test_patterns_of_fraud_are_found_in_what_the_doors_did(
    evening: Evening,
) -> None:
    second, third = uuid7(), uuid7()
    for gate, name, device in ((second, "North", uuid7()), (third, "South", uuid7())):
        await evening.pool.execute(
            "INSERT INTO ops.gates (id, event_id, area_id, name, direction)"
            " VALUES ($1, $2, $3, $4, 'in')",
            gate,
            evening.event.id,
            evening.event.venue,
            name,
        )
        await evening.event.add_device(evening.pool, device, name, gate)
        setattr(evening.event, name, device)
    order = uuid7()
    await evening.pool.execute(
        "INSERT INTO orders (id, event_id, order_number) VALUES ($1, $2, 'A-1')",
        order,
        evening.event.id,
    )
    await evening.pool.execute(
        "UPDATE tickets SET order_id = $1 WHERE id = ANY ($2)",
        order,
        [evening.event.tickets["T-1"], evening.event.tickets["T-2"]],
    )
    await evening.admitted("T-1")
    for device in ("North", "South", "other_device"):
        assert (await evening.scan("T-1", device))["verdict"] != "admitted"
    await evening.pool.execute(
        "UPDATE check_ins SET confirmed_at = now() WHERE event_id = $1",
        evening.event.id,
    )
    for device in ("North", "South", "other_device", "North"):
        again = await evening.scan("T-1", device)
        assert again["verdict"] == "refused", again
    for n in range(9):
        await evening.scan(f"guess {n}", "South")
    # Codes that nobody could read, at three gates, are not one person at three gates.
    for device in ("North", "other_device", "lounge_device"):
        await evening.scan("BEGIN:VCARD", device)
    # The same code at the lounge inside the venue, a moment later, is no case.
    await evening.admitted("V-1")
    await evening.admitted("V-1", "lounge_device")
    await evening.logged(22)
    await evening.look()
    found = await evening.alerts()
    by_rule: dict[str, list[Any]] = {}
    for one in found:
        by_rule.setdefault(one["rule"], []).append(one)
    [fast] = by_rule["two_gates_fast"]
    assert fast["ticket_id"] == str(evening.event.tickets["T-1"])
    assert {"first_scan", "second_scan", "walk_s"} <= fast["args"].keys()
    assert {fast["gate"], fast["first_gate"]} <= {"Main gate", "North", "South"}
    assert fast["holder"] == "Guest 1"
    [guessing] = by_rule["code_guessing"]
    assert (guessing["device"], guessing["value"]) == ("South", 9)
    [refused] = by_rule["refused_at_gates"]
    assert (refused["value"], refused["ticket_id"]) == (
        3,
        str(evening.event.tickets["T-1"]),
    )
    [order_of] = by_rule["order_duplicates"]
    # Where somebody should go.
    assert None not in (refused["gate"], order_of["gate"])
    assert (order_of["args"]["order_id"], order_of["args"]["tickets"]) == (
        str(order),
        1,
    )
    await records_are_whole(evening, by_rule)
    # On the wall the copied ticket is one case: that it was refused at three gates is
    # the lesser part of it, and stays in the history.
    shown = await read_alerts(evening.pool, evening.event.id)
    assert shown is not None
    standing = {one.rule: one.standing for one in shown.rules}
    assert standing["two_gates_fast"] == 1
    assert "refused_at_gates" not in standing
    assert [one.rule for one in shown.raised if one.gravity == "info"] == [
        shown.raised[-1].rule
    ]


async def records_are_whole(evening: Evening, by_rule: dict[str, list[Any]]) -> None:
    """Each case has its record; what is no case has none."""
    cases = ["two_gates_fast", "code_guessing", "refused_at_gates", "order_duplicates"]
    for rule in cases:
        [one] = by_rule[rule]
        assert one["case"]
        path = f"/alerts/{one['id']}/evidence"
        record = await evening.get(path)
        first, second = (
            next(scan for scan in record["scans"] if scan["part"] == part)
            for part in ("first", "second")
        )
        assert first["at"] <= second["at"]
        assert {first["gate"], second["gate"]} <= {"Main gate", "North", "South"}
        assert first["device"]
        assert second["device"]
        assert (await evening.get(path))["digest"] == record["digest"]
        if rule != "code_guessing":
            assert first["holder"] == "Guest 1"
            # The fastest pair may be of two later scans.
            assert rule == "two_gates_fast" or first["verdict"] == "admitted"
            assert first["order_number"] == "A-1"
        else:
            assert len(record["scans"]) == 9
    [vip] = by_rule["vip_arrived"]
    await evening.get(f"/alerts/{vip['id']}/evidence", status=404)


async def test_a_walk_that_was_set_holds_between_two_gates(evening: Evening) -> None:
    await evening.admitted("V-1")
    await evening.admitted("V-1", "lounge_device")
    await evening.look()
    assert "two_gates_fast" not in await evening.rules_open()
    url = f"{evening.root}/gate-walks"
    body = {
        "gate_id": str(evening.event.main_gate),
        "other_gate_id": str(evening.event.lounge_gate),
        "walk_s": 300,
    }
    done = await evening.http.put(url, json=body, headers=evening.bearer)
    assert done.json()["walks"][0]["walk_s"] == 300, done.text
    bad = await evening.http.put(
        url, json={**body, "gate_id": str(uuid7())}, headers=evening.bearer
    )
    assert (bad.status_code, bad.json()["code"]) == (422, "unknown_gate")
    await evening.look()
    assert "two_gates_fast" in await evening.rules_open()


async def test_a_refunded_ticket_inside_and_at_the_door(evening: Evening) -> None:
    await evening.scan("T-1")
    for code in ("T-1", "T-2"):
        await evening.pool.execute(
            "UPDATE tickets SET state = 'refunded' WHERE id = $1",
            evening.event.tickets[code],
        )
    assert (await evening.scan("T-2"))["reason"] == "refunded"
    await evening.logged(2)
    await evening.look()
    found = await evening.by_rule()
    assert found["voided_inside"]["ticket_id"] == str(evening.event.tickets["T-1"])
    assert found["refund_then_scan"]["ticket_id"] == str(evening.event.tickets["T-2"])
    gates = {found[name]["gate"] for name in ("voided_inside", "refund_then_scan")}
    assert gates == {"Main gate"}
