"""Whom an announcement is meant for. Pure: checks segments, names their parameters.

The same statement counts a preview and fixes the audience at send (`statements`), so
that what was shown is what is sent.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec

Audience = Literal["all", "attendees", "speakers", "sponsors", "organizers", "vip"]
SessionState = Literal["registered", "waitlist", "inside"]
VALUES_MAX = 200

_Ids = list[UUID]


class Segments(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    omit_defaults=True,
):
    """What narrows an audience; all that is given must hold, any of a list's values."""

    checked_in: bool | None = None
    area_ids: _Ids | None = None
    session_ids: _Ids | None = None
    session_state: SessionState = "registered"
    ticket_type_ids: _Ids | None = None
    flags: list[str] | None = None
    languages: list[str] | None = None
    devices: bool = False
    gate_ids: _Ids | None = None

    def problems(self) -> dict[str, str]:
        """Field -> what is wrong with it; empty where all is well."""
        found: dict[str, str] = {}
        for name in ("area_ids", "session_ids", "ticket_type_ids", "flags", "gate_ids"):
            values = getattr(self, name)
            if values is not None and not 1 <= len(values) <= VALUES_MAX:
                found[name] = f"Give 1 to {VALUES_MAX}, or leave it out."
        if self.gate_ids is not None and not self.devices:
            found["gate_ids"] = "Gates choose among devices: set devices to true."
        return found

    @property
    def restricted(self) -> bool:
        """Whether it narrows at all."""
        return self != Segments()


def parameters(
    event_id: UUID, audience: Audience, segments: Segments, *, commercial: bool
) -> tuple[Any, ...]:
    """The arguments $1 .. $10 of `statements.GUESTS`."""
    return (
        event_id,
        audience,
        segments.checked_in,
        segments.area_ids,
        segments.session_ids,
        segments.session_state,
        segments.ticket_type_ids,
        segments.flags,
        segments.languages,
        commercial,
    )


def is_public(audience: Audience, segments: Segments, methods: list[str]) -> bool:
    """Whether somebody whom nobody knows may read it on the event's page."""
    return audience == "all" and not segments.restricted and "website" in methods


def segments_of(value: Any) -> Segments:
    """The segments of a row.

    Raises:
        msgspec.ValidationError: another program wrote what is not ours.
    """
    return msgspec.convert(value or {}, Segments)
