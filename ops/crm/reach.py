"""Which rows and fields of a resource a person may touch. Pure.

A role for everything reaches every row; a membership reaches the rows of its event; one
of a single area reads the event and changes what belongs to the area. Rows of the whole
organisation (contacts, companies, venues) are read by members through the events that
they touch, and changed by nobody but a role for everything.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from ops.auth.permissions import Action
from ops.auth.subjects import Staff
from ops.crm.resource import Resource
from ops.errors import FieldProblem, Forbidden


class Reach(msgspec.Struct, frozen=True):
    """What one person may do with the rows of one resource.

    `events` None: all rows. `private` are columns that are left out.
    """

    who: UUID
    events: tuple[UUID, ...] | None
    areas: tuple[UUID, ...] = ()
    private: frozenset[str] = frozenset()

    def condition(self, resource: Resource, values: list[Any]) -> str:
        """The SQL that a row must fulfil; its values are added to `values`.

        Raises:
            Forbidden: no row of this resource is in reach.
        """
        parts = []
        if self.events is not None:
            parts.append(self._within(resource, values))
        if resource.visible is not None:
            values.append(self.who)
            parts.append(resource.visible.replace("$M", f"${len(values)}"))
        return " AND ".join(parts)

    def _within(self, resource: Resource, values: list[Any]) -> str:
        values.append(list(self.events or ()))
        events = f"${len(values)}::uuid[]"
        if resource.event is not None:
            within = f"{resource.event} = ANY({events})"
            if resource.area is None or not self.areas:
                return within
            values.append(list(self.areas))
            return f"({within} OR {resource.area} = ANY(${len(values)}::uuid[]))"
        if resource.reach is None:
            raise Forbidden()
        return resource.reach.replace("$E", events)

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
    if events is not None and (changes_all or not (events or areas)):
        raise Forbidden()
    return Reach(
        staff.user_id,
        None if events is None else tuple(events),
        tuple(areas),
        hidden_from(staff, resource),
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
