"""The generic API over HTTP: contacts and companies as any other resource."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest

from ops.db.engine import Database
from tests.integration.crm.crm_kit import LONG
from tests.integration.people.people_kit import sign_in, user

API = "/api/v1"
Bearer = dict[str, str]


def person(n: int = 1, **more: object) -> dict[str, object]:
    return {
        "first_name": "Zoë",
        "last_name": "O'Brien-Łukasz",
        "email": f"zoe{n}@example.org",
        **more,
    }


async def made(http: httpx.AsyncClient, bearer: Bearer, **more: object) -> dict:
    answer = await http.post(f"{API}/contacts", json=person(**more), headers=bearer)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_row_is_made_read_changed_and_marked(
    http: httpx.AsyncClient, bearer: Bearer, owner: UUID
) -> None:
    row = await made(http, bearer, email=" ZOE@Example.ORG ", lead_score=7)
    assert row["email"] == "zoe@example.org"
    assert row["status"] == "active"
    assert row["created_by"] == str(owner)
    at = f"{API}/contacts/{row['id']}"
    read = await http.get(at, headers=bearer)
    assert read.json() == row
    assert read.headers["etag"] == f'"{row["etag"]}"'
    changed = await http.patch(at, json={"phone": "+1 416 555 0100"}, headers=bearer)
    assert changed.json()["phone"] == "+1 416 555 0100"
    assert changed.json()["etag"] != row["etag"]
    gone = await http.delete(at, headers=bearer)
    assert gone.json() == {"id": row["id"], "gone": False}
    assert (await http.get(at, headers=bearer)).json()["status"] == "deleted"


async def test_a_change_on_an_old_version_is_refused(
    http: httpx.AsyncClient, bearer: Bearer
) -> None:
    row = await made(http, bearer)
    at = f"{API}/contacts/{row['id']}"
    old = {**bearer, "If-Match": f'"{row["etag"]}"'}
    first = await http.patch(at, json={"city": "Montréal"}, headers=old)
    assert first.status_code == 200
    second = await http.patch(at, json={"city": "Łódź"}, headers=old)
    assert second.status_code == 412
    assert second.json()["code"] == "changed_meanwhile"
    assert second.headers["etag"] == first.headers["etag"]
    # The negative control: without the header the last one wins.
    assert (
        await http.patch(at, json={"city": "Łódź"}, headers=bearer)
    ).status_code == 200
    assert (await http.delete(at, headers=old)).status_code == 412


@pytest.mark.parametrize(
    ("body", "status", "field", "code"),
    [
        ({"status": "asleep"}, 422, "status", "not_allowed"),
        ({"lead_score": 101}, 422, "lead_score", "out_of_range"),
        ({"email": "nobody"}, 422, "email", "bad_value"),
        ({"company_id": str(uuid4())}, 422, "company_id", "unknown_reference"),
        ({"first_name": "  "}, 422, "first_name", "missing"),
        ({"date_of_birth": "1066-10-14"}, 422, "date_of_birth", "out_of_range"),
        ({"city": "a\x00b"}, 422, "city", "nul_character"),
        ({"city": "x" * 20_001}, 422, "city", "too_long"),
        ({"lead_score": "7"}, 400, "lead_score", "wrong_type"),
        ({"nothing": 1}, 400, "nothing", "unknown_field"),
        ({"created_by": str(uuid4())}, 400, "created_by", "unknown_field"),
        ({"id": str(uuid4())}, 400, "id", "unknown_field"),
    ],
)
async def test_what_the_schema_forbids_names_its_field(
    http: httpx.AsyncClient,
    bearer: Bearer,
    body: dict[str, object],
    status: int,
    field: str,
    code: str,
) -> None:
    answer = await http.post(f"{API}/contacts", json=person(**body), headers=bearer)
    assert answer.status_code == status, answer.text
    [problem] = answer.json()["errors"]
    assert (problem["field"], problem["code"]) == (field, code)
    if code == "not_allowed":
        assert problem["allowed"] == ["active", "inactive", "blocked", "deleted"]


async def test_an_address_exists_once(http: httpx.AsyncClient, bearer: Bearer) -> None:
    await made(http, bearer)
    again = await http.post(f"{API}/contacts", json=person(), headers=bearer)
    assert again.status_code == 409
    assert again.json()["errors"][0]["field"] == "email"


async def test_money_is_exact(http: httpx.AsyncClient, bearer: Bearer) -> None:
    async def company(amount: object) -> httpx.Response:
        return await http.post(
            f"{API}/companies",
            json={"name": "Łódź & Fils", "annual_revenue": amount},
            headers=bearer,
        )

    assert (await company("1250000.10")).json()["annual_revenue"] == "1250000.10"
    for wrong, code in (
        ("0.123", "too_precise"),
        ("99999999999999.00", "out_of_range"),
        ("NaN", "bad_value"),
    ):
        answer = await company(wrong)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["code"] == code


async def test_history_holds_a_row_back(
    http: httpx.AsyncClient, bearer: Bearer
) -> None:
    company = (
        await http.post(f"{API}/companies", json={"name": LONG}, headers=bearer)
    ).json()
    await made(http, bearer, company_id=company["id"])
    at = f"{API}/companies/{company['id']}"
    held = await http.delete(at, headers=bearer)
    assert held.status_code == 409
    assert held.json()["code"] == "has_history"
    assert held.json()["errors"][0]["field"] == "contacts"
    free = (
        await http.post(f"{API}/companies", json={"name": "Free"}, headers=bearer)
    ).json()
    at = f"{API}/companies/{free['id']}"
    assert (await http.delete(at, headers=bearer)).json()["gone"] is True
    assert (await http.get(at, headers=bearer)).status_code == 404


async def test_what_the_house_writes_is_no_change_of_somebody_else(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    row = await made(http, bearer, phone="+1 416 555 0199")
    at = f"{API}/contacts/{row['id']}"
    old = {**bearer, "If-Match": f'"{row["etag"]}"'}
    near = await http.get(f"{at}/duplicates", headers=bearer)
    assert near.status_code == 200
    call = {"interaction_type": "phone", "contact_id": row["id"]}
    assert (
        await http.post(f"{API}/interactions", json=call, headers=bearer)
    ).status_code == 201
    now = (await http.get(at, headers=bearer)).json()
    assert now["phone_normal"] == "+14165550199"
    assert now["last_contacted_at"] is not None
    kept = await http.patch(at, json={"city": "Łódź"}, headers=old)
    assert kept.status_code == 200, kept.text
    # The negative control: what a person changed is another version.
    lost = await http.patch(at, json={"city": "Paris"}, headers=old)
    assert lost.status_code == 412


async def test_lists_filter_sort_search_and_go_on(
    http: httpx.AsyncClient, bearer: Bearer
) -> None:
    for n in range(7):
        await made(
            http,
            bearer,
            n=n,
            email=f"p{n}@example.org",
            lead_score=None if n in (2, 5) else n * 10,
            last_name={3: "小龙", 1: "O’Brien"}.get(n, f"Łukasz{n}"),
        )

    async def names(query: str) -> list[str]:
        answer = await http.get(f"{API}/contacts?{query}", headers=bearer)
        assert answer.status_code == 200, answer.text
        return [item["email"][1] for item in answer.json()["items"]]

    assert await names("") == list("6543210")
    assert await names("lead_score[gte]=40&sort=lead_score") == ["4", "6"]
    assert await names("lead_score[null]=true") == ["5", "2"]
    assert await names("email[in]=p1@example.org,p4@example.org") == ["4", "1"]
    assert await names("q=LUKASZ4") == ["4"]
    assert await names("q=zo%20p6@") == ["6"]
    assert await names("q=小龙") == ["3"]
    assert await names("q=小") == ["3"]
    for written in ("obrien", "O'Brien", "o’brien", "o%60brien", "brien"):
        assert await names(f"q={written}") == ["1"], written
    assert await names("last_name[starts]=Łukasz6") == ["6"]
    assert await names("q=%25") == []
    for order, wanted in (
        ("lead_score", "0134625"),
        ("-lead_score", "5264310"),
        ("last_name", None),
        ("-created_at", "6543210"),
        ("id", "0123456"),
    ):
        found: list[str] = []
        cursor = ""
        for _ in range(9):
            answer = await http.get(
                f"{API}/contacts?sort={order}&limit=2&fields=email{cursor}",
                headers=bearer,
            )
            page = answer.json()
            assert all(set(i) == {"id", "email", "etag"} for i in page["items"])
            found += [item["email"][1] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert sorted(found) == list("0123456"), order
        if wanted:
            assert "".join(found) == wanted, order


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("sort=city", "sort"),
        ("sort=--created_at", "sort"),
        ("fields=password", "fields"),
        ("nobody=1", "nobody"),
        ("lead_score[like]=1", "lead_score[like]"),
        ("lead_score=many", "lead_score"),
        ("status=asleep", "status"),
        ("cursor=AAAA", "cursor"),
        ("created_at[gt]=0001-01-01T00:00:00%2B14:00", "created_at[gt]"),
        ("city=%00", "query"),
        ("id=1", "id"),
    ],
)
async def test_a_wrong_parameter_is_named(
    http: httpx.AsyncClient, bearer: Bearer, query: str, field: str
) -> None:
    answer = await http.get(f"{API}/contacts?{query}", headers=bearer)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_bulk_answers_each_row(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    first = await made(http, bearer)
    operations: list[object] = [
        {"data": person(2)},
        {"data": person(3, lead_score=400)},
        {"data": person(1)},
        {"op": "update", "id": first["id"], "data": {"city": "Łódź"}},
        {"op": "update", "id": str(uuid4()), "data": {"city": "Łódź"}},
        {"op": "update", "id": first["id"], "if_match": "0", "data": {"city": "x"}},
        {"op": "delete", "id": first["id"]},
        {"op": "nothing"},
        7,
        {"data": person(4)},
    ]
    answer = await http.post(
        f"{API}/contacts/bulk", json={"operations": operations}, headers=bearer
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    statuses = [result["status"] for result in told["results"]]
    assert statuses == [201, 422, 409, 200, 404, 412, 200, 400, 400, 201]
    assert (told["done"], told["failed"]) == (4, 6)
    assert await database.pool.fetchval("SELECT count(*) FROM contacts") == 3
    many = {"operations": [{"data": person(n)} for n in range(10, 1011)]}
    too_many = await http.post(f"{API}/contacts/bulk", json=many, headers=bearer)
    assert too_many.status_code == 413


async def test_a_thousand_rows_at_once(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    rows = [{"data": person(n)} for n in range(1000)]
    rows[500] = {"data": person(500, email="bad")}
    answer = await http.post(
        f"{API}/contacts/bulk", json={"operations": rows}, headers=bearer, timeout=60
    )
    assert (answer.json()["done"], answer.json()["failed"]) == (999, 1)
    assert await database.pool.fetchval("SELECT count(*) FROM contacts") == 999


async def test_a_repeat_with_the_same_key_makes_one_row(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    headers = {**bearer, "Idempotency-Key": str(uuid4())}
    first = await http.post(f"{API}/contacts", json=person(), headers=headers)
    second = await http.post(f"{API}/contacts", json=person(), headers=headers)
    assert second.status_code == 201
    assert second.json() == first.json()
    assert await database.pool.fetchval("SELECT count(*) FROM contacts") == 1


async def test_every_change_is_in_the_audit_log(
    http: httpx.AsyncClient, bearer: Bearer, database: Database, owner: UUID
) -> None:
    row = await made(http, bearer)
    at = f"{API}/contacts/{row['id']}"
    await http.patch(at, json={"lead_score": 9, "city": "Łódź"}, headers=bearer)
    await http.delete(at, headers=bearer)
    log = await database.pool.fetch(
        "SELECT action, subject_id, detail, host(ip) AS ip FROM ops.audit_log"
        " WHERE target_id = $1 ORDER BY id",
        UUID(row["id"]),
    )
    assert [entry["action"] for entry in log] == [
        "contacts.create",
        "contacts.update",
        "contacts.delete",
    ]
    assert {(entry["subject_id"], entry["ip"]) for entry in log} == {
        (owner, "127.0.0.1")
    }
    assert log[1]["detail"]["before"]["lead_score"] == 0
    assert log[1]["detail"]["after"]["lead_score"] == 9
    assert "Łódź" not in str(log)


async def test_each_operation_of_a_bulk_needs_its_verb(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    """Sales write contacts and do not delete them, one by one or in bulk."""
    row = await made(http, bearer)
    await user(database, "sales@example.org", "sales")
    sales = await sign_in(http, "sales@example.org")
    operations = [
        {"op": "update", "id": row["id"], "data": {"city": "Łódź"}},
        {"op": "delete", "id": row["id"]},
    ]
    answer = await http.post(
        f"{API}/contacts/bulk", json={"operations": operations}, headers=sales
    )
    assert [r["status"] for r in answer.json()["results"]] == [200, 403]
    alone = await http.delete(f"{API}/contacts/{row['id']}", headers=sales)
    assert alone.status_code == 403


async def test_an_address_is_found_by_its_beginning(
    http: httpx.AsyncClient, bearer: Bearer
) -> None:
    await made(http, bearer, n=1)
    await made(http, bearer, n=2)

    async def found(words: str) -> list[str]:
        page = await http.get(f"{API}/contacts?q={words}", headers=bearer)
        return [item["email"] for item in page.json()["items"]]

    assert await found("ZOE1@") == ["zoe1@example.org"]
    assert await found("zoe1@example.org") == ["zoe1@example.org"]
    assert await found("oe1@example.org") == []
    assert len(await found("@example.org")) == 2
