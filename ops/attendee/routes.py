"""Routes of an attendee: getting in, their own things, feedback, meetings."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from ops.attendance.acting import STEWARD, Doer
from ops.attendance.registrations import (
    CancelAnswer,
    RegisterAnswer,
    RegisterBody,
    Registrations,
)
from ops.attendee.consents import ConsentBody, MyConsent, MyConsents
from ops.attendee.feedback import Feedback, FeedbackBody
from ops.attendee.links import Links
from ops.attendee.me import Me, Mine, MyMaterial, MySession, MyTicket, Profile
from ops.attendee.networking import (
    AnswerBody,
    AskBody,
    MeetingBody,
    MyConnection,
    Networking,
    Person,
)
from ops.audit.entry import Actor
from ops.auth.attendees import AttendeeTokens
from ops.auth.guards import attendee_required, public, requires
from ops.auth.subjects import Attendee
from ops.checkin.pictures import Pictures
from ops.checkin.printable import PrintableCodes
from ops.listing import Page, Turn, by_id

TAGS = ["attendees"]
_ME = [attendee_required]


class CodeBody(msgspec.Struct, forbid_unknown_fields=True):
    """The address to prove."""

    event_id: UUID
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]


class RedeemBody(CodeBody, forbid_unknown_fields=True):
    """The address and the code that was mailed to it."""

    code: Annotated[str, msgspec.Meta(min_length=6, max_length=12)]


class TokenView(msgspec.Struct):
    """A token of one person with this address."""

    token: str
    first_name: str


class MeView(msgspec.Struct):
    """The person with the event, and the person's tickets."""

    me: Me
    tickets: list[MyTicket]


class Done(msgspec.Struct):
    """It was done; of an address also where it belongs to nobody."""

    ok: bool = True


class SummaryLine(msgspec.Struct):
    """Means of a session (or of the event); null below five answers."""

    session_id: UUID | None
    title: str | None
    answers: int
    session: float | None
    speaker: float | None
    content: float | None
    overall: float | None
    recommend_percent: float | None


@post(
    "/me/code",
    guards=[public],
    status_code=202,
    summary="Mail a code to an address that belongs to somebody who comes",
    tags=TAGS,
)
async def ask_code(
    data: JSONBody[CodeBody],
    request: Request[Any, Any, Any],
    links: NamedDependency[Links],
) -> Done:
    """202 in any case: nobody can ask who attends."""
    await links.ask(data.event_id, data.email, _address(request))
    return Done()


@post(
    "/me/token",
    guards=[public],
    status_code=200,
    summary="Turn a mailed code into tokens, one for each person with this address",
    tags=TAGS,
)
async def redeem_code(
    data: JSONBody[RedeemBody],
    request: Request[Any, Any, Any],
    links: NamedDependency[Links],
) -> list[TokenView]:
    """401 `wrong_code` after five tries, a quarter of an hour, or one use."""
    found = await links.redeem(data.event_id, data.email, data.code, _address(request))
    return [TokenView(token, name) for token, name in found]


@post(
    "/events/{event_id:uuid}/attendees/{attendee_id:uuid}/link",
    guards=[requires("attendees", "write")],
    status_code=202,
    opt={"idempotent": True},
    summary="Mail an attendee a new private link",
    tags=TAGS,
)
async def send_link(
    event_id: FromPath[UUID], attendee_id: FromPath[UUID], links: NamedDependency[Links]
) -> Done:
    """Earlier links go on working until they are revoked."""
    await links.send(event_id, attendee_id)
    return Done()


@post(
    "/me/revoke",
    guards=_ME,
    status_code=200,
    summary="End all links and sessions of this person, this one too",
    tags=TAGS,
)
async def revoke_links(
    attendee: NamedDependency[Attendee],
    attendee_tokens: NamedDependency[AttendeeTokens],
) -> Done:
    """Sockets close within a second."""
    await attendee_tokens.revoke(attendee.attendee_id)
    return Done()


