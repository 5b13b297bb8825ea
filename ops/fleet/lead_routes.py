"""Routes for sponsors' leads: on a phone of the profile `lead`, and for staff."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from ops.auth.guards import lead_required, requires
from ops.auth.subjects import DeviceIdentity
from ops.fleet.leads import EXPORT_MAX, FIELDS_DEFAULT, Field, Leads, shown
from ops.listing import Page, Turn, by_time

TAGS = ["leads"]
QUESTIONS_MAX = 20
Answer = Annotated[str, Meta(max_length=1_000)]
Key = Annotated[str, Meta(min_length=1, max_length=40)]
Label = Annotated[str, Meta(min_length=1, max_length=200)]
Notes = Annotated[str, Meta(max_length=4_000)]
Rating = Annotated[int, Meta(ge=1, le=5)]


class LeadPatch(msgspec.Struct, forbid_unknown_fields=True):
    """What the sponsor's staff note; a field left out stays."""

    rating: Rating | None = None
    notes: Notes | None = None
    answers: dict[Key, Answer] | None = None

    def extra(self) -> dict[str, Any]:
        """The parts that may be given."""
        return {"rating": self.rating, "notes": self.notes, "answers": self.answers}


class LeadBody(LeadPatch, kw_only=True):
    """One reading; `id` is made by the phone, `scanned_at` is its time."""

    id: UUID
    code: Annotated[str, Meta(min_length=1, max_length=1_024)]
    scanned_at: Annotated[datetime, Meta(tz=True)] | None = None


class LeadView(msgspec.Struct):
    """A lead; `fields` holds what may be shared of the person."""

    id: UUID
    visits: int
    rating: int | None
    answers: dict[str, str]
    notes: str | None
    first_at: datetime
    last_at: datetime
    withdrawn: bool
    fields: dict[str, str]


class RecordedView(msgspec.Struct):
    """What became of a reading: lead, again, opted_out (counted) or unknown."""

    id: UUID
    outcome: str
    replayed: bool
    lead: LeadView | None


class LeadQuestion(msgspec.Struct, forbid_unknown_fields=True):
    """A question to ask at the stand; with options a choice, else a text."""

    key: Key
    label: Label
    options: Annotated[list[Label], Meta(max_length=20)] = []


class LeadSettings(msgspec.Struct, forbid_unknown_fields=True):
    """What sponsors may see of a person, and what they ask."""

    fields: Annotated[list[Field], Meta(max_length=6)] = []
    questions: Annotated[list[LeadQuestion], Meta(max_length=QUESTIONS_MAX)] = []


class LeadFigures(msgspec.Struct):
    """Readings of a sponsor; opted out are people who are counted without a name."""

    scans: int
    leads: int
    opted_out: int
    unknown: int


class StandView(msgspec.Struct):
    """What a sponsor's phone must know."""

    sponsor: str
    fields: list[str]
    questions: list[LeadQuestion]
    figures: LeadFigures


def view(row: Any) -> LeadView:
    """The view of a row."""
    return msgspec.convert(shown(row), LeadView)


@post(
    "/events/{event_id:uuid}/leads",
    guards=[lead_required],
    status_code=200,
    summary="Scan a badge at a sponsor's stand",
    tags=TAGS,
)
async def scan_lead(
    event_id: FromPath[UUID],
    data: JSONBody[LeadBody],
    device: NamedDependency[DeviceIdentity],
    leads: NamedDependency[Leads],
) -> RecordedView:
    """Never an entry; may come twice with the same id."""
    done = await leads.record(
        device, event_id, data.id, data.code, data.scanned_at, data.extra()
    )
    lead = view(done.lead) if done.lead is not None else None
    return RecordedView(data.id, done.outcome, done.replayed, lead)


@patch(
    "/events/{event_id:uuid}/leads/{lead_id:uuid}",
    guards=[lead_required],
    summary="Rate a lead, answer questions, note something",
    tags=TAGS,
)
async def change_lead(
    lead_id: FromPath[UUID],
    data: JSONBody[LeadPatch],
    device: NamedDependency[DeviceIdentity],
    leads: NamedDependency[Leads],
) -> LeadView:
    """Of the own sponsor only."""
    return view(await leads.change(device, lead_id, data.extra()))


@get(
    "/events/{event_id:uuid}/leads",
    guards=[lead_required],
    summary="The leads of this phone's sponsor",
    tags=TAGS,
)
async def my_leads(
    event_id: FromPath[UUID],
    device: NamedDependency[DeviceIdentity],
    leads: NamedDependency[Leads],
    turn: NamedDependency[Turn],
) -> Page[LeadView]:
    """The latest visit first."""
    assert device.sponsor_id is not None, "the guard asks for it"
    return await _page(leads, event_id, device.sponsor_id, turn)


