"""The model of PostgreSQL against PostgreSQL: random requests, the same replies.

Requests are made as the door makes them: scans decided on the facts of the record and
written at once, late (others came between), twice, or by a merge of journal lines.
After each one everything that both hold is compared.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

from ops.admission import commit, from_database, merge
from ops.admission.ask import Ask
from ops.admission.commands import Item
from ops.admission.commit import CommitRequest, LogRow, commit_request, log_row
from ops.admission.decision import decide
from ops.admission.from_database import DatabaseRead
from ops.admission.lines import ENDED, IN, OUT, REPLACED, Line, line_of
from ops.admission.scan import ScanRequest
from ops.cache.entry import Visit
from ops.crm_sync import rows as packed
from ops.crm_sync import statements
from tests.sim import evening, real_event
from tests.sim.evening import EVENT, uid
from tests.sim.guards import Guards
from tests.sim.record import Record

STEPS_MAX = 25
PLAN = evening.plan()
SCOPES = tuple(PLAN.scopes.values())
EXAMPLES = int(os.environ.get("CONFORMANCE", "40"))
CALM = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
UNTIL_SEEN = settings(
    CALM, max_examples=150, phases=[Phase.generate], derandomize=True, database=None
)

_ROWS = """
SELECT c.ticket_id, s.no, c.person_no, c.pass_no, c.scan_id,
  (extract(epoch FROM c.checked_in_at) * 1000)::bigint, coalesce(g.no, 0), d.no, c.mode,
  c.confirmed_at IS NOT NULL,
  coalesce((extract(epoch FROM c.checked_out_at) * 1000)::bigint, 0), c.exit_scan_id,
  coalesce(x.no, 0), c.exit_assumed, c.event_day - DATE '1970-01-01', c.is_present
FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id
LEFT JOIN ops.gates g ON g.id = c.gate_id LEFT JOIN ops.gates x ON x.id = c.exit_gate_id
LEFT JOIN ops.devices d ON d.id::text = c.device_id ORDER BY 1, 2, 3, 4
"""
_LOG = """
SELECT scan_id, verdict, reason, pass_no, people, scope_id, durable, superseded_by,
  decided_at FROM ops.scan_log ORDER BY 1
"""
_CONFLICTS = "SELECT kind, ticket_id, winner_scan_id, loser_scan_id FROM ops.conflicts"
_FACTS = """
SELECT kind, (payload ->> 'scan_id')::uuid, (payload ->> 'ticket_id')::uuid,
  (payload ->> 'scope_id')::uuid, (payload ->> 'person_no')::int,
  (payload ->> 'pass_no')::int FROM ops.facts
