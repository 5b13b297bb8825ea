"""The golden table in real stores: an event, a ticket, its past, as rows of PostgreSQL.

A case is written as an organiser, a seller and earlier scans would have left it; the
engine then finds it by the queries of the door. Ids of a world are its own, so that
the same case can be played twice.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from ops.admission.days import EPOCH, EventDays
from ops.ids import uuid7
from tests.golden_cases import DEFAULTS, TABLE, plan_list, plan_of
from tests.small_event import code_hash

CODE_REASONS = {"reissued": "reissued", "exchanged": "exchanged", "lost": "lost"}


class World:
    """The event of some cases with the same plan; `await World.make(pool, case)`."""

    def __init__(self, pool: asyncpg.Pool, case: dict[str, Any], number: int) -> None:
        self.pool, self.case, self.number = pool, case, number
        self.salt = uuid7()
        self.event_id = self.named("events", "event")
        self.devices: dict[str, UUID] = {}

    def named(self, kind: str, name: str) -> UUID:
        """The id of a thing of this world."""
        return uuid5(self.salt, f"{kind}.{name}")

    @classmethod
    async def make(cls, pool: asyncpg.Pool, case: dict[str, Any], number: int) -> World:
        """Write the event with its places, gates, types and rules."""
        world = cls(pool, case, number)
        await world._event()
        await world._places()
        await world._rules()
        await world._people_inside()
        return world

    async def _rows(self, table: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        columns = ", ".join(rows[0])
        await self.pool.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns}"
            f" FROM json_populate_recordset(null::{table}, ($1::text)::json)",
            json.dumps(rows, default=str),
        )

    def _of(self, kind: str) -> list[dict[str, Any]]:
        changed = self.case.get("change", {}).get(kind, {})
        return [row | changed.get(row["id"], {}) for row in TABLE["plan"][kind]]

    def _id(self, kind: str, name: str | None) -> UUID | None:
        return self.named(kind, name) if name else None

    def no(self, number: int) -> int:
        """A number of the table in this world: unique in the database."""
        return 1_000_000 + self.number * 100 + number

    async def _event(self) -> None:
        event = TABLE["plan"]["event"] | self.case.get("change", {}).get("event", {})
        row = {key: value for key, value in event.items() if key not in ("id", "no")}
        row["languages"] = list(event["languages"])
        wanted = row | {
            "id": self.event_id,
            "no": self.no(event["no"]),
            "slug": f"golden-{self.event_id}",
            "doors_delay_minutes": event.get("doors_delay_minutes", 0),
            "event_type": "conference",
            "show_rate": 1,
            "currency": "CAD",
            "settings": {},
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
        }
        await self._rows("events", [wanted])

    async def _places(self) -> None:
        common = {"event_id": self.event_id, "version": 1, "created_at": "2026-01-01"}
        people = self._people()
        await self._rows(
            "ops.areas",
            [
                common
                | {
                    "id": self.named("areas", row["id"]),
                    "no": self.no(row["no"]),
                    "name": row["name"],
                    "kind": row["kind"],
                    "capacity": row["capacity"],
                    "limit_kind": row["limit_kind"],
                    "overflow_area_id": self._id("areas", row.get("overflow_area_id")),
                    "parent_id": self._id("areas", row.get("parent_id")),
                    "min_age": row.get("min_age"),
                    "inside": people.get(row["id"], 0),
                    "manual": 0,
                    "disputed": 0,
                    "position": 0,
                }
                for row in self._of("areas")
            ],
        )
        scopes = self._of("scopes")
        await self._sessions([row for row in scopes if row.get("session_id")])
        await self._rows(
            "ops.scopes",
            [
                common
                | {
                    "id": self.named("scopes", row["id"]),
                    "no": self.no(row["no"]),
                    "name": row["name"],
                    "kind": row["kind"],
                    "area_id": self.named("areas", row["area_id"]),
                    "parent_id": self._id("scopes", row.get("parent_id")),
                    "session_id": self._id("sessions", row.get("session_id")),
                    "capacity": row.get("capacity"),
                    "limit_kind": row.get("limit_kind"),
                    "inside": people.get(row["id"], 0),
                    "tracks_exits": row["tracks_exits"],
                    "re_entry": row["re_entry"],
                    "passes_total": row.get("passes_total"),
                    "enter_outer": row.get("enter_outer", "enter"),
                    "exclusive": row.get("exclusive", False),
                }
                | _timing(row)
                for row in scopes
            ],
        )
        await self._rows(
            "ops.gates",
            [
                common
                | {
                    "id": self.named("gates", row["id"]),
                    "no": self.no(row["no"]),
                    "name": row["name"],
                    "area_id": self.named("areas", row["area_id"]),
                    "session_id": self._id("sessions", row.get("session_id")),
                    "direction": row["direction"],
                    "state": row["state"],
                    "use_instead_id": self._id("gates", row.get("use_instead_id")),
                    "position": 0,
                }
                for row in self._of("gates")
            ],
        )

    def _people(self) -> dict[str, int]:
        """People in places: as the case says, or so that `fits` are left."""
        people: dict[str, int] = dict(self.case.get("inside", {}))
        if "full" in self.case:
            gate = self.case.get("scan", {}).get("gate", DEFAULTS["scan"]["gate"])
            area = next(r for r in self._of("gates") if r["id"] == gate)["area_id"]
            limit = next(r for r in self._of("areas") if r["id"] == area)["capacity"]
            people[area] = limit - self.case["full"]["fits"]
        return people

    async def _sessions(self, rows: list[dict[str, Any]]) -> None:
        event = TABLE["plan"]["event"]
        for row in rows:
            await self.pool.execute(
                "INSERT INTO sessions (id, event_id, title, start_time, end_time,"
                " area_id, door_mode, status) VALUES ($1, $2, $3, $4, $5, $6, $7,"
                " 'scheduled')",
                self.named("sessions", row["session_id"]),
                self.event_id,
                row["name"],
                _at(row.get("starts_at") or event["starts_at"]),
                _at(row.get("ends_at") or event["ends_at"]),
                self.named("areas", row["area_id"]),
                row.get("door_mode", "open"),
            )

    async def _rules(self) -> None:
        common = {"event_id": self.event_id}
        await self._rows(
            "ticket_types",
            [
                common
                | {
                    "id": self.named("types", row["id"]),
                    "no": self.no(row["no"]),
                    "name": row["name"],
                    "ticket_category": row["category"],
                    "access_class": row.get("access_class", "guest"),
                    "min_age": row.get("min_age"),
                    "price": 0,
                    "admits": 1,
                    "version": 1,
                    "after_exchange": "medium",
                }
                for row in self._of("types")
            ],
        )
        await self._rows(
            "ops.access_rules",
            [
                common
                | {
                    "id": uuid7(),
                    "version": 1,
                    "created_at": _EARLY + timedelta(seconds=number),
                    "scope_id": self.named("scopes", row["scope_id"]),
                    "ticket_type_id": self._id("types", row["ticket_type_id"]),
                    "access_class": row["access_class"],
                    "allowed": row.get("allowed", True),
                    "passes_total": row.get("passes_total"),
                    "re_entry": row.get("re_entry"),
                    "day": row.get("day"),
                    "min_age": row.get("min_age"),
                }
                | _timing(row, of_scope=False)
                for number, row in enumerate(plan_list(self.case, "rules"))
            ],
        )
        await self._rows(
            "ops.questions",
            [
                common
                | {
                    "id": self.named("questions", row["id"]),
                    "no": self.no(row["no"]),
                    "position": row["no"],
                    "kind": row["kind"],
                    "text": row["text"],
                    "options": row.get("options", []),
                    "required": row["required"],
                    "every_time": row.get("every_time", False),
                    "minimum": row.get("minimum"),
                    "maximum": row.get("maximum"),
                    "scope_id": self._id("scopes", row.get("scope_id")),
                    "ticket_type_id": self._id("types", row.get("ticket_type_id")),
                    "access_class": row.get("access_class"),
                    "active": True,
                    "created_at": _EARLY,
                }
                for row in plan_list(self.case, "questions")
            ],
        )
        for row in plan_list(self.case, "stops"):
            await self.pool.execute(
                "INSERT INTO ops.admission_stops (event_id, area_id, gate_id)"
                " VALUES ($1, $2, $3)",
                self.event_id,
                self._id("areas", row.get("area_id")),
                self._id("gates", row.get("gate_id")),
            )
        for row in plan_list(self.case, "held"):
            await self.pool.execute(
                "INSERT INTO ops.held_places (id, event_id, places, area_id, scope_id,"
                " access_class, ticket_type_id, until)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                self.named("held", row["id"]),
                self.event_id,
                row["places"],
                self._id("areas", row.get("area_id")),
                self._id("scopes", row.get("scope_id")),
                row.get("access_class"),
                self._id("types", row.get("ticket_type_id")),
                _at(row["until"]) if row.get("until") else None,
            )

    async def _people_inside(self) -> None:
        """Those for whom places are kept and who are inside already."""
        held = {row["id"]: row for row in plan_list(self.case, "held")}
        for name, kept in self.case.get("kept", {}).items():
            row = held[name]
            for number in range(row["places"] - kept):
                given = {
                    "type": row.get("ticket_type_id") or "regular",
                    "access_class": row.get("access_class") or "guest",
                }
                ticket = await self.ticket(
                    {"name": f"{name} {number}", "ticket": given}, code=None
                )
                await self._visit(ticket, DEFAULTS["visit"] | {"scope": "venue"}, {})

    async def device(self, case: dict[str, Any]) -> UUID:
        """A device of this profile, with an operator of this role at it."""
        given = DEFAULTS["device"] | case.get("device", {})
        key = f"{given['no']} {given['profile']} {given['role']}"
        if key not in self.devices:
            device = self.devices[key] = uuid7()
            operator = uuid7() if given["role"] else None
            if operator:
                await self.pool.execute(
                    "INSERT INTO ops.operators (id, event_id, name, role)"
                    " VALUES ($1, $2, 'Dana', $3)",
                    operator,
                    self.event_id,
                    given["role"],
                )
            await self.pool.execute(
                "INSERT INTO ops.devices (id, name, state, profile, token_hash,"
                " operator_id) VALUES ($1, $2, 'active', $3, $4, $5)",
                device,
                f"Phone {given['no']}",
                given["profile"],
                device.bytes,
                operator,
            )
            await self.pool.execute(
                "INSERT INTO ops.device_events (device_id, event_id) VALUES ($1, $2)",
                device,
                self.event_id,
            )
        return self.devices[key]

    async def ticket(self, case: dict[str, Any], code: str | None) -> UUID:
        """The ticket of a case with its holder, its code and what is special."""
        given = DEFAULTS["ticket"] | case.get("ticket", {})
        ticket = self.named("tickets", case["name"])
        await self._holder(case, given, ticket)
        if code is not None:
            state = case.get("code", {}).get("state", "live")
            reason = CODE_REASONS.get(state)
            await self.pool.execute(
                "INSERT INTO ops.ticket_codes (event_id, code_hash, ticket_id, kind,"
                " revoked_at, revoked_reason) VALUES ($1, $2, $3, 'imported', $4, $5)",
                self.event_id,
                code_hash(code),
                ticket,
                _EARLY if reason else None,
                reason,
            )
        await self._special(given, ticket)
        for visit in case.get("visits", []):
            await self._visit(ticket, DEFAULTS["visit"] | visit, case)
        return ticket

    async def _holder(
        self, case: dict[str, Any], given: dict[str, Any], ticket: UUID
    ) -> None:
        ban = given.get("ban")
        attendee, mail = uuid7(), None
        born = given.get("born")
        if ban and ban["kind"] == "perhaps":
            born = "1990-01-01"
        elif ban:
            mail = f"{attendee}@example.org"
        if ban:
            await self.pool.execute(
                "INSERT INTO ops.bans (event_id, email, first_name, birth_date, reason,"
                " until) VALUES ($1, $2, $3, $4, 'a fight', $5)",
                self.event_id,
                mail,
                None if mail else given["name"],
                None if mail else date(1990, 1, 1),
                _at(ban["until"]) if ban.get("until") else None,
            )
        await self.pool.execute(
            "INSERT INTO attendees (id, event_id, first_name, email, birth_date)"
            " VALUES ($1, $2, $3, $4, $5)",
            attendee,
            self.event_id,
            given["name"],
            mail,
            date.fromisoformat(born) if born else None,
        )
        amount, _, currency = given.get("due", "").partition(" ")
        await self.pool.execute(
            "INSERT INTO tickets (id, event_id, attendee_id, ticket_type_id, state,"
            " access_class, admits, amount_due, currency, valid_from, valid_to)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, ($8::text)::numeric, $9, $10, $11)",
            ticket,
            self.event_id,
            attendee,
            self.named("types", given["type"]),
            given["state"],
            given["access_class"],
            given["admits"],
            amount or "0",
            currency or "CAD",
            _at(given["valid_from"]) if given["valid_from"] else None,
            _at(given["valid_to"]) if given["valid_to"] else None,
        )

    async def _special(self, given: dict[str, Any], ticket: UUID) -> None:
        run = self.pool.execute
        seats = [(name, None) for name in given["registered"]]
        seats += list(given.get("released", {}).items())
        for session, released in seats:
            await run(
                "INSERT INTO ops.session_registrations (session_id, event_id,"
                " ticket_id, status, released_at) VALUES ($1, $2, $3, $4, $5)",
                self.named("sessions", session),
                self.event_id,
                ticket,
                "released" if released else "registered",
                _at(released) if released else None,
            )
        for row in given.get("exemptions", []):
            await run(
                "INSERT INTO ops.exemptions (event_id, ticket_id, scope_id, allowed,"
                " opens_at, closes_at, passes_total, passes_per_day, re_entry)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                self.event_id,
                ticket,
                self._id("scopes", row.get("scope")),
                row.get("allowed"),
                _at(row["opens_at"]) if row.get("opens_at") else None,
                _at(row["closes_at"]) if row.get("closes_at") else None,
                row.get("passes_total"),
                row.get("passes_per_day"),
                row.get("re_entry"),
            )
        answers: list[tuple[UUID | None, int | None]] = [
            (self.named("questions", name), None) for name in given.get("answered", [])
        ]
        if given.get("age_seen"):
            answers.append((None, given["age_seen"]))
        for question, years in answers:
            await run(
                "INSERT INTO ops.answers (event_id, ticket_id, question_id, years,"
                " scan_id, value) VALUES ($1, $2, $3, $4, $5, 'true')",
                self.event_id,
                ticket,
                question,
                years,
                uuid7(),
            )

    async def _visit(
        self, ticket: UUID, row: dict[str, Any], case: dict[str, Any]
    ) -> None:
        """A pass and those before it, so that each number of the case is true."""
        undone_now = row["phase"] == "undone"
        used = row["pass"] - row["undone"]
        plan = plan_of(self.case)
        days = EventDays(plan.event.timezone, plan.event.day_starts_at)
        entered = _at(row["entered"])
        number = days.number(entered)
        if "day" in row:
            number = (date.fromisoformat(row["day"]) - EPOCH).days
        today = row.get("day_used", min(used, 1))
        device = await self.device(
            case if row["device"] == 1 else {"device": {"no": 9}}
        )
        undone_before = row["undone"] - undone_now
        counted = used
        for pass_no in range(1, row["pass"] + 1):
            newest = pass_no == row["pass"]
            undone = undone_now if newest else pass_no <= undone_before
            day = number if newest else number - 9
            if not undone:
                day = number if counted <= today else number - 9
                counted -= 1
            open_now = newest and row["phase"] == "open"
            left = _at(row["left"]) if newest and row["left"] else entered
            await self.pool.execute(
                "INSERT INTO check_ins (event_id, ticket_id, scope_id, area_id,"
                " gate_id, device_id, person_no, pass_no, scan_id, checked_in_at,"
                " confirmed_at, checked_out_at, is_present, undone_at, event_day)"
                " SELECT $1, $2, s.id, s.area_id, $4, $5, $6, $7, $8, $9, $10, $11,"
                " $12, $13, $14 FROM ops.scopes s WHERE s.id = $3",
                self.event_id,
                ticket,
                self.named("scopes", row["scope"]),
                self.named("gates", row["gate"]),
                str(device),
                row["person"],
                pass_no,
                scan_named("before", ticket) if newest else uuid7(),
                entered,
                entered if row["confirmed"] else None,
                None if open_now or undone else left,
                open_now,
                entered if undone else None,
                days.date(day),
            )


def scan_named(name: str, ticket: UUID) -> UUID:
    """A scan of a ticket by its name: `before` is that of its newest passes."""
    return uuid5(ticket, name)


_EARLY = datetime(2026, 1, 1, tzinfo=UTC)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _timing(row: dict[str, Any], *, of_scope: bool = True) -> dict[str, Any]:
    """Windows and passes, which scopes and rules have alike."""
    names = ("opens_at", "closes_at", "opens_anchor", "closes_anchor", "passes_per_day")
    names += ("pass_gap_minutes", "anti_passback_minutes")
    timing = {name: row.get(name) for name in names}
    for name in ("opens_offset_minutes", "closes_offset_minutes"):
        timing[name] = row.get(name, 0)
    return timing | ({"exits_assumed_at": None} if of_scope else {})
