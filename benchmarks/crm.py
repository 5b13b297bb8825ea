"""The CRM over HTTP: lists, searches, changes, files, and the door beside it."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.crm_data import BUSY, EMAIL, PASSWORD, RARE, fill
from benchmarks.figure import Figure, Target, paired
from benchmarks.house import House, Role
from benchmarks.scans import Door

API = "/api/v1"
ASKED = 40
USERS, PAUSE_S = 20, 0.5
"""CRM users beside the door: each asks, reads half a second at the mean, goes on."""
LISTS = {
    "newest contacts": "contacts?labels=true",
    "contacts by name, filtered": (
        "contacts?status=active&contact_type=vip&sort=last_name"
    ),
    "contacts by score": "contacts?sort=-lead_score&lead_score[gte]=50",
    "search: a common word": "contacts?q=tremblay",
    "search: a rare word": f"contacts?q={RARE.lower()}",
    "search: two words, accents aside": "contacts?q=zoe+lukasz-77",
    "search: nobody": "contacts?q=xqzwv+qqq",
    "search: one letter of Chinese": "contacts?q=李",
    "search: an address": "contacts?q=person4711@",
    "newest interactions": "interactions?labels=true",
    "tickets of an event": "tickets?sort=-created_at&limit=100",
}
SEGMENTS: dict[str, dict[str, Any]] = {
    "came twice": {"type": "attended", "at_least": 2},
    "VIP": {"type": "vip"},
    "did not come last time": {"type": "no_show_last_time"},
    "spent more than 300": {"type": "spent", "more_than": "300"},
    "of large companies": {
        "type": "field",
        "field": "company_size",
        "op": "in",
        "value": ["large"],
    },
    "everybody in a city": {"type": "field", "field": "city", "value": "Toronto"},
    "five conditions": {
        "type": "all",
        "of": [
            {"type": "attended", "at_least": 2},
            {"type": "not", "that": {"type": "no_show_last_time"}},
            {"type": "spent", "more_than": "100", "within_days": 400},
            {"type": "consent", "purpose": "marketing"},
            {"type": "any", "of": [{"type": "tag", "tag": "regular"}, {"type": "vip"}]},
        ],
    },
}


class Desk:
    """An api process, a signed-in user, and one connection to it."""

    def __init__(self, house: House, api: Role, http: httpx.AsyncClient) -> None:
        self.house, self.api, self.http = house, api, http

    async def median_ms(self, ask: Callable[[], Awaitable[Any]], times: int) -> float:
        """The median time of an answer; the first three are not counted."""
        taken = []
        for _ in range(times + 3):
            at = time.perf_counter()
            answer = await ask()
            taken.append((time.perf_counter() - at) * 1000)
            assert answer.status_code < 300, answer.text
        return median(taken[3:])


async def signed_in(port: int) -> httpx.AsyncClient:
    """A client of the api process with the user's token."""
    http = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60
    )
    answer = await http.post(
        f"{API}/auth/login", json={"email": EMAIL, "password": PASSWORD}
    )
    http.cookies.clear()
    http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return http


async def crm(door: Door, contacts: int, rounds: int, seconds: float) -> list[Figure]:
    """All figures of the CRM, at so many contacts."""
    await fill(door.house.db, contacts)
    http = await signed_in(door.api.port)
    desk = Desk(door.house, door.api, http)
    try:
        return [
            *await lists(desk, contacts),
            await timeline(desk),
            *await segments(desk, contacts),
            *await changes(desk, rounds),
            await file_of_all(desk, contacts),
            await beside(door, rounds, seconds),
        ]
    finally:
        await http.aclose()


async def lists(desk: Desk, contacts: int) -> list[Figure]:
    """The median of each list and search, and of a page far behind."""
    figures = []
    for name, path in LISTS.items():
        value = await desk.median_ms(lambda p=path: desk.http.get(f"{API}/{p}"), ASKED)
        figures.append(
            Figure(f"{name} ({contacts:,})", value, "ms", target=Target("at most", 50))
        )
    cursor = ""
    for _ in range(20):
        page = await desk.http.get(f"{API}/contacts?sort=last_name&limit=200{cursor}")
        cursor = f"&cursor={page.json()['next_cursor']}"
    far = f"{API}/contacts?sort=last_name&limit=50{cursor}"
    value = await desk.median_ms(lambda: desk.http.get(far), ASKED)
    figures.append(
        Figure("a page behind 4,000 rows", value, "ms", target=Target("at most", 50))
    )
    return figures