"""
_INSIDE = """
SELECT id, inside, 0 FROM ops.scopes
UNION ALL SELECT id, inside, disputed FROM ops.areas
"""


class Both:
    """The model and a real database with the same event in it."""

    def __init__(self, real: asyncpg.Connection) -> None:
        self.real = real
        self.t = 0
        self.kept: list[Item] = []
        self.model = Record(PLAN, evening.tickets(), Guards())

    async def fill(self) -> None:
        """Begin anew: nobody has come yet."""
        self.t, self.kept = 0, []
        self.model = Record(PLAN, await real_event.clear(self.real), Guards())
        self.model.codes = dict(evening.CODES)
        found = await self.real.fetch(
            "SELECT row_to_json(d)::text AS d FROM ops.device_entries_v1 d"
        )
        decode = msgspec.json.Decoder(from_database.DeviceRow).decode
        rows = [decode(row["d"]) for row in found]
        self.model.devices = {row.id: row.entry() for row in rows}

    async def do(self, step: tuple[Any, ...]) -> None:
        """One request to both; the same reply, and afterwards the same tables."""
        self.t += 1
        what, *args = step
        reply, expected = await getattr(self, what)(*args)
        assert reply == expected, step
        real, model = await self.held(), self.model_held()
        for name, rows in real.items():
            assert rows == model[name], (step, name)

    @property
    def now(self) -> datetime:
        """Each step is a second later."""
        return evening.START + timedelta(seconds=self.t)

    # what both hold

    async def held(self) -> dict[str, Any]:
        """The tables of PostgreSQL."""
        fetch = self.real.fetch
        return {
            "rows": [tuple(row) for row in await fetch(_ROWS)],
            "log": [tuple(row) for row in await fetch(_LOG)],
            "conflicts": _sorted([tuple(row) for row in await fetch(_CONFLICTS)]),
            "facts": _sorted([tuple(row) for row in await fetch(_FACTS)]),
            "inside": {row[0]: (row[1], row[2]) for row in await fetch(_INSIDE)},
        }

    def model_held(self) -> dict[str, Any]:
        """The same of the model."""
        model = self.model
        inside = {scope.id: (model.inside[scope.id], 0) for scope in SCOPES}
        for area in PLAN.areas:
            disputed = model.disputed[area]
            inside[area] = model.people_in(area) - disputed, disputed
        return {
            "rows": sorted(
                (
                    *(row.k, PLAN.scopes[row.sc].no, row.n, row.p, row.scan),
                    *(row.at_ms, row.gate_no, row.device_no, row.mode),
                    *(row.confirmed, row.out_ms, row.exit_scan, row.exit_gate_no),
                    *(row.assumed, row.day, row.open),
                )
                for row in model.rows
            ),
            "log": sorted(
                (
                    *(scan, row["ve"], row["re"], row["p"], row["pe"], row["sc"]),
                    *(row["durable"], model.superseded.get(scan), row["at"]),
                )
                for scan, row in model.log.items()
            ),
            "conflicts": _sorted(model.conflicts),
            "facts": _sorted(model.facts),
            "inside": inside,
        }

    # requests

    def item(
        self,
        number: int,
        gate: int,
        direction: Any,
        admit: int,
        scan: int,
        take_over: UUID | None = None,
        index: int = 0,
    ) -> Item:
        """A scan decided on the facts of the record."""
        ticket_id, gate_id = evening.TICKET_IDS[number], evening.GATES[gate]
        device_id = evening.DEVICES[gate_id]
        admit = min(admit, evening.TICKETS[ticket_id])
        scan_id = scan_of(number, scan)
        request = ScanRequest(
            scan_id, "", direction=direction, admit=admit, take_over=take_over
        )
        where = PLAN.gates[gate_id]
        ask = Ask(
            request, device_id, direction, where, self.now, "foreign", lambda: False
        )
        code, device = evening.code(ticket_id), self.model.devices[device_id]
        item = Item(index, ask, code, b"c", "", device)
        read = [DatabaseRead(request.id, code, SCOPES, device_id)]
        item.facts = self.model.read(read).facts[0]
        item.decision = decide(PLAN, ask, item.facts)
        return item

    def request(
        self, items: list[Item], confirms: list[int], logs: list[LogRow]
    ) -> CommitRequest:
        for index, item in enumerate(items):
            item.index = index
        shown = [uid(9, scan) for scan in confirms]
        return commit_request(PLAN, "N", self.now, items, logs, shown)

    async def commit(self, scans: list[Any], confirms: list[int]) -> Any:
        """A batch, at once; refusals go to the log."""
        return await self._commit([self.item(*one) for one in scans], confirms)

    async def keep(self, *one: Any) -> Any:
        """Decide, and be slow."""
        self.kept.append(self.item(*one))
        return None, None

    async def late(self, twice: bool) -> Any:
        """Commit what was decided before; `twice`: as after a lost reply."""
        some, self.kept = self.kept[:3], [] if not twice else self.kept
        return await self._commit(some, [])

    async def _commit(self, items: list[Item], confirms: list[int]) -> Any:
        first = list({item.ask.scan.id: item for item in items}.values())
        writing = [item for item in first if item.decision and item.decision.writes]
        logs = [
            log_row(item, item.decision, None)
            for item in first
            if item.decision and not item.decision.writes
        ]
        request = self.request(writing, confirms, logs)
        text = await self.real.fetchval(
            "SELECT ops.commit_scans_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            request.event_id,
            request.event_no,
            request.mode,
            request.now,
            request.items,
            request.needs,
            request.opens,
            request.closes,
            request.logs,
            request.confirms,
        )
        return _reply(commit.parse(text)), _reply(self.model.commit(request))

    async def take(self, number: int, scan: int, confirm: bool) -> Any:
        """A steward takes over whoever is inside with this ticket."""
        ticket_id = evening.TICKET_IDS[number]
        there = [row for row in self.model.by_ticket[ticket_id] if row.open]
        if not there:
            return None, None
        item = self.item(number, 0, "in", 1, scan, there[0].scan)
        if item.decision is None or not item.decision.takes:
            return None, None
        if confirm:
            await self._commit([], [there[0].scan.int & 0xFFFF])
        request = self.request([item], [], [])
        text = await self.real.fetchval(
            "SELECT ops.take_over_v1($1, $2, $3, $4, $5, $6)",
            request.event_id,
            request.event_no,
            request.mode,
            request.now,
            request.items,
            request.logs,
        )
        return _reply(commit.parse(text)), _reply(self.model.take_over(request))

    async def refund(self, number: int) -> Any:
        """The ticket is worth nothing any more."""
        ticket_id = evening.TICKET_IDS[number]
        version = await self.real.fetchval(
            "UPDATE tickets SET state = 'refunded' WHERE id = $1 RETURNING version",
            ticket_id,
        )
        self.model.tickets[ticket_id] = msgspec.structs.replace(
            self.model.tickets[ticket_id], state="refunded", version=version
        )
        return None, None

    async def read(self, number: int, scan: int) -> Any:
        """All facts of a ticket, and what the drain would tell of it."""
        ticket_id = evening.TICKET_IDS[number]
        device_id = evening.DEVICES[evening.MAIN]
        code = evening.code(ticket_id)
        reads = [DatabaseRead(scan_of(number, scan), code, SCOPES, device_id)]
        text = await self.real.fetchval(
            "SELECT ops.read_facts_v1($1, $2, $3)",
            EVENT,
            *from_database.arguments(reads),
        )
        real = from_database.parse(reads, text).facts[0]
        expected = self.model.read(reads).facts[0]
        real.device_names, expected.device_names = {}, {}
        real.operators, expected.operators = {}, {}
        if real.stored is not None:
            real.stored = msgspec.structs.replace(real.stored, args={})
        if expected.stored is not None:
            expected.stored = msgspec.structs.replace(expected.stored, args={})
        found = await self.real.fetch(statements.VISITS_BY_TICKET, EVENT, [ticket_id])
        told: dict[tuple[int, int], Visit] = {
            (row["sc"], row["n"]): packed.visit(row) for row in found
        }
        return (real, told), (expected, self.model.visits(ticket_id))

    async def merge(
        self, kept: bool, lines: list[Any], shown: bool, rivals_are: str, hasty: bool
    ) -> Any:
        """Lines of the journal: of what was kept, and of what nobody thought of."""
        made: list[Line] = []
        if kept:
            made += [
                line_of(PLAN, item, self.now, "D", 1, "answered") for item in self.kept
            ]
            self.kept = []
        made += [self._line(*one) for one in lines]
        once = list({line.ticket_id: line for line in made}.values())
        made_rows = merge.rows(once)
        found = await self.real.fetch(statements.RIVALS, EVENT, made_rows.opens)
        assert sorted(map(tuple, found)) == self.model.rivals(made_rows.opens)
        rivals = sorted(row["rival"] for row in found)
        seen = [line.scan_id for line in once[::2]] if shown else []
        late = [line.scan_id for line in once[::2]] if hasty else []
        weighed = [] if rivals_are == "new" else rivals
        stale = rivals if rivals_are in ("stale", "astray") else []
        astray = rivals if rivals_are == "astray" else []
        unseen = [line.scan_id for line in once] if rivals_are == "stale" else []
        command = merge.Merge(
            EVENT, made_rows, seen, stale, late, weighed, astray, unseen
        )
        args = made_rows.lines, made_rows.opens, made_rows.closes
        more = seen, stale, late, weighed, astray, unseen
        expected = self.model.merge(command, self.now)
        try:
            reply = await self.real.fetchval(
                statements.MERGE, EVENT, 1, self.now, *args, *more
            )
        except asyncpg.UniqueViolationError:
            # A row of this scan is on another pass: the line is refused as a whole.
            reject()
        real = msgspec.json.decode(reply, type=merge.Merged)
        real = msgspec.structs.replace(real, queued_ms=0.0, took_ms=0.0)
        real.tickets.sort()
        real.waiting.sort()
        return real, expected

    def _line(
        self, number: int, kind: str, inner: bool, people: int, p: int, scan: int
    ) -> Line:
        """A line with places that nobody decided on."""
        ticket_id = evening.TICKET_IDS[number]
        item = self.item(number, 2 if inner else 1, "in", people, scan)
        line = line_of(PLAN, item, self.now, "D", 1, "answered")
        places: list[tuple[int, int, int, int]] = []
        for n in range(1, min(people, evening.TICKETS[ticket_id]) + 1):
            if kind == "out":
                places += [(1, n, p, OUT), (2, n, p * inner, ENDED)]
            elif kind == "again":
                places.append((1, n, p, REPLACED))
        for n in range(1, min(people, evening.TICKETS[ticket_id]) + 1):
            if kind == "again":
                places.append((1, n, p + 1, IN))
            elif kind == "in":
                places += [(2, n, p, IN)] * inner + [(1, n, p, IN)]
        return msgspec.structs.replace(line, places=tuple(places))


def scan_of(number: int, scan: int) -> UUID:
    """An id is one ticket's: with another it is a conflict, and never comes here."""
    return uid(9, number * 10 + scan)


