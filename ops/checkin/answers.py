"""The answer to a scan: verdict, sentences, ticket, area (design: api.md). Pure.

Made from what the batch left: nothing is asked for it. The steward's sentence speaks
the operator's language, the guest's sentence the guest's, else the event's first.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from ops.admission.commands import Item
from ops.admission.plan import Plan, ScopePlan
from ops.admission.questions import AGE, Question, age_check
from ops.admission.scan_facts import Args, ScanFacts, Stored
from ops.admission.verdicts import REASONS, SENSITIVE
from ops.cache.entry import from_ms
from ops.checkin.pending import Answered
from ops.checkin.wording import Kind, Wording, option, printable, variant
from ops.texts import Texts

OVER_LIMIT = "over_limit"
"""A flag of who was admitted beyond a limit."""


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
    operator: str | None = None
    scan_id: UUID | None = None
    """What `take_over` and `override.previous` name."""


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to settle a hold: so many people, this session, an answer, an amount."""

    admit: int | None = None
    session_id: UUID | None = None
    title: str | None = None
    question: str | None = None
    amount: str | None = None


class OptionView(msgspec.Struct, frozen=True):
    """An answer that is offered."""

    value: str
    text: str


class QuestionView(msgspec.Struct, frozen=True):
    """A question to ask; `id` is its name in the next scan's `answers`."""

    id: str
    kind: str
    text: str
    required: bool
    options: tuple[OptionView, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


class OrderLine(msgspec.Struct, frozen=True):
    """One ticket of a whole order and what became of it."""

    id: UUID
    ticket: TicketView | None
    verdict: str
    reason: str
    message: str
    people: int
    pass_no: int | None = msgspec.field(name="pass", default=None)


class ItemView(msgspec.Struct, frozen=True):
    """The item of a scan that was a redemption."""

    id: UUID | None
    name: str | None
    left: int
    quantity: int


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
    questions: tuple[QuestionView, ...] = ()
    tickets: tuple[OrderLine, ...] = ()
    item: ItemView | None = None


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
    questions: tuple[Question, ...] = ()


class Answers:
    """Makes answers with the catalogue of texts."""

    def __init__(self, texts: Texts) -> None:
        self.wording = Wording(texts)

    def make(self, answered: Answered) -> ScanAnswer:
        """The answer of an item without an error."""
        item, plan = answered.item, answered.plan
        said = _replayed(plan, item.stored) if item.stored else _fresh(answered)
        facts = item.facts
        language, guest_language = languages(answered)
        args = printable(said.args, plan.event.timezone, said.at)
        which = "just_now" if said.just_now else variant(said.reason, said.args)

        def say(speech: str, kind: Kind) -> str:
            found = (said.verdict, said.reason)
            return self.wording.say(speech, *found, kind, args, which)

        scope = said.scope
        return ScanAnswer(
            id=item.ask.scan.id,
            verdict=said.verdict,
            reason=said.reason,
            message=say(language, "message"),
            guest_message=say(guest_language, "guest"),
            action=say(language, "action"),
            sensitive=said.reason in SENSITIVE or which == "perhaps_banned",
            clear_by=REASONS[said.reason].clear_by,
            durable=said.durable,
            replayed=item.stored is not None,
            just_now=said.just_now,
            direction=item.ask.direction,
            people=said.people,
            ticket=_ticket(answered, facts, said) if facts else None,
            area=_area(plan, scope, answered.inside),
            session=_session(scope),
            operator=_operator(item),
            pass_no=said.pass_no,
            at=said.at,
            previous=_previous(said),
            choices=said.choices,
            questions=self._questions(language, said.questions),
        )

    def _questions(
        self, language: str, questions: tuple[Question, ...]
    ) -> tuple[QuestionView, ...]:
        return tuple(
            QuestionView(
                asked.key,
                asked.kind,
                self.wording.ask(language, asked),
                asked.required,
                tuple(
                    OptionView(one.value, option(one.text, language, one.value))
                    for one in asked.options
                ),
                asked.minimum,
                asked.maximum,
            )
            for asked in questions
        )


def languages(answered: Answered) -> tuple[str, str]:
    """The operator's language and the guest's; else the event's first."""
    first = answered.plan.event.languages[0]
    facts = answered.item.facts
    guest = facts.ticket.language if facts and facts.ticket else ""
    return answered.item.device.operator_language or first, guest or first


def _fresh(answered: Answered) -> _Said:
    item = answered.item
    decision = item.decision
    assert decision is not None
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
        _choices(answered.plan, decision.args, decision.choices, decision.questions),
        decision.questions,
    )


