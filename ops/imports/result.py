"""What goes into an import beside the file, and what comes out of it. Pure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from ops.imports.dialects import UNNAMED_SELLER
from ops.imports.rows import Problem

PROBLEMS_MAX = 1000  # named in a result; the rest is counted


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the organiser says of a file that is nobody's known export.

    `columns` maps field words to the file's headers. `seller` names who sold these
    tickets: codes are unique within an event, and two sellers with an equal code are
    told apart by it.
    """

    columns: dict[str, str] = {}
    seller: str = UNNAMED_SELLER


class Missing(msgspec.Struct, frozen=True):
    """A valid ticket of this seller that the file does not list."""

    ticket_id: UUID
    order_number: str
    holder: str


class Result(msgspec.Struct, kw_only=True):
    """What an import did, or would do."""

    run_id: UUID | None
    dry_run: bool
    dialect: str
    seller: str
    kind: str
    encoding: str
    columns: dict[str, str]
    header: list[str]
    rows_total: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: int = 0
    mangled: int = 0
    notes: int = 0
    problems: list[Problem] = []
    types_created: list[str] = []
    missing_total: int = 0
    missing: list[Missing] = []
    sample: list[dict[str, Any]] = []

    def add(self, problem: Problem) -> None:
        """Count a problem; mangled codes are said first, whatever their line."""
        if problem.kind == "note":
            self.notes += 1
        else:
            self.bad += 1
        if problem.kind == "mangled":
            self.mangled += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)
        elif problem.kind == "mangled" and self.mangled <= PROBLEMS_MAX:
            self.problems[-1] = problem

    def order(self) -> None:
        """Put the problems in the order in which people should read them."""
        rank = {"mangled": 0, "bad": 1, "note": 2}
        self.problems.sort(key=lambda problem: (rank[problem.kind], problem.line))
