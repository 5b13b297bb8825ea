"""The sample conference: everything an evening needs, from one seed. Pure.

The same seed, number and opening time give the same rows, so that a demo that was
stopped finds its tickets again without having kept their codes anywhere.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from ops.dev import kinds, layout, programme, seeds
from ops.dev.layout import Ids, SampleDevice
from ops.dev.people import People
from ops.dev.programme import Timetable
from ops.dev.sales import Sales, SampleTicket, Sign
from ops.dev.tables import Table


class Evening(msgspec.Struct, frozen=True):
    """One event of the demo: its ids by key, its tickets, and its rows.

    `tables` are in the order of their references; the venue's stands first and is
    there already when this is not the first evening.
    """

    seed: int
    number: int
    title: str
    timetable: Timetable
    ids: Ids
    devices: list[SampleDevice]
    tickets: list[SampleTicket]
    enrolment_code: str
    tables: list[Table]


def build(
    seed: int,
    number: int,
    timetable: Timetable,
    people: People,
    sign: Sign,
    secret_key: str,
    kind: str = "conference",
) -> Evening:
    """The evening of that number.

    Args:
        number: 1 for the first; later ones are new events of the same people.
        sign: makes the code of a ticket's first issue.
        secret_key: the installation's, for the hashes of PINs and pairing codes.
        kind: conference, festival or club (`ops.dev.kinds`).
    """
    rng = seeds.rng(seed, "evening", number)
    made_at = timetable.opens_at - timedelta(minutes=1)
    make_id = _Counter(rng, made_at)
    ids = Ids(
        event=make_id(),
        areas={spec.key: make_id() for spec in programme.AREAS},
        gates={spec.key: make_id() for spec in programme.GATES},
        sessions={spec.key: make_id() for spec in programme.SESSIONS},
        types={spec.key: make_id() for spec in programme.TYPES},
    )
    title = f"Lakeshore Conference, evening {number}"
    devices = _devices(rng, make_id)
    enrolment_code = seeds.code(rng)
    scopes, rules = layout.scopes(ids, make_id, timetable)
    device_rows, device_links = layout.devices(ids, devices, timetable, secret_key)
    sales = Sales(rng, ids, make_id, sign, made_at)
    tables = [
        layout.venue(),
        layout.event(ids, title, seed, number, timetable, kind),
        layout.areas(ids),
        layout.sessions(ids, timetable),
        scopes,
        layout.gates(ids),
        layout.types(ids, timetable),
        rules,
        *sales.sell(people),
        layout.operators(ids, make_id, secret_key),
        layout.enrolment(ids, make_id(), enrolment_code, timetable, secret_key),
        device_rows,
        device_links,
    ]
    return Evening(
        seed,
        number,
        kinds.title_of(kind, title, number),
        timetable,
        ids,
        devices,
        sales.tickets,
        enrolment_code,
        kinds.dress(kind, number, tables),
    )


class _Counter:
    """Ids of one evening, in the order in which they were asked for."""

    def __init__(self, rng: random.Random, at: datetime) -> None:
        self._rng, self._at, self._count = rng, at, 0

    def __call__(self) -> UUID:
        self._count += 1
        return seeds.uuid7(self._rng, self._at + timedelta(milliseconds=self._count))


def _devices(rng: random.Random, make_id: _Counter) -> list[SampleDevice]:
    found: list[SampleDevice] = []
    for gate in programme.GATES:
        for name in gate.devices:
            found.append(
                SampleDevice(
                    make_id(),
                    name,
                    gate.key,
                    seeds.code(rng),
                    f"sample-{name.lower().replace(' ', '-')}",
                    programme.pin(len(found) % len(programme.OPERATORS)),
                )
            )
    return found
