"""The answer to a scan: verdict, sentences, ticket, area (design: api.md). Pure.

Made from what the batch left: nothing is asked for it. The steward's sentence speaks
the operator's language, the guest's sentence the guest's, else the event's first.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from ops.admission.commands import Item
from ops.admission.plan import Plan, ScopePlan
from ops.admission.scan_facts import Args, ScanFacts, Stored
from ops.admission.verdicts import REASONS, SENSITIVE
from ops.cache.entry import from_ms
from ops.checkin.pending import Answered
from ops.texts import Texts


class Admits(msgspec.Struct, frozen=True):
    """Places of a ticket: all, inside now, used at least once."""

    total: int
    inside: int
    used: int


class TicketView(msgspec.Struct, frozen=True):
    """The ticket as a steward sees it."""

    id: UUID
    code_hint: str
    type: str | None
    category: str | None
    holder: str
    company: str
    seat: str
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    admits: Admits


class AreaView(msgspec.Struct, frozen=True):
    """The place of the scope; `inside` is null until this process has counted."""

    id: UUID
    name: str
    inside: int | None
    capacity: int | None


class SessionView(msgspec.Struct, frozen=True):
    """The session of the scope."""

    id: UUID
    title: str
    starts_at: datetime | None
    ends_at: datetime | None


class OperatorView(msgspec.Struct, frozen=True):
    """The person who works the device."""

    id: UUID
    name: str
    role: str


class Previous(msgspec.Struct, frozen=True):
    """The admission that is in the way."""

    at: datetime
    gate: str | None
    device: str | None
    verdict: str = "admitted"


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to settle a hold: so many people, or this session."""

    admit: int | None = None
    session_id: UUID | None = None
    title: str | None = None


class ScanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `POST /scans`; always 200 when a decision was made."""

    id: UUID
    verdict: str
    reason: str
    message: str
    guest_message: str
    action: str
    sensitive: bool
    clear_by: str
    durable: str
    replayed: bool
    just_now: bool
    direction: str
    people: int
    ticket: TicketView | None
    area: AreaView | None
    session: SessionView | None
    operator: OperatorView | None
    pass_no: int | None = msgspec.field(name="pass")
    at: datetime
    previous: Previous | None
    choices: tuple[Choice, ...]


class _Said(msgspec.Struct, frozen=True):
    """What was decided, now or when the id came first."""

    verdict: str
    reason: str
    args: Args
    scope: ScopePlan | None
    pass_no: int | None
    people: int
    at: datetime
    just_now: bool
    durable: str
    choices: tuple[Choice, ...] = ()


class Answers:
    """Makes answers with the catalogue of texts."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._zones: dict[str, ZoneInfo] = {}

    def make(self, answered: Answered) -> ScanAnswer:
        """The answer of an item without an error."""
        item, plan = answered.item, answered.plan
        said = _replayed(plan, item.stored) if item.stored else _fresh(answered)
        facts = item.facts
        language = item.device.operator_language or plan.event.languages[0]
        guest_language = plan.event.languages[0]
        if facts and facts.ticket and facts.ticket.language:
            guest_language = facts.ticket.language
        args = self._printable(plan, said)
        scope = said.scope
        return ScanAnswer(
            id=item.ask.scan.id,
            verdict=said.verdict,
            reason=said.reason,
            message=self._say(language, said, "message", args),
            guest_message=self._say(guest_language, said, "guest", args),
            action=self._say(language, said, "action", args),
            sensitive=said.reason in SENSITIVE,
            clear_by=REASONS[said.reason].clear_by,
            durable=said.durable,
            replayed=item.stored is not None,
            just_now=said.just_now,
            direction=item.ask.direction,
            people=said.people,
            ticket=_ticket(plan, item, facts, scope) if facts else None,
            area=_area(plan, scope, answered.inside),
            session=_session(scope),
            operator=_operator(item),
            pass_no=said.pass_no,
            at=said.at,
            previous=_previous(said),
            choices=said.choices,
        )

    def _say(
        self, language: str, said: _Said, kind: str, args: dict[str, object]
    ) -> str:
        key = f"verdict.{said.verdict}.{said.reason}."
        variant = _variant(said) if kind == "message" else ""
        if variant and self._texts.has(key + variant):
            kind = variant
        return self._texts.say(language, key + kind, args)

    def _printable(self, plan: Plan, said: _Said) -> dict[str, object]:
        """Arguments with times as local clock times of the event."""
        args: dict[str, object] = dict(said.args)
        for name in ("since", "when"):
            value = args.get(name)
            if isinstance(value, int):
                args[name] = self._clock(plan.event.timezone, value, said.at)
        return args

    def _clock(self, timezone: str, value_ms: int, now: datetime) -> str:
        zone = self._zones.get(timezone)
        if zone is None:
            zone = self._zones[timezone] = ZoneInfo(timezone)
        at = from_ms(value_ms).astimezone(zone)
        same_day = at.date() == now.astimezone(zone).date()
        return at.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M")


