"""Mode D of a batch, driven by scripted replies: what is asked, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ops.admission import claim, commands, deciding, degraded, finish, lines
from ops.admission.batch import Batch, leftovers
from ops.admission.commands import ClaimReply, Down, Item, ModeIs
from ops.admission.from_cache import CacheFacts
from ops.admission.from_database import DatabaseFacts
from ops.admission.lines import Found, line_of
from ops.cache.entry import Phase, Visit
from tests.golden_cases import TABLE, ask_of, facts_of, named, plan_of

NOW = datetime(2026, 6, 12, 9, 30, tzinfo=UTC)
CASES = {case["name"]: case for case in TABLE["cases"]}
FIRST = CASES["a first entry"]
REFUNDED = CASES["a ticket that is refunded"]
GONE = Down("database", lasting=True)
SAVED = commands.CommitReply([], [], [], {})


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


def seen(*cases: dict[str, Any], mode: str = "D", epoch: int = 8) -> CacheFacts:
    return CacheFacts(mode, epoch, 1, [facts_of(c, plan_of(c)) for c in cases])


def a_line(item: Item, state: str, scan: str = "another") -> lines.Line:
    """A line of another scan that has the places of this one."""
    item.facts = facts_of(FIRST, plan_of(FIRST))
    deciding.Deciding._look(batch_of([item]), item, verified=True)
    line = line_of(plan_of({}), item, NOW, "D", 8, "answered")
    return msgspec.structs.replace(
        line, scan_id=named("scans", scan) if scan else line.scan_id, state=state
    )


def batch_of(items: list[Item]) -> Batch:
    return Batch(
        plan_of({}),
        items,
        NOW,
        use_cache=True,
        ask_again=lambda _, item: item.ask,
        logs=[],
        confirms=[],
    )


class Told:
    """A batch that ran with these replies, one list a kind of command."""

    def __init__(self, items: list[Item], **replies: list[Any]) -> None:
        self.batch, self.steps = batch_of(items), []
        self.written: list[tuple[str, bool]] = []
        self.finished: list[int | None] = []
        steps = self.batch.run()
        asked = next(steps)
        try:
            while True:
                self.steps.append(" ".join(type(one).__name__ for one in asked))
                asked = steps.send([self._reply(replies, one) for one in asked])
        except StopIteration:
            return

    def _reply(self, replies: dict[str, list[Any]], command: Any) -> Any:
        name = type(command).__name__
        if isinstance(command, commands.Journal):
            self.written += [(line.state, command.synced) for line in command.lines]
            self.written += [(state, command.synced) for _, state in command.marks]
        if isinstance(command, commands.Finish):
            self.finished.append(command.epoch)
        if replies.get(name):
            return replies[name].pop(0)
        if isinstance(command, commands.Claim):
            return ClaimReply([None] * len(command.items))
        return [] if name in ("Look", "Recall") else None

    def said(self, index: int = 0) -> str:
        item = self.batch.items[index]
        one = item.stored or item.decision
        return item.error or f"{one.verdict} {one.reason} {item.durable}"


def test_a_green_of_mode_d_never_asks_postgresql() -> None:
    told = Told([item_of(FIRST)], ReadCache=[seen(FIRST), seen(FIRST)])
    assert told.steps == [
        "ReadCache",
        "Recall",
        "Journal",
        "Claim",
        "Look",
        "Journal",
        "Answer",
        "Finish",
    ]
    assert told.said() == "admitted ok journal"
    assert told.written == [
        ("pending", False),
        ("answered", True),
    ], "seen before the places are taken, and on the disk before it is answered"


def test_postgresql_goes_away_under_a_batch() -> None:
    told = Told(
        [item_of(FIRST)],
        ReadCache=[seen(FIRST, mode="N", epoch=7), seen(FIRST)],
        Commit=[GONE],
        Switch=[ModeIs("D", 8)],
    )
    assert told.steps[1:3] == ["Commit", "Switch"]
    assert told.said() == "admitted ok journal"


def test_one_failure_is_no_reason_to_switch() -> None:
    told = Told(
        [item_of(FIRST)],
        ReadCache=[seen(FIRST, mode="N")],
        Commit=[Down("database")],
    )
    assert told.said() == "unavailable"
    assert "Switch" not in told.steps


def test_refusals_are_kept_in_the_journal() -> None:
    told = Told([item_of(REFUNDED)], ReadCache=[seen(REFUNDED), seen(REFUNDED)])
    assert told.said() == "refused refunded none"
    assert told.written == [("answered", True)]
    assert leftovers(told.batch.items) == []


def test_without_its_line_no_green() -> None:
    told = Told(
        [item_of(FIRST)],
        ReadCache=[seen(FIRST), seen(FIRST)],
        Journal=[Down("journal")],
    )
    assert told.said() == "unavailable"
    assert "Claim" not in told.steps


def test_a_lost_place_is_decided_again_and_its_line_cancelled() -> None:
    told = Told(
        [item_of(FIRST)],
        ReadCache=[seen(FIRST)] * 3,
        Claim=[ClaimReply([-1]), ClaimReply([None])],
    )
    assert told.said() == "admitted ok journal"
    states = [state for state, _ in told.written]
    assert states == ["pending", "cancelled", "pending", "answered"]


def test_no_room_left() -> None:
    told = Told([item_of(FIRST)], ReadCache=[seen(FIRST)] * 2, Claim=[ClaimReply([2])])
    assert told.said() == "hold area_full none"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("pending", "hold unconfirmed none"),
        ("answered", "hold unconfirmed none"),
        ("shown", "refused already_inside none"),
        ("cancelled", "admitted ok journal"),
    ],
)
def test_the_line_of_another_scan_is_found_after_writing(state: str, said: str) -> None:
    """R10: a look after the line, and never green beside another's."""
    other = Found(a_line(item_of(FIRST), state), "live")
    told = Told([item_of(FIRST)], ReadCache=[seen(FIRST)] * 2, Look=[[other]])
    assert told.said() == said
    if not said.startswith("admitted"):
        assert [state for state, _ in told.written] == ["pending", "answered"]


