"""The day report as CSV and as PDF; plain CPU, called in a thread."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from ops.paper.document import Document
from ops.reports.day import DayReport, points, rows, step_of
from ops.sheets.cells import escape
from ops.texts import Texts

HEAD: Final = ("section", "item", "figure", "value")
MARKS: Final = 6


def as_csv(report: DayReport) -> bytes:
    """UTF-8 with a mark, so that a spreadsheet reads the names; times are UTC."""
    into = io.StringIO()
    writer = csv.writer(into)
    writer.writerow(HEAD)
    for row in rows(report):
        writer.writerow([_cell(value) for value in row])
    return b"\xef\xbb\xbf" + into.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return escape(value) if isinstance(value, str) else value


def as_pdf(report: DayReport, texts: Texts, language: str) -> bytes:
    """On paper, in a language of the catalogue."""
    zone = ZoneInfo(report.timezone)

    def say(key: str, **args: object) -> str:
        return texts.say(language, f"page.report.{key}", args)

    def clock(at: datetime | None) -> str:
        return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else "–"

    foot = f"{report.event} · {say('as_of', when=clock(report.at))}"
    paper = Document(say("title_of", event=report.event), foot, language)
    paper.line(f"{clock(report.starts_at)} – {clock(report.ends_at)}")
    paper.line(say("zone", zone=report.timezone), small=True)
    _figures(paper, report, say)
    _curve(paper, report, say, zone)
    _tables(paper, report, say, clock)
    _what_went_wrong(paper, report, say, clock, texts, language)
    return paper.pdf()


Say = Callable[..., str]


def _figures(paper: Document, report: DayReport, say: Say) -> None:
    values = msgspec.structs.asdict(report.figures)
    lines = [[say(f"figure.{name}"), _none(value)] for name, value in values.items()]
    lines.append([say("figure.peak_inside"), report.peak_inside])
    lines.append([say("figure.capacity"), _none(report.capacity)])
    paper.head(say("figures"))
    paper.table([say("figure"), say("people")], lines, [3, 1])
    if len(report.days) > 1:
        paper.head(say("days"))
        days = [[one.day.isoformat(), one.people] for one in report.days]
        paper.table([say("day"), say("people")], days, [3, 1])


def _curve(paper: Document, report: DayReport, say: Say, zone: ZoneInfo) -> None:
    step = step_of(report.curve)
    values = points(report.curve, step)
    if not values:
        return
    paper.head(say("curve"))
    paper.line(say("curve_words", n=int(step / timedelta(minutes=1))), small=True)
    first, last = report.curve[0].minute, len(values) - 1
    # The time stands under the bar that begins then; few bars have few times.
    bars = sorted({round(last * at / (MARKS - 1)) for at in range(MARKS)})
    marks = [
        (bar, (first + step * bar).astimezone(zone).strftime("%H:%M")) for bar in bars
    ]
    paper.curve(values, marks)


def _tables(
    paper: Document, report: DayReport, say: Say, clock: Callable[[Any], str]
) -> None:
    paper.head(say("gates"))
    names = ("gate", "entered", "exited", "refused", "counted", "first", "last")
    paper.table(
        [say(name) for name in names],
        [
            [
                *(one.name, one.entered, one.exited, one.refused, one.counted),
                *(clock(one.first_at), clock(one.last_at)),
            ]
            for one in report.gates
        ],
        [3, 1, 1, 1, 1.2, 2, 2],
    )
    paper.head(say("types"))
    paper.table(
        [say(name) for name in ("type", "sold", "valid", "entered", "missed_of_type")],
        [[t.name, t.sold, t.valid, t.entered, t.missed] for t in report.types],
        [3, 1, 1, 1, 1],
    )
    if report.sessions:
        paper.head(say("sessions"))
        heads = ("session", "room", "starts", "capacity", "registered", "attended")
        paper.table(
            [say(name) for name in (*heads, "no_shows", "minutes")],
            [
                [
                    *(one.title, one.room, clock(one.starts_at), _none(one.capacity)),
                    *(one.registered, one.attended, one.no_shows, _none(one.minutes)),
                ]
                for one in report.sessions
            ],
            [3, 1.8, 2, 1, 1.5, 1, 1.3, 1.2],
        )


def _what_went_wrong(
    paper: Document,
    report: DayReport,
    say: Say,
    clock: Callable[[Any], str],
    texts: Texts,
    language: str,
) -> None:
    def word(group: str, code: str | None) -> str:
        return texts.word(language, f"page.{group}", code)

    def table(heads: Sequence[str], lines: list[Any], widths: Sequence[float]) -> None:
        if lines:
            paper.table(heads, lines, widths)
        else:
            paper.line(say("nothing"), small=True)

    paper.head(say("refusals"))
    table(
        [say("reason"), say("attempts"), say("people")],
        [
            [word("reason.refused", one.reason), one.attempts, one.people]
            for one in report.refusals
        ],
        [4, 1, 1],
    )
    paper.head(say("conflicts"))
    table(
        [say("kind"), say("number"), say("open"), say("people")],
        [
            [word("offline.kind", one.kind), one.conflicts, one.open, one.people]
            for one in report.conflicts
        ],
        [4, 1, 1, 1],
    )
    if report.conflict_list:
        paper.table(
            [say("time"), say("kind"), say("holder"), say("people"), say("resolution")],
            [
                [
                    *(clock(one.at), word("offline.kind", one.kind), one.holder),
                    *(one.people, word("offline.end", one.resolution)),
                ]
                for one in report.conflict_list
            ],
            [2, 2, 3, 1.3, 2],
        )
    paper.head(say("announcements"))
    heads = ("text", "time", "counted", "delivered", "missed", "opened")
    table(
        [say(name) for name in heads],
        [
            [
                *(one.title, clock(one.sent_at), one.counted, one.delivered),
                *(one.missed, one.opened),
            ]
            for one in report.announcements
        ],
        [4, 2, 1, 1, 1, 1],
    )
    if report.incidents:
        paper.head(say("incidents"))
        paper.table(
            [say("kind"), say("number"), say("open")],
            [
                [word("incident", one.kind), one.incidents, one.open]
                for one in report.incidents
            ],
            [4, 1, 1],
        )


def _none(value: Any) -> Any:
    return "–" if value is None else value
