"""Routes of the day report: values, CSV, PDF."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from ops.auth.guards import requires
from ops.reports.day import DayReport
from ops.reports.reading import DayReports

TAGS = ["reports"]
# It names holders of tickets in conflict, beside the figures.
_READ = [requires("analytics", "read"), requires("attendees", "read")]
_PATH = "/events/{event_id:uuid}/day-report"


@get(_PATH, guards=_READ, summary="The report of an event, as values", tags=TAGS)
async def read_day_report(
    event_id: FromPath[UUID], day_reports: NamedDependency[DayReports]
) -> DayReport:
    """Every number is one of the figures or a count of rows, as of now."""
    return await day_reports.make(event_id)


@get(f"{_PATH}.csv", guards=_READ, summary="The same as CSV", tags=TAGS)
async def read_day_csv(
    event_id: FromPath[UUID], day_reports: NamedDependency[DayReports]
) -> Response[bytes]:
    """One number a row: section, item, figure, value."""
    body = await day_reports.csv(event_id)
    return Response(body, media_type="text/csv; charset=utf-8", headers=_named("csv"))


@get(f"{_PATH}.pdf", guards=_READ, summary="The same as a PDF", tags=TAGS)
async def read_day_pdf(
    event_id: FromPath[UUID],
    day_reports: NamedDependency[DayReports],
    language: FromQuery[str] = "en",
) -> Response[bytes]:
    """In English or French; names in any script."""
    body = await day_reports.pdf(event_id, language)
    return Response(body, media_type="application/pdf", headers=_named("pdf"))


def _named(ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="day-report.{ending}"'}


ROUTES: tuple[Any, ...] = (read_day_report, read_day_csv, read_day_pdf)