def test_a_claim_that_was_not_answered_is_repeated_once_and_cancelled() -> None:
    told = Told(
        [item_of(FIRST)],
        ReadCache=[seen(FIRST)] * 2,
        Claim=[Down("cache"), Down("cache")],
    )
    assert told.said() == "unavailable"
    assert [state for state, _ in told.written] == ["pending", "cancelled"]


@pytest.mark.parametrize("state", ["answered", "shown"])
@pytest.mark.parametrize("owner", ["own", "live", "dead"])
def test_the_answer_of_before_comes_from_the_journal(owner: Any, state: Any) -> None:
    item = item_of(FIRST)
    mine = Found(a_line(item_of(FIRST), state, scan=""), owner)
    told = Told([item], ReadCache=[seen(FIRST)] * 2, Recall=[[mine]])
    assert told.said() == "admitted ok none"
    assert item.stored is not None
    assert item.stored.durable == "journal"
    # What nobody is known to have seen may have been taken over: it is looked at.
    assert ("Look" in told.steps) is (state == "answered")
    again = state == "answered" and owner != "own"
    assert told.written == [("pending", False), ("answered", True)] * again


def with_its_places(item: Item) -> CacheFacts:
    """What the cache says once the places of this scan are claimed."""
    facts, plan = facts_of(FIRST, plan_of(FIRST)), plan_of(FIRST)
    line = a_line(item_of(FIRST), "pending", scan="")
    opened = {(place[0], place[1]): place[2] for place in line.taken}
    for place, pass_no in opened.items():
        facts.visits[place] = Visit(
            pass_no, Phase.OPEN, False, 0, False, 1, 1, 1, 0, 0, line.scan_id.bytes
        )
    return CacheFacts("D", 8, plan.version, [facts])


@pytest.mark.parametrize("owner", ["own", "dead"])
def test_a_line_without_an_answer_is_written_and_looked_at_again(owner: Any) -> None:
    """R7 and R10: nobody knows whether a guest saw it, or who came in meanwhile."""
    mine = Found(a_line(item_of(FIRST), "pending", scan=""), owner)
    other = Found(a_line(item_of(FIRST), "answered"), "live")
    for look, said in (([], "admitted ok none"), ([other], "hold unconfirmed none")):
        told = Told(
            [item_of(FIRST)],
            ReadCache=[with_its_places(item_of(FIRST))] * 2,
            Recall=[[mine]],
            Look=[look],
        )
        assert told.said() == said
        assert told.written[0] == ("pending", False)


@pytest.mark.parametrize("owner", ["own", "dead"])
def test_a_line_without_its_places_is_decided_anew(owner: Any) -> None:
    mine = Found(a_line(item_of(FIRST), "pending", scan=""), owner)
    told = Told([item_of(FIRST)], ReadCache=[seen(FIRST)] * 2, Recall=[[mine]])
    assert told.said() == "admitted ok journal"


