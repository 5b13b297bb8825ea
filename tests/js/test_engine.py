"""One truth: the device's JavaScript decides as the server's Python does.

The golden table first, then random histories: Python plays them, node decides every
scan of them again from the same facts. `OPS_TEST_EXAMPLES=50000` is the long run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ops.admission.decision import decide, full
from ops.admission.outcome import Decision
from ops.admission.plan import Plan
from ops.admission.scan_facts import ScanFacts
from ops.admission.verdicts import REASONS, SENSITIVE
from ops.cache.entry import Phase as VisitPhase
from ops.cache.entry import Visit, ms
from tests.device_engine import ROOT, DeviceEngine, decision_of, question
from tests.golden_cases import (
    DEFAULTS,
    TABLE,
    as_expected,
    ask_of,
    decided,
    expected,
    facts_of,
    plan_of,
)

CASES: list[dict[str, Any]] = TABLE["cases"]
EXAMPLES = int(os.environ.get("OPS_TEST_EXAMPLES", "500"))


@pytest.fixture(scope="module")
def engine() -> Iterator[DeviceEngine]:
    with DeviceEngine() as engine:
        yield engine


def asked(case: dict[str, Any]) -> dict[str, Any]:
    plan = plan_of(case)
    more = {"full": case["full"]["fits"]} if "full" in case else {}
    return question(plan, ask_of(case, plan), facts_of(case, plan), **more)


def test_the_golden_table(engine: DeviceEngine) -> None:
    said = engine.decide([asked(case) for case in CASES])
    for case, one in zip(CASES, said, strict=True):
        made = decision_of(plan_of(case), one)
        assert as_expected(case, made) == expected(case), case["name"]
        assert made == decided(case), case["name"]


def test_the_words_are_the_same() -> None:
    source = (ROOT / "kiosk/js/engine/registry.js").read_text()
    for reason in REASONS:
        assert f"  {reason}:" in source, reason
    for reason in SENSITIVE:
        assert f'"{reason}"' in source, reason


def test_a_device_with_another_rule_is_seen(engine: DeviceEngine) -> None:
    """Negative control: facts that differ give a decision that differs."""
    case = next(one for one in CASES if one["expect"]["reason"] == "already_inside")
    other = asked(case)
    other["facts"]["visits"] = {}
    (said,) = engine.decide([other])
    assert as_expected(case, decision_of(plan_of(case), said)) != expected(case)


ANCHORS = [None, "doors", "event_start", "event_end", "session_start", "session_end"]
AREAS = [row["id"] for row in TABLE["plan"]["areas"]]
SCOPES = [row["id"] for row in TABLE["plan"]["scopes"]]
GATES = [row["id"] for row in TABLE["plan"]["gates"]]
SESSIONS = [r["session_id"] for r in TABLE["plan"]["scopes"] if "session_id" in r]
TYPES = [row["id"] for row in TABLE["plan"]["types"]]
TIMES = [
    f"2026-06-12T{hour:02}:{minute:02}:00Z"
    for hour in range(6, 22)
    for minute in (0, 40)
]


def some(**choices: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of these fields."""
    return st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(of) for name, of in choices.items()}
    )