@get("/me", guards=_ME, summary="The person, the event, the tickets", tags=TAGS)
async def read_me(
    attendee: NamedDependency[Attendee], mine: NamedDependency[Mine]
) -> MeView:
    """Two statements."""
    found, tickets = await mine.me(attendee)
    return MeView(found, tickets)


@patch("/me", guards=_ME, summary="Change one's own profile", tags=TAGS)
async def change_me(
    data: JSONBody[Profile],
    attendee: NamedDependency[Attendee],
    mine: NamedDependency[Mine],
) -> Me:
    """Names belong to the ticket and are not changed here."""
    return await mine.save(attendee, data)


@get("/me/agenda", guards=_ME, summary="The programme and what is mine", tags=TAGS)
async def read_agenda(
    attendee: NamedDependency[Attendee], mine: NamedDependency[Mine]
) -> list[MySession]:
    """By start; `mine` is the state of one's own registration, or null."""
    return await mine.agenda(attendee)


@post(
    "/me/sessions/{session_id:uuid}/register",
    guards=_ME,
    status_code=200,
    summary="Take a seat in a session, or a place in its waitlist",
    tags=TAGS,
)
async def register_session(
    session_id: FromPath[UUID],
    attendee: NamedDependency[Attendee],
    mine: NamedDependency[Mine],
    registrations: NamedDependency[Registrations],
) -> RegisterAnswer:
    """422 with the reason where there is neither."""
    body = RegisterBody(ticket_id=await mine.ticket(attendee))
    doer = _doer(attendee)
    return await registrations.register(doer, attendee.event_id, session_id, body)


@post(
    "/me/sessions/{session_id:uuid}/cancel",
    guards=_ME,
    status_code=200,
    summary="Give a seat back; the first who waits gets it at once",
    tags=TAGS,
)
async def cancel_session(
    session_id: FromPath[UUID],
    attendee: NamedDependency[Attendee],
    mine: NamedDependency[Mine],
    registrations: NamedDependency[Registrations],
) -> CancelAnswer:
    """404 `not_registered` for whoever never was."""
    ticket_id = await mine.ticket(attendee)
    doer = _doer(attendee)
    return await registrations.cancel(doer, attendee.event_id, session_id, ticket_id)


@get(
    "/me/tickets/{ticket_id:uuid}/qr.svg",
    guards=_ME,
    summary="The code of one's own ticket as an SVG picture",
    tags=TAGS,
)
async def read_qr(
    ticket_id: FromPath[UUID],
    attendee: NamedDependency[Attendee],
    mine: NamedDependency[Mine],
    printable: NamedDependency[PrintableCodes],
    pictures: NamedDependency[Pictures],
) -> Response[bytes]:
    """404 `code_not_kept` where the seller's code was not kept."""
    code = await printable.of(await mine.ticket(attendee, ticket_id))
    return Response(
        await pictures.svg(code.text),
        media_type="image/svg+xml",
        headers={"Cache-Control": "no-store"},
    )


@get("/me/materials", guards=_ME, summary="What this person may read", tags=TAGS)
async def read_materials(
    attendee: NamedDependency[Attendee], mine: NamedDependency[Mine]
) -> list[MyMaterial]:
    """By access level."""
    return await mine.materials(attendee)


@post(
    "/me/feedback",
    guards=_ME,
    status_code=200,
    summary="Say what one thinks of a session, or of the event",
    tags=TAGS,
)
async def give_feedback(
    data: JSONBody[FeedbackBody],
    attendee: NamedDependency[Attendee],
    feedback: NamedDependency[Feedback],
) -> Done:
    """After its end, for those who were there, once; to be changed for 24 hours."""
    await feedback.give(attendee, data)
    return Done()


@get(
    "/events/{event_id:uuid}/feedback-summary",
    guards=[requires("analytics", "read")],
    summary="Means of the feedback, hidden below five answers",
    tags=TAGS,
)
async def read_summary(
    event_id: FromPath[UUID], feedback: NamedDependency[Feedback]
) -> list[SummaryLine]:
    """The event itself first."""
    rows = await feedback.summary(event_id)
    return [msgspec.convert(dict(row), SummaryLine, strict=False) for row in rows]


