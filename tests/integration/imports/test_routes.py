"""The import and the QR pictures over HTTP."""

from __future__ import annotations

import io
import json

import httpx
import pytest
from openpyxl import Workbook

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.people_kit import Place, sign_in
from tests.integration.people.people_kit import user as make_user

FILE = "Code,Name,Email\n0042,Zoë,z@example.org\n1.2E+15,Bo,\n".encode()


def path(place: Place, what: str = "") -> str:
    return f"/api/v1/events/{place.event}/imports{what}"


async def test_a_preview_writes_nothing_an_import_does(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    preview = await http.post(path(place, "/preview"), content=FILE, headers=bearer)
    assert preview.status_code == 200, preview.text
    told = preview.json()
    assert (told["created"], told["bad"], told["mangled"]) == (1, 1, 1)
    assert told["columns"] == {"code": "Code", "name": "Name", "email": "Email"}
    assert told["problems"][0]["line"] == 3
    assert await database.pool.fetchval("SELECT count(*) FROM tickets") == 0
    done = await http.post(
        path(place), content=FILE, headers=bearer, params={"file_name": "guests.csv"}
    )
    assert done.status_code == 201, done.text
    assert done.json()["created"] == 1
    run = await database.pool.fetchrow("SELECT * FROM ops.import_runs")
    assert run is not None
    assert (str(run["id"]), run["file_name"]) == (done.json()["run_id"], "guests.csv")


async def test_the_same_key_imports_once_and_answers_the_same(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place
) -> None:
    headers = bearer | {"Idempotency-Key": str(uuid7())}
    answers = [
        await http.post(path(place), content=FILE, headers=headers) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


async def test_a_form_with_a_workbook_and_a_mapping(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place
) -> None:
    book = Workbook()
    for row in (["Losung", "Mensch"], ["007", "李小龙"]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    mapping = {"columns": {"code": "Losung", "name": "Mensch"}, "seller": "kiosk"}
    done = await http.post(
        path(place),
        files={"file": ("liste.xlsx", out.getvalue())},
        data={"mapping": json.dumps(mapping)},
        headers=bearer,
    )
    assert done.status_code == 201, done.text
    assert (done.json()["created"], done.json()["kind"]) == (1, "xlsx")


@pytest.mark.parametrize(
    ("content", "params", "code"),
    [
        (b"", {}, "no_file"),
        (b"PK\x03\x04broken", {}, "unreadable_file"),
        (FILE, {"mapping": "{"}, "malformed_body"),
        (FILE, {"mapping": '{"colums": {}}'}, "unknown_field"),
        (FILE, {"mapping": '{"columns": {"code": "X"}}'}, "bad_mapping"),
        (b"Colour,Size\nred,4\n", {}, "unknown_export"),
    ],
)
async def test_what_cannot_be_imported_is_named(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    place: Place,
    content: bytes,
    params: dict[str, str],
    code: str,
) -> None:
    answer = await http.post(
        path(place, "/preview"), content=content, params=params, headers=bearer
    )
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] == code


async def test_who_may_not_import_is_refused(
    http: httpx.AsyncClient, place: Place, database: Database
) -> None:
    assert (await http.post(path(place), content=FILE)).status_code == 401
    await make_user(database, "viewer@example.org", "viewer")
    viewer = await sign_in(http, "viewer@example.org")
    answer = await http.post(path(place), content=FILE, headers=viewer)
    assert answer.status_code == 403


async def test_a_body_beyond_the_limit_is_refused(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place
) -> None:
    answer = await http.post(
        path(place, "/preview"), content=b"x" * 64_000_001, headers=bearer
    )
    assert answer.status_code == 413


async def test_qr_pictures_of_imported_and_own_codes(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    await http.post(path(place), content=FILE, headers=bearer)
    ticket = await database.pool.fetchval("SELECT id FROM tickets")
    svg = await http.get(f"/api/v1/tickets/{ticket}/qr.svg", headers=bearer)
    png = await http.get(f"/api/v1/tickets/{ticket}/qr.png", headers=bearer)
    assert svg.headers["content-type"] == "image/svg+xml"
    assert png.content.startswith(b"\x89PNG")
    assert svg.headers["cache-control"] == "no-store"
    await database.pool.execute("UPDATE ops.ticket_codes SET text_sealed = NULL")
    gone = await http.get(f"/api/v1/tickets/{ticket}/qr.svg", headers=bearer)
    assert (gone.status_code, gone.json()["code"]) == (404, "code_not_kept")
    unknown = await http.get(f"/api/v1/tickets/{uuid7()}/qr.svg", headers=bearer)
    assert unknown.status_code == 404


async def test_own_codes_are_made_again_even_after_a_rotation(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    file = b"Order #,Attendee #,Ticket Type,Attendee Status\n1,2,Day,Attending\n"
    await http.post(path(place), content=file, headers=bearer)
    ticket = await database.pool.fetchval("SELECT id FROM tickets")
    url = f"/api/v1/tickets/{ticket}/qr.svg"
    kept = await http.get(url, headers=bearer)
    await database.pool.execute("UPDATE ops.ticket_codes SET text_sealed = NULL")
    made = await http.get(url, headers=bearer)
    assert kept.content == made.content
    address = await http.get(url, params={"form": "address"}, headers=bearer)
    assert address.status_code == 200
    assert address.content != made.content
