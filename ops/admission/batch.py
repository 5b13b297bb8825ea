"""The protocol of a batch: which store is asked what, in which order. Sans-I/O.

`run` is a generator. It yields commands (all commands of one yield may run at the same
time) and is sent one reply a command; the desk executes them against the real stores,
the simulation against models. Modes N and D2 (core.md):

    N   read the cache -> decide -> commit; in the same step every answer that would
        not let somebody through is read again from PostgreSQL, so a stale cache never
        turns a guest away -> finish in the cache, line in the journal -> answer
    D2  the same with facts from PostgreSQL, when the cache is cold or gone

PostgreSQL is the arbiter: a scan that lost its place there is read by a second
statement and decided again. A reply `Down` means that the outcome is unknown; nothing
is ever answered from it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.ask import Ask, reads
from ops.admission.commit import CommitReply, CommitRequest, LogRow, commit_request
from ops.admission.decision import decide, full
from ops.admission.from_cache import CacheFacts, CacheRead, Cold
from ops.admission.from_database import DatabaseFacts, DatabaseRead
from ops.admission.outcome import Decision
from ops.admission.plan import Plan
from ops.admission.scan_facts import ScanFacts, Stored
from ops.cache.entry import DeviceEntry

ROUNDS_MAX = 4
"""A scan that loses its place this often is answered 503: the device asks again."""


class Item(msgspec.Struct):
    """A scan on its way through a batch."""

    index: int
    ask: Ask
    code: bytes
    content_hash: bytes
    code_hint: str
    device: DeviceEntry
    facts: ScanFacts | None = None
    decision: Decision | None = None
    error: str = ""
    """conflict | device_revoked | device_locked | unavailable | poisoned: no answer."""
    stored: Stored | None = None
    lost: bool = False
    durable: str = "none"

    @property
    def done(self) -> bool:
        """Whether the answer stands: an error, a commit or the answer of before."""
        return bool(self.error) or self.durable != "none" or self.stored is not None

    @property
    def unsure(self) -> bool:
        """Whether PostgreSQL must be read before this scan can be answered."""
        return not self.done and (self.decision is None or self.lost)

    @property
    def writing(self) -> bool:
        """Whether the decision still has to be committed."""
        return (
            not self.done
            and not self.lost
            and self.decision is not None
            and self.decision.writes
            and not self.ask.scan.dry_run
        )


class ReadCache(msgspec.Struct, frozen=True):
    """Ask the cache. Reply: CacheFacts, Cold or Down."""

    reads: list[CacheRead]


class ReadDatabase(msgspec.Struct, frozen=True):
    """Ask PostgreSQL. Reply: DatabaseFacts or Down."""

    reads: list[DatabaseRead]


class LoadPlan(msgspec.Struct, frozen=True):
    """The plan in hand is not this version. Reply: Plan or Down."""

    version: int


class Commit(msgspec.Struct, frozen=True):
    """Write in one transaction. Reply: CommitReply, Poisoned or Down."""

    request: CommitRequest


class Finish(msgspec.Struct, frozen=True):
    """Tell the cache and the screens. Reply: anything; the drain repairs a loss."""

    items: list[Item]
    replies: list[CommitReply]
    epoch: int | None


class Journal(msgspec.Struct, frozen=True):
    """Remember every green of the batch before it is sent. Reply: None or Down."""

    items: list[Item]
    epoch: int


class Answer(msgspec.Struct, frozen=True):
    """The answers stand: hand them out. Reply: None."""

    items: list[Item]


class Down(msgspec.Struct, frozen=True):
    """No answer in time, or no connection: the outcome is unknown."""

    store: str = ""


class Poisoned(msgspec.Struct, frozen=True):
    """PostgreSQL refused a value of the batch: split it."""


Command = ReadCache | ReadDatabase | LoadPlan | Commit | Finish | Journal | Answer
Steps = Generator[list[Command], list[Any], Any]
AskAgain = Callable[[Plan, "Item"], Ask]


class Batch:
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
        self.cold = ""
        self.replies: list[CommitReply] = []
        self.logs_refused: list[LogRow] = []

    def run(self) -> Steps:
        """The whole batch; afterwards every item has an answer or an error."""
        warm = False
        if self.use_cache:
            warm = yield from self._from_cache()
        if not warm:
            reply = (yield [self._question(self.items)])[0]
            yield from self._take(self.items, reply)
        for _ in range(ROUNDS_MAX):
            if not (yield from self._round()):
                break
        for item in self.items:
            if item.unsure or item.writing:
                item.error = "unavailable"
        yield from self._end()

    def _from_cache(self) -> Steps:
        asked = [
            CacheRead(item.code, reads(self.plan, item.ask), item.ask.device_id)
            for item in self.items
        ]
        (reply,) = yield [ReadCache(asked)]
        if not isinstance(reply, CacheFacts):
            self.cold = reply.why if isinstance(reply, Cold) else "down"
            return False
        self.mode, self.epoch = "N", reply.epoch
        if reply.plan_version != self.plan.version:
            yield from self._new_plan(reply.plan_version)
        for item, facts in zip(self.items, reply.facts, strict=True):
            item.facts = facts
            self._look(item, from_cache=True)
        return True

    def _question(self, items: list[Item]) -> ReadDatabase:
        return ReadDatabase(
            [
                DatabaseRead(
                    item.ask.scan.id,
                    item.code,
                    reads(self.plan, item.ask),
                    item.ask.device_id,
                )
                for item in items
            ]
        )

    def _take(self, items: list[Item], reply: DatabaseFacts | Down) -> Steps:
        if not isinstance(reply, DatabaseFacts):
            for item in items:
                item.error = "unavailable"
            return
        asked = [reads(self.plan, item.ask) for item in items]
        if reply.plan_version != self.plan.version:
            yield from self._new_plan(reply.plan_version)
        moved = []
        for item, fresh, before in zip(items, reply.facts, asked, strict=True):
            item.facts, item.lost = fresh, False
            self._look(item, from_cache=False)
            if not item.done and reads(self.plan, item.ask) != before:
                moved.append(item)
        if moved:
            # The device or its gate was moved meanwhile: once more, for its scopes.
            # Its entry and the plan are current now, so this ends.
            (reply,) = yield [self._question(moved)]
            yield from self._take(moved, reply)

    def _new_plan(self, version: int) -> Steps:
        (plan,) = yield [LoadPlan(version)]
        if isinstance(plan, Plan):
            self.plan = plan
            for item in self.items:
                item.ask = self.ask_again(plan, item)

    def _look(self, item: Item, *, from_cache: bool) -> None:
        """Decide one item on its facts, unless they say that it is settled."""
        facts = item.facts
        assert facts is not None
        item.decision = None
        if facts.device is not None and facts.device != item.device:
            before = reads(self.plan, item.ask)
            item.device = facts.device
            item.ask = self.ask_again(self.plan, item)
            if from_cache and reads(self.plan, item.ask) != before:
                return  # other scopes than were read: PostgreSQL is asked
        if facts.device is None or facts.device.state != "active":
            if not from_cache:
                locked = facts.device is not None and facts.device.state == "locked"
                item.error = "device_locked" if locked else "device_revoked"
            return
        if facts.stored is not None:
            self._replay(item, facts.stored)
            return
        decision = decide(self.plan, item.ask, facts)
        if from_cache and not decision.writes and decision.reason != "malformed_code":
            return  # whatever turns a guest away is read from PostgreSQL
        item.decision = decision

    def _replay(self, item: Item, stored: Stored) -> None:
        same = (
            stored.event_id == self.plan.event.id
            and stored.device_id == item.ask.device_id
            and stored.content_hash == item.content_hash.hex()
        )
        if same:
            item.stored = stored
        else:
            item.error = "conflict"

    def _round(self) -> Steps:
        """Commit what writes and, beside it, read what must be looked at again."""
        writing = [item for item in self.items if item.writing]
        unsure = [item for item in self.items if item.unsure]
        commands: list[Command] = []
        if writing:
            commands.append(Commit(self._request(writing, self.logs, self.confirms)))
        if unsure:
            commands.append(self._question(unsure))
        if not commands:
            return False
        replies = yield commands
        if writing:
            yield from self._settle(writing, replies[0])
        if unsure:
            yield from self._take(unsure, replies[-1])
        return True

    def _request(
        self, writing: list[Item], logs: list[LogRow], confirms: list[UUID]
    ) -> CommitRequest:
        return commit_request(self.plan, self.mode, self.now, writing, logs, confirms)

    def _settle(self, writing: list[Item], reply: Any) -> Steps:
        if isinstance(reply, Poisoned):
            yield from self._bisect(writing)
            return
        if not isinstance(reply, CommitReply):
            for item in writing:
                item.error = "unavailable"
            return
        self.replies.append(reply)
        self.logs, self.confirms = [], []
        places = {row.i: row.fits for row in reply.full}
        lost = set(reply.lost)
        for item in writing:
            assert item.decision is not None
            if item.index in places:
                item.decision = full(
                    item.ask, item.decision, self.plan, places[item.index]
                )
            elif item.index in lost:
                item.lost = True
            else:
                item.durable = "committed"

    def _bisect(self, writing: list[Item]) -> Steps:
        """Halve a batch with a value that PostgreSQL refuses, down to the one.

        Older answers stay out of the halves: the desk writes them by themselves.
        """
        alone = len(writing) == 1 and not self.logs
        self.logs_refused += self.logs
        self.logs = []
        if alone:
            writing[0].error = "poisoned"
            return
        middle = len(writing) // 2
        for half in filter(None, (writing[:middle], writing[middle:])):
            (reply,) = yield [Commit(self._request(half, [], []))]
            yield from self._settle(half, reply)

    def _end(self) -> Steps:
        green = [item for item in self.items if item.durable == "committed"]
        if green:
            commands: list[Command] = [Journal(green, self.epoch or 0)]
            if self.mode == "N":
                commands.append(Finish(self.items, self.replies, self.epoch))
            yield commands
            yield [Answer(self.items)]
        else:
            yield [Answer(self.items)]
            if self.mode == "N":
                yield [Finish(self.items, self.replies, self.epoch)]


def leftovers(items: list[Item]) -> list[Item]:
    """Answers that no transaction has written yet: refusals and holds."""
    return [
        item
        for item in items
        if item.decision is not None
        and not item.error
        and item.stored is None
        and item.durable == "none"
        and not item.ask.scan.dry_run
    ]


def uploads(items: list[Item]) -> list[Item]:
    """Replays that bring what a device showed meanwhile: the log keeps it."""
    return [
        item
        for item in items
        if item.stored is not None and item.ask.scan.door is not None
    ]
