"""The tables under /admin: whoever may, no more, and nothing from elsewhere."""

from __future__ import annotations

import re

import httpx

from ops.crm.resources import RESOURCES
from ops.db.engine import Database
from tests.integration.crm.crm_kit import contact
from tests.integration.people.people_kit import sign_in, user


async def test_strangers_are_sent_to_the_sign_in(http: httpx.AsyncClient) -> None:
    answer = await http.get("/admin/contacts/list")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?next=/admin/contacts/list"


async def test_a_role_sees_its_tables_and_fields(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    await contact(database, "seen@example.org", phone="+1 416 555 0100")
    home = await http.get("/admin/", headers=bearer)
    for resource in RESOURCES:
        assert f"/admin/{resource.name}/list" in home.text
    await user(database, "liaison@example.org", "artist_liaison")
    liaison = await sign_in(http, "liaison@example.org")
    less = await http.get("/admin/", headers=liaison)
    assert "/admin/speakers/list" in less.text
    assert "/admin/users/list" not in less.text
    refused = await http.get("/admin/users/list", headers=liaison)
    assert refused.status_code == 403
    listed = await http.get("/admin/contacts/list", headers=bearer)
    assert "seen@example.org" in listed.text
    users = await http.get("/admin/users/list", headers=bearer)
    assert users.status_code == 200
    assert "argon2" not in users.text


async def test_no_script_without_the_nonce_and_nothing_from_elsewhere(
    http: httpx.AsyncClient, bearer: dict[str, str]
) -> None:
    for path in ("/admin/", "/admin/contacts/list", "/admin/contacts/create"):
        answer = await http.get(path, headers=bearer)
        [policy] = answer.headers.get_list("content-security-policy")
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce
        scripts = re.findall(r"<script([^>]*)>", answer.text)
        assert scripts
        assert all(f'nonce="{nonce[1]}"' in script for script in scripts)
        hosts = set(re.findall(r"https?://([\w.-]+)", answer.text)) - {"127.0.0.1"}
        assert {h for h in hosts if "w3.org" not in h} == set()
    other = await http.get("/admin/", headers=bearer)
    assert other.headers["content-security-policy"] != policy


async def test_a_form_without_its_token_changes_nothing(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    answer = await http.post(
        "/admin/venues/create", data={"name": "Forged"}, headers=bearer
    )
    assert answer.status_code == 403
    assert await database.pool.fetchval("SELECT count(*) FROM venues") == 0
