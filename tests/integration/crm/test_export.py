"""Lists as files: formulas disarmed, the taking written down."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

from ops.crm.export import cell
from ops.db.engine import Database
from tests.integration.crm.crm_kit import contact
from tests.integration.people.people_kit import sign_in, user

API = "/api/v1"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1 416 555 0100", "-2", "@cmd", "\tx", "\rx", "|x", "%x"]
)
def test_a_formula_is_disarmed(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_other_cells_are_as_they_are() -> None:
    assert [cell(v) for v in ("O'Brien", "李小龙", None, True, -2, ["a", "b"])] == [
        "O'Brien", "李小龙", "", "true", "-2", '["a","b"]',
    ]  # fmt: skip


async def test_a_list_leaves_as_a_file(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    for n in range(2500):
        await contact(database, f"p{n}@example.org", first_name='=HYPERLINK("x")')
    answer = await http.get(
        f"{API}/contacts/export.csv?fields=first_name,email,created_at&sort=id",
        headers=bearer,
    )
    assert answer.status_code == 200
    assert "contacts.csv" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["first_name", "email", "created_at"]
    assert len(rows) == 2501
    assert rows[1][0] == '\'=HYPERLINK("x")'
    assert rows[2500][1] == "p2499@example.org"
    assert rows[1][2].endswith("Z")
    taken = await database.pool.fetchrow(
        "SELECT detail FROM ops.audit_log WHERE action = 'contacts.export'"
    )
    assert taken["detail"]["rows"] == 2500
    await user(database, "steward@example.org", "steward")
    steward = await sign_in(http, "steward@example.org")
    refused = await http.get(f"{API}/contacts/export.csv", headers=steward)
    assert refused.status_code == 403