@get(
    "/events/{event_id:uuid}/leads/stand",
    guards=[lead_required],
    summary="The sponsor of this phone, its questions and its figures",
    tags=TAGS,
)
async def my_stand(
    event_id: FromPath[UUID],
    device: NamedDependency[DeviceIdentity],
    leads: NamedDependency[Leads],
) -> StandView:
    """For the phone's page."""
    assert device.sponsor_id is not None, "the guard asks for it"
    return await _stand(leads, event_id, device.sponsor_id)


@get(
    "/events/{event_id:uuid}/leads.csv",
    guards=[lead_required],
    summary="The leads of this phone's sponsor as a table",
    tags=TAGS,
    media_type="text/csv",
)
async def my_export(
    event_id: FromPath[UUID],
    device: NamedDependency[DeviceIdentity],
    leads: NamedDependency[Leads],
) -> Response[bytes]:
    """UTF-8 with a mark, as spreadsheets want it."""
    assert device.sponsor_id is not None, "the guard asks for it"
    return await _csv(leads, event_id, device.sponsor_id)


@get(
    "/events/{event_id:uuid}/sponsors/{sponsor_id:uuid}/leads",
    guards=[requires("leads", "read")],
    summary="The leads of a sponsor",
    tags=TAGS,
)
async def sponsor_leads(
    event_id: FromPath[UUID],
    sponsor_id: FromPath[UUID],
    leads: NamedDependency[Leads],
    turn: NamedDependency[Turn],
) -> Page[LeadView]:
    """The latest visit first."""
    return await _page(leads, event_id, sponsor_id, turn)


@get(
    "/events/{event_id:uuid}/sponsors/{sponsor_id:uuid}/stand",
    guards=[requires("devices", "read")],
    summary="A sponsor's stand: what it may see, and its figures",
    tags=TAGS,
)
async def sponsor_stand(
    event_id: FromPath[UUID],
    sponsor_id: FromPath[UUID],
    leads: NamedDependency[Leads],
) -> StandView:
    """Figures without names."""
    return await _stand(leads, event_id, sponsor_id)


@put(
    "/events/{event_id:uuid}/lead-settings",
    guards=[requires("events", "write")],
    summary="What sponsors may see of a person, and what they ask",
    tags=TAGS,
)
async def configure_leads(
    event_id: FromPath[UUID],
    data: JSONBody[LeadSettings],
    leads: NamedDependency[Leads],
) -> LeadSettings:
    """For all sponsors of the event, from now on, also for what was scanned before."""
    questions = [msgspec.to_builtins(question) for question in data.questions]
    await leads.configure(event_id, data.fields, questions)
    return data


async def _page(
    leads: Leads, event_id: UUID, sponsor_id: UUID, turn: Turn
) -> Page[LeadView]:
    rows = await leads.page(event_id, sponsor_id, turn.start, turn.limit)
    return turn.page(rows, view, by_time("last_at"))


async def _stand(leads: Leads, event_id: UUID, sponsor_id: UUID) -> StandView:
    stand = await leads.stand(event_id, sponsor_id)
    return StandView(
        sponsor=stand.sponsor,
        fields=list(stand.settings.get("fields", FIELDS_DEFAULT)),
        questions=msgspec.convert(
            stand.settings.get("questions", []), list[LeadQuestion]
        ),
        figures=msgspec.convert(dict(stand.figures), LeadFigures),
    )


async def _csv(leads: Leads, event_id: UUID, sponsor_id: UUID) -> Response[bytes]:
    rows = await leads.page(event_id, sponsor_id, (None, None), EXPORT_MAX)
    return Response(
        table(list(map(view, rows[:EXPORT_MAX]))),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="leads.csv"'},
    )


def table(leads: list[LeadView]) -> bytes:
    """Leads as CSV; a value that a spreadsheet would take for a formula is quoted."""
    fields = sorted({name for lead in leads for name in lead.fields})
    asked = sorted({name for lead in leads for name in lead.answers})
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*fields, "visits", "rating", "notes", "first", "last", *asked])
    for lead in leads:
        writer.writerow(
            [
                *(_tame(lead.fields.get(name, "")) for name in fields),
                lead.visits,
                lead.rating or "",
                _tame(lead.notes or ""),
                lead.first_at.isoformat(),
                lead.last_at.isoformat(),
                *(_tame(lead.answers.get(name, "")) for name in asked),
            ]
        )
    return out.getvalue().encode("utf-8-sig")


def _tame(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


ROUTES = (
    scan_lead,
    change_lead,
    my_leads,
    my_stand,
    my_export,
    sponsor_leads,
    sponsor_stand,
    configure_leads,
)
