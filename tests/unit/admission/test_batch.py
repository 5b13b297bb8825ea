"""The protocol of a batch, driven by scripted replies: no store, no loop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from ops.admission import batch as protocol
from ops.admission import commands
from ops.admission.ask import Ask
from ops.admission.batch import Batch
from ops.admission.commands import Commit, Down, Item, LoadPlan, Poisoned
from ops.admission.commit import CommitReply, Full, LogRow, log_row
from ops.admission.from_cache import CacheFacts, Cold
from ops.admission.from_database import DatabaseFacts
from ops.admission.plan import Plan
from ops.admission.scan_facts import ScanFacts, Stored
from ops.cache.entry import DeviceEntry
from tests.golden_cases import TABLE, ask_of, facts_of, named, plan_of

NOW = datetime(2026, 6, 12, 9, 30, tzinfo=UTC)
CASES = {case["name"]: case for case in TABLE["cases"]}
FIRST = CASES["a first entry"]
INSIDE = CASES["the same ticket at another door"]
REFUNDED = CASES["a ticket that is refunded"]
MALFORMED = CASES["a damaged code"]
SAVED = CommitReply([], [], [], {})
DEFAULT: dict[type, Any] = {
    commands.Finish: lambda _: "ok",
    commands.Look: lambda _: [],
    commands.Recall: lambda _: [],
}
"""What the stores say when a test has no words for it."""


def item_of(case: dict[str, Any], index: int = 0) -> Item:
    plan = plan_of(case)
    facts = facts_of(case, plan)
    assert facts.device is not None
    ask = ask_of(case, plan)
    scan_id = named("scans", f"{case['name']} {index}")
    ask = msgspec.structs.replace(
        ask, scan=msgspec.structs.replace(ask.scan, id=scan_id)
    )
    return Item(index, ask, bytes(16), b"content", "..hint", facts.device)


def facts(*cases: dict[str, Any]) -> list[ScanFacts]:
    return [facts_of(case, plan_of(case)) for case in cases]


def warm(*cases: dict[str, Any], plan: int = 1) -> CacheFacts:
    return CacheFacts("N", 7, plan, facts(*cases))


def database(*cases: dict[str, Any], plan: int = 1) -> DatabaseFacts:
    return DatabaseFacts(plan, facts(*cases))


def lost(*indexes: int) -> CommitReply:
    return CommitReply(list(indexes), [], [], {})


class Told:
    """A batch that ran: the kinds of its commands step by step, and the commands."""

    def __init__(self, batch: Batch, replies: dict[str, Any]) -> None:
        self.batch = batch
        self.steps: list[list[str]] = []
        self.commands: list[Any] = []
        steps = batch.run()
        commands = next(steps)
        while True:
            self.commands += commands
            self.steps.append([type(command).__name__ for command in commands])
            said = [self._reply(replies, command) for command in commands]
            try:
                commands = steps.send(said)
            except StopIteration:
                return

    def _reply(self, replies: dict[str, Any], command: Any) -> Any:
        given = replies.get(type(command).__name__, DEFAULT.get(type(command)))
        if callable(given):
            return given(command)
        return given.pop(0) if given else None

    def commits(self) -> list[list[int]]:
        return [
            [row["i"] for row in msgspec.json.decode(command.request.items)]
            for command in self.commands
            if isinstance(command, Commit)
        ]

    def item(self, index: int = 0) -> Item:
        return self.batch.items[index]

    def said(self, index: int = 0) -> str:
        item = self.item(index)
        if item.error:
            return f"error {item.error}"
        if item.stored:
            return f"stored {item.stored.reason}"
        assert item.decision is not None
        return f"{item.decision.verdict} {item.decision.reason}"


def as_asked(plan: Plan, item: Item) -> Ask:
    return item.ask


def play(
    *cases: dict[str, Any],
    use_cache: bool = True,
    items: list[Item] | None = None,
    ask_again: Callable[[Plan, Item], Ask] = as_asked,
    logs: list[LogRow] | None = None,
    confirms: list[UUID] | None = None,
    **replies: Any,
) -> Told:
    batch = Batch(
        plan_of({}),
        items or [item_of(case, index) for index, case in enumerate(cases)],
        NOW,
        use_cache=use_cache,
        ask_again=ask_again,
        logs=logs or [],
        confirms=confirms or [],
    )
    return Told(batch, replies)


# mode N


def test_a_green_costs_one_reading_one_commit_one_finish() -> None:
    told = play(FIRST, ReadCache=[warm(FIRST)], Commit=[SAVED])
    assert told.steps == [["ReadCache"], ["Commit"], ["Journal", "Finish"], ["Answer"]]
    assert told.said() == "admitted ok"
    assert told.item().durable == "committed"
    assert (told.batch.mode, told.batch.epoch) == ("N", 7)


def test_what_turns_a_guest_away_is_read_from_postgresql() -> None:
    told = play(REFUNDED, ReadCache=[warm(REFUNDED)], ReadDatabase=[database(REFUNDED)])
    assert told.steps == [["ReadCache"], ["ReadDatabase"], ["Answer"], ["Finish"]]
    assert told.said() == "refused refunded"


def test_a_stale_cache_turns_nobody_away() -> None:
    told = play(
        FIRST,
        ReadCache=[warm(REFUNDED)],
        ReadDatabase=[database(FIRST)],
        Commit=[SAVED],
    )
    assert told.steps[1:3] == [["ReadDatabase"], ["Commit"]]
    assert told.said() == "admitted ok"


def test_the_reading_again_goes_beside_the_commit() -> None:
    told = play(
        FIRST,
        REFUNDED,
        ReadCache=[warm(FIRST, REFUNDED)],
        Commit=[SAVED],
        ReadDatabase=[database(REFUNDED)],
    )
    assert told.steps[1] == ["Commit", "ReadDatabase"]
    assert (told.said(0), told.said(1)) == ("admitted ok", "refused refunded")


def test_a_malformed_code_asks_nobody() -> None:
    told = play(MALFORMED, ReadCache=[warm(MALFORMED)])
    assert told.steps == [["ReadCache"], ["Answer"], ["Finish"]]


def test_a_dry_run_writes_nothing() -> None:
    item = item_of(FIRST)
    scan = msgspec.structs.replace(item.ask.scan, dry_run=True)
    item.ask = msgspec.structs.replace(item.ask, scan=scan)
    told = play(items=[item], ReadCache=[warm(FIRST)])
    assert told.commits() == []
    assert told.said() == "admitted ok"
    assert protocol.leftovers(told.batch.items) == []


# mode D2


@pytest.mark.parametrize(
    ("reply", "why"), [(Cold("warming"), "warming"), (Down("cache"), "down")]
)
def test_a_cache_that_cannot_be_used_is_not_waited_for(reply: Any, why: str) -> None:
    told = play(
        FIRST, ReadCache=[reply], ReadDatabase=[database(FIRST)], Commit=[SAVED]
    )
    assert told.steps == [
        ["ReadCache"],
        ["ReadDatabase", "Recall"],
        ["Look"],
        ["Commit"],
        ["Journal"],
        ["Look"],
        ["Answer"],
    ]
    assert (told.batch.mode, told.batch.epoch, told.batch.cold) == ("D2", None, why)


def test_an_open_breaker_asks_postgresql_at_once() -> None:
    told = play(FIRST, use_cache=False, ReadDatabase=[database(FIRST)], Commit=[SAVED])
    assert told.steps[0] == ["ReadDatabase", "Recall"]
    assert told.said() == "admitted ok"


def test_in_d2_a_refusal_is_read_once() -> None:
    told = play(REFUNDED, use_cache=False, ReadDatabase=[database(REFUNDED)])
    assert told.steps == [["ReadDatabase", "Recall"], ["Answer"]]


# unknown outcomes


def test_without_both_stores_nothing_is_answered() -> None:
    told = play(FIRST, ReadCache=[Down("cache")], ReadDatabase=[Down("database")])
    assert told.said() == "error unavailable"


def test_an_unknown_commit_is_never_an_answer() -> None:
    told = play(FIRST, ReadCache=[warm(FIRST)], Commit=[Down("database")])
    assert told.said() == "error unavailable"
    assert ["Journal", "Finish"] not in told.steps


def test_a_verification_that_failed_is_not_answered_from_the_cache() -> None:
    told = play(REFUNDED, ReadCache=[warm(REFUNDED)], ReadDatabase=[Down("database")])
    assert told.said() == "error unavailable"


# races


def test_the_loser_reads_who_won() -> None:
    told = play(
        FIRST,
        ReadCache=[warm(FIRST)],
        Commit=[lost(0)],
        ReadDatabase=[database(INSIDE)],
    )
    assert told.steps[1:3] == [["Commit"], ["ReadDatabase"]]
    assert told.said() == "refused already_inside"
    assert told.item().durable == "none"


def test_a_loser_may_still_get_in() -> None:
    """The ticket's version had moved: nothing else had changed."""
    told = play(
        FIRST,
        ReadCache=[warm(FIRST)],
        Commit=[lost(0), SAVED],
        ReadDatabase=[database(FIRST)],
    )
    assert told.commits() == [[0], [0]]
    assert told.said() == "admitted ok"


