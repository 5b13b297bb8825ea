"""The device's engine, asked from Python: `kiosk/js/engine/` in one node process."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import msgspec

from ops.admission.ask import Ask
from ops.admission.outcome import Close, Count, Decision, Open
from ops.admission.plan import Plan, PlanRows
from ops.admission.questions import Given, Question
from ops.admission.scan_facts import ScanFacts
from ops.cache.entry import Visit, ms

ROOT = Path(__file__).parents[1]


def plan_rows(plan: Plan) -> PlanRows:
    """The rows that a plan was made of."""
    return plan.rows


def question(plan: Plan, ask: Ask, facts: ScanFacts, **more: Any) -> dict[str, Any]:
    """What the device's engine is asked, as its package and its page give it."""
    asked = {name: getattr(ask, name) for name in ask.__struct_fields__}
    asked["at_ms"] = ms(asked.pop("at"))
    asked["forged"] = bool(ask.forged())
    known = {name: getattr(facts, name) for name in facts.__struct_fields__}
    for name in ("device", "ticket"):
        known[name] = fields(known[name])
    known["code_state"] = int(facts.code_state)
    known["visits"] = {
        f"{scope_no}.{person}": visit_of(visit)
        for (scope_no, person), visit in facts.visits.items()
    }
    other = facts.other_event
    if other is not None:
        known["other_event"] = {
            "title": other.title,
            "starts_at_ms": ms(other.starts_at),
        }
    return {"plan": plan_rows(plan), "ask": asked, "facts": known, **more}


def fields(struct: Any) -> dict[str, Any] | None:
    """A structure that is packed as an array, by its names."""
    if struct is None:
        return None
    return {
        name: value
        for name in struct.__struct_fields__
        if not isinstance(value := getattr(struct, name), bytes)
    }


def visit_of(visit: Visit) -> dict[str, Any]:
    """A visit by its names; its scan as text."""
    known = fields(visit) or {}
    return known | {"scan_id": str(UUID(bytes=visit.scan_id))}


def decision_of(plan: Plan, said: dict[str, Any]) -> Decision:
    """What the device decided, as Python's engine would have said it."""

    def scope(text: str) -> Any:
        return plan.scopes[UUID(text)]

    def rows(kind: Any, name: str) -> Any:
        return tuple(
            kind(**(row | {"scope": scope(row["scope"])})) for row in said[name]
        )

    choices = [
        UUID(choice) if isinstance(choice, str) else choice
        for choice in said["choices"]
    ]
    names = set(Decision.__struct_fields__) & set(said)
    return Decision(
        **{name: said[name] for name in names}
        | {
            "questions": msgspec.convert(said["questions"], tuple[Question, ...]),
            "given": msgspec.convert(said["given"], tuple[Given, ...]),
            "counted": msgspec.convert(said["counted"], Count | None),
            "scope": scope(said["scope"]) if said["scope"] else None,
            "opens": rows(Open, "opens"),
            "closes": rows(Close, "closes"),
            "choices": tuple(choices),
        }
    )


class DeviceEngine:
    """A node process that decides: `with DeviceEngine() as engine`."""

    def __enter__(self) -> Self:
        node = shutil.which("node")
        assert node, "install node 20 or newer to test the pages' JavaScript"
        self.process = subprocess.Popen(
            [node, "--import", "./tests/js/register.mjs", "tests/js/decide.mjs"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def decide(self, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Its decisions, in order."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(msgspec.json.encode(questions) + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the engine of the device died"
        said: list[dict[str, Any]] = json.loads(line)
        return said
