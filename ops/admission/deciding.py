"""A batch as it decides: facts go in, decisions and answers of before come out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from ops.admission.ask import reads
from ops.admission.commands import (
    AskAgain,
    Item,
    LoadPlan,
    Look,
    ReadDatabase,
    Recall,
    Steps,
)
from ops.admission.commit import CommitReply, LogRow
from ops.admission.from_cache import CacheFacts, CacheRead
from ops.admission.from_database import DatabaseRead
from ops.admission.lines import IN, Found, Line, Place, others, stored
from ops.admission.outcome import Decision, Open, say
from ops.admission.plan import Plan, ScopePlan
from ops.admission.scan_facts import ScanFacts, Stored
from ops.admission.upload import decided
from ops.cache.entry import Phase, ms


class Deciding:
    """One batch of one event.

    Args:
        plan: the plan in hand; replaced on the way if the stores know a newer one.
        now: the time of the batch; written to its rows.
        use_cache: False while the breaker of the cache is open (mode D2).
        ask_again: makes the question anew when the device's gate or the plan moved.
        logs: answers of earlier batches that are not written yet.
        confirms: scans whose answers were handed over.
    """

    def __init__(
        self,
        plan: Plan,
        items: list[Item],
        now: datetime,
        *,
        use_cache: bool,
        ask_again: AskAgain,
        logs: list[LogRow],
        confirms: list[UUID],
    ) -> None:
        self.plan = plan
        self.items = items
        self.now = now
        self.use_cache = use_cache
        self.ask_again = ask_again
        self.logs = logs
        self.confirms = confirms
        self.mode = "D2"
        self.epoch: int | None = None
        self.green_mode = self.mode
        self.green_epoch: int | None = None
        """The mode and epoch under which PostgreSQL was asked to write."""
        self.gone = False
        """PostgreSQL did not answer and is not expected to."""
        self.cold = ""
        self.replies: list[CommitReply] = []
        self.logs_refused: list[LogRow] = []
        self.facts: CacheFacts | None = None
        """Of all items, read already: the event is in mode D."""
        self.again: dict[int, Line] = {}
        """Greens whose answer is not known, by item: their process died, or a step of
        ours failed, or nobody is known to have seen it. They are written once more, and
        looked at, before they are said (R7)."""
        self.standing: set[int] = set()
        """Those of them whose line in our own journal says so already."""

    def _cache_reads(self, items: list[Item]) -> list[CacheRead]:
        return [
            CacheRead(item.code, reads(self.plan, item.ask), item.ask.device_id)
            for item in items
        ]

    def _question(self, items: list[Item]) -> ReadDatabase:
        return ReadDatabase(
            [
                DatabaseRead(
                    item.ask.scan.id,
                    item.code,
                    reads(self.plan, item.ask),
                    item.ask.device_id,
                    item.ask.at if item.ask.scan.offline else None,
                    item.ask.direction == "out",
                )
                for item in items
            ]
        )

    def _new_plan(self, version: int) -> Steps:
        (plan,) = yield [LoadPlan(version)]
        if isinstance(plan, Plan):
            self.plan = plan
            for item in self.items:
                item.ask = self.ask_again(plan, item)

    def _look(self, item: Item, *, verified: bool) -> None:
        """Decide one item on its facts, unless they say that it is settled.

        Args:
            verified: whether the facts may turn a guest away; those of the cache may
                not in mode N.
        """
        facts = item.facts
        assert facts is not None
        item.decision = None
        if facts.device is not None and facts.device != item.device:
            before = reads(self.plan, item.ask)
            item.device = facts.device
            item.ask = self.ask_again(self.plan, item)
            if not verified and reads(self.plan, item.ask) != before:
                return  # other scopes than were read: PostgreSQL is asked
        if facts.device is None or not (
            facts.device.state == "active" or item.ask.accepted
        ):
            if verified:
                locked = facts.device is not None and facts.device.state == "locked"
                item.error = "device_locked" if locked else "device_revoked"
            return
        if facts.stored is not None:
            self._replay(item, facts.stored)
            return
        marked = not verified and any(v.provisional for v in facts.visits.values())
        if item.ask.scan.offline and not verified and not marked:
            return  # perhaps a live scan has overtaken it: PostgreSQL knows
        decision = decided(self.plan, item.ask, facts)
        if verified and decision.overridden:
            decision = self._of_one_state(item, decision, facts)
        if self.mode == "D" and item.ask.direction == "in":
            decision = self._own_places(item, decision)
            if item.error:
                return
        if marked:
            self._by_mark(item, decision)
        elif (decision.counted or decision.overridden) and not verified:
            # A person without a ticket: perhaps the code is another event's. And what a
            # supervisor overrode is kept in the log: as the record says, not as a cache
            # that has not heard of an answer yet.
            pass
        elif verified or decision.writes or decision.reason == "malformed_code":
            item.decision = decision
        # Whatever else turns a guest away is read from PostgreSQL.

    def _of_one_state(
        self, item: Item, decision: Decision, facts: ScanFacts
    ) -> Decision:
        """A supervisor's act, on what was so when it was first decided."""
        override = item.ask.scan.override
        if item.set_aside is None or override is None:
            item.set_aside = (decision.overridden, decision.against)
            return decision
        saw, previous = item.set_aside
        seen = msgspec.structs.replace(
            override, saw=saw, previous=UUID(previous) if previous else None
        )
        scan = msgspec.structs.replace(item.ask.scan, override=seen)
        ask = msgspec.structs.replace(item.ask, scan=scan)
        return decided(self.plan, ask, facts)

    def _own_places(self, item: Item, decision: Decision) -> Decision:
        """The admission anew, if its places are this scan's already.

        Its commit stands, or its claim, but nobody answered and no journal says so: it
        is written down again before it is said (R7). If its people have left since, its
        answer stands in the record alone, which cannot be read now: there is none.
        """
        facts, mine = item.facts, item.ask.scan.id.bytes
        assert facts is not None
        scope = decision.scope
        own = [
            (place, visit)
            for place, visit in facts.visits.items()
            if visit.scan_id == mine and place[0] in self.plan.scopes_by_no
        ]
        opens = tuple(
            Open(
                self.plan.scopes_by_no[scope_no],
                person,
                visit.pass_no,
                visit.undone,
                scope is not None and scope.no == scope_no,
                visit.day,
                visit.day,
                visit.day_used,
            )
            for (scope_no, person), visit in own
            if visit.inside
        )
        people = sum(one.primary for one in opens)
        if not people:
            if own:
                item.error = "unavailable"
            return decision
        name = facts.ticket.name if facts.ticket else ""
        return Decision(
            verdict="admitted",
            reason="ok",
            scope=scope,
            opens=opens,
            people=people,
            args={"name": name},
        )

    def _by_mark(self, item: Item, decision: Decision) -> None:
        """PostgreSQL does not know this ticket's last passes until a merge (R2).

        A mark of this scan itself, of which no journal says that it was let in, is a
        claim that came to nothing: it is taken back in a moment, and is no reason to
        turn its own guest away.
        """
        mine = item.ask.scan.id.bytes
        assert item.facts is not None
        own = any(
            v.provisional and v.scan_id == mine for v in item.facts.visits.values()
        )
        if decision.writes or own:
            item.error = "unavailable"
        else:
            item.decision, item.kept = decision, True

    def _replay(self, item: Item, answer: Stored) -> None:
        same = (
            answer.event_id == self.plan.event.id
            and answer.device_id == item.ask.device_id
            and answer.content_hash == item.content_hash.hex()
        )
        if same:
            item.stored = answer
        else:
            item.error = "conflict"

    def _recall(self, items: list[Item]) -> Steps:
        """Answers that these scans have in the journals, into their facts."""
        (found,) = yield [Recall([item.ask.scan.id for item in items])]
        if isinstance(found, list):
            self.remember(items, found)

    def remember(self, items: list[Item], found: list[Found]) -> None:
        """Put answers of the journals into the facts of their scans."""
        by_id: dict[UUID, Found] = {}
        for one in found:
            before = by_id.get(one.line.scan_id)
            if before is None or _rank(one) > _rank(before):
                by_id[one.line.scan_id] = one
        for item in items:
            known = by_id.get(item.ask.scan.id)
            facts = item.facts
            if known is None or facts is None or known.line.state == "cancelled":
                continue
            if known.line.state == "pending" or self._unsaid(known.line):
                # In another process that lives: it is being decided now. In a dead
                # one, or left by our own when a step failed: it was never answered,
                # and the places decide.
                if known.line.state == "pending" and known.owner == "live":
                    item.error = "unavailable"
                    continue
                if known.line.taken and not self._again(item, known.line):
                    continue
                if known.line.taken:
                    self.again[item.index] = known.line
            elif self.mode == "D" and known.line.state == "answered":
                # Whoever was taken over from meanwhile is found by the look.
                if known.line.taken:
                    self.again[item.index] = known.line
                if known.owner == "own":
                    self.standing.add(item.index)
            # Who was seen green has been let through: the same scan says it again.
            if known.line.state == "shown" or not self._superseded(item, known.line):
                facts.stored = stored(known.line)

    def _again(self, item: Item, line: Line) -> bool:
        """Whether the green of a line may be said once more, if the look allows it.

        A claim only where its places are its own. A commit also where the cache was
        not told of it, or gave them to another: the look says whether he was let in.
        """
        held = self._taken(item, line)
        if self.mode != "D":
            if held:
                item.error = "unavailable"  # until its places are free again
            return False
        return held or line.state == "answered"

    def _unsaid(self, line: Line) -> bool:
        """Whether a line of a commit is no proof that it was answered, in mode D.

        It is written before the cache is told; if that was refused, others may have
        been let in by then, and its batch may have died before it looked (R3).
        """
        commits = line.mode != "D" and line.state == "answered"
        return commits and bool(line.taken) and self.mode == "D"

    def _superseded(self, item: Item, line: Line) -> bool:
        """Whether another scan holds a place of this line: never green again (R9)."""
        assert item.facts is not None
        for scope_no, person, pass_no, what in line.places:
            visit = item.facts.visit(scope_no, person)
            if (
                what == IN
                and visit is not None
                and visit.pass_no == pass_no
                and visit.scan_id != line.scan_id.bytes
                and visit.confirmed
            ):
                return True
        return False

    def _taken(self, item: Item, line: Line) -> bool:
        """Whether the cache shows that the places of this line were taken."""
        assert item.facts is not None
        return bool(line.taken) and all(
            (visit := item.facts.visit(scope_no, person)) is not None
            and visit.pass_no == pass_no
            and visit.scan_id == line.scan_id.bytes
            for scope_no, person, pass_no in line.taken
        )

    def _held_elsewhere(self, items: list[Item], found: list[Found]) -> list[Item]:
        """The items of which another scan's line holds a place; they become amber.

        The decision of each is replaced; what was written of it is the caller's.
        """
        held = []
        for item in items:
            decision, facts = item.decision, item.facts
            if decision is None or facts is None or facts.ticket_id is None:
                continue
            wanted = {(o.scope.no, o.person_no, o.pass_no) for o in decision.opens}
            line = self._holder(item, facts.ticket_id, wanted, found)
            if line is not None:
                item.decision = self._told_of(item, decision.scope, line)
                held.append(item)
        return held

    def _holder(
        self,
        item: Item,
        ticket_id: UUID,
        wanted: set[tuple[int, int, int]],
        found: list[Found],
    ) -> Line | None:
        saying = {
            one.line.scan_id
            for one in found
            if one.line.state == "pending" and one.owner != "dead"
        }
        for line in others(found, item.ask.scan.id, ticket_id):
            # Whom a steward takes over from was shown no green; if he was, or is told
            # again right now, he is in.
            yields = line.scan_id == item.ask.scan.take_over and line.state != "shown"
            if not (yields and line.scan_id not in saying) and wanted & line.taken:
                return line
        return None

    def _missing(self, item: Item, found: list[Found]) -> list[Line]:
        """Lines of mode D for the ticket of an item that its facts do not show.

        Of places that it would end without having read them (an inner one, when its
        guest leaves the outer) the facts show nothing.
        """
        facts, decision = item.facts, item.decision
        if facts is None or facts.ticket_id is None or decision is None:
            return []
        read = {scope.no for scope in reads(self.plan, item.ask)}
        unread = {closed.scope.no for closed in decision.closes} - read
        return [
            line
            for line in others(found, item.ask.scan.id, facts.ticket_id)
            if line.mode == "D"
            and any(
                place[0] in unread or (place[0] in read and _unknown(facts, place))
                for place in line.places
            )
        ]

    def _behind(self, item: Item, found: list[Found]) -> bool:
        """Whether a commit has a later pass of a place than what this scan ends.

        The cache was not told of it before PostgreSQL went away. Lines of mode D need
        no look: their passes are those of the cache.
        """
        facts, decision = item.facts, item.decision
        if facts is None or facts.ticket_id is None or decision is None:
            return False
        later = [
            taken
            for line in others(found, item.ask.scan.id, facts.ticket_id)
            if line.mode != "D" and line.state != "pending"
            for taken in line.taken
        ]
        return any(
            (scope_no, person) == (closed.scope.no, closed.person_no)
            and (visit := facts.visit(scope_no, person)) is not None
            and pass_no > visit.pass_no
            for closed in decision.closes
            if closed.must
            for scope_no, person, pass_no in later
        )

    def _ended(self, item: Item) -> set[tuple[UUID, int, int, int]]:
        """The presences of its ticket that a commit has ended, where it was looked."""
        facts = item.facts
        if facts is None or facts.ticket_id is None:
            return set()
        read = {scope.no for scope in reads(self.plan, item.ask)}
        return {
            (facts.ticket_id, scope_no, person, visit.pass_no)
            for (scope_no, person), visit in facts.visits.items()
            if scope_no in read
            and visit.phase is Phase.CLOSED
            and not visit.provisional
        }

    def _told_of(self, item: Item, scope: ScopePlan | None, line: Line) -> Decision:
        """Red if the other scan's green was shown, else amber (R4)."""
        row = line.row()
        gate = self.plan.gates.get(row.g) if row and row.g else None
        reason = "unconfirmed"
        if line.state == "shown":
            tracked = scope is not None and scope.tracks_exits
            reason = "already_inside" if tracked else "already_used"
        return say(
            reason,
            item.ask,
            scope,
            since=ms(line.at),
            gate=gate.name if gate else None,
            previous=str(line.scan_id),
        )

    def _look_at(self, items: list[Item]) -> Look:
        return Look(
            list(
                dict.fromkeys(
                    item.facts.ticket_id
                    for item in items
                    if item.facts and item.facts.ticket_id
                )
            )
        )


def _unknown(facts: ScanFacts, place: Place) -> bool:
    """Whether the facts are older than what a line says of a place."""
    scope_no, person, pass_no, what = place
    visit = facts.visit(scope_no, person)
    if not pass_no:
        return False  # an end of whatever may have been there
    if visit is None or visit.pass_no < pass_no:
        return True
    return what != IN and visit.pass_no == pass_no and visit.inside


def ends(found: Iterable[Found]) -> set[tuple[UUID, int, int, int]]:
    """The presences that these lines have ended: ticket, scope no, person, pass."""
    return {
        (one.line.ticket_id, *place[:3])
        for one in found
        if one.line.ticket_id is not None and one.line.state != "cancelled"
        for place in one.line.places
        if place[3] != IN
    }


def _rank(found: Found) -> int:
    """The line that tells most of a scan that has lines in several files."""
    return {"cancelled": 0, "pending": 1, "answered": 2, "shown": 3}[
        found.line.state
    ] * 2 + (found.owner == "own")
