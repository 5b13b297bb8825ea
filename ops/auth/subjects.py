"""The subjects of a request, as values without I/O."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from ops.auth.permissions import Action, Permissions, allows, allows_own
from ops.errors import Forbidden


class Membership(msgspec.Struct, frozen=True):
    """A role in one event, from and until; `area_id` None means all of it."""

    event_id: UUID
    area_id: UUID | None
    role: str
    permissions: Permissions
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    level: int = 0

    def grants(self, resource: str, action: Action) -> bool:
        """Whether the role holds for the event at all.

        A member of one area sees the event that it lies in, and changes what belongs
        to that area only (`Staff.places`).
        """
        return (self.area_id is None or action == "read") and allows(
            self.permissions, resource, action
        )

    def holds(self, now: datetime) -> bool:
        """Whether the membership is in force; `valid_to` itself is past it."""
        if self.valid_from is not None and now < self.valid_from:
            return False
        return self.valid_to is None or now < self.valid_to


class Staff(msgspec.Struct, frozen=True):
    """A person who signed in; `by_cookie` says how this request showed it.

    `memberships` are those in force: `StaffSessions.subject` leaves out the others.
    """

    user_id: UUID
    session_id: UUID
    email: str
    first_name: str
    last_name: str
    language: str
    role: str
    permissions: Permissions
    memberships: tuple[Membership, ...]
    expires_at: datetime
    csrf_hash: bytes
    by_cookie: bool = False
    level: int = 0

    def may(
        self,
        resource: str,
        action: Action,
        event_id: UUID | None,
        area_id: UUID | None = None,
    ) -> bool:
        """Whether the role, or a membership of the event, grants the action.

        Args:
            area_id: the area that the thing belongs to: its members may, too.
        """
        if allows(self.permissions, resource, action):
            return True
        return event_id is not None and any(
            membership.event_id == event_id
            and (
                membership.grants(resource, action)
                or (
                    area_id is not None
                    and membership.area_id == area_id
                    and allows(membership.permissions, resource, action)
                )
            )
            for membership in self.memberships
        )

    def may_somewhere(
        self, resource: str, action: Action, *, own: bool = False
    ) -> bool:
        """Whether the role or any membership grants it; the handler narrows it.

        Args:
            own: a grant for rows of one's own counts as well.
        """
        asked = allows_own if own else allows
        return asked(self.permissions, resource, action) or any(
            asked(membership.permissions, resource, action)
            for membership in self.memberships
        )

    def demand(self, resource: str, action: Action, event_id: UUID | None) -> None:
        """Refuse what `may` does not grant.

        Raises:
            Forbidden: always the same words, whether the thing exists or not.
        """
        if not self.may(resource, action, event_id):
            raise Forbidden()

    def event_ids(self, resource: str, action: Action) -> list[UUID] | None:
        """The events for which the action is granted; None means all."""
        if allows(self.permissions, resource, action):
            return None
        return sorted(
            {
                membership.event_id
                for membership in self.memberships
                if membership.grants(resource, action)
            }
        )

    def own_event_ids(self, resource: str, action: Action) -> list[UUID] | None:
        """The events where it is granted at least on own rows; None means all."""
        if allows_own(self.permissions, resource, action):
            return None
        return sorted(
            {
                membership.event_id
                for membership in self.memberships
                if allows_own(membership.permissions, resource, action)
            }
        )

    def area_ids(self, resource: str, action: Action) -> list[UUID]:
        """The areas for which alone the action is granted."""
        return sorted(
            {
                membership.area_id
                for membership in self.memberships
                if membership.area_id is not None
                and allows(membership.permissions, resource, action)
            }
        )

    def level_in(self, event_id: UUID | None) -> int:
        """The height in the hierarchy: the highest role held there."""
        levels = [
            membership.level
            for membership in self.memberships
            if membership.event_id == event_id and membership.area_id is None
        ]
        return max([self.level, *levels])


class DeviceIdentity(msgspec.Struct, frozen=True):
    """What the process may remember of a device; its state is read where it counts."""

    id: UUID
    no: int
    name: str
    profile: str
    event_ids: frozenset[UUID]
    token_hash: bytes
    locked: bool = False
    sponsor_id: UUID | None = None


class Attendee(msgspec.Struct, frozen=True):
    """Who opened a private link, or proved an e-mail address; one event, own data."""

    attendee_id: UUID
    event_id: UUID
    language: str = "en"


class Nobody(msgspec.Struct, frozen=True):
    """No subject, and what to answer where one is needed."""

    code: str = "unauthenticated"
    detail: str = "Sign in or send a valid token."


Subject = Staff | DeviceIdentity | Attendee | Nobody
