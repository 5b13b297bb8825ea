"""A batch in mode D: PostgreSQL is gone, Redis and the journals decide. Sans-I/O.

facts -> decision -> lines on the disk -> places in the cache -> a look at the journals
of this machine -> answer. The journals are the arbiter, the cache is the filter before
them: of two processes that cross, each writes first and looks then, so at most one is
green (docs/subsystems/journal.md).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from ops.admission.commands import (
    Claim,
    ClaimReply,
    Down,
    Item,
    Journal,
    ModeIs,
    ReadCache,
    Recall,
    Steps,
    Switch,
)
from ops.admission.deciding import Deciding, ends
from ops.admission.decision import full
from ops.admission.from_cache import CacheFacts
from ops.admission.lines import Line, State, line_of

ROUNDS_MAX = 4
"""A scan that loses its place this often is answered 503: the device asks again."""


class Degraded(Deciding):
    """The steps of mode D, and of whoever finds that the mode has moved."""

    def _to_journal(self) -> Steps:
        """Put the event into mode D; whether it is in it now."""
        if self.epoch is None:
            return False
        (reply,) = yield [Switch(self.epoch, "D")]
        if not isinstance(reply, ModeIs):
            return False
        self.mode, self.epoch = reply.mode, reply.epoch
        return reply.mode == "D"

    def _degraded(self) -> Steps:
        """Decide what is not done by Redis and the journal."""
        for _ in range(ROUNDS_MAX):
            waiting = [item for item in self.items if not item.done]
            if not waiting:
                return
            recall = Recall([item.ask.scan.id for item in waiting])
            reply: CacheFacts | Any
            if self.facts is not None:
                reply, self.facts = self.facts, None
                (found,) = yield [recall]
            else:
                cache = ReadCache(self._cache_reads(waiting))
                reply, found = yield [cache, recall]
            if not isinstance(reply, CacheFacts) or isinstance(found, Down):
                return
            self.mode, self.epoch = reply.mode, reply.epoch
            if reply.mode != "D":
                # Back in N by those who reach PostgreSQL: we do not.
                if not (yield from self._to_journal()):
                    return
                continue
            if reply.plan_version > self.plan.version:
                yield from self._new_plan(reply.plan_version)
            for item, facts in zip(waiting, reply.facts, strict=True):
                item.facts, item.lost = facts, False
            self.remember(waiting, found)
            for item in waiting:
                if not item.error:
                    self._look(item, verified=True)
                if item.decision is not None and item.decision.counted:
                    item.error = "unavailable"  # only PostgreSQL counts without tickets
            yield from self._left_unseen(waiting)
            yield from self._take_places([i for i in waiting if not i.error])

    def _left_unseen(self, items: list[Item]) -> Steps:
        """No answer to an exit that ends nothing, if no journal says who has left.

        Perhaps it was this scan, and it was told so: by a process that could not write
        its journal. The record knows; the device lets out whoever wants to leave.
        """
        unsure = [
            item
            for item in items
            if not item.done
            and item.decision is not None
            and item.decision.reason == "not_inside"
            and self._ended(item)
        ]
        if not unsure:
            return
        (found,) = yield [self._look_at(unsure)]
        for item in unsure:
            told = found if isinstance(found, list) else []
            if not self._ended(item) <= ends(told):
                item.error = "unavailable"

    def _take_places(self, items: list[Item]) -> Steps:
        """Lines, places, a look; items that lost stay undone for the next round."""
        again = [item for item in items if item.index in self.again and item.stored]
        fresh = [
            item
            for item in items
            if item.decision is not None and not item.ask.scan.dry_run
        ]
        writing = [item for item in fresh if item.writing]
        lines = [
            self._line(item, "pending" if item.writing else "answered")
            for item in fresh
        ]
        said = [item for item in again if item.index not in self.standing]
        lines += [self._rewritten(item) for item in said]
        for item in writing + said:
            # Nobody was told that he is in; but who was leaving has left.
            leaves = item.stored is None and not (item.decision and item.decision.opens)
            item.left = "answered" if leaves else "cancelled"
        if lines:
            # Other processes see a line without the disk. What is answered waits for
            # it: with the mark below, which brings these lines along.
            (reply,) = yield [Journal(lines, synced=not (writing or said))]
            if isinstance(reply, Down):
                for item in fresh + again:
                    item.error, item.stored = "unavailable", None
                return
        taken: list[Item] = []
        corrections: list[Line] = []
        if writing:
            yield from self._claim(writing, taken, corrections)
        if taken or again:
            yield from self._find_others(taken, again, corrections)
        green = [item.ask.scan.id for item in taken + said if item.green]
        if corrections or green:
            marks: list[tuple[UUID, State]] = [
                (scan_id, "answered") for scan_id in green
            ]
            (reply,) = yield [Journal(corrections, synced=True, marks=marks)]
            scans = {line.scan_id for line in corrections}
            if isinstance(reply, Down):
                self._not_written(items, scans | set(green))
            else:
                for item in items:
                    item.left = None if item.ask.scan.id in scans else item.left
        for item in items:
            if item.decision is not None and not item.writing:
                item.kept = True
                item.journaled = not item.ask.scan.dry_run

    def _not_written(self, items: list[Item], scans: set[UUID]) -> None:
        """What their lines say is not what they would be told: no answer.

        The device asks again; then the places decide, and the line is written anew.
        """
        for item in items:
            if item.ask.scan.id in scans:
                item.durable, item.stored, item.error = "none", None, "unavailable"

    def _line(self, item: Item, state: State) -> Line:
        return line_of(self.plan, item, self.now, "D", self.epoch or 0, state)

    def _rewritten(self, item: Item) -> Line:
        line = self.again[item.index]
        return msgspec.structs.replace(line, state="pending", epoch=self.epoch or 0)

    def _claim(
        self, writing: list[Item], taken: list[Item], corrections: list[Line]
    ) -> Steps:
        """Take the places of these scans in the cache, all in one call."""
        claim = Claim(self.plan, writing, self.epoch or 0, self.now)
        (reply,) = yield [claim]
        if isinstance(reply, Down):
            (reply,) = yield [claim]  # it may have run: it knows its own scans
        if not isinstance(reply, ClaimReply):
            for item in writing:
                assert item.decision is not None
                # An exit that nobody repeats must not be forgotten; an entry must not
                # be merged, for its guest is not in.
                leaves = isinstance(reply, Down) and not item.decision.opens
                corrections.append(
                    self._line(item, "answered" if leaves else "cancelled")
                )
                if isinstance(reply, Down):
                    item.error = "unavailable"
            return
        for item, places in zip(writing, reply.taken, strict=True):
            assert item.decision is not None
            if places is None:
                item.durable = "journal"
                taken.append(item)
            elif places < 0:
                corrections.append(self._line(item, "cancelled"))
            else:
                item.decision = full(item.ask, item.decision, self.plan, places)
                corrections.append(self._line(item, "answered"))

    def _find_others(
        self, taken: list[Item], again: list[Item], corrections: list[Line]
    ) -> Steps:
        """R10: after writing, look at all journals, then answer."""
        (found,) = yield [self._look_at(taken + again)]
        if isinstance(found, Down):
            # Nobody may be green without the look; the places stay for the retry.
            for item in taken + again:
                item.durable, item.stored, item.error = "none", None, "unavailable"
            return
        for item in self._held_elsewhere(taken, found):
            item.durable = "none"
            corrections.append(self._line(item, "answered"))
        for item in taken:
            if item.green and self._behind(item, found):
                # The pass that it ended is over in the record; the device decides.
                corrections.append(self._line(item, "cancelled"))
                item.durable, item.error = "none", "unavailable"
        for item in again:
            facts, line = item.facts, self.again[item.index]
            if facts is None or facts.ticket_id is None:
                continue
            other = self._holder(item, facts.ticket_id, line.taken, found)
            if other is not None and other.state == "pending":
                # It finds us and is held, or it was before us: known in a moment.
                item.stored, item.error = None, "unavailable"
            elif other is not None:
                scope_no = line.places[0][0]
                scope = self.plan.scopes_by_no.get(scope_no)
                item.stored = None
                item.decision = self._told_of(item, scope, other)
                corrections.append(self._line(item, "answered"))