def test_only_the_loser_is_decided_again() -> None:
    told = play(
        FIRST,
        FIRST,
        ReadCache=[warm(FIRST, FIRST)],
        Commit=[lost(1)],
        ReadDatabase=[database(INSIDE)],
    )
    assert (told.said(0), told.said(1)) == ("admitted ok", "refused already_inside")


def test_who_loses_for_ever_is_asked_to_come_again() -> None:
    told = play(
        FIRST,
        ReadCache=[warm(FIRST)],
        Commit=lambda command: lost(0),
        ReadDatabase=lambda command: database(FIRST),
    )
    assert told.said() == "error unavailable"
    assert len(told.commits()) <= protocol.ROUNDS_MAX


def test_a_limit_without_room_is_a_hold() -> None:
    reply = CommitReply([], [Full(0, 0)], [], {})
    told = play(
        FIRST,
        ReadCache=[warm(FIRST)],
        Commit=[reply],
        ReadDatabase=[database(FIRST)],
    )
    assert told.said() == "hold area_full"
    assert told.item().durable == "none"
    assert protocol.leftovers(told.batch.items) == [told.item()]


# a poisoned record


def test_a_poisoned_record_fails_alone() -> None:
    def commit(command: Commit) -> Any:
        rows = [row["i"] for row in msgspec.json.decode(command.request.items)]
        return Poisoned() if 2 in rows else SAVED

    told = play(*[FIRST] * 4, ReadCache=[warm(*[FIRST] * 4)], Commit=commit)
    assert told.commits() == [[0, 1, 2, 3], [0, 1], [2, 3], [2], [3]]
    assert [told.said(n) for n in range(4)] == [
        "admitted ok",
        "admitted ok",
        "error poisoned",
        "admitted ok",
    ]