async def timeline(desk: Desk) -> Figure:
    """The slowest page of the timeline of a contact with a thousand entries."""
    rows = (await desk.http.get(f"{API}/contacts?q={BUSY}")).json()["items"]
    path = f"{API}/contacts/{rows[0]['id']}/timeline?limit=50"
    entries, pages = 0, [path]
    while True:
        page = (await desk.http.get(pages[-1])).json()
        entries += len(page["items"])
        if page["next_cursor"] is None:
            break
        pages.append(f"{path}&cursor={page['next_cursor']}")
    assert entries >= 1_000, entries
    values = [
        await desk.median_ms(lambda p=page: desk.http.get(p), ASKED // 4)  # type: ignore[misc]
        for page in pages
    ]
    return Figure(
        f"timeline of {entries:,} entries, the slowest page",
        max(values),
        "ms",
        target=Target("at most", 100),
        details={"first_ms": values[0], "pages": len(pages)},
    )


async def segments(desk: Desk, contacts: int) -> list[Figure]:
    """The time that counting a segment takes."""
    figures = []
    for name, conditions in SEGMENTS.items():
        body = {"conditions": conditions}
        found = await desk.http.post(f"{API}/segments/preview", json=body)
        value = await desk.median_ms(
            lambda b=body: desk.http.post(f"{API}/segments/preview", json=b),  # type: ignore[misc]
            5,
        )
        figures.append(
            Figure(
                f"segment: {name} ({contacts:,})",
                value,
                "ms",
                target=Target("at most", 1_000),
                details={"count": found.json()["count"]},
            )
        )
    return figures


def person() -> dict[str, str]:
    """A contact that is not there yet."""
    return {
        "first_name": "Zoë",
        "last_name": "O'Brien-Łukasz",
        "email": f"{uuid4().hex}@example.org",
    }


async def changes(desk: Desk, rounds: int) -> list[Figure]:
    """Each verb beside a hand-written handler of one statement, measured in turns."""
    row = (await desk.http.post(f"{API}/contacts", json=person())).json()
    at, hand = f"{API}/contacts/{row['id']}", f"{API}/by-hand/{row['id']}"
    http = desk.http

    def city() -> dict[str, str]:
        return {"city": f"Łódź {random.random()}"}

    verbs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "read a contact": (lambda: http.get(at), lambda: http.get(hand)),
        "create a contact": (
            lambda: http.post(f"{API}/contacts", json=person()),
            lambda: http.post(f"{API}/by-hand", json=person()),
        ),
        "change a contact": (
            lambda: http.patch(at, json=city()),
            lambda: http.patch(hand, json=city()),
        ),
    }
    figures = []
    for name, (ours, theirs) in verbs.items():
        mine, others = [], []
        for _ in range(rounds):
            mine.append(await desk.median_ms(ours, ASKED))
            others.append(await desk.median_ms(theirs, ASKED))
        figures.append(
            paired(name, "ms", mine, others, "by hand", Target("at most", 2.0))
        )
    return figures


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def file_of_all(desk: Desk, contacts: int) -> Figure:
    """The growth of the api process while it exports every contact."""
    before, most, rows = rss_mib(desk.api.pid), 0.0, 0
    started_s = time.perf_counter()
    async with desk.http.stream(
        "GET", f"{API}/contacts/export.csv", timeout=3600
    ) as answer:
        async for chunk in answer.aiter_bytes():
            rows += chunk.count(b"\r\n")
            most = max(most, rss_mib(desk.api.pid))
    taken_s = time.perf_counter() - started_s
    assert rows > contacts, rows
    return Figure(
        f"memory of an export of {rows - 1:,} rows",
        most - before,
        "MiB",
        target=Target("at most", 32),
        details={"rows_per_s": rows / taken_s, "before_mib": before},
    )


async def beside(door: Door, rounds: int, seconds: float) -> Figure:
    """Scans a second with 20 CRM users beside, and alone, in turns."""
    alone, with_users, asked = [], [], []
    for _ in range(rounds):
        empty = await door.scan(int(6000 * seconds), seconds)
        alone.append(empty.per_s)
        stop = multiprocessing.Event()
        told: Any = multiprocessing.Queue()
        users = multiprocessing.Process(
            target=_users, args=(door.api.port, stop, told), daemon=True
        )
        users.start()
        await asyncio.to_thread(told.get)  # all are signed in
        with_users.append((await door.scan(int(6000 * seconds), seconds)).per_s)
        stop.set()
        asked.append(await asyncio.to_thread(told.get))
        await asyncio.to_thread(users.join)
    return paired(
        f"scans with {USERS} CRM users beside",
        "/s",
        with_users,
        alone,
        "scans alone",
        Target("at least", 0.7),
        crm_requests_per_s=[round(n / seconds) for n in asked],
    )


def _users(port: int, stop: Any, told: Any) -> None:
    asyncio.run(_work(port, stop, told))


async def _work(port: int, stop: Any, told: Any) -> None:
    http = await signed_in(port)
    row = (await http.post(f"{API}/contacts", json=person())).json()
    told.put("ready")
    counts = await asyncio.gather(*(_user(http, row["id"], stop) for _ in range(USERS)))
    await http.aclose()
    told.put(sum(counts))


async def _user(http: httpx.AsyncClient, contact: str, stop: Any) -> int:
    """One person at work until told to stop; how many requests."""
    count = 0
    paths = list(LISTS.values())
    while not stop.is_set():
        count += 1
        if count % 4 == 0:
            body = {"city": f"Łódź {random.random()}"}
            await http.patch(f"{API}/contacts/{contact}", json=body)
        else:
            await http.get(f"{API}/{random.choice(paths)}")
        await asyncio.sleep(random.expovariate(1 / PAUSE_S))
    return count
