"""The golden table of decisions, read for Python (tests/contract/cases.json).

The file is neutral: names instead of ids, ISO times. Here a name becomes an id of its
own kind, always the same one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

import msgspec

from ops.admission.ask import Ask
from ops.admission.days import EPOCH, EventDays
from ops.admission.decision import decide, full
from ops.admission.outcome import Decision
from ops.admission.plan import Plan, PlanRows
from ops.admission.scan import Override, ScanRequest
from ops.admission.scan_facts import OtherEvent, ScanFacts
from ops.cache.entry import (
    CodeState,
    DeviceEntry,
    Exemption,
    Phase,
    Special,
    TicketEntry,
    Visit,
    ms,
)

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "contract" / "cases.json").read_text()
)
DEFAULTS: dict[str, Any] = TABLE["defaults"]
_KINDS = {
    "id": "",
    "area_id": "areas",
    "overflow_area_id": "areas",
    "parent_id": "scopes",
    "scope_id": "scopes",
    "session_id": "sessions",
    "use_instead_id": "gates",
    "ticket_type_id": "types",
    "gate_id": "gates",
}


def named(kind: str, name: str) -> UUID:
    """The id of a thing of the table."""
    return uuid5(NAMESPACE_DNS, f"{kind}.{name}.golden.example")


Naming = Callable[[str, str], UUID]
"""How the id of a thing follows from its kind and name."""


def _row(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row with ids instead of names."""
    kinds = _KINDS | ({"parent_id": "areas"} if kind == "areas" else {})
    return {
        key: str(named(kinds[key] or kind, value))
        if key in _KINDS and value is not None
        else value
        for key, value in row.items()
    }


def plan_of(case: dict[str, Any]) -> Plan:
    """The table's plan with what the case changes in it."""
    change = case.get("change", {})
    rows: dict[str, Any] = {"version": 1}
    rows["event"] = _row("events", TABLE["plan"]["event"] | change.get("event", {}))
    for kind in ("areas", "scopes", "gates", "types"):
        changed = change.get(kind, {})
        rows[kind] = [
            _row(kind, row | changed.get(row["id"], {})) for row in TABLE["plan"][kind]
        ]
    for kind in ("rules", "questions", "stops", "held"):
        rows[kind] = [_row(kind, row) for row in plan_list(case, kind)]
    return Plan(msgspec.convert(rows, PlanRows))