def old_row() -> LogRow:
    item = item_of(REFUNDED, 9)
    told = play(
        items=[item], ReadCache=[warm(REFUNDED)], ReadDatabase=[database(REFUNDED)]
    )
    decision = told.item().decision
    assert decision is not None
    return log_row(item, decision, None)


def test_older_answers_stay_out_of_the_halves() -> None:
    """They may be the poison; the desk writes them by themselves."""
    old = old_row()

    def commit(command: Commit) -> Any:
        return Poisoned() if str(old.s) in command.request.logs else SAVED

    told = play(FIRST, FIRST, logs=[old], ReadCache=[warm(FIRST, FIRST)], Commit=commit)
    assert [told.said(n) for n in (0, 1)] == ["admitted ok", "admitted ok"]
    assert told.batch.logs_refused == [old]


def test_a_lone_scan_does_not_pay_for_a_poisoned_older_answer() -> None:
    old = old_row()

    def commit(command: Commit) -> Any:
        return Poisoned() if str(old.s) in command.request.logs else SAVED

    told = play(FIRST, logs=[old], ReadCache=[warm(FIRST)], Commit=commit)
    assert told.said() == "admitted ok"
    assert told.batch.logs_refused == [old]


def test_two_poisons_lose_neither_their_neighbours_nor_the_older_answers() -> None:
    old = old_row()

    def commit(command: Commit) -> Any:
        rows = [row["i"] for row in msgspec.json.decode(command.request.items)]
        poisoned = 2 in rows or str(old.s) in command.request.logs
        return Poisoned() if poisoned else SAVED

    cases = [FIRST] * 4
    told = play(*cases, logs=[old], ReadCache=[warm(*cases)], Commit=commit)
    assert told.said(2) == "error poisoned"
    assert {told.said(n) for n in (0, 1, 3)} == {"admitted ok"}
    assert told.batch.logs_refused == [old]