def test_a_claim_of_a_dead_process_is_nothing_to_postgresql() -> None:
    """Mode D2: it was told to nobody, or its line would say so."""
    mine = Found(a_line(item_of(FIRST), "pending", scan=""), "dead")
    facts = DatabaseFacts(1, [facts_of(FIRST, plan_of(FIRST))])
    told = Told(
        [item_of(FIRST)],
        ReadCache=[Down("cache")],
        ReadDatabase=[facts],
        Recall=[[mine]],
        Commit=[SAVED],
    )
    assert told.said() == "admitted ok committed"


def test_a_green_that_is_not_known_to_be_answered_is_not_said() -> None:
    """After a kill its line would say that nobody was told."""
    told = Told(
        [item_of(FIRST)],
        ReadCache=[seen(FIRST)] * 2,
        Journal=[None, Down("journal")],
    )
    assert told.said() == "unavailable"


@pytest.mark.parametrize(
    ("state", "said"),
    [("pending", "unavailable"), ("answered", "hold unconfirmed none")],
)
def test_a_green_of_before_waits_for_who_is_being_decided(
    state: Any, said: str
) -> None:
    """Who is being decided finds it, and is held; the device asks again in a moment."""
    mine = Found(a_line(item_of(FIRST), "answered", scan=""), "dead")
    other = Found(a_line(item_of(FIRST), state), "live")
    told = Told(
        [item_of(FIRST)], ReadCache=[seen(FIRST)] * 2, Recall=[[mine]], Look=[[other]]
    )
    assert told.said() == said


@pytest.mark.parametrize(
    ("owner", "said"),
    [("live", "hold unconfirmed none"), ("dead", "admitted ok journal")],
)
def test_nobody_takes_over_from_whom_is_being_told_again(owner: Any, said: str) -> None:
    other = a_line(item_of(FIRST), "pending")
    item = item_of(FIRST)
    scan = msgspec.structs.replace(item.ask.scan, take_over=other.scan_id)
    item.ask = msgspec.structs.replace(item.ask, scan=scan)
    told = Told([item], ReadCache=[seen(FIRST)] * 2, Look=[[Found(other, owner)]])
    assert told.said() == said


def test_a_groups_own_places_come_first() -> None:
    """Its files were swept: the free places of the ticket are not for the same scan."""
    cache = with_its_places(item_of(FIRST))
    (facts,) = cache.facts
    assert facts.ticket is not None
    facts.ticket = msgspec.structs.replace(facts.ticket, admits=2)
    told = Told([item_of(FIRST)], ReadCache=[cache] * 2)
    assert told.said() == "admitted ok journal"
    decision = told.batch.items[0].decision
    assert decision is not None
    assert {one.person_no for one in decision.opens} == {1}


def test_who_has_left_is_not_let_in_by_the_same_scan() -> None:
    cache = with_its_places(item_of(FIRST))
    (facts,) = cache.facts
    facts.visits = {
        place: msgspec.structs.replace(visit, phase=Phase.CLOSED)
        for place, visit in facts.visits.items()
    }
    assert Told([item_of(FIRST)], ReadCache=[cache] * 2).said() == "unavailable"


@pytest.mark.parametrize(
    ("mode", "said"), [("N", "unavailable"), ("D", "exited ok journal")]
)
def test_an_exit_of_a_pass_that_a_commit_has_followed(mode: Any, said: str) -> None:
    """The cache was not told of the commit; of mode D it knows all."""
    away = CASES["a refunded ticket may leave"]
    facts = facts_of(away, plan_of(away))
    ((scope_no, person), visit), *_ = facts.visits.items()
    line = a_line(item_of(FIRST), "shown")
    line = msgspec.structs.replace(
        line,
        ticket_id=facts.ticket_id,
        mode=mode,
        places=((scope_no, person, visit.pass_no + 1, lines.IN),),
    )
    told = Told(
        [item_of(away)], ReadCache=[seen(away)] * 2, Look=[[Found(line, "live")]]
    )
    assert told.said() == said
    states = [state for state, _ in told.written]
    assert states == ["pending", "cancelled" if mode == "N" else "answered"]


def test_an_amber_that_cannot_be_written_is_not_said() -> None:
    """Its line still says green: a merge after a crash would let the guest in."""
    other = Found(a_line(item_of(FIRST), "answered"), "live")
    told = Told(
        [item_of(FIRST)],
        ReadCache=[seen(FIRST)] * 2,
        Look=[[other]],
        Journal=[None, Down("journal")],
    )
    assert told.said() == "unavailable"


