"""The checks of an entry but for presence, each a function of the same shape. Pure.

A check takes the scales and returns the answer if it does not hold, else None. Their
order stands in `decision`; what each may expect of the ones before is said there too.
"""

from __future__ import annotations

from datetime import date

from ops.admission.ask import Ask
from ops.admission.days import age_on
from ops.admission.outcome import Decision, say
from ops.admission.plan import Plan, ScopePlan
from ops.admission.presence import how_many
from ops.admission.questions import AGE, Given, age_check, settle
from ops.admission.terms import earliest, latest
from ops.admission.weighing import Weighing
from ops.cache.entry import CodeState, from_ms, ms

_STATES = {
    "unpaid": "unpaid",
    "pending": "unpaid",
    "expired": "unpaid",  # the order ran out before it was paid
    "cancelled": "cancelled",
    "refunded": "refunded",
    "blocked": "blocked",
}
_CODE_STATES = {
    CodeState.REISSUED: "reissued",
    CodeState.EXCHANGED: "exchanged",
    CodeState.LOST: "reissued",
}


def stopped(w: Weighing) -> Decision | None:
    """Admission is stopped here, by a person, for everybody."""
    where = w.plan.stopped(w.ask.gate, w.scope)
    return w.say("admission_stopped", where=where) if where else None


def doors(w: Weighing) -> Decision | None:
    """The doors of the gate and of the event: held, open, last entry, closed."""
    gate = w.ask.gate
    if gate is not None and gate.state in ("closed", "held"):
        instead = w.plan.gates.get(gate.use_instead_id) if gate.use_instead_id else None
        name = instead.name if instead else None
        return w.say("doors_closed", gate=name, held=gate.state == "held" or None)
    state = w.plan.event.doors_state
    if state in ("closed", "held"):
        return w.say("doors_closed", held=state == "held" or None)
    return None


def genuine(w: Weighing) -> Decision | None:
    """The code can be read, nobody made it up, and somebody issued it."""
    if w.ask.code_kind == "malformed":
        return w.say("malformed_code")
    if w.ticket is not None:
        return None
    if w.ask.code_kind == "own" and w.ask.forged():
        return w.say("forged_code")
    if w.facts.other_event is not None:
        return None
    if w.ask.scan.method == "nfc" or w.facts.unbound:
        return w.say("unassigned_medium")
    return w.say("unknown_code")


def of_this_event(w: Weighing) -> Decision | None:
    """The code belongs here."""
    other = w.facts.other_event
    if w.ticket is not None or other is None:
        return None
    return w.say("other_event", event=other.title, when=ms(other.starts_at))


def state(w: Weighing) -> Decision | None:
    """The code is current and the ticket is valid."""
    assert w.ticket is not None
    if w.facts.code_state is not CodeState.LIVE:
        return w.say(_CODE_STATES[w.facts.code_state])
    if w.ticket.state != "valid":
        return w.say(_STATES.get(w.ticket.state, "blocked"), name=w.ticket.name)
    return None


def ban(w: Weighing) -> Decision | None:
    """Nobody banned; a name with a date of birth only makes a supervisor look."""
    special = w.special
    over = special.ban_until_ms and ms(w.ask.at) >= special.ban_until_ms
    if not special.ban or over:
        return None
    if special.ban == "banned":
        return w.say("banned")
    assert w.ticket is not None
    return w.say("needs_supervisor", perhaps_banned=True, name=w.ticket.name)


def area(w: Weighing) -> Decision | None:
    """The place is meant without doubt and allowed for this type or class.

    `unplanned`: no scope says what an entry here means; that is nobody's ticket.
    """
    assert w.ticket is not None
    if len(w.wanted) > 1:
        room = w.plan.areas[w.wanted[0].area_id]
        choices = tuple(item.session_id for item in w.wanted if item.session_id)
        return say("choose_session", w.ask, None, choices, area=room.name)
    if w.terms is not None and w.terms.allowed:
        return None
    gate = w.ask.gate
    area_id = w.scope.area_id if w.scope else gate.area_id if gate else None
    place = w.plan.areas.get(area_id) if area_id else None
    right = w.plan.gates_for(w.kind, w.ticket.access_class, w.ask.at) if w.kind else []
    names = ", ".join(found.name for found in right[:3])
    return w.say(
        "wrong_area",
        type=w.kind.name if w.kind else None,
        area=place.name if place else None,
        gate=names or None,
        unplanned=not w.wanted or None,
    )