CHANGES = st.fixed_dictionaries(
    {
        "event": some(
            doors_state=["open", "open", "open", "held", "last_entry", "closed"],
            admission_opens_at=[None, *TIMES[:6]],
            admission_closes_at=[None, *TIMES[-6:]],
            timezone=["America/Toronto", "Asia/Kathmandu", "Pacific/Apia", "no/zone"],
            day_starts_at=["06:00:00", "12:00:00", "00:00:00"],
            doors_open_at=[None, *TIMES[:4]],
            doors_delay_minutes=[0, 20],
        ),
        "areas": st.dictionaries(
            st.sampled_from(AREAS),
            some(
                min_age=[None, 19], capacity=[None, 1, 5], limit_kind=["hard", "soft"]
            ),
            max_size=2,
        ),
        "types": st.dictionaries(
            st.sampled_from(TYPES), some(min_age=[None, 18]), max_size=1
        ),
        "stops": st.lists(
            st.one_of(
                st.fixed_dictionaries(
                    {"id": st.just("s"), "gate_id": st.sampled_from(GATES)}
                ),
                st.fixed_dictionaries(
                    {"id": st.just("s"), "area_id": st.sampled_from(AREAS)}
                ),
            ),
            max_size=1,
        ),
        "held": st.lists(
            st.fixed_dictionaries(
                {
                    "id": st.sampled_from(["h1", "h2"]),
                    "places": st.just(2),
                    "area_id": st.sampled_from(AREAS),
                },
                optional={
                    "access_class": st.sampled_from([None, "guest", "artist"]),
                    "ticket_type_id": st.sampled_from([None, *TYPES]),
                    "until": st.sampled_from([None, *TIMES]),
                },
            ),
            max_size=2,
        ),
        "questions": st.lists(
            st.fixed_dictionaries(
                {
                    "id": st.sampled_from(["q1", "q2"]),
                    "no": st.sampled_from([71, 72]),
                    "kind": st.sampled_from(["text", "number", "yes_no", "date"]),
                },
                optional={
                    "required": st.booleans(),
                    "every_time": st.booleans(),
                    "minimum": st.just(2),
                    "scope_id": st.sampled_from([None, *SCOPES]),
                    "ticket_type_id": st.sampled_from([None, *TYPES]),
                    "access_class": st.sampled_from([None, "guest"]),
                },
            ),
            max_size=2,
        ),
        "scopes": st.dictionaries(
            st.sampled_from(SCOPES),
            some(
                re_entry=["never", "after_exit", "always"],
                passes_total=[None, 1, 2, 3],
                tracks_exits=[True, False],
                enter_outer=["enter", "require", "ignore"],
                exclusive=[True, False],
                opens_at=[None, *TIMES],
                closes_at=[None, *TIMES],
                door_mode=["open", "registered", "track", "register"],
                passes_per_day=[None, 1, 2],
                pass_gap_minutes=[None, 10],
                anti_passback_minutes=[None, 15],
                opens_anchor=ANCHORS,
                opens_offset_minutes=[-60, 0],
                closes_anchor=ANCHORS,
                closes_offset_minutes=[0, 90],
            ),
            max_size=4,
        ),
        "gates": st.dictionaries(
            st.sampled_from(GATES),
            some(
                state=["open", "open", "held", "closed"],
                direction=["in", "out", "both"],
                use_instead_id=[None, *GATES],
            ),
            max_size=2,
        ),
        "rules": st.lists(
            st.fixed_dictionaries(
                {
                    "scope_id": st.sampled_from(SCOPES),
                    "ticket_type_id": st.sampled_from([None, *TYPES]),
                    "access_class": st.sampled_from(["guest", "crew"]),
                },
                optional={
                    "allowed": st.booleans(),
                    "re_entry": st.sampled_from([None, "never", "always"]),
                    "passes_total": st.sampled_from([None, 1, 2]),
                    "opens_at": st.sampled_from([None, *TIMES]),
                    "closes_at": st.sampled_from([None, *TIMES]),
                    "day": st.sampled_from([None, "2026-06-12", "2026-06-11"]),
                    "closes_anchor": st.sampled_from(ANCHORS),
                    "passes_per_day": st.sampled_from([None, 1]),
                    "pass_gap_minutes": st.sampled_from([None, 5]),
                    "anti_passback_minutes": st.sampled_from([None, 5]),
                    "min_age": st.sampled_from([None, 16]),
                },
            ),
            max_size=3,
        ),
    }
)
TICKETS = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "admits": st.sampled_from([1, 1, 2, 4]),
            "state": st.sampled_from(["valid"] * 8 + ["refunded", "blocked", "unpaid"]),
            "type": st.sampled_from(TYPES),
            "access_class": st.sampled_from(["guest", "guest", "crew"]),
            "valid_from": st.sampled_from([None, *TIMES]),
            "valid_to": st.sampled_from([None, *TIMES]),
            "registered": st.lists(st.sampled_from(SESSIONS), unique=True),
            "born": st.sampled_from(["2000-02-29", "2008-06-12", "2008-06-13"]),
            "age_seen": st.sampled_from([0, 18, 19]),
            "due": st.sampled_from(["", "", "12.50 CAD"]),
            "ban": st.fixed_dictionaries(
                {"kind": st.sampled_from(["", "", "banned", "perhaps"])},
                optional={"until": st.sampled_from(TIMES)},
            ),
            "released": st.dictionaries(
                st.sampled_from(["workshop"]), st.sampled_from(TIMES)
            ),
            "exemptions": st.lists(
                st.fixed_dictionaries(
                    {"scope": st.sampled_from([None, *SCOPES])},
                    optional={
                        "allowed": st.booleans(),
                        "opens_at": st.sampled_from(TIMES),
                        "closes_at": st.sampled_from(TIMES),
                        "passes_total": st.sampled_from([0, 2]),
                        "passes_per_day": st.sampled_from([0, 1]),
                        "re_entry": st.sampled_from(["", "never", "always"]),
                    },
                ),
                max_size=2,
            ),
        },
    ),
    st.none(),
)
SAW = ["already_inside", "unconfirmed", "refunded", "needs_supervisor", "too_early"]
STEPS = st.fixed_dictionaries(
    {
        "later_s": st.sampled_from([1, 5, 20, 700, 5000]),
        "scan": st.fixed_dictionaries(
            {
                "gate": st.one_of(st.just("main"), st.sampled_from(GATES)),
                "direction": st.sampled_from(["in", "in", "in", "out"]),
            },
            optional={
                "admit": st.sampled_from([1, 2, 4]),
                "override": st.one_of(
                    st.just({"reason": "her badge was checked"}),
                    st.fixed_dictionaries(
                        {"reason": st.just("x"), "saw": st.sampled_from(SAW)},
                        optional={"previous": st.just("before")},
                    ),
                ),
                "session": st.sampled_from(SESSIONS),
                "whole_order": st.booleans(),
                "method": st.sampled_from(["qr_code", "nfc"]),
                "answers": some(
                    age=[True, False],
                    q1=["x", 3, True, "2026-06-12", ""],
                    q2=[1, False],
                ),
            },
        ),
        "inside": st.sampled_from([None, None, {}, {"venue": 1, "lounge": 5}]),
        "kept": st.sampled_from([{}, {"h1": 2}]),
        "later": st.sampled_from([False, False, False, True]),
        "device": some(
            no=[1, 2],
            role=["", "steward", "supervisor", "event_manager"],
            profile=["scan", "kiosk", "turnstile"],
        ),
        "code": some(
            kind=["own"] * 5 + ["foreign"] * 5 + ["malformed"],
            state=["live"] * 12 + ["reissued", "exchanged", "lost"],
            forged=[True, False],
        ),
        "shown": st.booleans(),
        "undone": st.sampled_from([False, False, False, True]),
    }
)
HISTORIES = st.fixed_dictionaries(
    {
        "change": st.one_of(st.just({}), CHANGES),
        "ticket": st.one_of(st.just({}), st.just({"admits": 3}), TICKETS),
        "at": st.sampled_from([DEFAULTS["at"], "2026-06-12T11:40:00Z", *TIMES]),
        "steps": st.lists(STEPS, min_size=1, max_size=10),
    }
)


