"""What tickets are good for, where it is redeemed, and the sums for who supplied it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.attendance.acting import Caller, House
from ops.attendance.credits import csv_line
from ops.audit.entry import Entry
from ops.errors import Unprocessable
from ops.ids import uuid7

Name = Annotated[str, Meta(min_length=1, max_length=100, examples=["Bière 🍺"])]
Age = Annotated[int, Meta(ge=1, le=120)]
Zoned = Annotated[datetime, Meta(tz=True)]

ADD_ITEM: Final = """
INSERT INTO ops.items (id, event_id, name, min_age, position, offline_units)
SELECT $1, e.id, $3, $4, $5, $6 FROM events e WHERE e.id = $2
RETURNING id, name, min_age, position, offline_units
"""
ADD_POINT: Final = """
INSERT INTO ops.redemption_points (id, event_id, name, area_id, item_id, vendor)
SELECT $1, e.id, $3, $4, $5, $6 FROM events e
 WHERE e.id = $2
   AND ($4::uuid IS NULL OR EXISTS (
        SELECT FROM ops.areas a WHERE a.id = $4 AND a.event_id = e.id))
   AND ($5::uuid IS NULL OR EXISTS (
        SELECT FROM ops.items i WHERE i.id = $5 AND i.event_id = e.id))
RETURNING id, name, area_id, item_id, vendor
"""
ADD_ENTITLEMENT: Final = """
INSERT INTO ops.entitlements (id, event_id, item_id, ticket_type_id, ticket_id, source,
                              quantity, starts_at, ends_at, min_age)
SELECT $1, i.event_id, i.id, $4, $5, $6, $7, $8, $9, $10 FROM ops.items i
 WHERE i.id = $3 AND i.event_id = $2
   AND ($4::uuid IS NULL OR EXISTS (
        SELECT FROM ticket_types k WHERE k.id = $4 AND k.event_id = $2))
   AND ($5::uuid IS NULL OR EXISTS (
        SELECT FROM tickets t WHERE t.id = $5 AND t.event_id = $2))
RETURNING id, item_id, ticket_type_id, ticket_id, source, quantity, starts_at, ends_at,
          min_age
"""
ITEMS: Final = """
SELECT id, name, min_age, position, offline_units FROM ops.items
 WHERE event_id = $1 ORDER BY position, name, id LIMIT 500
"""
POINTS: Final = """
SELECT id, name, area_id, item_id, vendor FROM ops.redemption_points
 WHERE event_id = $1 ORDER BY name, id LIMIT 500
"""
ENTITLEMENTS: Final = """
SELECT id, item_id, ticket_type_id, ticket_id, source, quantity, starts_at, ends_at,
       min_age
  FROM ops.entitlements
 WHERE event_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
"""
LEFT: Final = """
SELECT i.id AS item_id, i.name AS item, sum(e.units)::int AS units,
       (sum(e.units) - coalesce(max(u.taken), 0))::int AS left
  FROM tickets t
  JOIN LATERAL (
      SELECT n.item_id, n.quantity * CASE WHEN n.ticket_id IS NULL
                                          THEN least(t.admits, 100) ELSE 1 END AS units
        FROM ops.entitlements n
       WHERE n.ticket_id = t.id OR n.ticket_type_id = t.ticket_type_id) AS e ON true
  JOIN ops.items i ON i.id = e.item_id
  LEFT JOIN LATERAL (SELECT count(*) AS taken FROM ops.redemption_units x
       WHERE x.ticket_id = t.id AND x.item_id = i.id) AS u ON true
 WHERE t.id = $1 AND t.event_id = $2
 GROUP BY i.id, i.name, i.position ORDER BY i.position, i.name
"""
SUMS: Final = """
SELECT p.name AS point, p.vendor, i.name AS item, o.name AS operator,
       date_trunc('hour', r.decided_at) AS hour, count(*) AS redemptions,
       sum(r.quantity)::int AS units, r.point_id, r.item_id, r.operator_id
  FROM ops.redemptions r
  LEFT JOIN ops.redemption_points p ON p.id = r.point_id
  LEFT JOIN ops.items i ON i.id = r.item_id
  LEFT JOIN ops.operators o ON o.id = r.operator_id
 WHERE r.event_id = $1 AND r.verdict = 'redeemed' AND r.undone_at IS NULL
   AND ($2::timestamptz IS NULL OR r.decided_at >= $2)
   AND ($3::timestamptz IS NULL OR r.decided_at < $3)
   AND ($4::text IS NULL OR p.vendor = $4)
 GROUP BY r.point_id, p.name, p.vendor, r.item_id, i.name, r.operator_id, o.name, hour
 ORDER BY hour, point, item, operator LIMIT 20000
"""
SUM_COLUMNS: Final = (
    "hour",
    "point",
    "vendor",
    "item",
    "operator",
    "redemptions",
    "units",
)


class ItemBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to redeem; `offline_units`: what each device may hand out alone."""

    name: Name
    min_age: Age | None = None
    position: Annotated[int, Meta(ge=0, le=10_000)] = 0
    offline_units: Annotated[int, Meta(ge=0, le=10_000)] = 0


class ItemView(msgspec.Struct, frozen=True):
    """An item."""

    id: UUID
    name: str
    min_age: int | None
    position: int
    offline_units: int


class PointBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bar or counter; `item_id`: what is meant where none is named."""

    name: Name
    area_id: UUID | None = None
    item_id: UUID | None = None
    vendor: Annotated[str, Meta(max_length=100, examples=["Bar Lumière"])] | None = None


class PointView(msgspec.Struct, frozen=True):
    """A point of redemption."""

    id: UUID
    name: str
    area_id: UUID | None
    item_id: UUID | None
    vendor: str | None


class EntitlementBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many units for each ticket of a type, or for one ticket."""

    item_id: UUID
    quantity: Annotated[int, Meta(ge=0, le=999)] = 1
    ticket_type_id: UUID | None = None
    ticket_id: UUID | None = None
    source: Literal["type", "bundle", "add_on"] = "type"
    starts_at: Zoned | None = None
    ends_at: Zoned | None = None
    min_age: Age | None = None


class EntitlementView(msgspec.Struct, frozen=True):
    """An entitlement."""

    id: UUID
    item_id: UUID
    ticket_type_id: UUID | None
    ticket_id: UUID | None
    source: str
    quantity: int
    starts_at: datetime | None
    ends_at: datetime | None
    min_age: int | None


class LeftView(msgspec.Struct, frozen=True):
    """What a ticket has of an item, over all times."""

    item_id: UUID
    item: str
    units: int
    left: int


class SumLine(msgspec.Struct, frozen=True):
    """What was given in an hour, by whom, where."""

    hour: datetime
    point_id: UUID | None
    point: str | None
    vendor: str | None
    item_id: UUID | None
    item: str | None
    operator_id: UUID | None
    operator: str | None
    redemptions: int
    units: int


class SumsView(msgspec.Struct, frozen=True):
    """All lines and their total."""

    items: list[SumLine]
    units: int


class Entitlements:
    """Writes items, points and entitlements; reads sums."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def add_item(
        self, caller: Caller, event_id: UUID, body: ItemBody
    ) -> ItemView:
        """Add an item."""
        values = (body.name, body.min_age, body.position, body.offline_units)
        row = await self._add(caller, event_id, "items", ADD_ITEM, values)
        return msgspec.convert(dict(row), ItemView)

    async def add_point(
        self, caller: Caller, event_id: UUID, body: PointBody
    ) -> PointView:
        """Add a point of redemption."""
        values = (body.name, body.area_id, body.item_id, body.vendor)
        row = await self._add(caller, event_id, "redemption_points", ADD_POINT, values)
        return msgspec.convert(dict(row), PointView)

    async def add_entitlement(
        self, caller: Caller, event_id: UUID, body: EntitlementBody
    ) -> EntitlementView:
        """Add an entitlement.

        Raises:
            Unprocessable: not exactly one of type and ticket, or not of this event.
        """
        if (body.ticket_type_id is None) == (body.ticket_id is None):
            raise Unprocessable(
                "Name a ticket type or a ticket, one of the two.", code="type_or_ticket"
            )
        values = (
            body.item_id,
            body.ticket_type_id,
            body.ticket_id,
            body.source,
            body.quantity,
            body.starts_at,
            body.ends_at,
            body.min_age,
        )
        row = await self._add(caller, event_id, "entitlements", ADD_ENTITLEMENT, values)
        return msgspec.convert(dict(row), EntitlementView)

    async def _add(
        self,
        caller: Caller,
        event_id: UUID,
        what: str,
        query: str,
        values: tuple[Any, ...],
    ) -> Any:
        doer = await self._house.doer(caller, event_id)

        async def work(db: Any) -> Any:
            row = await db.fetchrow(query, uuid7(), event_id, *values)
            if row is None:
                raise Unprocessable(
                    "Something named here is not of this event.", code="not_of_event"
                )
            entry = Entry(
                doer.actor, f"{what}.create", what, row["id"], event_id, None, dict(row)
            )
            await self._house.auditor.record(db, entry)
            return row

        return await self._house.once(work)

    async def lists(self, event_id: UUID) -> tuple[list[ItemView], list[PointView]]:
        """The items and points of an event, at most 500 each."""
        pool = self._house.database.pool
        items, points = (
            await pool.fetch(ITEMS, event_id),
            await pool.fetch(POINTS, event_id),
        )
        return (
            [msgspec.convert(dict(row), ItemView) for row in items],
            [msgspec.convert(dict(row), PointView) for row in points],
        )

    async def page(self, event_id: UUID, after: UUID | None, limit: int) -> list[Any]:
        """At most `limit + 1` entitlements."""
        return list(
            await self._house.database.pool.fetch(
                ENTITLEMENTS, event_id, after, limit + 1
            )
        )

    async def left(self, event_id: UUID, ticket_id: UUID) -> list[LeftView]:
        """What a ticket has left of each item."""
        rows = await self._house.database.pool.fetch(LEFT, ticket_id, event_id)
        return [msgspec.convert(dict(row), LeftView) for row in rows]

    async def sums(
        self,
        event_id: UUID,
        since: datetime | None,
        until: datetime | None,
        vendor: str | None,
    ) -> SumsView:
        """What was given, by point, item, hour and operator."""
        rows = await self._house.database.pool.fetch(
            SUMS, event_id, since, until, vendor
        )
        lines = [msgspec.convert(dict(row), SumLine) for row in rows]
        return SumsView(lines, sum(line.units for line in lines))

    async def sums_csv(
        self,
        event_id: UUID,
        since: datetime | None,
        until: datetime | None,
        vendor: str | None,
    ) -> AsyncIterator[bytes]:
        """The same as CSV."""
        view = await self.sums(event_id, since, until, vendor)
        yield csv_line(SUM_COLUMNS)
        for line in view.items:
            yield csv_line(
                (
                    line.hour.isoformat(),
                    line.point,
                    line.vendor,
                    line.item,
                    line.operator,
                    line.redemptions,
                    line.units,
                )
            )
