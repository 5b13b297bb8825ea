"""Files into rows: mapping, preview, per-row errors, upsert, and there and back."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from ops.crm.columns import mapped, value_of
from ops.crm.resources import BY_NAME
from ops.db.engine import Database
from ops.errors import Unprocessable
from tests.integration.crm.rows import make

API = "/api/v1"
FILE = """Prénom;Nom;Courriel;Entreprise;Téléphone;Remarque
Zoë;O'Brien-Łukasz;ZOE@example.org;Łódź & Fils;'+1 416 555 0100;x
李;小龙;li@example.org;łódź & fils;;
;;nobody;;;
Ana;Måns;zoe@example.org;;;
Émile;Noël;emile@example.org;;;
"""


async def sent(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    name: str,
    text: str,
    *,
    dry_run: bool = False,
    mapping: dict[str, Any] | None = None,
) -> dict[str, Any]:
    query = f"dry_run={str(dry_run).lower()}"
    if mapping:
        query += f"&mapping={quote(json.dumps(mapping))}"
    answer = await http.post(
        f"{API}/{name}/import?{query}", content=text.encode(), headers=bearer
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def count(database: Database, table: str) -> int:
    return int(await database.pool.fetchval(f"SELECT count(*) FROM {table}"))


async def test_a_preview_tells_and_writes_nothing_then_the_import_does_it(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    seen = await sent(http, bearer, "contacts", FILE, dry_run=True)
    assert seen["columns"]["Courriel"] == "email"
    assert seen["columns"]["Entreprise"] == "company"
    assert seen["ignored"] == ["Remarque"]
    assert seen["key"] == "email"
    assert await count(database, "contacts") == 0
    assert await count(database, "companies") == 0
    done = await sent(http, bearer, "contacts", FILE)
    for told in (seen, done):
        counts = [told[k] for k in ("rows_total", "created", "changed", "bad")]
        assert counts == [5, 3, 1, 1]
        assert {(p["line"], p["field"]) for p in told["problems"]} == {
            (4, "first_name")
        } or {p["line"] for p in told["problems"]} == {4}
    rows = await database.pool.fetch(
        "SELECT c.first_name, c.email, c.phone, k.name FROM contacts c"
        " LEFT JOIN companies k ON k.id = c.company_id ORDER BY c.email"
    )
    assert [tuple(row) for row in rows] == [
        ("Émile", "emile@example.org", None, None),
        ("李", "li@example.org", None, "Łódź & Fils"),
        ("Ana", "zoe@example.org", "+1 416 555 0100", "Łódź & Fils"),
    ]
    again = await sent(http, bearer, "contacts", FILE)
    assert (again["created"], again["bad"]) == (0, 1)
    log = await database.pool.fetchval(
        "SELECT count(*) FROM ops.audit_log WHERE action = 'contacts.create'"
    )
    assert log == 3


async def test_a_mapping_counts(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    ids: dict[str, str] = {}
    for name in ("events", "ticket_types", "contacts"):
        await make(http, bearer, name, ids)
    kind = (
        await http.get(f"{API}/ticket_types/{ids['ticket_types']}", headers=bearer)
    ).json()
    mapping = {
        "columns": {"No": "external_ref", "Sort": "ticket_type", "Price": "price"},
        "fixed": {"event_id": ids["events"]},
    }
    text = f'No,Sort,Price\nT-1,{kind["name"]},"1.250,50 $"\nT-2,nothing,1\n'
    done = await sent(http, bearer, "tickets", text, mapping=mapping)
    assert (done["created"], done["bad"]) == (1, 1)
    assert done["problems"][0]["field"] == "ticket_type"
    ticket = await database.pool.fetchrow("SELECT id, price FROM tickets")
    assert str(ticket["price"]) == "1250.50"
    codes = await count(database, "ops.ticket_codes")
    assert codes == 1
    contact = (
        await http.get(f"{API}/contacts/{ids['contacts']}", headers=bearer)
    ).json()
    leads = await sent(
        http,
        bearer,
        "leads",
        f"lead_source,contact_email,company\nevent,{contact['email']},New one\n",
    )
    assert leads["created"] == 1
    assert await count(database, "companies") == 1
    wrong = await http.post(
        f"{API}/contacts/import?mapping="
        + quote(json.dumps({"columns": {"None": "email"}})),
        content=FILE.encode(),
        headers=bearer,
    )
    assert wrong.status_code == 422


async def test_what_was_exported_comes_back_unchanged(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    for n, phone in enumerate(("+1 416 555 0100", "=1+1", "-5", "@x", None)):
        await http.post(
            f"{API}/contacts",
            json={
                "first_name": "=cmd" if n else "'quoted",
                "last_name": "x",
                "email": f"p{n}@example.org",
                "phone": phone,
            },
            headers=bearer,
        )
    columns = "fields=first_name,last_name,email,phone"
    file = await http.get(f"{API}/contacts/export.csv?{columns}", headers=bearer)
    back = await sent(http, bearer, "contacts", file.text)
    assert (back["unchanged"], back["changed"], back["bad"]) == (5, 0, 0)


def test_two_headers_for_one_column_are_refused() -> None:
    with pytest.raises(Unprocessable):
        mapped(BY_NAME["contacts"], ["a", "b"], {"a": "email", "b": "email"})


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12 500,50 $", "12500.50"), ("12,500.50", "12500.50"), ("1,250", "1250")],
)
def test_a_price_is_read_as_people_write_it(cell: str, value: str) -> None:
    field = BY_NAME["companies"].fields["annual_revenue"]
    assert str(value_of(field, cell)) == value
