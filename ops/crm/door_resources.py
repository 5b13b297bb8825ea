"""The places of a door and its rules, as the generic API offers them."""

from __future__ import annotations

from typing import Final

import ops.db.models  # noqa: F401 - fills the metadata that descriptions read
from ops.crm.resource import describe

DOOR: Final = (
    describe(
        "ops.areas",
        "area",
        permission="places",
        area="t.id",
        sort="position",
        read_only="inside manual disputed",
        etag="t.version",
        create_only="event_id",
        example={"name": "Main floor", "kind": "zone", "capacity": 400},
        summary="places with a limit",
    ),
    describe(
        "ops.scopes",
        "scope",
        permission="places",
        area="t.area_id",
        read_only="inside exits_assumed_at",
        etag="t.version",
        create_only="event_id",
        example={"name": "Main floor", "kind": "zone", "re_entry": "after_exit"},
        summary="what admissions are for",
    ),
    describe(
        "ops.gates",
        "gate",
        permission="places",
        area="t.area_id",
        sort="position",
        create_only="event_id",
        example={"name": "Gate B", "direction": "in"},
        summary="places where scans happen",
    ),
    describe(
        "ops.access_rules",
        "access_rule",
        permission="places",
        create_only="event_id",
        example={"allowed": True, "passes_total": 1},
        summary="who may enter which scope",
    ),
    describe(
        "ops.questions",
        "question",
        permission="places",
        sort="position",
        create_only="event_id",
        example={
            "kind": "choice",
            "text": {"en": "Which lunch?", "fr": "Quel repas ?"},
            "options": [{"value": "v", "text": {"en": "Vegan", "fr": "Végane"}}],
        },
        summary="what is asked at the door",
    ),
    describe(
        "ops.exemptions",
        "exemption",
        permission="places",
        create_only="event_id",
        example={"allowed": True, "reason": "Stands in for the keynote speaker"},
        summary="what single tickets may beside their type",
    ),
    describe(
        "ops.held_places",
        "held_place",
        permission="places",
        create_only="event_id",
        example={"places": 12, "access_class": "artist", "reason": "Tonight's bands"},
        summary="places of a limit that are kept for somebody until a time",
    ),
)