def _reply(reply: Any) -> Any:
    """What the desk makes of a commit's reply."""
    lost, full = sorted(reply.lost), sorted((one.i, one.fits) for one in reply.full)
    closed = sorted((one.i, one.sc, one.n, one.p, one.visit()) for one in reply.closed)
    return lost, full, closed


def _sorted(found: list[Any]) -> list[Any]:
    return sorted(found, key=lambda row: [str(value) for value in row])


NUMBERS = st.integers(0, len(evening.TICKETS) - 1)
SCAN = st.integers(1, 9)
SCANS = st.tuples(
    NUMBERS,
    st.integers(0, 2),
    st.sampled_from(("in", "in", "out")),
    st.integers(1, 3),
    SCAN,
)
LINES = st.tuples(
    NUMBERS,
    st.sampled_from(("in", "in", "out", "again")),
    st.booleans(),
    st.integers(1, 3),
    st.integers(1, 3),
    SCAN,
)
RECORD_STEPS = st.one_of(
    st.tuples(
        st.just("commit"),
        st.lists(SCANS, max_size=4),
        st.lists(st.integers(1, 59), max_size=9),
    ),
    SCANS.map(lambda one: ("keep", *one)),
    st.tuples(st.just("late"), st.booleans()),
    st.tuples(st.just("take"), NUMBERS, SCAN, st.booleans()),
    st.tuples(st.just("refund"), NUMBERS),
    st.tuples(st.just("read"), NUMBERS, SCAN),
    st.tuples(
        st.just("merge"),
        st.booleans(),
        st.lists(LINES, max_size=4),
        st.booleans(),
        st.sampled_from(("new", "known", "stale", "astray")),
        st.booleans(),
    ),
)