def _choices(
    plan: Plan,
    args: Args,
    choices: tuple[int, ...] | tuple[UUID, ...],
    questions: tuple[Question, ...],
) -> tuple[Choice, ...]:
    """What a person may choose from; a hold says how it is settled."""
    amount = args.get("amount")
    if isinstance(amount, str):
        return (Choice(amount=amount),)
    if questions:
        return tuple(Choice(question=asked.key) for asked in questions)
    return tuple(
        Choice(admit=choice)
        if isinstance(choice, int)
        else Choice(session_id=choice, title=plan.scope_of_session[choice].name)
        for choice in choices
        if isinstance(choice, int) or choice in plan.scope_of_session
    )


def _replayed(plan: Plan, stored: Stored) -> _Said:
    """The stored answer; after an undo or a lost merge what is true now."""
    if stored.superseded_by is not None:
        scope = plan.scopes.get(stored.scope_id) if stored.scope_id else None
        tracked = scope is not None and scope.tracks_exits
        return _Said(
            "refused",
            "already_inside" if tracked else "already_used",
            stored.args,
            scope,
            None,
            0,
            stored.decided_at,
            False,
            "none",
        )
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
    asked = _asked(plan, stored.args)
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
        _choices(plan, stored.args, _chosen_from(stored.args), asked),
        asked,
    )


def _asked(plan: Plan, args: Args) -> tuple[Question, ...]:
    """The questions of a stored answer, as the plan has them now."""
    years = args.get("years")
    keys = str(args.get("asked") or "").split(",")
    if keys == [AGE]:
        return (age_check(years if isinstance(years, int) else 0),)
    return tuple(question for question in plan.questions if question.key in keys)


def _chosen_from(args: Args) -> tuple[int, ...] | tuple[UUID, ...]:
    """The choices of a stored answer."""
    free = args.get("free")
    if isinstance(free, int):
        return tuple(range(1, free + 1))
    return tuple(
        UUID(text) for text in str(args.get("sessions") or "").split(",") if text
    )


def _ticket(answered: Answered, facts: ScanFacts, said: _Said) -> TicketView | None:
    ticket, plan, item = facts.ticket, answered.plan, answered.item
    if ticket is None or facts.ticket_id is None:
        return None
    kind = plan.types_by_no.get(ticket.type_no)
    flags = ticket.flags
    if said.verdict == "admitted" and _over(plan, said.scope, answered.inside):
        flags = (*flags, OVER_LIMIT)
    return TicketView(
        facts.ticket_id,
        item.code_hint,
        kind.name if kind else None,
        kind.category if kind else None,
        ticket.name,
        ticket.company,
        ticket.seat,
        flags,
        ticket.notes,
        _admits(item, facts, said.scope, ticket.admits),
    )


def _over(plan: Plan, scope: ScopePlan | None, inside: dict[UUID, int]) -> bool:
    """Whether a limit of this place is exceeded: a soft one, or by somebody's act."""
    if scope is None:
        return False
    area = plan.areas[scope.area_id]
    return any(
        place.capacity is not None and inside.get(place.id, 0) > place.capacity
        for place in (scope, area)
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
    words = {
        name: word
        for name in ("gate", "device", "operator", "previous")
        if isinstance(word := said.args.get(name), str)
    }
    return Previous(
        from_ms(since),
        words.get("gate"),
        words.get("device"),
        operator=words.get("operator"),
        scan_id=UUID(words["previous"]) if "previous" in words else None,
    )