def plan_list(case: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Rules, questions, stops or held places: the table's and the case's own."""
    added: list[dict[str, Any]] = case.get("change", {}).get(kind, [])
    return [*TABLE["plan"].get(kind, []), *added]


def at_of(case: dict[str, Any]) -> datetime:
    """The time at which the case is decided."""
    return datetime.fromisoformat(case.get("at", DEFAULTS["at"]))


def ask_of(case: dict[str, Any], plan: Plan) -> Ask:
    """The question of the case."""
    scan = DEFAULTS["scan"] | case.get("scan", {})
    code = DEFAULTS["code"] | case.get("code", {})
    device = DEFAULTS["device"] | case.get("device", {})
    override = scan.get("override")
    request = ScanRequest(
        named("scans", case["name"]),
        "not read here",
        area_id=named("areas", scan["area"]) if "area" in scan else None,
        session_id=named("sessions", scan["session"]) if "session" in scan else None,
        admit=scan.get("admit"),
        whole_order=scan.get("whole_order", False),
        method=scan.get("method", "qr_code"),
        override=override_of(override),
        answers=answers_of(scan.get("answers")),
    )
    gate = plan.gates[named("gates", scan["gate"])] if scan["gate"] else None
    return Ask(
        request,
        named("devices", str(device["no"])),
        scan["direction"],
        gate,
        at_of(case),
        code["kind"],
        lambda: bool(code["forged"]),
        device["profile"],
    )


def override_of(given: dict[str, Any] | None) -> Override | None:
    """A supervisor's act with what was on the screen; `previous` names a scan."""
    if given is None:
        return None
    previous = given.get("previous")
    return Override(
        given["reason"],
        given.get("saw"),
        named("scans", previous) if previous else None,
    )


def answers_of(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """The answers of a scan under the questions' ids."""
    if given is None:
        return None
    return {
        name if name == "age" else str(named("questions", name)): value
        for name, value in given.items()
    }


def facts_of(case: dict[str, Any], plan: Plan) -> ScanFacts:
    """What is known of the ticket, its visits and the device."""
    device = DEFAULTS["device"] | case.get("device", {})
    code = DEFAULTS["code"] | case.get("code", {})
    facts = ScanFacts(
        DeviceEntry(
            1,
            device["no"],
            "active",
            device["profile"],
            "Phone",
            operator_role=device["role"],
        )
    )
    other = case.get("other_event")
    if other:
        starts_at = datetime.fromisoformat(other["starts_at"])
        facts.other_event = OtherEvent(other["title"], starts_at, "America/Toronto")
    inside = case.get("inside")
    if inside is not None:
        facts.people = {named("scopes", n): p for n, p in inside.items()}
        facts.people |= {named("areas", n): p for n, p in inside.items()}
        facts.kept = {named("held", n): p for n, p in case.get("kept", {}).items()}
    if case.get("ticket", {}) is None:
        facts.unbound = code.get("unbound", False)
        return facts
    ticket = DEFAULTS["ticket"] | case.get("ticket", {})
    sessions = {scope["id"]: scope["no"] for scope in TABLE["plan"]["scopes"]}
    types = {kind["id"]: kind["no"] for kind in TABLE["plan"]["types"]}
    facts.ticket_id = named("tickets", "the ticket")
    facts.code_state = CodeState[code["state"].upper()]
    facts.ticket = TicketEntry(
        ticket["version"],
        ticket["admits"],
        ticket["state"],
        types[ticket["type"]],
        ticket["access_class"],
        ticket["name"],
        valid_from_ms=_ms(ticket["valid_from"]),
        valid_to_ms=_ms(ticket["valid_to"]),
        registered=tuple(sessions[name] for name in ticket["registered"]),
        special=_special(case, ticket),
    )
    facts.visits = dict(_visit(plan, row) for row in case.get("visits", []))
    return facts


def _special(case: dict[str, Any], ticket: dict[str, Any]) -> Special | None:
    """What few tickets have."""
    scopes = {scope["id"]: scope["no"] for scope in TABLE["plan"]["scopes"]}
    questions = {row["id"]: row["no"] for row in plan_list(case, "questions")}
    ban = ticket.get("ban", {})
    found = Special(
        tuple(
            Exemption(
                scopes[row["scope"]] if row.get("scope") else 0,
                row.get("allowed"),
                _ms(row.get("opens_at")),
                _ms(row.get("closes_at")),
                row.get("passes_total", 0),
                row.get("passes_per_day", 0),
                row.get("re_entry", ""),
            )
            for row in ticket.get("exemptions", [])
        ),
        ban.get("kind", ""),
        _ms(ban.get("until")),
        ticket.get("born", ""),
        ticket.get("age_seen", 0),
        ticket.get("due", ""),
        tuple(questions[name] for name in ticket.get("answered", [])),
        tuple((scopes[n], _ms(at)) for n, at in ticket.get("released", {}).items()),
    )
    return None if found == Special() else found


def _visit(plan: Plan, given: dict[str, Any]) -> tuple[tuple[int, int], Visit]:
    row = DEFAULTS["visit"] | given
    scope = plan.scopes[named("scopes", row["scope"])]
    used = row["pass"] - row["undone"]
    days = EventDays(plan.event.timezone, plan.event.day_starts_at)
    day = days.number(datetime.fromisoformat(row["entered"]))
    if "day" in row:
        day = (date.fromisoformat(row["day"]) - EPOCH).days
    visit = Visit(
        row["pass"],
        Phase[row["phase"].upper()],
        row["confirmed"],
        row["undone"],
        False,
        _ms(row["entered"]),
        plan.gates[named("gates", row["gate"])].no,
        row["device"],
        _ms(row["left"]),
        0,
        named("scans", "before").bytes,
        day if used else 0,
        row.get("day_used", min(used, 1)),
    )
    return (scope.no, row["person"]), visit


def _ms(text: str | None) -> int:
    return ms(datetime.fromisoformat(text)) if text else 0


def decided(case: dict[str, Any]) -> Decision:
    """What the engine of the server says to the case."""
    plan = plan_of(case)
    ask = ask_of(case, plan)
    decision = decide(plan, ask, facts_of(case, plan))
    if "full" in case:
        decision = full(ask, decision, plan, case["full"]["fits"])
    return decision


QUIET: dict[str, Any] = {
    "people": 0,
    "just_now": False,
    "overridden": "",
    "past_limits": False,
    "choices": [],
    "questions": [],
    "given": {},
    "counted": None,
    "opens": [],
    "closes": [],
}
"""What a case that does not name a field expects of it."""


def expected(case: dict[str, Any]) -> dict[str, Any]:
    """The expectation with what it leaves out."""
    wanted = QUIET | case["expect"]
    for name in ("closes", "also_ends"):
        if name in wanted:
            wanted[name] = sorted(wanted[name])
    return wanted


def as_expected(
    case: dict[str, Any], decision: Decision, named: Naming = named
) -> dict[str, Any]:
    """The decision in the words of the table, with the fields that the case names."""
    names = {named("scopes", row["id"]): row["id"] for row in TABLE["plan"]["scopes"]}
    sessions = {
        named("sessions", row["session_id"]): row["session_id"]
        for row in TABLE["plan"]["scopes"]
        if "session_id" in row
    }
    asked: dict[UUID | None, str] = {
        named("questions", row["id"]): row["id"] for row in plan_list(case, "questions")
    }
    asked[None] = "age"
    areas = {named("areas", row["id"]): row["id"] for row in TABLE["plan"]["areas"]}
    ends: dict[bool, list[list[Any]]] = {True: [], False: []}
    for row in decision.closes:
        ends[row.must].append([names[row.scope.id], row.person_no])
    said: dict[str, Any] = {
        "verdict": decision.verdict,
        "reason": decision.reason,
        "people": decision.people,
        "just_now": decision.just_now,
        "overridden": decision.overridden,
        "past_limits": decision.past_limits,
        "choices": [
            sessions[choice] if isinstance(choice, UUID) else choice
            for choice in decision.choices
        ],
        "questions": [asked[question.id] for question in decision.questions],
        "given": {asked[one.question_id]: one.value for one in decision.given},
        "counted": [areas[decision.counted.area_id], decision.counted.people]
        if decision.counted
        else None,
        "opens": [
            [names[row.scope.id], row.person_no, row.pass_no] for row in decision.opens
        ],
        "closes": sorted(ends[True]),
        "also_ends": sorted(ends[False]),
        "args": {
            name: _text(value) if name in ("when", "since") else value
            for name, value in decision.args.items()
            if name in case["expect"].get("args", {})
        },
    }
    return {key: said[key] for key in expected(case)}


def _text(value: Any) -> str:
    at = datetime.fromtimestamp(value / 1000, UTC)
    return at.isoformat().replace("+00:00", "Z")
