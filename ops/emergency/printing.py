"""An emergency's report as values, and on paper; plain CPU, called in a thread."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from ops.emergency.rollcall import AreaLine, HeadCount, Inside, OnShift, Totals
from ops.paper.document import Document
from ops.texts import Texts


class Line(msgspec.Struct, frozen=True):
    """One line of the log."""

    at: datetime
    what: str
    by: str | None
    device: str | None
    detail: dict[str, Any]


class Reached(msgspec.Struct, frozen=True):
    """How far a text has come."""

    title: str
    sent_at: datetime | None
    counted: int
    delivered: int
    opened: int


class Happened(msgspec.Struct, frozen=True):
    """An incident in that time."""

    at: datetime
    kind: str
    summary: str
    state: str
    area: str | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; `missing` are those of the list whom nobody marked safe."""

    id: UUID
    event: str
    timezone: str
    drill: bool
    reason: str
    place: str | None
    started_at: datetime
    stopped_at: datetime | None
    frozen_at: datetime | None
    published_at: datetime | None
    cleared_at: datetime | None
    reopened_at: datetime | None
    closed_at: datetime | None
    totals: Totals
    areas: list[AreaLine]
    missing: list[Inside]
    staff: list[OnShift]
    counts: list[HeadCount]
    devices: int
    unconfirmed: list[str]
    texts: list[Reached]
    returned: int
    not_returned: int
    incidents: list[Happened]
    log: list[Line]


def printed(report: Report, texts: Texts, language: str) -> bytes:
    """A report as PDF, in a language of the catalogue."""
    zone = ZoneInfo(report.timezone)

    def say(key: str, **args: object) -> str:
        return texts.say(language, f"page.emergency.{key}", args)

    def clock(at: datetime | None) -> str:
        return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if at else "–"

    word = say("drill") if report.drill else say("live")
    paper = Document(
        say("report_of", event=report.event), f"{report.event} · {report.id}", language
    )
    place = report.place or texts.say(language, "page.doors.everywhere", {})
    paper.line(f"{word} · {place} · {report.reason}")
    paper.line(say("zone", zone=report.timezone), small=True)
    paper.head(say("times"))
    steps = (
        "started",
        "stopped",
        "frozen",
        "published",
        "cleared",
        "reopened",
        "closed",
    )
    paper.table(
        [say("step"), say("time")],
        [[say(f"did.{step}"), clock(getattr(report, f"{step}_at"))] for step in steps],
        [2, 3],
    )
    _counted(paper, report, say, clock)
    _named(paper, report, say, clock)
    _told(
        paper,
        report,
        say,
        clock,
        lambda kind: texts.word(language, "page.incident", kind),
    )
    return paper.pdf()


def _counted(paper: Document, report: Report, say: Any, clock: Any) -> None:
    """The roll-call in numbers, by area."""
    sums = report.totals
    paper.head(say("roll"))
    paper.line(
        say(
            "sums",
            people=sums.people,
            counted=sums.counted,
            disputed=sums.disputed,
            all=sums.all,
        )
    )
    paper.line(say("safe_sums", safe=sums.safe, missing=sums.missing))
    heads = ("area", "people", "is_safe", "missing", "classes", "clear_at")
    paper.table(
        [say(name) for name in heads],
        [
            [
                line.name or say("no_area"),
                line.people + line.counted + line.disputed,
                line.safe,
                line.missing,
                ", ".join(
                    f"{say('class.' + one.access_class)} {one.people}"
                    for one in line.classes
                ),
                clock(line.clear_at),
            ]
            for line in report.areas
        ],
        [2.6, 1.3, 1.1, 1.3, 2.7, 2],
    )


def _named(paper: Document, report: Report, say: Any, clock: Any) -> None:
    """Heads, the missing by name, the staff."""
    if report.counts:
        paper.head(say("heads"))
        rows = [[one.place, one.people, clock(one.at)] for one in report.counts]
        paper.table([say("point"), say("people"), say("time")], rows, [3, 1, 2])
    paper.head(say("missing_names", n=len(report.missing)))
    names = {line.area_id: line.name for line in report.areas}
    paper.table(
        [say("name"), say("class"), say("area"), say("needs"), say("entered")],
        [
            [
                one.name or "–",
                say(f"class.{one.access_class}"),
                names.get(one.area_id) or say("no_area"),
                one.needs,
                clock(one.entered_at),
            ]
            for one in report.missing
        ],
        [3, 1.4, 2, 2, 2],
    )
    paper.head(say("staff"))
    paper.table(
        [say("name"), say("role"), say("gate"), say("is_safe")],
        [[one.name, one.role, one.gate, clock(one.safe_at)] for one in report.staff],
        [3, 2, 2, 2],
    )


def _told(paper: Document, report: Report, say: Any, clock: Any, incident: Any) -> None:
    """What was said to whom, what happened meanwhile, and the log."""
    paper.head(say("told"))
    paper.line(
        say("devices_sums", n=report.devices, away=len(report.unconfirmed))
        + (" " + ", ".join(report.unconfirmed) if report.unconfirmed else "")
    )
    paper.table(
        [say("text"), say("time"), say("counted"), say("delivered"), say("opened")],
        [
            [one.title, clock(one.sent_at), one.counted, one.delivered, one.opened]
            for one in report.texts
        ],
        [4, 2, 1, 1, 1],
    )
    if report.reopened_at:
        paper.line(say("back", n=report.returned, away=report.not_returned))
    if report.incidents:
        paper.head(say("incidents"))
        paper.table(
            [say("time"), say("kind"), say("area"), say("what")],
            [
                [clock(one.at), incident(one.kind), one.area, one.summary]
                for one in report.incidents
            ],
            [2, 1.4, 2, 4],
        )
    paper.head(say("log"))
    paper.table(
        [say("time"), say("what"), say("by"), say("detail")],
        [
            [
                clock(one.at),
                say(f"log.{one.what}"),
                one.by or one.device,
                ", ".join(f"{k}: {v}" for k, v in one.detail.items() if v is not None),
            ]
            for one in report.log
        ],
        [2, 2, 1.6, 4],
    )