@pytest.fixture(scope="module")
def record_url(cloned_database_url: str) -> str:
    """A database with the event of the simulation."""

    async def write() -> None:
        connection = await asyncpg.connect(cloned_database_url)
        try:
            await real_event.make(connection)
        finally:
            await connection.close()

    asyncio.run(write())
    return cloned_database_url


async def play(url: str, steps: list[Any]) -> None:
    real = await asyncpg.connect(url)
    try:
        both = Both(real)
        await both.fill()
        for step in steps:
            await both.do(step)
    finally:
        await real.close()


@CALM
@given(steps=st.lists(RECORD_STEPS, min_size=3, max_size=STEPS_MAX))
def test_the_functions_do_what_the_model_does(
    record_url: str, steps: list[Any]
) -> None:
    with asyncio.Runner() as runner:
        runner.run(play(record_url, steps))


def none(*_: Any, **__: Any) -> Any:
    """A step of the model that does nothing."""
    return None


def no(*_: Any, **__: Any) -> Any:
    """A question that the model always answers so."""
    return False


WRONG: dict[str, tuple[str, Callable[..., Any]]] = {
    "a key is forgotten": ("free", lambda *_: True),
    "a limit is forgotten": ("_refused", lambda *_: {}),
    "a commit is not told of": ("_count", none),
    "a confirmation is lost": ("confirm", none),
    "an exit does not wait": ("_must_wait", no),
    "a row that came late is not waited for": ("_unweighed", no),
    "a line comes twice": ("_is_merged", no),
    "a line's exit is lost": ("_end_places", none),
    "nobody is assumed to have left": ("_assume_ends", none),
    "nobody is taken over": ("_take_rows", lambda *_: []),
    "a conflict is not reported": ("_report", none),
    "a merge confirms nothing": ("_confirm_line", none),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_model_is_noticed(
    record_url: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative controls: the suite sees each of these lies within few examples."""
    monkeypatch.setattr(Record, *WRONG[wrong])

    @UNTIL_SEEN
    @given(steps=st.lists(RECORD_STEPS, min_size=8, max_size=STEPS_MAX))
    def suite(steps: list[Any]) -> None:
        with asyncio.Runner() as runner:
            runner.run(play(record_url, steps))

    with pytest.raises((AssertionError, IndexError)):
        suite()