# what travels with a commit


def test_older_answers_and_confirmations_travel_once() -> None:
    old, shown = old_row(), named("scans", "shown")
    told = play(
        FIRST,
        logs=[old],
        confirms=[shown],
        ReadCache=[warm(FIRST)],
        Commit=[lost(0), SAVED],
        ReadDatabase=[database(FIRST)],
    )
    first, second = (c.request for c in told.commands if isinstance(c, Commit))
    assert str(old.s) in first.logs
    assert first.confirms == [shown]
    assert str(old.s) not in second.logs
    assert second.confirms == []
    assert (told.batch.logs, told.batch.confirms) == ([], [])


@pytest.mark.parametrize("reply", [[Down("database")], []])
def test_what_was_not_written_stays(reply: list[Any]) -> None:
    old, shown = old_row(), named("scans", "shown")
    case = FIRST if reply else MALFORMED
    told = play(
        case, logs=[old], confirms=[shown], ReadCache=[warm(case)], Commit=reply
    )
    assert (told.batch.logs, told.batch.confirms) == ([old], [shown])


# replay


def stored(item: Item, **change: Any) -> Stored:
    same = Stored(
        plan_of({}).event.id,
        item.ask.device_id,
        item.content_hash.hex(),
        "admitted",
        "ok",
        {},
        NOW,
    )
    return msgspec.structs.replace(same, **change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "stored ok"),
        ({"content_hash": "00"}, "error conflict"),
        ({"device_id": named("devices", "other")}, "error conflict"),
        ({"event_id": named("events", "other")}, "error conflict"),
    ],
)
def test_a_replay(change: dict[str, Any], said: str) -> None:
    item = item_of(FIRST)
    seen = facts_of(INSIDE, plan_of(INSIDE))
    seen.stored = stored(item, **change)
    told = play(
        items=[item], ReadCache=[warm(INSIDE)], ReadDatabase=[DatabaseFacts(1, [seen])]
    )
    assert told.said() == said
    assert told.commits() == []


def test_a_replay_that_the_cache_would_admit_loses_and_finds_its_answer() -> None:
    item = item_of(FIRST)
    seen = facts_of(INSIDE, plan_of(INSIDE))
    seen.stored = stored(item)
    told = play(
        items=[item],
        ReadCache=[warm(FIRST)],
        Commit=[lost(0)],
        ReadDatabase=[DatabaseFacts(1, [seen])],
    )
    assert told.said() == "stored ok"


# the plan and the device move


def test_a_newer_plan_is_loaded_and_asked_again() -> None:
    closed = plan_of({"change": {"event": {"doors_state": "closed"}}})
    asked = []

    def ask_again(plan: Plan, item: Item) -> Ask:
        asked.append(plan)
        return item.ask

    told = play(
        FIRST,
        ask_again=ask_again,
        ReadCache=[warm(FIRST, plan=2)],
        LoadPlan=[closed],
        ReadDatabase=[database(FIRST)],
    )
    assert LoadPlan(2) in told.commands
    assert asked == [closed]
    assert told.said() == "refused doors_closed"


def test_without_the_newer_plan_the_one_in_hand_goes_on() -> None:
    told = play(
        FIRST,
        ReadCache=[warm(FIRST, plan=2)],
        LoadPlan=[Down("database")],
        Commit=[SAVED],
    )
    assert told.said() == "admitted ok"