@pytest.mark.parametrize(
    ("state", "said"),
    [("answered", "admitted ok journal"), ("shown", "refused already_inside none")],
)
def test_nobody_takes_over_from_whom_a_guest_has_seen_green(
    state: str, said: str
) -> None:
    other = a_line(item_of(FIRST), state)
    item = item_of(FIRST)
    scan = msgspec.structs.replace(item.ask.scan, take_over=other.scan_id)
    item.ask = msgspec.structs.replace(item.ask, scan=scan)
    told = Told([item], ReadCache=[seen(FIRST)] * 2, Look=[[Found(other, "live")]])
    assert told.said() == said


def test_a_record_that_is_behind_the_journals_decides_nothing() -> None:
    """R2 without a cache: an exit of mode D is not merged yet, PostgreSQL is back."""
    away = a_line(item_of(FIRST), "shown")
    away = msgspec.structs.replace(away, places=((1, 1, 1, lines.OUT),))
    before, told_of = facts_of(FIRST, plan_of(FIRST)), facts_of(FIRST, plan_of(FIRST))
    told_of.stored = lines.stored(away)
    for facts, said in (
        (before, "unavailable"),
        (told_of, "admitted ok committed"),
    ):
        told = Told(
            [item_of(FIRST)],
            ReadCache=[Down("cache")],
            ReadDatabase=[DatabaseFacts(1, [before]), DatabaseFacts(1, [facts])],
            Look=[[Found(away, "live")], []],
            Commit=[commands.CommitReply([], [], [], {})],
        )
        assert told.said() == said


def test_a_scan_that_another_process_decides_now_has_to_wait() -> None:
    mine = Found(a_line(item_of(FIRST), "pending", scan=""), "live")
    told = Told([item_of(FIRST)], ReadCache=[seen(FIRST)] * 2, Recall=[[mine]])
    assert told.said() == "unavailable"


def test_a_finish_that_was_refused_looks_before_it_answers() -> None:
    """The mode moved between commit and finish (R3)."""
    other = Found(a_line(item_of(FIRST), "answered"), "live")
    saved = commands.CommitReply([], [], [], {})
    for found, said in (([], "admitted ok committed"), ([other], "hold unconfirmed")):
        told = Told(
            [item_of(FIRST)],
            ReadCache=[seen(FIRST, mode="N")],
            Commit=[saved],
            Finish=["moved"],
            Look=[found],
        )
        assert told.said().startswith(said)
        assert "Look" in told.steps


@pytest.mark.parametrize("fails", ["Look", "Journal"])
def test_without_line_or_look_there_is_no_green(fails: str) -> None:
    """The mode moved: whoever looks must find us, and we must have looked."""
    replies: dict[str, list[Any]] = {
        "ReadCache": [seen(FIRST, mode="N")],
        "Commit": [SAVED],
        "Finish": ["moved"],
        fails: [Down("journal")],
    }
    assert Told([item_of(FIRST)], **replies).said() == "unavailable"


@pytest.mark.parametrize("held", [False, True])
def test_a_finish_that_was_refused_comes_again_in_the_new_epoch(held: bool) -> None:
    """Mode D asks the cache alone: an exit unheard of keeps its guest out."""
    other = Found(a_line(item_of(FIRST), "answered"), "live")
    told = Told(
        [item_of(FIRST)],
        ReadCache=[seen(FIRST, mode="N", epoch=7), seen(FIRST, epoch=8)],
        Commit=[commands.CommitReply([], [], [], {})],
        Finish=["moved", "ok"],
        Look=[[other] if held else []],
    )
    assert told.steps[2:6] == (
        ["Journal Finish", "Look", "Journal", "ReadCache"]
        if held
        else ["Journal Finish", "Look", "ReadCache", "Finish"]
    )
    assert told.finished == [7, 8]
    item = told.batch.items[0]
    visits = finish.visits(told.batch.plan, [item], [], NOW)
    assert bool(visits) is not held, "what another holds is not told"


def test_rounds_end() -> None:
    told = Told(
        [item_of(FIRST)],
        ReadCache=[seen(FIRST)] * 20,
        Claim=["moved"] * 20,
    )
    assert told.said() == "unavailable"
    assert told.steps.count("Claim") == degraded.ROUNDS_MAX


def test_a_reply_to_another_call_is_no_reply() -> None:
    assert claim.parse(b"7", [b"7", b"moved"]) == "moved"
    assert claim.parse(b"7", [b"7", b"ok", [b"ok", b"lost", b"3"]]) == ClaimReply(
        [None, -1, 3]
    )
    with pytest.raises(ValueError, match="another call"):
        claim.parse(b"7", [b"8", b"moved"])
