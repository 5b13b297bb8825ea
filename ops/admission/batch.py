"""The protocol of a batch: which store is asked what, in which order. Sans-I/O.

`run` is a generator. It yields commands (all commands of one yield may run at the same
time) and is sent one reply a command; the desk executes them against the real stores,
the simulation against models. Modes (core.md):

    N   read the cache -> decide -> commit; in the same step every answer that would
        not let somebody through is read again from PostgreSQL, so a stale cache never
        turns a guest away -> finish in the cache, line in the journal -> answer
    D2  the same with facts from PostgreSQL, when the cache is cold or gone; before and
        after the commit the journals of this machine are looked at
    D   PostgreSQL is gone: `ops.admission.degraded`

PostgreSQL is the arbiter: a scan that lost its place there is read by a second
statement and decided again. A reply `Down` means that the outcome is unknown; nothing
is ever answered from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.ask import reads
from ops.admission.commands import (
    Answer,
    Command,
    Commit,
    Down,
    Finish,
    Item,
    Journal,
    Poisoned,
    ReadCache,
    ReadDatabase,
    Recall,
    Steps,
    TakeOver,
)
from ops.admission.commit import (
    CommitReply,
    CommitRequest,
    Leased,
    LogRow,
    commit_request,
)
from ops.admission.decision import full
from ops.admission.degraded import ROUNDS_MAX, Degraded
from ops.admission.from_cache import CacheFacts, Cold
from ops.admission.from_database import DatabaseFacts, DatabaseRead
from ops.admission.lines import Found, Line, State, line_of, replayed_line
from ops.admission.outcome import say

NOWHERE = UUID(int=0)


class Batch(Degraded):
    """One batch of one event; `Deciding` says what it is made of."""

    def run(self) -> Steps:
        """The whole batch; afterwards every item has an answer or an error."""
        warm = False
        if self.use_cache:
            warm = yield from self._from_cache()
        if warm and self.mode == "D":
            yield from self._degraded()
        else:
            yield from self._by_database(warm)
            if self.gone and warm and (yield from self._to_journal()):
                yield from self._degraded()
        for item in self.items:
            if item.unsure or item.writing:
                item.error = "unavailable"
        yield from self._end()

    def _from_cache(self) -> Steps:
        (reply,) = yield [ReadCache(self._cache_reads(self.items))]
        if not isinstance(reply, CacheFacts):
            self.cold = reply.why if isinstance(reply, Cold) else "down"
            return False
        self.mode, self.epoch = reply.mode, reply.epoch
        if reply.mode == "D":
            self.facts = reply
            return True
        if reply.plan_version != self.plan.version:
            yield from self._new_plan(reply.plan_version)
        marked = []
        for item, facts in zip(self.items, reply.facts, strict=True):
            item.facts = facts
            if any(visit.provisional for visit in facts.visits.values()):
                marked.append(item)
        if marked:
            yield from self._recall(marked)
        for item in self.items:
            if not item.error:
                self._look(item, verified=False)
        return True

    def _by_database(self, warm: bool) -> Steps:
        """Modes N and D2: PostgreSQL decides."""
        self.green_mode, self.green_epoch = self.mode, self.epoch
        if not warm:
            recall = Recall([item.ask.scan.id for item in self.items])
            reply, found = yield [self._question(self.items), recall]
            known = found if isinstance(found, list) else []
            yield from self._take(self.items, reply, known)
        for _ in range(ROUNDS_MAX):
            if self.gone or not (yield from self._round()):
                return

    def _take(
        self,
        items: list[Item],
        reply: DatabaseFacts | Down,
        known: list[Found] | None = None,
    ) -> Steps:
        """Facts of PostgreSQL; `known` are the journals' lines of these scans."""
        if not isinstance(reply, DatabaseFacts):
            self._lost_touch(items, reply)
            return
        asked = [reads(self.plan, item.ask) for item in items]
        if reply.plan_version != self.plan.version:
            yield from self._new_plan(reply.plan_version)
        moved = []
        for item, fresh, before in zip(items, reply.facts, asked, strict=True):
            item.facts, item.lost, item.verified = fresh, False, True
            # A green of the journal counts, whatever was written of the scan before.
            if known and (fresh.stored is None or not fresh.stored.people):
                self.remember([item], known)
            if item.error:
                continue
            self._look(item, verified=True)
            self._no_room(item)
            if not item.done and reads(self.plan, item.ask) != before:
                moved.append(item)
        if moved:
            # The device or its gate was moved meanwhile: once more, for its scopes.
            # Its entry and the plan are current now, so this ends.
            (reply,) = yield [self._question(moved)]
            yield from self._take(moved, reply)

    def _lost_touch(self, items: list[Item], reply: Any) -> None:
        """PostgreSQL did not answer: mode D for what has no answer, or an error."""
        if isinstance(reply, Down) and reply.lasting and self.mode == "N":
            self.gone = True
            return
        for item in items:
            item.error = "unavailable"

    def _round(self) -> Steps:
        """Commit what writes and, beside it, read what must be looked at again."""
        writing = [item for item in self.items if item.writing]
        if writing and self.mode == "D2":
            (found,) = yield [self._look_at(writing)]
            if isinstance(found, list):
                self._held_elsewhere(writing, found)
                writing = [item for item in writing if item.writing]
                yield from self._wait_for_merge(writing, found)
            writing = [item for item in writing if item.writing]
        unsure = [item for item in self.items if item.unsure]
        taking = [item for item in writing if item.decision and item.decision.takes]
        if taking:
            # Rare, and another function: by themselves, before the others.
            writing = [item for item in writing if item not in taking]
            (reply,) = yield [TakeOver(self._request(taking, [], []))]
            logs, confirms = self.logs, self.confirms
            yield from self._settle(taking, reply)
            self.logs, self.confirms = logs, confirms
        commands: list[Command] = []
        if writing:
            commands.append(Commit(self._request(writing, self.logs, self.confirms)))
        if unsure:
            commands.append(self._question(unsure))
        if not commands:
            return bool(taking)
        replies = yield commands
        if writing:
            yield from self._settle(writing, replies[0])
        if unsure:
            yield from self._take(unsure, replies[-1])
        return True

    def _wait_for_merge(self, items: list[Item], found: list[Found]) -> Steps:
        """No answer for whom the journals know better than the record (R2).

        In mode N the cache's marks say so; here the lines do. Most of them stand in
        the record, which shows; what a merge gave to another it says itself.
        """
        behind = [(item, line) for item in items for line in self._missing(item, found)]
        if not behind:
            return
        reads_ = [
            DatabaseRead(line.scan_id, item.code, (), item.ask.device_id)
            for item, line in behind
        ]
        (reply,) = yield [ReadDatabase(reads_)]
        if not isinstance(reply, DatabaseFacts):
            self._lost_touch([item for item, _ in behind], reply)
            return
        for (item, _), facts in zip(behind, reply.facts, strict=True):
            if facts.stored is None or facts.stored.durable != "journal":
                item.error = "unavailable"

    def _request(
        self, writing: list[Item], logs: list[LogRow], confirms: list[UUID]
    ) -> CommitRequest:
        return commit_request(self.plan, self.mode, self.now, writing, logs, confirms)

    def _settle(self, writing: list[Item], reply: Any) -> Steps:
        if isinstance(reply, Poisoned):
            yield from self._bisect(writing)
            return
        if not isinstance(reply, CommitReply):
            self._lost_touch(writing, reply)
            return
        self.replies.append(reply)
        self.logs, self.confirms = [], []
        places = {row.i: row.fits for row in reply.full}
        lost = set(reply.lost)
        leased = {row.i: row for row in reply.leased}
        for item in writing:
            assert item.decision is not None
            if item.index in leased:
                self._leave(item, leased[item.index])
            elif item.index in places:
                # Facts of the cache may hide that this scan has its place already.
                item.fits, item.lost = places[item.index], not item.verified
                self._no_room(item)
            elif item.index in lost:
                item.lost = True
            else:
                item.durable = "committed"

    def _leave(self, item: Item, lease: Leased) -> None:
        """Another device may have let the guest in without us: it is asked first."""
        assert item.decision is not None
        gate = self.plan.gates_by_no.get(lease.g)
        item.leased_to = lease.d
        item.decision = say(
            "other_door",
            item.ask,
            item.decision.scope,
            gate=gate.name if gate else None,
        )

    def _no_room(self, item: Item) -> None:
        """Turn away whom PostgreSQL has no place for, once its facts are read."""
        decision = item.decision
        if item.fits is None or item.lost or item.done or decision is None:
            return
        if decision.opens or decision.counted:
            item.decision = full(item.ask, decision, self.plan, item.fits)

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
        told = False
        yield from self._keep_replays()
        if green:
            told = yield from self._finish(green)
        yield [Answer(self.items)]
        if not told and self.epoch is not None:
            yield [Finish(self.items, [], self.epoch)]

    def _keep_replays(self) -> Steps:
        """R5: a green that comes from the scan log is in a journal, too.

        It may be that nobody saw it: then another may have let the guest in meanwhile,
        and the look comes after the line as ever (R10). If a journal says that it was
        shown, the look has been, and whoever came later has seen it.
        """
        lines = {
            item.index: replayed_line(self.plan, item, item.stored, self.epoch or 0)
            for item in self.items
            if item.stored is not None and item.stored.still_green and not item.error
        }
        if lines:
            (found,) = yield [Recall([line.scan_id for line in lines.values()])]
            for line in found if isinstance(found, list) else []:
                if stands(line, lines.values()):
                    lines = {
                        i: x for i, x in lines.items() if x.scan_id != line.line.scan_id
                    }
        if not lines:
            return
        again = [item for item in self.items if item.index in lines]
        yield [Journal(list(lines.values()), synced=False)]
        (found,) = yield [self._look_at(again)]
        if not isinstance(found, list):
            return
        cancelled = []
        for item in again:
            line = lines[item.index]
            if line.ticket_id is None:
                continue
            # PostgreSQL has given it the place of whom a steward took over from.
            given = item.ask.scan.take_over
            rivals = [one for one in found if one.line.scan_id != given]
            other = self._holder(item, line.ticket_id, line.taken, rivals)
            if other is not None and item.stored is not None:
                scope = self.plan.scopes.get(item.stored.scope_id or NOWHERE)
                item.stored, item.decision = None, self._told_of(item, scope, other)
                cancelled.append(
                    msgspec.structs.replace(line, state="cancelled", places=())
                )
        if cancelled:
            yield [Journal(cancelled, synced=False)]

    def _finish(self, green: list[Item]) -> Steps:
        """Journal and cache of what PostgreSQL has; whether the screens were told."""
        mode, epoch = self.green_mode, self.green_epoch
        lines = self._lines(green, "answered")
        commands: list[Command] = [Journal(lines, synced=False)]
        if mode == "N":
            commands.append(Finish(self.items, self.replies, epoch))
        replies = yield commands
        if replies[-1] == "ok" and mode == "N":
            return True
        # The mode has moved meanwhile, or there is no cache: others may have let the
        # same guest in by the journal (R3, R8). The rows stay ours or are taken over.
        (found,) = yield [self._look_at(green)]
        if not isinstance(found, list) or isinstance(replies[0], Down):
            # Who looks does not find us, or we do not look: no green without both.
            for item in green:
                item.durable, item.error = "none", "unavailable"
            return False
        held = self._held_elsewhere(green, found)
        for item in held:
            item.durable = "none"
        if held:
            yield [Journal(self._lines(held, "cancelled"), synced=False)]
        return bool(replies[-1] == "moved" and (yield from self._finish_anew(green)))

    def _finish_anew(self, green: list[Item]) -> Steps:
        """What is on record and was looked at: the cache hears of it in its new epoch.

        In mode D nobody asks the record: who has gone out would be turned away when he
        comes back, until the drain can read again.
        """
        (now,) = yield [ReadCache(self._cache_reads(green))]
        if not isinstance(now, CacheFacts):
            return False
        (reply,) = yield [Finish(self.items, self.replies, now.epoch)]
        return bool(reply == "ok")

    def _lines(self, items: list[Item], state: State) -> list[Line]:
        mode, epoch = self.green_mode, self.green_epoch or 0
        return [
            line_of(self.plan, item, self.now, mode, epoch, state) for item in items
        ]


def stands(found: Found, again: Iterable[Line]) -> bool:
    """Whether a green that is said again was shown before, as a journal says."""
    line = found.line
    return line.state == "shown" and any(
        x.scan_id == line.scan_id and x.taken <= line.taken for x in again
    )


def leftovers(items: list[Item]) -> list[Item]:
    """Answers that no transaction has written yet: refusals and holds."""
    return [
        item
        for item in items
        if item.decision is not None
        and not item.error
        and item.stored is None
        and item.durable == "none"
        and not item.journaled
        and not item.awaiting
        and not item.ask.scan.dry_run
    ]


def uploads(items: list[Item]) -> list[Item]:
    """Replays that bring what a device showed meanwhile: the log keeps it."""
    return [
        item
        for item in items
        if item.stored is not None and item.ask.scan.door is not None
    ]