def at_gate(gate: str) -> Callable[[Plan, Item], Ask]:
    def ask_again(plan: Plan, item: Item) -> Ask:
        return msgspec.structs.replace(item.ask, gate=plan.gates[named("gates", gate)])

    return ask_again


def seen_by(device: DeviceEntry, case: dict[str, Any]) -> ScanFacts:
    return msgspec.structs.replace(facts_of(case, plan_of(case)), device=device)


def test_a_device_that_moved_is_read_at_its_new_gate() -> None:
    item = item_of(FIRST)
    moved = msgspec.structs.replace(item.device, gate_no=4)
    told = play(
        items=[item],
        ask_again=at_gate("terrace"),
        ReadCache=[CacheFacts("N", 7, 1, [seen_by(moved, FIRST)])],
        ReadDatabase=[DatabaseFacts(1, [seen_by(moved, FIRST)])],
        Commit=[SAVED],
    )
    assert told.steps[:3] == [["ReadCache"], ["ReadDatabase"], ["Commit"]]
    (read,) = told.commands[1].reads
    assert [scope.name for scope in read.scopes] == ["Terrace", "Venue"]
    assert told.item().device == moved


def test_a_device_that_moved_meanwhile_is_asked_once_more() -> None:
    item = item_of(FIRST)
    moved = msgspec.structs.replace(item.device, gate_no=4)
    fresh = DatabaseFacts(1, [seen_by(moved, FIRST)])
    told = play(
        items=[item],
        use_cache=False,
        ask_again=at_gate("terrace"),
        ReadDatabase=[fresh, fresh],
        Commit=[SAVED],
    )
    assert told.steps[:2] == [["ReadDatabase", "Recall"], ["ReadDatabase"]]


def test_a_plan_that_moved_the_gate_is_read_for_its_new_scopes() -> None:
    """An exit decided on the visits of the old scope would say: not inside."""
    case = CASES["a refunded ticket may leave"]
    item = item_of(case)
    told = play(
        items=[item],
        use_cache=False,
        ask_again=at_gate("terrace"),
        ReadDatabase=[database(case, plan=2), database(case)],
        LoadPlan=[plan_of({})],
    )
    assert [step[0] for step in told.steps[:3]] == [
        "ReadDatabase",
        "LoadPlan",
        "ReadDatabase",
    ]


@pytest.mark.parametrize("state", ["revoked", "pairing"])
def test_a_device_that_is_not_active_is_refused(state: str) -> None:
    item = item_of(FIRST)
    gone = msgspec.structs.replace(item.device, state=state)
    told = play(
        items=[item],
        ReadCache=[CacheFacts("N", 7, 1, [seen_by(gone, FIRST)])],
        ReadDatabase=[DatabaseFacts(1, [seen_by(gone, FIRST)])],
    )
    assert told.said() == "error device_revoked"
    assert told.commits() == []


def test_a_device_that_the_cache_does_not_know_is_read_from_postgresql() -> None:
    unknown = msgspec.structs.replace(facts(FIRST)[0], device=None)
    told = play(
        FIRST,
        ReadCache=[CacheFacts("N", 7, 1, [unknown])],
        ReadDatabase=[database(FIRST)],
        Commit=[SAVED],
    )
    assert told.said() == "admitted ok"


# what the rows look like


def test_rows_are_sorted_whatever_the_order_of_arrival() -> None:
    def ticket(case: dict[str, Any], n: int) -> ScanFacts:
        seen = facts_of(case, plan_of(case))
        seen.ticket_id = UUID(int=n)
        return seen

    group = CASES["three of four"]
    numbers = [3, 1, 2]
    told = play(
        *[group] * 3,
        ReadCache=[CacheFacts("N", 7, 1, [ticket(group, n) for n in numbers])],
        Commit=[SAVED],
    )
    request = next(c.request for c in told.commands if isinstance(c, Commit))
    opens = msgspec.json.decode(request.opens)
    assert [(numbers[row["i"]], row["n"]) for row in opens] == [
        (ticket, person) for ticket in (1, 2, 3) for person in (1, 2, 3)
    ]
