"""`ops user` as an organiser types it: afterwards that person can sign in."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from ops.commands import users
from ops.db.engine import Database
from ops.errors import SchemaOutdated
from ops.settings import Settings

ROOT = Path(__file__).parents[3]
NEW, FORGOTTEN = "the words of the first evening", "forgotten within the year"
OpsUser = Callable[..., Awaitable[subprocess.CompletedProcess[str]]]
WHO = "Siobhan.OBrien@example.org"


@pytest.fixture
def ops_user(database_url: str, redis_url: str, tmp_path: Path) -> OpsUser:
    """Run the command with these words and this line on its standard input."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OPS_")}
    stores = {
        "OPS_DATABASE_URL": database_url,
        "OPS_REDIS_URL": redis_url,
        "OPS_DATA_DIR": str(tmp_path),
    }

    def run(*words: str, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ops.cli", "user", *words],
            input=line + "\n",
            env={**clean, **stores, "COLUMNS": "120"},
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )

    async def beside(*words: str, line: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(run, *words, line=line)

    return beside


async def login(http: httpx.AsyncClient, password: str) -> httpx.Response:
    answer = await http.post(
        "/api/v1/auth/login", json={"email": WHO, "password": password}
    )
    http.cookies.clear()
    return answer


async def test_the_first_user_signs_in_and_finds_the_way_back(
    http: httpx.AsyncClient, ops_user: OpsUser, database: Database
) -> None:
    assert (await login(http, FORGOTTEN)).status_code == 401
    made = await ops_user(WHO, "--name", "Siobhán O'Brien-Łukasz", line=FORGOTTEN)
    assert (made.returncode, made.stderr) == (0, "")
    assert FORGOTTEN not in made.stdout
    signed_in = (await login(http, FORGOTTEN)).json()["user"]
    assert signed_in["role"] == "owner"
    again = await ops_user(WHO, "--role", "door_manager", line=NEW)
    assert again.returncode == 0
    assert (await login(http, FORGOTTEN)).status_code == 401
    assert (await login(http, NEW)).json()["user"]["role"] == "door_manager"
    row = await database.pool.fetchrow(
        "SELECT count(*) AS n, min(last_name) AS name FROM users WHERE email = $1",
        WHO.lower(),
    )
    assert (row["n"], row["name"]) == (1, "O'Brien-Łukasz")


@pytest.mark.parametrize(
    ("words", "line", "said"),
    [
        ((WHO,), "short", "password"),
        ((WHO, "--role", "king"), NEW, "The role is one of: owner"),
        (("nobody",), NEW, "no address"),
    ],
)
async def test_a_mistake_is_one_line_and_makes_nobody(
    ops_user: OpsUser,
    database: Database,
    words: tuple[str, ...],
    line: str,
    said: str,
) -> None:
    done = await ops_user(*words, line=line)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("ops: ")
    assert done.stderr.count("\n") == 1
    assert await database.pool.fetchval("SELECT count(*) FROM users") == 0


def test_the_schema_comes_first_and_is_said_to(empty_database_url: str) -> None:
    """It was a traceback: the database has no users yet."""
    settings = Settings(database_url=empty_database_url)
    with pytest.raises(SchemaOutdated, match="ops db upgrade"):
        users.add(settings, WHO, "owner", NEW, "", "en")
