"""The desk of one event: its queue, its loop, its batches.

Scans that arrive while the previous batch is under way form the next one: no timers,
no linger. Two lanes, live scans and uploads: `ops.checkin.lanes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from ops import log, metrics
from ops.admission import batch as protocol
from ops.admission import commands, finish
from ops.admission.ask import Ask
from ops.admission.batch import Batch
from ops.admission.commands import Command, Item
from ops.admission.commit import LogRow, door_row, log_row, only_logs
from ops.admission.from_database import DeviceRow
from ops.admission.handed import note
from ops.admission.journal import Journal
from ops.admission.lines import log_line
from ops.admission.plan import Plan
from ops.admission.turns import Turns
from ops.cache.entry import DeviceEntry
from ops.checkin.executor import Executor
from ops.checkin.lanes import AT_ONCE_MAX, Lanes, Taken
from ops.checkin.pending import Answered, Lane, Pending, ask
from ops.checkin.plans import Plans
from ops.checkin.stores import Stores
from ops.clock import Clock
from ops.db.engine import Database
from ops.db.pools import DATABASE_ERRORS
from ops.errors import Unauthenticated, Unavailable
from ops.patience import answering, safely, within

QUEUE_MAX = 10_000
"""Scans waiting in a process; more is answered 503, the device keeps them."""
CONFIRM_AFTER_S = 0.05
LOG_AFTER_S = 0.1
"""When no next batch comes: confirmations and answers that are not written yet."""
WRITE_AGAIN_S = 1.0
LOGS_KEPT_MAX = 20_000
LOGS_WAITED_FOR_MAX = 1_000
"""So many only wait while PostgreSQL is away; then no process waits for them."""
SHOWN_KEPT_MAX = 2_000
"""Greens that were shown while the cache was away: they are sent with one call."""

KNOW_S = 0.3

_DEVICE = (
    "SELECT row_to_json(d)::text FROM ops.device_entries_v1 d "
    "WHERE d.event_id = $1 AND d.id = $2"
)
_device_decoder = msgspec.json.Decoder(DeviceRow)
_logger = log.get(__name__)


class EventDesk:
    """The queue and the loop of one event."""

    def __init__(
        self,
        plan: Plan,
        database: Database,
        stores: Stores,
        plans: Plans,
        journal: Journal,
        turns: Turns,
        clock: Clock,
    ) -> None:
        self.plan = plan
        self._database = database
        self._stores = stores
        self._executor = Executor(plan.event.id, stores, plans, journal)
        self._turns = turns
        self._clock = clock
        self._lanes = Lanes()
        self._flying: dict[UUID, asyncio.Future[None]] = {}
        self._devices: dict[UUID, DeviceEntry] = {}
        self._confirms: list[UUID] = []
        self._shown: list[tuple[bytes, bytes]] = []
        self._logs: list[LogRow] = []
        self._inside: dict[UUID, int] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._timer: asyncio.TimerHandle | None = None
        self._due = False
        self._batches: dict[asyncio.Task[None], Taken] = {}
        self._resting: asyncio.TimerHandle | None = None
        self._telling: asyncio.Task[bool] | None = None
        self.mode = "N"
        self._task = asyncio.create_task(self._run(), name=f"desk {plan.event.id}")

    async def stop(self) -> None:
        """Finish the waiting scans and write the last rows."""
        self._stopping = True
        self._wake.set()
        await asyncio.wait([self._task], timeout=5)
        self._task.cancel()
        for timer in (self._timer, self._resting):
            if timer is not None:
                timer.cancel()
        if self._telling is not None:
            await asyncio.wait([self._telling], timeout=1)

    async def know(self, device_id: UUID) -> DeviceEntry:
        """The last known entry of a device, to ask the stores the right question."""
        entry = self._devices.get(device_id)
        if entry is None:
            entry = await self._find_device(device_id)
            self._devices[device_id] = entry
        return entry

    async def _find_device(self, device_id: UUID) -> DeviceEntry:
        """From PostgreSQL, or from the cache while PostgreSQL is away."""
        event_id = self.plan.event.id
        if not self._stores.database_breaker.open:
            try:
                asked = self._database.pool.fetchval(
                    _DEVICE, event_id, device_id, timeout=KNOW_S
                )
                text = await within(KNOW_S, asked)
            except DATABASE_ERRORS as error:
                _logger.warning("device_not_read", error=log.scrubbed(error))
            else:
                if text is None:
                    raise Unauthenticated(
                        "This device does not serve the event.",
                        code="device_other_event",
                    )
                return _device_decoder.decode(text).entry()
        found = await self._stores.device(event_id, device_id)
        if found is None:
            raise Unavailable(headers={"Retry-After": "1"})
        return found

    async def add(self, pending: Pending, lane: Lane) -> Answered:
        """Queue a scan and wait for its answer."""
        while (twin := self._flying.get(pending.scan.id)) is not None:
            # The same id is being decided now, even if its caller has gone away: the
            # retry comes after it and gets the stored answer.
            await asyncio.wait([twin])
        if len(self._lanes) >= QUEUE_MAX:
            raise Unavailable(code="overloaded", headers={"Retry-After": "1"})
        self._flying[pending.scan.id] = asyncio.get_running_loop().create_future()
        try:
            await self._turns.take(pending.scan.id)
            if self._stopping:
                raise Unavailable("The server is stopping.", code="stopping")
        except BaseException:
            self._flying.pop(pending.scan.id).set_result(None)
            self._turns.give([pending.scan.id])
            raise
        pending.lane = lane
        self._lanes.add(pending, self._clock.monotonic_s())
        if pending.scan.shown:
            self.confirm(pending.scan.shown)
        self._wake.set()
        return await pending.answer

    def confirm(self, scan_ids: list[UUID]) -> None:
        """Write `confirmed_at` with the next batch, or in 50 ms."""
        self._confirms += scan_ids
        self._write_within(CONFIRM_AFTER_S)

    def _write_within(self, delay_s: float) -> None:
        """See that what waits is written by then, if no batch takes it along."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(delay_s, self._ring)

    def _ring(self) -> None:
        self._timer, self._due = None, True
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await safely(self._turn, "desk"):
                self._write_within(WRITE_AGAIN_S)
            if self._stopping and self._lanes.idle:
                return

    async def _turn(self) -> None:
        self._start_batches()
        if self._due or (self._stopping and not self._batches):
            self._due = False
            await self._flush()

    def _start_batches(self) -> None:
        """Start what may start now, and come back when uploads have rested."""
        now_s = self._clock.monotonic_s()
        # In D one at a time: two that share a ticket would see each other's lines.
        at_once = 1 if self.mode == "D" else AT_ONCE_MAX
        while (taken := self._lanes.take(now_s, at_once)) is not None:
            batch = asyncio.create_task(self._safely(taken.scans))
            self._batches[batch] = taken
            batch.add_done_callback(self._ended)
        rests_s = self._lanes.rests_s(now_s)
        if rests_s is not None and self._resting is None:
            loop = asyncio.get_running_loop()
            self._resting = loop.call_later(rests_s, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self._wake.set()

    def _ended(self, batch: asyncio.Task[None]) -> None:
        self._lanes.ended(self._batches.pop(batch), self._clock.monotonic_s())
        self._wake.set()

    async def _safely(self, taken: list[Pending]) -> None:
        """Run a batch; whatever happens in it, everybody who waits gets an answer."""
        try:
            with answering([pending.answer for pending in taken], Unavailable):
                await safely(partial(self._batch, taken), "batch")
        finally:
            for pending in taken:
                self._flying.pop(pending.scan.id).set_result(None)
            self._give(pending.scan.id for pending in taken)

    def _give(self, scan_ids: Iterable[UUID]) -> None:
        """Whose answer is written, or never will be: other processes may ask for it."""
        known = len(self._logs) <= LOGS_WAITED_FOR_MAX
        waiting = {row.s for row in self._logs} if known else set()
        self._turns.give(one for one in scan_ids if one not in waiting)

    async def _batch(self, taken: list[Pending]) -> None:
        metrics.batch_scans.observe(len(taken))
        asked = {pending.scan.id for pending in taken}
        uploads = any(pending.scan.offline for pending in taken)
        if any(scan_id in asked for scan_id, _ in self._executor.marks):
            await self._executor.write_marks()  # a retry finds that it was shown
        if any(
            row.s in asked or (uploads and row.off and row.re == "not_inside")
            for row in self._logs
        ):
            # A retry must find the answer that it had, and an uploaded entry the exit
            # that came before it.
            await self._flush()
            # While PostgreSQL is away it is decided anew, and that answer counts.
            self._logs = [row for row in self._logs if row.s not in asked]
        now = self._clock.now()
        items = [self._item(index, one, now) for index, one in enumerate(taken)]
        logs, self._logs = self._logs, []
        confirms, self._confirms = self._confirms, []
        batch = Batch(
            self.plan,
            items,
            now,
            use_cache=self._stores.cache_allowed(),
            ask_again=partial(self._ask_again, taken, now),
            logs=logs,
            confirms=confirms,
        )
        try:
            await self._drive(batch, taken)
        finally:
            self.mode = batch.mode
            for mode in ("N", "D2", "D"):
                metrics.mode.labels(mode).set(mode == batch.mode)
            if batch.plan.version > self.plan.version:
                self.plan = batch.plan
            self._devices.update((item.ask.device_id, item.device) for item in items)
            self._logs += batch.logs + batch.logs_refused
            self._confirms += batch.confirms
            self._note_answers(taken, items)
            self._logs += [
                log_row(item, item.decision, None)
                for item in protocol.leftovers(items)
                if item.decision is not None
            ]
            self._logs += [
                door_row(item, item.stored)
                for item in protocol.uploads(items)
                if item.stored is not None
            ]
            del self._logs[:-LOGS_KEPT_MAX]
            del self._confirms[:-LOGS_KEPT_MAX]
            self._give(row.s for row in logs)
            if self._confirms or self._logs or self._executor.marks:
                self._write_within(CONFIRM_AFTER_S if self._confirms else LOG_AFTER_S)

    def _note_answers(self, taken: list[Pending], items: list[Item]) -> None:
        """What was handed over is confirmed with the next batch, or in 50 ms."""
        noted = note(
            (item, _handed_over(pending))
            for pending, item in zip(taken, items, strict=True)
        )
        self._confirms += noted.confirms
        self._executor.marks += noted.marks
        self._shown += noted.shown

    def _take_shown(self) -> list[tuple[bytes, bytes]]:
        shown, self._shown = self._shown, []
        return shown

    async def _drive(self, batch: Batch, taken: list[Pending]) -> None:
        steps = batch.run()
        commands = next(steps)
        while True:
            if len(commands) == 1:
                replies = [await self._execute(batch, commands[0], taken)]
            else:
                replies = await asyncio.gather(
                    *(self._execute(batch, command, taken) for command in commands)
                )
            try:
                commands = steps.send(replies)
            except StopIteration:
                return

    async def _execute(
        self, batch: Batch, command: Command, taken: list[Pending]
    ) -> Any:
        """One command against the real stores."""
        if isinstance(command, commands.Finish):
            return await self._tell(command, batch)
        if isinstance(command, commands.Answer):
            self._answer(batch, taken)
            return None
        return await self._executor.run(command)

    async def _tell(self, command: commands.Finish, batch: Batch) -> Any:
        for reply in command.replies:
            self._inside.update(reply.inside)
        shown = self._take_shown()
        lines = finish.lines(batch.plan, command.items, batch.now)
        args = finish.arguments(
            b"f",
            command.epoch,
            finish.visits(batch.plan, command.items, command.replies, batch.now),
            lines,
            finish.increments(command.items, command.replies),
            shown,
        )
        # Who goes out and was not inside moves nothing, and is news all the same.
        if len(args) == finish.FIXED_ARGUMENTS and not lines:
            return None
        green = any(item.durable == "committed" for item in command.items)
        if green:
            return await self._finish(args, shown)
        # Nobody waits for the line of a refusal; one at a time is under way.
        if self._telling is not None and not self._telling.done():
            await self._telling
        self._telling = asyncio.create_task(
            safely(partial(self._finish, args, shown), "finish")
        )
        return None

    def _answer(self, batch: Batch, taken: list[Pending]) -> None:
        for reply in batch.replies:
            self._inside.update(reply.inside)
        done_s = self._clock.monotonic_s()
        for pending, item in zip(taken, batch.items, strict=True):
            metrics.scan_seconds.labels(pending.lane).observe(done_s - pending.queued_s)
            if not pending.answer.done():
                pending.answer.set_result(
                    Answered(item, batch.plan, batch.now, self._inside)
                )

    async def _flush(self) -> None:
        """Write confirmations and answers that no batch took along."""
        await self._executor.write_marks()
        await self._tell_shown()
        if not (self._logs or self._confirms):
            return
        logs, self._logs = self._logs, []
        confirms, self._confirms = self._confirms, []
        try:
            reply = await self._write(logs, confirms)
        except Exception:
            self._logs = logs + self._logs
            self._confirms = confirms + self._confirms
            raise
        finally:
            # Nobody waits for a store that is away.
            self._turns.give(row.s for row in logs)
        if isinstance(reply, commands.Down):
            if reply.lasting and self.mode == "D":
                logs = await self._keep(logs)
            self._logs = logs + self._logs
            self._confirms = confirms + self._confirms
            self._write_within(WRITE_AGAIN_S)

    async def _keep(self, logs: list[LogRow]) -> list[LogRow]:
        """Answers that PostgreSQL did not get any more go into the journal."""
        now = self._clock.now()
        lines = [log_line(self.plan, row, now, 0) for row in logs]
        reply = await self._executor.run(commands.Journal(lines, synced=False))
        return logs if isinstance(reply, commands.Down) else []

    async def _tell_shown(self) -> None:
        """Tell the cache what was shown, so that a copy is red in mode D too."""
        if self._shown and self._stores.cache_allowed():
            shown = self._take_shown()
            args = finish.arguments(b"c", None, [], [], [], shown)
            await self._finish(args, shown)

    async def _finish(self, args: finish.Args, shown: list[tuple[bytes, bytes]]) -> str:
        """What `finish.lua` says; what it has not heard of is told once more."""
        said = await self._stores.finish(self.plan.event.id, args)
        if said != "ok":
            self._shown = (shown + self._shown)[-SHOWN_KEPT_MAX:]
        return said

    async def _write(self, logs: list[LogRow], confirms: list[UUID]) -> Any:
        """One transaction of logs; a poisoned row is bisected out and dropped."""
        request = only_logs(self.plan, self.mode, self._clock.now(), logs, confirms)
        reply = await self._stores.commit(commands.Commit(request))
        if not isinstance(reply, commands.Poisoned):
            return reply
        if len(logs) <= 1:
            _logger.error("log_row_dropped", scan_id=str(logs[0].s) if logs else None)
            return None
        middle = len(logs) // 2
        first = await self._write(logs[:middle], confirms)
        second = await self._write(logs[middle:], [])
        return first if isinstance(first, commands.Down) else second

    def _item(self, index: int, pending: Pending, now: datetime) -> Item:
        device = self._devices[pending.device_id]
        return Item(
            index,
            ask(self.plan, pending, device, now),
            pending.code,
            pending.content_hash,
            pending.code_hint,
            device,
        )

    def _ask_again(
        self, taken: list[Pending], now: datetime, plan: Plan, item: Item
    ) -> Ask:
        return ask(plan, taken[item.index], item.device, now)


def _handed_over(pending: Pending) -> bool:
    """Whether the answer went to a caller who still waited for it."""
    return pending.answer.done() and not pending.answer.cancelled()
