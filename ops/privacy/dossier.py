"""Everything that is kept about one person, for that person to read.

What hangs on a person is read from the catalogue: rows that refer to the contact, to
their tickets' holders, to those tickets. A table that is added tomorrow is in it. Left
out are secrets (hashes, sealed bytes) and the holders of tickets that the person
bought for others.
"""

from __future__ import annotations

import html
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ops.audit.auditor import Auditor
from ops.audit.entry import Actor, Entry
from ops.db.engine import Pooled
from ops.privacy.erasure import who_is
from ops.privacy.personal import Link

CALL_TIMEOUT_S: Final = 30.0
ROWS_MAX: Final = 10_000
"""Of one table; more than any guest ever had."""

REFERENCES: Final = """
SELECT DISTINCT format('%I.%I', n.nspname, c.relname) AS tab,
       n.nspname || '.' || c.relname AS name, format('%I', a.attname) AS col,
       f.relname AS target
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class f ON f.oid = k.confrelid
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
 WHERE k.contype = 'f' AND cardinality(k.conkey) = 1
   AND k.confrelid IN ('public.contacts'::regclass, 'public.attendees'::regclass,
                       'public.tickets'::regclass)
 ORDER BY 1, 3
"""
SECRET_COLUMNS: Final = """
SELECT coalesce(array_agg(DISTINCT a.attname::text), '{}') FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('public', 'ops')
 WHERE a.attnum > 0 AND a.atttypid IN ('bytea'::regtype, 'tsvector'::regtype)
"""
AUDIT: Final = """
SELECT at, action, target_kind, detail, key_id, personal FROM ops.audit_log
 WHERE target_id = ANY($1::uuid[]) ORDER BY at, id LIMIT $2
"""
EVIDENCE: Final = """
SELECT id, key_id, evidence FROM ops.consents
 WHERE contact_id = ANY($1::uuid[]) AND evidence IS NOT NULL
"""
_OWN: Final[tuple[tuple[str, str, Link], ...]] = (
    ("public.contacts", "id", "contact"),
    ("public.attendees", "id", "attendee"),
    ("public.tickets", "id", "ticket"),
    ("public.profiles", "id", "profile"),
)
_LINKS: Final[dict[str, Link]] = {
    "contacts": "contact",
    "attendees": "attendee",
    "tickets": "ticket",
}


class Dossiers:
    """Makes dossiers; each is noted in the audit log."""

    def __init__(self, database: Pooled, auditor: Auditor) -> None:
        self._database, self._auditor = database, auditor

    async def of(
        self, actor: Actor, kind: str, person_id: UUID, now: datetime
    ) -> dict[str, Any]:
        """Everything kept about a contact, or about a holder who is no contact.

        Raises:
            NotFound: nobody.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            person = await who_is(db, kind, person_id)
            secrets = await db.fetchval(SECRET_COLUMNS, timeout=CALL_TIMEOUT_S)
            tables: dict[str, list[Any]] = {}
            places = [(name, name, col, link) for name, col, link in _OWN]
            found = await db.fetch(REFERENCES, timeout=CALL_TIMEOUT_S)
            places += [
                (row["name"], row["tab"], row["col"], _LINKS[row["target"]])
                for row in found
            ]
            for name, table, column, link in places:
                ids = person.ids[link]
                if not ids or (name == "public.attendees" and link == "contact"):
                    continue
                rows = await db.fetch(
                    f"SELECT to_jsonb(t) - $2::text[] AS row FROM {table} t"
                    f" WHERE {column} = ANY($1::uuid[]) LIMIT {ROWS_MAX}",
                    ids,
                    secrets,
                    timeout=CALL_TIMEOUT_S,
                )
                known = tables.setdefault(name, [])
                known += [r["row"] for r in rows if r["row"] not in known]
            ids = [*person.ids["contact"], *person.ids["attendee"]]
            history = await self._history(db, ids)
            await self._evidence(db, person.ids["contact"], tables)
            await self._auditor.record(
                db, Entry(actor, f"{kind}s.export", f"{kind}s", person_id)
            )
        return {
            "person_id": str(person_id),
            "kind": kind,
            "made_at": now.isoformat(),
            "tables": {name: rows for name, rows in sorted(tables.items()) if rows},
            "history": history,
        }

    async def _history(self, db: Any, ids: list[UUID]) -> list[dict[str, Any]]:
        rows = await db.fetch(AUDIT, ids, ROWS_MAX, timeout=CALL_TIMEOUT_S)
        opened = await self._auditor.keys.open(
            db, [(row["key_id"], row["personal"]) for row in rows]
        )
        return [
            {
                "at": row["at"].isoformat(),
                "action": row["action"],
                "detail": row["detail"],
                "values": values,
            }
            for row, values in zip(rows, opened, strict=True)
        ]

    async def _evidence(
        self, db: Any, ids: list[UUID], tables: dict[str, list[Any]]
    ) -> None:
        rows = await db.fetch(EVIDENCE, ids, timeout=CALL_TIMEOUT_S)
        opened = await self._auditor.keys.open(
            db, [(row["key_id"], row["evidence"]) for row in rows]
        )
        by_id = {str(row["id"]): value for row, value in zip(rows, opened, strict=True)}
        for consent in tables.get("ops.consents", []):
            if consent["id"] in by_id:
                consent["evidence"] = by_id[consent["id"]]


_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{made_at}</p>
{sections}
</body></html>
"""


def as_page(dossier: dict[str, Any], language: str, title: str, history: str) -> str:
    """The dossier for people: headings and tables, nothing that runs or loads.

    Everything is untrusted text and escaped. Empty values are left out.
    """
    sections = [
        _section(_heading(name), rows) for name, rows in dossier["tables"].items()
    ]
    if dossier["history"]:
        sections.append(_section(history, dossier["history"]))
    return _PAGE.format(
        language=html.escape(language),
        title=html.escape(title),
        made_at=html.escape(dossier["made_at"]),
        sections="\n".join(sections),
    )


def _heading(table: str) -> str:
    return table.partition(".")[2].replace("_", " ").capitalize()


def _section(heading: str, rows: list[dict[str, Any]]) -> str:
    body = "\n".join(
        "<table>"
        + "".join(
            f'<tr><th scope="row">{html.escape(name.replace("_", " "))}</th>'
            f"<td>{html.escape(str(value))}</td></tr>"
            for name, value in row.items()
            if value not in (None, "", [], {})
        )
        + "</table><hr>"
        for row in rows
    )
    return f"<h2>{html.escape(heading)} ({len(rows)})</h2>\n{body}"