@get("/me/people", guards=_ME, summary="People who want to be found", tags=TAGS)
async def list_people(
    attendee: NamedDependency[Attendee],
    networking: NamedDependency[Networking],
    turn: NamedDependency[Turn],
    q: Annotated[str, QueryParameter(max_length=80)] = "",
) -> Page[Person]:
    """Never an address; whoever was blocked is not there."""
    rows = await networking.people(attendee, q, turn.after_id, turn.limit)
    return turn.page(rows, lambda row: msgspec.convert(dict(row), Person), by_id)


@get("/me/connections", guards=_ME, summary="Requests from and to me", tags=TAGS)
async def list_connections(
    attendee: NamedDependency[Attendee], networking: NamedDependency[Networking]
) -> list[MyConnection]:
    """Newest first; an e-mail once both agreed."""
    return await networking.mine(attendee)


@post(
    "/me/connections",
    guards=_ME,
    status_code=200,
    summary="Ask somebody to meet",
    tags=TAGS,
)
async def ask_person(
    data: JSONBody[AskBody],
    attendee: NamedDependency[Attendee],
    networking: NamedDependency[Networking],
) -> Done:
    """Asking again changes nothing."""
    await networking.ask(attendee, data)
    return Done()


@post(
    "/me/connections/{connection_id:uuid}/answer",
    guards=_ME,
    status_code=200,
    summary="Accept, decline or block a request",
    tags=TAGS,
)
async def answer_person(
    connection_id: FromPath[UUID],
    data: JSONBody[AnswerBody],
    attendee: NamedDependency[Attendee],
    networking: NamedDependency[Networking],
) -> Done:
    """Who was declined or blocked is told neither."""
    await networking.answer(attendee, connection_id, data.act)
    return Done()


@post(
    "/me/connections/{connection_id:uuid}/meeting",
    guards=_ME,
    status_code=200,
    summary="Note where and when both meet",
    tags=TAGS,
)
async def set_meeting(
    connection_id: FromPath[UUID],
    data: JSONBody[MeetingBody],
    attendee: NamedDependency[Attendee],
    networking: NamedDependency[Networking],
) -> Done:
    """For connections that both agreed to."""
    await networking.meet(attendee, connection_id, data)
    return Done()


@get("/me/consents", guards=_ME, summary="What I allow", tags=TAGS)
async def read_consents(
    attendee: NamedDependency[Attendee], my_consents: NamedDependency[MyConsents]
) -> list[MyConsent]:
    """Empty for who came on somebody else's order."""
    return await my_consents.mine(attendee)


@post(
    "/me/consents",
    guards=_ME,
    status_code=200,
    summary="Allow something, or take it back",
    tags=TAGS,
)
async def set_consent(
    data: JSONBody[ConsentBody],
    attendee: NamedDependency[Attendee],
    my_consents: NamedDependency[MyConsents],
) -> list[MyConsent]:
    """A row of the ledger; the same again writes nothing."""
    return await my_consents.set(attendee, data)


def _doer(attendee: Attendee) -> Doer:
    """The attendee, who may do for his own ticket what a steward may for any."""
    return Doer(Actor("attendee", attendee.attendee_id), STEWARD)


def _address(request: Request[Any, Any, Any]) -> str:
    address: str = request.scope["client_address"]  # type: ignore[typeddict-item]
    return address


ROUTES: tuple[Any, ...] = (
    ask_code,
    redeem_code,
    send_link,
    revoke_links,
    read_me,
    change_me,
    read_agenda,
    register_session,
    cancel_session,
    read_qr,
    read_materials,
    give_feedback,
    read_summary,
    list_people,
    list_connections,
    ask_person,
    answer_person,
    set_meeting,
    read_consents,
    set_consent,
)