def _fresh(answered: Answered) -> _Said:
    item = answered.item
    decision = item.decision
    assert decision is not None
    choices = tuple(
        Choice(admit=choice)
        if isinstance(choice, int)
        else Choice(
            session_id=choice,
            title=answered.plan.scope_of_session[choice].name,
        )
        for choice in decision.choices
    )
    return _Said(
        decision.verdict,
        decision.reason,
        decision.args,
        decision.scope,
        decision.pass_no,
        decision.people,
        answered.now,
        decision.just_now,
        item.durable,
        choices,
    )


def _replayed(plan: Plan, stored: Stored) -> _Said:
    """The stored answer; after an undo what is true now (core.md item 12)."""
    if stored.undone_at is not None:
        return _Said(
            "hold",
            "needs_supervisor",
            stored.args,
            plan.scopes.get(stored.scope_id) if stored.scope_id else None,
            stored.pass_no,
            0,
            stored.undone_at,
            False,
            "none",
        )
    return _Said(
        stored.verdict,
        stored.reason,
        stored.args,
        plan.scopes.get(stored.scope_id) if stored.scope_id else None,
        stored.pass_no,
        stored.people,
        stored.decided_at,
        bool(stored.args.get("just_now")),
        stored.durable,
    )


def _variant(said: _Said) -> str:
    if said.just_now:
        return "just_now"
    if said.reason in ("wrong_area", "doors_closed") and said.args.get("gate"):
        return "use_instead"
    if said.reason == "area_full" and said.args.get("overflow"):
        return "overflow"
    return ""


def _ticket(
    plan: Plan, item: Item, facts: ScanFacts, scope: ScopePlan | None
) -> TicketView | None:
    ticket = facts.ticket
    if ticket is None or facts.ticket_id is None:
        return None
    kind = plan.types_by_no.get(ticket.type_no)
    return TicketView(
        facts.ticket_id,
        item.code_hint,
        kind.name if kind else None,
        kind.category if kind else None,
        ticket.name,
        ticket.company,
        ticket.seat,
        ticket.flags,
        ticket.notes,
        _admits(item, facts, scope, ticket.admits),
    )


def _admits(
    item: Item, facts: ScanFacts, scope: ScopePlan | None, total: int
) -> Admits:
    """The places after this scan."""
    inside: set[int] = set()
    used: set[int] = set()
    if scope is not None:
        for (scope_no, person), visit in facts.visits.items():
            if scope_no == scope.no:
                if visit.inside:
                    inside.add(person)
                if visit.used:
                    used.add(person)
        if item.durable == "committed" and item.decision is not None:
            gone = {c.person_no for c in item.decision.closes if c.scope is scope}
            came = {o.person_no for o in item.decision.opens if o.scope is scope}
            inside = (inside - gone) | came
            used |= came
    return Admits(total, len(inside), len(used))


def _area(
    plan: Plan, scope: ScopePlan | None, inside: dict[UUID, int]
) -> AreaView | None:
    if scope is None:
        return None
    area = plan.areas[scope.area_id]
    return AreaView(area.id, area.name, inside.get(area.id), area.capacity)


def _session(scope: ScopePlan | None) -> SessionView | None:
    if scope is None or scope.session_id is None:
        return None
    return SessionView(scope.session_id, scope.name, scope.starts_at, scope.ends_at)


def _operator(item: Item) -> OperatorView | None:
    device = item.device
    if not device.operator_id:
        return None
    return OperatorView(
        UUID(bytes=device.operator_id), device.operator_name, device.operator_role
    )


def _previous(said: _Said) -> Previous | None:
    since = said.args.get("since")
    if not isinstance(since, int):
        return None
    gate, device = said.args.get("gate"), said.args.get("device")
    return Previous(
        from_ms(since),
        gate if isinstance(gate, str) else None,
        device if isinstance(device, str) else None,
    )