def happens(
    facts: ScanFacts, made: Decision, step: dict[str, Any], at_ms: int, no: int
) -> None:
    """What the visits are after a decision."""
    for end in made.closes:
        visit = facts.visit(end.scope.no, end.person_no)
        if visit is not None and visit.inside:
            facts.visits[end.scope.no, end.person_no] = msgspec.structs.replace(
                visit, phase=VisitPhase.CLOSED, left_ms=at_ms, exit_assumed=end.assumed
            )
    for new in made.opens:
        undone = new.undone + step["undone"]
        phase = VisitPhase.UNDONE if step["undone"] else VisitPhase.OPEN
        facts.visits[new.scope.no, new.person_no] = Visit(
            new.pass_no,
            phase,
            step["shown"],
            undone,
            False,
            at_ms,
            1,
            no,
            0,
            0,
            bytes(16),
            new.day,
            new.day_used,
        )


def play(history: dict[str, Any]) -> tuple[Plan, list[dict[str, Any]], list[Decision]]:
    """Python's decisions of a history, and the questions that they answer."""
    questions, made = [], []
    visits: dict[tuple[int, int], Visit] = {}
    plan = plan_of(history)
    passed = timedelta()
    for number, step in enumerate(history["steps"]):
        passed += timedelta(seconds=step["later_s"])
        case = history | step | {"name": f"scan {number}"}
        ask = ask_of(case, plan)
        ask = msgspec.structs.replace(ask, at=ask.at + passed)
        facts = facts_of(case, plan)
        facts.visits = visits
        facts.later = step["later"]
        questions.append(question(plan, ask, facts))
        one = decide(plan, ask, facts)
        made.append(one)
        if one.verdict == "admitted" and one.scope is not None:
            made.append(full(ask, one, plan, 2))
            questions.append(question(plan, ask, facts, full=2))
        happens(facts, one, step, ms(ask.at), ask_device(step))
    return plan, questions, made


def ask_device(step: dict[str, Any]) -> int:
    number: int = (DEFAULTS["device"] | step["device"])["no"]
    return number


@pytest.mark.timeout(max(180, EXAMPLES // 5))
def test_no_history_on_which_they_differ(engine: DeviceEngine) -> None:
    seen: set[str] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(HISTORIES)
    def differ(history: dict[str, Any]) -> None:
        plan, questions, made = play(history)
        said = engine.decide(questions)
        for mine, other in zip(made, said, strict=True):
            seen.add(mine.reason)
            assert decision_of(plan, other) == mine

    differ()
    # A comparison in which nobody is ever turned away would prove little.
    assert len(seen) > 15, seen
    assert {"ok", "already_inside", "wrong_area", "too_late", "area_full"} <= seen
