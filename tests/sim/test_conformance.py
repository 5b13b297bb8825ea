"""One suite for models and real stores: the same random commands, the same replies.

The simulation is worth as much as its models. Here Hypothesis makes sequences of the
commands that the server sends; each runs against the model and against Valkey, SQLite
or PostgreSQL, and what they answer and hold must be the same.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.admission import claim, finish, from_cache
from ops.admission.ask import Ask
from ops.admission.commands import Item
from ops.admission.decision import decide
from ops.admission.from_cache import CacheRead
from ops.admission.journal import Journal
from ops.admission.journals import Journals
from ops.admission.lines import IN, Line
from ops.admission.scan import ScanRequest
from ops.admission.scan_facts import ScanFacts
from ops.cache import keys
from ops.cache.client import Cache
from ops.cache.entry import pack_device, pack_ticket
from ops.cache.scripts import CLAIM, FINISH, READ_FACTS, SWITCH
from tests.sim import evening
from tests.sim.cache import CacheModel
from tests.sim.evening import EVENT, uid
from tests.sim.files import Files
from tests.sim.guards import Guards

STEPS_MAX = 25
PLAN = evening.plan()
CALM = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


# Valkey: the scripts


class Caches:
    """The model and a real cache with the same event in it."""

    def __init__(self, cache: Cache) -> None:
        self.cache, self.model = cache, CacheModel(Guards())
        self.t = 0

    async def fill(self) -> None:
        """Begin anew, with all tickets and devices."""
        redis, model = self.cache.redis, CacheModel(Guards())
        self.model, self.t = model, 0
        await redis.flushall()
        info = await redis.info("server")
        model.begin(1_000_000)
        model.ready = True
        for ticket_id, entry in evening.tickets().items():
            model.tickets[ticket_id.bytes] = pack_ticket(entry)
            model.codes[evening.code(ticket_id)] = ticket_id.bytes + b"\0"
        for device_id, device in evening.devices().items():
            model.devices[device_id.bytes] = pack_device(device)
        await redis.hset(
            keys.meta(EVENT),
            mapping={
                "mode": "N",
                "epoch": model.epoch,
                "layout": keys.LAYOUT_VERSION,
                "state": "ready",
                "run_id": info["run_id"],
                "plan": 1,
            },
        )
        await redis.hset(keys.tickets(EVENT), mapping=model.tickets)
        await redis.hset(keys.codes(EVENT), mapping=model.codes)
        await redis.hset(keys.devices(EVENT), mapping=model.devices)

    async def do(self, step: tuple[Any, ...]) -> None:
        """One command at both; the same reply, and the same visits afterwards."""
        self.t += 1
        what, *args = step
        reply, expected = await getattr(self, what)(*args)
        assert reply == expected, step
        redis: Any = self.cache.redis
        assert await redis.hgetall(keys.visits(EVENT)) == self.model.visits, step
        counters = await redis.hgetall(keys.counters(EVENT))
        for scope in PLAN.scopes.values():
            name = f"i:{scope.no}"
            inside = int(counters.get(name.encode(), 0))
            assert inside == self.model.counters[name], step

    async def switch(self, mode: str, behind: int) -> tuple[Any, Any]:
        """Into another mode, perhaps with an epoch of before."""
        args = [b"e", keys.LAYOUT_VERSION, self.model.epoch - behind, mode, 100]
        keyed = [keys.meta(EVENT), keys.feed(EVENT)]
        return await self.cache.call(SWITCH, keyed, args), self.model.switch(args)

    async def scan(self, *one: Any) -> tuple[Any, Any]:
        """A scan decided on fresh facts, and claimed."""
        return await self._claim(self._item(*one), 0, twice=False)

    async def twice(self, *one: Any) -> tuple[Any, Any]:
        """The same claim again, as after a lost reply."""
        return await self._claim(self._item(*one), 0, twice=True)

    async def stale(self, *one: Any) -> tuple[Any, Any]:
        """A claim of an older epoch."""
        return await self._claim(self._item(*one), 1, twice=False)

    async def late(self, one: Any, two: Any) -> tuple[Any, Any]:
        """A claim on facts that another claim has overtaken."""
        item = self._item(*one)
        await self._claim(self._item(*two), 0, twice=False)
        return await self._claim(item, 0, twice=False)

    async def _claim(self, item: Item | None, behind: int, *, twice: bool) -> Any:
        if item is None:
            return None, None
        now = evening.START
        epoch = self.model.epoch - behind
        args = claim.arguments(b"e", epoch, PLAN, [item], now)
        keyed = [
            keys.meta(EVENT),
            keys.tickets(EVENT),
            keys.visits(EVENT),
            keys.counters(EVENT),
        ]
        replies = []
        for _ in range(1 + twice):
            real = await self.cache.call(CLAIM, keyed, args)
            replies.append((real, self.model.claim(args)))
        return replies[-1]

    def _item(
        self, number: int, gate: int, direction: str, admit: int, scan: int
    ) -> Item | None:
        """A scan with its decision, if it would change who is inside."""
        ticket_id = sorted(evening.TICKETS)[number]
        gate_id = evening.GATES[gate]
        admit = min(admit, evening.TICKETS[ticket_id])
        request = ScanRequest(
            uid(9, scan),
            "",
            direction=direction,
            admit=admit,  # type: ignore[arg-type]
        )
        device_id = evening.DEVICES[gate_id]
        ask = Ask(
            request,
            device_id,
            direction,  # type: ignore[arg-type]
            PLAN.gates[gate_id],
            evening.START,
            "foreign",
            lambda: False,
        )
        facts = self._facts(ticket_id, device_id)
        decision = decide(PLAN, ask, facts)
        if not (decision.opens or decision.closes):
            return None
        device = evening.devices()[device_id]
        code = evening.code(ticket_id)
        return Item(0, ask, code, b"", "", device, facts, decision)

    def _facts(self, ticket_id: UUID, device_id: UUID) -> ScanFacts:
        read = [
            CacheRead(evening.code(ticket_id), tuple(PLAN.scopes.values()), device_id)
        ]
        args = from_cache.arguments(b"e", read)
        parsed = from_cache.parse(b"e", read, self.model.read(args))
        assert isinstance(parsed, from_cache.CacheFacts)
        return parsed.facts[0]

    async def read(self, number: int) -> tuple[Any, Any]:
        """The facts of a ticket at all scopes."""
        ticket_id = sorted(evening.TICKETS)[number]
        device_id = evening.DEVICES[evening.MAIN]
        read = [
            CacheRead(evening.code(ticket_id), tuple(PLAN.scopes.values()), device_id)
        ]
        args = from_cache.arguments(b"e", read)
        keyed = [
            keys.meta(EVENT),
            keys.codes(EVENT),
            keys.tickets(EVENT),
            keys.visits(EVENT),
            keys.devices(EVENT),
        ]
        real = await self.cache.call(READ_FACTS, keyed, args)
        return (
            from_cache.parse(b"e", read, real),
            from_cache.parse(b"e", read, self.model.read(args)),
        )

    async def record(
        self, number: int, scope: int, visit: tuple[int, int, bool], settle: bool
    ) -> tuple[Any, Any]:
        """A visit of the record told: by the drain, or settling after a merge."""
        ticket_id = sorted(evening.TICKETS)[number]
        pass_no, phase, confirmed = visit
        made = finish.cache_visit(
            PLAN, ticket_id, scope, 1, self._visit(pass_no, phase, confirmed), 1
        )
        if settle:
            told: list[Any] = [made if pass_no else finish.gone(made)]
            args = finish.settling(b"e", told)
        else:
            args = finish.arguments(b"e", None, [made], [], [])
        return await self._finish(args)

    def _visit(self, pass_no: int, phase: int, confirmed: bool) -> Any:
        from_ms = finish.ms(evening.START) + self.t
        return finish.Visit(
            pass_no or 1,
            finish.Phase(phase),
            confirmed,
            0,
            False,
            from_ms,
            1,
            1,
            from_ms if phase else 0,
            1 if phase else 0,
            uid(9, 900 + self.t).bytes,
        )

    async def shown(self, number: int, scope: int) -> tuple[Any, Any]:
        """The green of whoever is there was shown."""
        ticket_id = sorted(evening.TICKETS)[number]
        field = finish.visit_key(ticket_id, scope, 1)
        scan = self.model.visits.get(field, bytes(54))[34:50]
        args = finish.arguments(
            b"e", self.model.epoch, [], [], [], [(field, scan), (field, bytes(16))]
        )
        return await self._finish(args)

    async def _finish(self, args: Any) -> tuple[Any, Any]:
        keyed = [
            keys.meta(EVENT),
            keys.visits(EVENT),
            keys.counters(EVENT),
            keys.feed(EVENT),
        ]
        return await self.cache.call(FINISH, keyed, args), self.model.finish(args)


NUMBERS = st.integers(0, len(evening.TICKETS) - 1)
SCANS = st.tuples(
    NUMBERS,
    st.integers(0, 2),
    st.sampled_from(("in", "in", "out")),
    st.integers(1, 3),
    st.integers(1, 40),
)
VISITS = st.tuples(st.integers(0, 3), st.integers(0, 1), st.booleans())
CACHE_STEPS = st.one_of(
    st.tuples(st.just("switch"), st.sampled_from("ND"), st.integers(0, 1)),
    SCANS.map(lambda one: ("scan", *one)),
    SCANS.map(lambda one: ("twice", *one)),
    SCANS.map(lambda one: ("stale", *one)),
    st.tuples(st.just("late"), SCANS, SCANS),
    st.tuples(st.just("read"), NUMBERS),
    st.tuples(
        st.just("record"), NUMBERS, st.sampled_from((1, 2)), VISITS, st.booleans()
    ),
    st.tuples(st.just("shown"), NUMBERS, st.sampled_from((1, 2))),
)


@CALM
@given(steps=st.lists(CACHE_STEPS, min_size=5, max_size=STEPS_MAX))
def test_the_scripts_do_what_the_model_does(redis_url: str, steps: list[Any]) -> None:
    async def play() -> None:
        cache = Cache(redis_url, timeout_s=5.0)
        both = Caches(cache)
        try:
            await both.fill()
            await both.do(("switch", "D", 0))
            for step in steps:
                await both.do(step)
        finally:
            await cache.stop()

    with asyncio.Runner() as runner:
        runner.run(play())


# SQLite: the journals

STATES = st.sampled_from(("pending", "answered", "cancelled"))
LINES = st.tuples(st.integers(1, 6), st.integers(1, 3), STATES)
JOURNAL_STEPS = st.one_of(
    st.tuples(
        st.just("append"),
        st.integers(0, 1),
        st.lists(LINES, max_size=3),
        st.lists(
            st.tuples(st.integers(1, 6), st.sampled_from(("answered", "shown"))),
            max_size=2,
        ),
        st.booleans(),
    ),
    st.tuples(st.just("recall"), st.lists(st.integers(1, 6), max_size=4)),
    st.tuples(st.just("look"), st.lists(st.integers(1, 3), max_size=3)),
    st.tuples(st.just("since"), st.integers(0, 1), st.integers(1, 4)),
)


def a_line(scan: int, ticket: int, state: Any, t: int) -> Line:
    return Line(
        uid(9, scan), EVENT, uid(7, ticket), t, b"c", t, state, ((1, 1, t, IN),), "D"
    )


def seen(found: Any) -> list[Any]:
    return sorted((f.line.scan_id, f.line.at_us, f.line.state, f.owner) for f in found)


@CALM
@given(steps=st.lists(JOURNAL_STEPS, min_size=3, max_size=STEPS_MAX))
def test_the_journals_do_what_the_model_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("journals")
    with asyncio.Runner() as runner:
        runner.run(play_journals(folder, steps))


async def play_journals(folder: Path, steps: list[Any]) -> None:
    real = [Journal(folder) for _ in range(2)]
    for one in real:
        await one.start()
    files = Files()
    models = [files.new() for _ in range(2)]
    reader = Journals(folder)
    try:
        for t, (what, *args) in enumerate(steps, 1):
            if what == "append":
                number, given_, marked, synced = args
                lines = [a_line(*one, t) for one in given_]
                marks = [(uid(9, scan), state) for scan, state in marked]
                await real[number].append(lines, synced=synced, marks=marks)
                models[number].append(lines, marks)
            elif what == "recall":
                ids = [uid(9, n) for n in args[0]]
                assert seen(await real[0].recall(ids)) == seen(
                    files.recall(ids, models[0])
                )
            elif what == "look":
                ids = [uid(7, n) for n in args[0]]
                assert seen(await real[1].look(ids)) == seen(files.look(ids, models[1]))
            else:
                number, limit = args
                at = modelled = -1
                told: list[list[Any]] = [[], []]
                for _ in range(8):
                    lines, at = reader.since(real[number].path, at, limit)
                    wanted, modelled = models[number].since(modelled, limit, True)
                    told[0] += [(x.scan_id, x.state) for x in lines]
                    told[1] += [(x.scan_id, x.state) for x in wanted]
                assert told[0] == told[1]
    finally:
        reader.close()
        for one in real:
            await one.stop()
