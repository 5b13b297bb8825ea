"""Templates: prepared words of an event in its languages, and whom they are for.

A template is a draft that waits for its day. Those for an emergency are offered by its
third step and for its all-clear; an event that has none of its own gets the ones of the
catalogue (`web/i18n`), so that nobody has to write while the hall is being cleared.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import asyncpg
import msgspec

from ops.announcements.audience import Audience, Segments, segments_of
from ops.announcements.content import Method, Priority, Words
from ops.announcements.service import Draft, check, check_references
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Conflict, NotFound
from ops.ids import uuid7
from ops.listing import Start
from ops.texts import Texts

Purpose = Literal["ordinary", "emergency", "all_clear"]
LANGUAGES: Final = ("en", "fr")
BUILT_IN: Final[dict[Purpose, tuple[str, ...]]] = {
    "emergency": ("evacuate", "shelter", "storm", "stay"),
    "all_clear": ("over", "welcome_back"),
}
"""Texts of the catalogue: `emergency.text.<name>.title` and `.content`."""

_COLUMNS: Final = """
id, name, purpose, title, content, translations, priority, delivery_method,
target_audience, target_segments, created_at, updated_at
"""
LIST: Final = f"""
SELECT {_COLUMNS} FROM ops.announcement_templates
 WHERE event_id = $1 AND ($2::text IS NULL OR purpose = $2)
   AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
 ORDER BY created_at DESC, id DESC LIMIT $5
"""
ONE: Final = f"""
SELECT {_COLUMNS} FROM ops.announcement_templates WHERE id = $1 AND event_id = $2
"""
SAVE: Final = f"""
INSERT INTO ops.announcement_templates
       (id, event_id, name, purpose, title, content, translations, priority,
        delivery_method, target_audience, target_segments, created_by, created_at,
        updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
ON CONFLICT (id) DO UPDATE SET
  name = excluded.name, purpose = excluded.purpose, title = excluded.title,
  content = excluded.content, translations = excluded.translations,
  priority = excluded.priority, delivery_method = excluded.delivery_method,
  target_audience = excluded.target_audience,
  target_segments = excluded.target_segments, updated_at = excluded.updated_at
RETURNING {_COLUMNS}
"""
REMOVE: Final = """
DELETE FROM ops.announcement_templates WHERE id = $1 AND event_id = $2 RETURNING id
"""


class TemplateBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A template as it is written; a PUT carries all of it."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    title: str
    content: str
    purpose: Purpose = "ordinary"
    translations: dict[str, Words] = {}
    priority: Priority = "normal"
    delivery_method: list[Method] = msgspec.field(
        default_factory=lambda: ["in_app", "website"]
    )
    target_audience: Audience = "all"
    target_segments: Segments = Segments()

    def draft(self) -> Draft:
        """The draft that it makes."""
        return Draft(
            title=self.title,
            content=self.content,
            priority=self.priority,
            target_audience=self.target_audience,
            target_segments=self.target_segments,
            delivery_method=self.delivery_method,
            translations=self.translations,
        )


class Templates:
    """Templates of events; every call is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def page(
        self,
        event_id: UUID,
        purpose: Purpose | None,
        start: Start,
        limit: int,
    ) -> list[Any]:
        """Newest first, one more than `limit`."""
        rows: list[Any] = await self._database.pool.fetch(
            LIST,
            event_id,
            purpose,
            *start,
            limit + 1,
        )
        return rows

    async def save(
        self,
        event_id: UUID,
        body: TemplateBody,
        author: UUID | None,
        template_id: UUID | None = None,
    ) -> Any:
        """Write a new template, or one of the event anew.

        Raises:
            Unprocessable: a field is wrong, or names what the event does not have.
            Conflict: `name_taken`.
            NotFound: no such template.
        """
        draft = body.draft()
        check(draft)
        async with self._database.pool.acquire() as db, db.transaction():
            if template_id and not await db.fetchval(ONE, template_id, event_id):
                raise _missing()
            await check_references(db, event_id, draft)
            try:
                return await db.fetchrow(
                    SAVE,
                    template_id or uuid7(),
                    event_id,
                    body.name.strip(),
                    body.purpose,
                    body.title.strip(),
                    body.content.strip(),
                    msgspec.to_builtins(body.translations),
                    body.priority,
                    list(dict.fromkeys(body.delivery_method)),
                    body.target_audience,
                    msgspec.to_builtins(body.target_segments),
                    author,
                    self._clock.now(),
                )
            except asyncpg.UniqueViolationError:
                raise Conflict(
                    "Another template has this name.", code="name_taken"
                ) from None

    async def remove(self, event_id: UUID, template_id: UUID) -> None:
        """Delete a template; what was sent from it stays.

        Raises:
            NotFound: no such template.
        """
        if not await self._database.pool.fetchval(REMOVE, template_id, event_id):
            raise _missing()


def built_in(texts: Texts, purpose: Purpose) -> list[TemplateBody]:
    """The catalogue's templates for a purpose, in all languages."""
    found = []
    for name in BUILT_IN.get(purpose, ()):
        said = {
            language: Words(
                texts.say(language, f"emergency.text.{name}.title", {}),
                texts.say(language, f"emergency.text.{name}.content", {}),
            )
            for language in LANGUAGES
        }
        found.append(
            TemplateBody(
                name=name,
                title=said["en"].title,
                content=said["en"].content,
                purpose=purpose,
                translations=said,
                priority="urgent",
            )
        )
    return found


def body_of(row: Any) -> TemplateBody:
    """What a row says."""
    return TemplateBody(
        name=row["name"],
        title=row["title"],
        content=row["content"],
        purpose=row["purpose"],
        translations=msgspec.convert(row["translations"], dict[str, Words]),
        priority=row["priority"],
        delivery_method=row["delivery_method"],
        target_audience=row["target_audience"],
        target_segments=segments_of(row["target_segments"]),
    )


def _missing() -> NotFound:
    return NotFound("The event has no such template.", code="template_unknown")
