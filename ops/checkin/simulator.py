"""Why would this ticket not come in? Every check of the engine, and the nearest cause.

Nothing is written and no device is needed. The checks are `decision.ENTRY` on facts of
PostgreSQL, so the simulation says what a scan at that gate and time would say.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from ops.admission.ask import Ask, reads
from ops.admission.commands import ReadDatabase
from ops.admission.decision import Checked, simulate
from ops.admission.from_database import DatabaseFacts, DatabaseRead
from ops.admission.outcome import Decision
from ops.admission.plan import Plan
from ops.admission.scan import Direction, ScanRequest
from ops.admission.scan_facts import ScanFacts
from ops.checkin.desk import Desk
from ops.checkin.plans import Plans
from ops.checkin.stores import Stores
from ops.checkin.wording import Wording, printable, variant
from ops.clock import Clock
from ops.errors import NotFound, Unavailable, Unprocessable
from ops.ids import uuid7

Answer = str | float | bool | None


class Simulation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scan to imagine: of a code or a ticket, at a gate, at a time."""

    code: str | None = None
    ticket_id: UUID | None = None
    gate_id: UUID | None = None
    session_id: UUID | None = None
    direction: Direction = "in"
    at: datetime | None = None
    admit: int | None = None
    answers: dict[str, Answer] | None = None
    language: str | None = None


class SimulatedCheck(msgspec.Struct, frozen=True):
    """One check; `passed` null: an earlier one left nothing to ask."""

    name: str
    passed: bool | None
    verdict: str | None = None
    reason: str | None = None
    message: str | None = None


class SimulationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the scan would answer, and all checks in their order."""

    at: datetime
    verdict: str
    reason: str
    message: str
    guest_message: str
    action: str
    nearest: SimulatedCheck | None
    checks: tuple[SimulatedCheck, ...]
    ticket_id: UUID | None
    holder: str | None
    scope: str | None


class Simulator:
    """Imagines scans."""

    def __init__(
        self, desk: Desk, stores: Stores, plans: Plans, wording: Wording, clock: Clock
    ) -> None:
        self._desk, self._stores, self._plans = desk, stores, plans
        self._wording, self._clock = wording, clock

    async def imagine(self, event_id: UUID, asked: Simulation) -> SimulationAnswer:
        """The checks of one imagined scan.

        Raises:
            NotFound: there is no such event or gate.
            Unprocessable: neither code nor ticket, or both.
            Unavailable: PostgreSQL did not answer.
        """
        if (asked.code is None) == (asked.ticket_id is None):
            raise Unprocessable("Name a code or a ticket.", code="code_or_ticket")
        plan = await self._plan(event_id, None)
        now = self._clock.now()
        ask, key = self._ask(plan, asked, now)
        facts, version = await self._facts(event_id, plan, ask, key)
        if version != plan.version:
            plan = await self._plan(event_id, version)
            ask, key = self._ask(plan, asked, now)
            facts, _ = await self._facts(event_id, plan, ask, key)
        checked, decision = simulate(plan, ask, facts)
        return self._answer(plan, ask, facts, checked, decision, asked.language)

    async def _plan(self, event_id: UUID, version: int | None) -> Plan:
        try:
            if version is None:
                plan = await self._plans.get(event_id)
            else:
                plan = await self._plans.load(event_id, version)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise Unavailable(headers={"Retry-After": "1"}) from error
        if plan is None:
            raise NotFound("There is no such event.", code="event_not_found")
        return plan

    def _ask(self, plan: Plan, asked: Simulation, now: datetime) -> tuple[Ask, bytes]:
        gate = plan.gates.get(asked.gate_id) if asked.gate_id else None
        if asked.gate_id and gate is None:
            raise NotFound("There is no such gate.", code="gate_not_found")
        by_ticket = asked.ticket_id is not None
        scan = ScanRequest(
            uuid7(),
            str(asked.ticket_id) if by_ticket else asked.code or "",
            direction=asked.direction,
            session_id=asked.session_id,
            admit=asked.admit,
            answers=asked.answers,
            method="manual" if by_ticket else "qr_code",
            dry_run=True,
        )
        key, kind, _, forged = self._desk.code(scan)
        at = asked.at or now
        return Ask(scan, uuid7(), asked.direction, gate, at, kind, forged), key

    async def _facts(
        self, event_id: UUID, plan: Plan, ask: Ask, key: bytes
    ) -> tuple[ScanFacts, int]:
        read = DatabaseRead(ask.scan.id, key, reads(plan, ask), ask.device_id)
        reply = await self._stores.read_database(event_id, ReadDatabase([read]))
        if not isinstance(reply, DatabaseFacts):
            raise Unavailable(headers={"Retry-After": "1"})
        return reply.facts[0], reply.plan_version

    def _answer(
        self,
        plan: Plan,
        ask: Ask,
        facts: ScanFacts,
        checked: list[Checked],
        decision: Decision,
        language: str | None,
    ) -> SimulationAnswer:
        speech = language or plan.event.languages[0]
        args = printable(decision.args, plan.event.timezone, ask.at)
        which = variant(decision.reason, decision.args)
        said = (decision.verdict, decision.reason)
        checks = tuple(self._check(plan, ask, one, speech) for one in checked)
        return SimulationAnswer(
            at=ask.at,
            verdict=decision.verdict,
            reason=decision.reason,
            message=self._wording.say(speech, *said, "message", args, which),
            guest_message=self._wording.say(speech, *said, "guest", args, which),
            action=self._wording.say(speech, *said, "action", args, which),
            nearest=next((one for one in checks if one.passed is False), None),
            checks=checks,
            ticket_id=facts.ticket_id if facts.ticket else None,
            holder=facts.ticket.name if facts.ticket else None,
            scope=decision.scope.name if decision.scope else None,
        )

    def _check(
        self, plan: Plan, ask: Ask, one: Checked, language: str
    ) -> SimulatedCheck:
        if one.failed is None:
            return SimulatedCheck(one.name, True if one.reached else None)
        failed = one.failed
        args = printable(failed.args, plan.event.timezone, ask.at)
        which = variant(failed.reason, failed.args)
        return SimulatedCheck(
            one.name,
            False,
            failed.verdict,
            failed.reason,
            self._wording.say(
                language, failed.verdict, failed.reason, "message", args, which
            ),
        )
