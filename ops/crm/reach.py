"""Which rows and fields of a resource a person may touch. Pure.

A role for everything reaches every row; a membership reaches the rows of its event; one
of a single area reads the event and changes what belongs to the area. Rows of the whole
organisation (contacts, companies, venues) are read by members through the events that
they touch, and changed by nobody but a role for everything. Where a role's JSON says
"own", it reaches the rows that are the person's (`Resource.mine`), and nobody else's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from ops.auth.permissions import Action
from ops.auth.subjects import Staff
from ops.crm.resource import Resource
from ops.errors import FieldProblem, Forbidden


class Reach(msgspec.Struct, frozen=True):
    """What one person may do with the rows of one resource.

    `events` None: all rows. `own`: the events in which own rows are reached besides,
    None: in all. `private` are columns that are left out.
    """

    who: UUID
    events: tuple[UUID, ...] | None
    areas: tuple[UUID, ...] = ()
    private: frozenset[str] = frozenset()
    own: tuple[UUID, ...] | None = ()

    def condition(self, resource: Resource, values: list[Any]) -> str:
        """The SQL that a row must fulfil; its values are added to `values`.

        Raises:
            Forbidden: no row of this resource is in reach.
        """
        parts = []
        if self.events is not None:
            ways = [*self._within(resource, values), *self._mine(resource, values)]
            if not ways:
                raise Forbidden()
            parts.append(ways[0] if len(ways) == 1 else f"({' OR '.join(ways)})")
        if resource.visible is not None:
            values.append(self.who)
            parts.append(resource.visible.replace("$M", f"${len(values)}"))
        return " AND ".join(parts)

    def _within(self, resource: Resource, values: list[Any]) -> list[str]:
        """The ways by an event or area that the person works for."""
        way = (
            resource.reach if resource.event is None else f"{resource.event} = ANY($E)"
        )
        if way is None or not (self.events or self.areas):
            return []
        values.append(list(self.events or ()))
        ways = [way.replace("$E", f"${len(values)}::uuid[]")]
        if resource.area is not None and self.areas:
            values.append(list(self.areas))
            ways.append(f"{resource.area} = ANY(${len(values)}::uuid[])")
        return ways

    def _mine(self, resource: Resource, values: list[Any]) -> list[str]:
        """The way by being the person's own."""
        if resource.mine is None or self.own == ():
            return []
        values.append(self.who)
        way = resource.mine.replace("$M", f"${len(values)}")
        if self.own is None or resource.event is None:
            return [way]
        values.append(list(self.own))
        return [f"({way} AND {resource.event} = ANY(${len(values)}::uuid[]))"]

    def refuse_not_mine(
        self, resource: Resource, event_id: UUID | None, names: Collection[str]
    ) -> None:
        """Refuse to change what the owner of a row has no say in.

        A person who is there by the own row alone writes what concerns them: not their
        fee, not their status, not whose row it is.

        Raises:
            Forbidden: `not_yours_to_change`, the fields named.
        """
        if self.events is None or event_id in self.events or self.own == ():
            return
        if wrong := sorted(set(names) - resource.mine_writes):
            raise Forbidden(
                "These fields are changed by the organiser.",
                code="not_yours_to_change",
                errors=[
                    FieldProblem(name, "not_yours_to_change", "Ask the organiser.")
                    for name in wrong
                ],
            )

    def refuse_private(self, names: frozenset[str] | set[str]) -> None:
        """Refuse to filter by, sort by or write what may not be read.

        Raises:
            Forbidden: `private_field`, the fields named.
        """
        if wrong := sorted(self.private & names):
            raise Forbidden(
                "Your role has no need of these fields.",
                code="private_field",
                errors=[
                    FieldProblem(name, "private_field", "Hidden from your role.")
                    for name in wrong
                ],
            )


def reach_of(staff: Staff, resource: Resource, action: Action) -> Reach:
    """What a person may do with a resource.

    Raises:
        Forbidden: nothing at all.
    """
    word = resource.permission
    events = staff.event_ids(word, action)
    areas = staff.area_ids(word, action) if resource.area and events is not None else []
    changes_all = action != "read" and resource.event is None
    if events is not None and changes_all:
        events, areas = [], []
    own: tuple[UUID, ...] | None = ()
    if events is not None and resource.mine is not None:
        places = staff.own_event_ids(word, action)
        own = None if places is None else tuple(places)
    if events == [] and not areas and own == ():
        raise Forbidden()
    # What is one's own is no secret.
    mine_alone = events == [] and not areas
    return Reach(
        staff.user_id,
        None if events is None else tuple(events),
        tuple(areas),
        frozenset() if mine_alone else hidden_from(staff, resource),
        own,
    )


def hidden_from(staff: Staff, resource: Resource) -> frozenset[str]:
    """The private columns that no role of the person opens.

    A membership opens the fields of its own event only, and a list may show several
    events: so a word counts if it holds wherever the person may read the resource.
    """
    hidden = set()
    for column, word in resource.private.items():
        opened = staff.event_ids(word, "read")
        if opened is None:
            continue
        reads = staff.event_ids(resource.permission, "read")
        if reads is None or not set(reads) <= set(opened):
            hidden.add(column)
    return frozenset(hidden)