def window(w: Weighing) -> Decision | None:
    """Within the latest opening and the earliest closing of all that apply."""
    assert w.terms is not None
    assert w.ticket is not None
    opens, closes = w.terms.opens, w.terms.closes
    if w.ticket.valid_from_ms:
        opens = latest(opens, from_ms(w.ticket.valid_from_ms))
    if w.ticket.valid_to_ms:
        closes = earliest(closes, from_ms(w.ticket.valid_to_ms))
    if opens and w.ask.at < opens:
        return w.say("too_early", when=ms(opens))
    if closes and w.ask.at >= closes:
        return w.say("too_late", when=ms(closes))
    return None


def age(w: Weighing) -> Decision | None:
    """Not known to be too young. Who is not known is asked last, by `questions`."""
    assert w.terms is not None
    if not w.terms.min_age:
        return None
    years = _years(w)
    said = (w.ask.scan.answers or {}).get(AGE)
    if (years is not None and years < w.terms.min_age) or (
        years is None and said is False
    ):
        return w.say("under_age", area=_place(w), years=w.terms.min_age)
    return None


def registration(w: Weighing) -> Decision | None:
    """Sessions for registered people only; crew and speakers take no seat."""
    assert w.ticket is not None
    scope = w.scope
    if scope is None or w.ticket.access_class != "guest":
        return None
    for scope_no, released_ms in w.special.released:
        if scope_no == scope.no:
            return w.say("seat_released", when=released_ms, session=scope.name)
    at_door = scope.door_mode == "register"
    if not (at_door or scope.door_mode == "registered"):
        return None
    if scope.no in w.ticket.registered:
        return None
    return w.say(
        "not_registered",
        name=w.ticket.name,
        session=scope.name,
        at_door=at_door or None,
    )


def limits(w: Weighing) -> Decision | None:
    """Room for them, as far as the facts know; PostgreSQL's counters decide it."""
    assert w.scope is not None
    assert w.ticket is not None
    if w.facts.people is None or w.again:
        return None
    room = None
    for place, capacity in w.plan.limits(w.scope):
        kept = w.plan.kept_from(place, w.kind, w.ticket.access_class, w.ask.at)
        held = sum(w.facts.kept.get(one, 0) for one in kept)
        left = capacity - w.facts.people.get(place, 0) - held
        room = left if room is None else min(room, left)
    needed = w.ask.scan.admit or 1
    if room is None or room >= min(needed, len(w.free)):
        return None
    return area_full(w.plan, w.ask, w.scope, max(0, room))


def area_full(plan: Plan, ask: Ask, scope: ScopePlan, fits: int) -> Decision:
    """There is no place: how many fit, and where else there may be one."""
    place = plan.areas[scope.area_id]
    other = plan.areas.get(place.overflow_area_id) if place.overflow_area_id else None
    return say(
        "area_full",
        ask,
        scope,
        area=scope.name if scope.session_id else place.name,
        overflow=other.name if other else None,
        fits=fits,
    )


def payment(w: Weighing) -> Decision | None:
    """Nothing left to pay at the door."""
    due = w.special.due
    return w.say("payment_due", amount=due) if due else None


def people(w: Weighing) -> Decision | None:
    """How many of a group enter: as the scan says, or a person is asked."""
    assert w.ticket is not None
    free = len(w.free)
    count = how_many(w.ask, w.ticket.admits, free)
    if count is None:
        choices = tuple(range(1, free + 1))
        return say("needs_count", w.ask, w.scope, choices, free=free)
    w.persons = w.free[:count]
    return None


def questions(w: Weighing) -> Decision | None:
    """The ID of who may be too young, then the open questions."""
    assert w.terms is not None
    assert w.ticket is not None
    given: list[Given] = []
    least = w.terms.min_age
    if least and _years(w) is None and w.special.age_seen < least:
        if (w.ask.scan.answers or {}).get(AGE) is not True:
            asked = age_check(least)
            return w.say("id_check", years=least).asking((asked,))
        given.append(Given(None, True, least))
    assert w.scope is not None
    assert w.kind is not None
    asks = w.plan.asks(w.scope, w.kind, w.ticket.access_class)
    if asks and not w.again:
        answers = w.ask.scan.answers
        still, now = settle(asks, answers, w.special.answered)
        if still:
            return w.say("needs_answers", count=len(still)).asking(still)
        given += now
    w.given = tuple(given)
    return None


def _years(w: Weighing) -> int | None:
    """The age of the holder; None: not known, or the ticket is for several people."""
    born = w.special.born
    if not born or (w.ticket is not None and w.ticket.admits > 1):
        return None
    today = w.ask.at.astimezone(w.plan.days.zone).date()
    return age_on(date.fromisoformat(born), today)


def _place(w: Weighing) -> str | None:
    return w.plan.areas[w.scope.area_id].name if w.scope else None
