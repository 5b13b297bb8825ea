"""Whatever the OpenAPI document allows, and what it does not: no answer is a 5xx.

`make fuzz` asks longer (FUZZ_EXAMPLES), of a part of the addresses if told (FUZZ_ONLY):
a whole night fits into no test's time. Requests are made from the schema by
schemathesis, half of them with ids of rows that are there.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from litestar import Litestar, get
from schemathesis import GenerationMode

from ops.app import build
from ops.auth.guards import public
from ops.runtime import Runtime
from tests.integration.crm.rows import world
from tests.integration.people.people_kit import OWNER, PASSWORD
from tests.serving import served

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1"))
ONLY = os.environ.get("FUZZ_ONLY", "")
ENDS_A_SESSION = "/api/v1/auth/logout"
"""Asked with a session of its own each time. Nothing is left out: nobody can close out
himself, so whoever may change users is still there at the end.
"""
NOT_NOW = {503}
"""A door whose store is slow under this load says so; it is no fault. Who is told so
again and again is: then it is the request that no store can answer in time."""
ASKED_AGAIN, PAUSE_S = 3, 1.0


def faults(
    document: dict[str, Any],
    base_url: str,
    headers: dict[str, str],
    ids: dict[str, str],
    examples: int,
    sign_in: Callable[[], dict[str, str]] = dict,
) -> tuple[int, list[str]]:
    """Ask each operation; how many requests, and which were answered with a 5xx.

    Args:
        sign_in: the headers of a session that may be ended.
    """
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=base_url)
    known = {f"{name[:-1]}_id": value for name, value in ids.items()}
    known["company_id"] = ids.get("companies", "")
    chance = random.Random(1)
    asked, wrong = 0, []

    def ask(case: Any) -> None:
        nonlocal asked
        for name, value in known.items():
            if name in (case.path_parameters or {}) and chance.random() < 0.5:
                case.path_parameters[name] = value
        own = sign_in() if case.path == ENDS_A_SESSION else headers
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = case.call(headers=own, timeout=30)
            for _ in range(ASKED_AGAIN):
                if answer.status_code not in NOT_NOW:
                    break
                time.sleep(PAUSE_S)
                answer = case.call(headers=own, timeout=30)
        asked += 1
        if answer.status_code >= 500:
            sent = f"{case.method} {case.path} {case.query} {str(case.body)[:300]}"
            wrong.append(f"{answer.status_code} {sent}")

    for result in schema.get_all_operations():
        operation = result.ok()
        # An export has the parameters of its list, and takes as long to make up.
        quick = examples < 5 and operation.path.endswith("/export.csv")
        if quick or ONLY not in operation.path:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _ask_with(operation.as_strategy(generation_mode=mode), examples, ask)
            except Unsatisfiable:
                continue
    return asked, wrong


def _ask_with(strategy: Any, examples: int, ask: Any) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def test(case: Any) -> None:
        ask(case)

    test()


def _imported(document: dict[str, Any]) -> None:
    """Load what schemathesis loads at its first use, in this thread.

    Its modules are a plugin's, so pytest parses them; Python 3.11 breaks off when two
    threads parse at once ("AST constructor recursion depth mismatch").
    """
    schema = schemathesis.openapi.from_dict(document)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        next(schema.get_all_operations()).ok().as_strategy(generation_mode=mode)


@pytest.mark.timeout(1_800 * EXAMPLES)
async def test_nothing_is_answered_with_a_fault(
    http: httpx.AsyncClient, bearer: dict[str, str], base_url: str
) -> None:
    ids = await world(http, bearer)
    document = (await http.get("/schema/openapi.json")).json()
    _imported(document)

    def sign_in() -> dict[str, str]:
        answer = httpx.post(
            f"{base_url}/api/v1/auth/login",
            json={"email": OWNER, "password": PASSWORD},
            trust_env=False,
        )
        if answer.status_code == 429:  # the fuzz signed in too often meanwhile
            return {}
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    asked, wrong = await asyncio.to_thread(
        faults, document, base_url, bearer, ids, EXAMPLES, sign_in
    )
    assert wrong == []
    assert asked > (0 if ONLY else 300)
    still = await http.get("/api/v1/auth/me", headers=bearer)
    assert still.status_code == 200, "the rest was asked by nobody"


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError(), 500), (TimeoutError(), 503)]
)
async def test_a_fault_is_found(
    runtime: Runtime, error: Exception, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a handler that breaks, or never has the time."""
    monkeypatch.setattr(f"{__name__}.PAUSE_S", 0.0)

    @get("/api/v1/broken", guards=[public], sync_to_thread=False)
    def broken() -> None:
        raise error

    app: Litestar = build(runtime)
    app.register(broken)
    whole = app.openapi_schema.to_schema()
    document = {**whole, "paths": {"/api/v1/broken": whole["paths"]["/api/v1/broken"]}}
    async with served(app, lifespan=True) as url:
        _, wrong = await asyncio.to_thread(faults, document, url, {}, {}, 1)
    assert wrong
    assert wrong[0].startswith(f"{status} GET /api/v1/broken")
