"""One list of everything that touches a contact, newest first.

Sketch: one statement a page. Each kind of entry is a branch that reads by an index on
the person (contact, or attendee), at most page + 1 rows of it; the branches are merged
by (time, id). A contact with 1,000 entries costs some milliseconds. A person is the
contact and those that were merged into it.

What a reader may not see is left out in the statement: kinds whose resource the role
does not read, private notes of others. Anonymous feedback is on nobody's timeline.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from ops.db.engine import Pooled
from ops.errors import NotFound
from ops.listing import Start

CALL_TIMEOUT_S: Final = 10.0

KINDS: Final = {
    "order": "orders",
    "visit": "attendees",
    "session": "attendees",
    "registration": "attendees",
    "feedback": "attendees",
    "connection": "attendees",
    "sponsor_scan": "leads",
    "interaction": "interactions",
    "campaign": "campaigns",
    "consent": "contacts",
    "note": "contacts",
    "task": "tasks",
    "lead": "leads",
    "opportunity": "opportunities",
    "stage": "opportunities",
    "merge": "contacts",
}
"""What can be on it, and the resource that a reader must be allowed to read."""

EXISTS: Final = "SELECT status FROM contacts WHERE id = $1"

# $1 contact, $2 and $3 the position to go on from, $4 the limit, $5 kinds, $6 reader.
_BRANCHES: Final[dict[str, str]] = {
    "order": """
SELECT coalesce(o.placed_at, o.created_at) AS at, o.id, 'order' AS kind, o.event_id,
       jsonb_build_object('order_number', o.order_number, 'status', o.status,
           'total', o.total::text, 'currency', o.currency) AS what
  FROM orders o JOIN who ON who.id = o.contact_id""",
    "visit": """
SELECT c.checked_in_at AS at, c.id,
       CASE WHEN s.kind = 'session' THEN 'session' ELSE 'visit' END AS kind, c.event_id,
       jsonb_build_object('place', s.name, 'gate', g.name, 'left_at', c.checked_out_at,
           'minutes', coalesce(c.duration_minutes, (extract(epoch FROM
               c.checked_out_at - c.checked_in_at) / 60)::int),
           'person_no', c.person_no, 'pass_no', c.pass_no) AS what
  FROM check_ins c JOIN part ON part.id = c.attendee_id
  LEFT JOIN ops.scopes s ON s.id = c.scope_id
  LEFT JOIN ops.gates g ON g.id = c.gate_id
 WHERE c.undone_at IS NULL""",
    "registration": """
SELECT r.registered_at AS at, r.id, 'registration' AS kind, r.event_id,
       jsonb_build_object('session', s.title, 'status', r.status) AS what
  FROM ops.session_registrations r JOIN part ON part.id = r.attendee_id
  LEFT JOIN sessions s ON s.id = r.session_id""",
    "feedback": """
SELECT f.created_at AS at, f.id, 'feedback' AS kind, f.event_id,
       jsonb_build_object('overall_rating', f.overall_rating, 'comments', f.comments,
           'session_id', f.session_id) AS what
  FROM event_feedback f JOIN part ON part.id = f.attendee_id
 WHERE f.is_anonymous IS NOT TRUE""",
    "connection": """
SELECT n.created_at AS at, n.id, 'connection' AS kind, n.event_id,
       jsonb_build_object('status', n.status, 'type', n.connection_type) AS what
  FROM networking_connections n
 WHERE n.requester_id IN (SELECT id FROM part)
    OR n.target_id IN (SELECT id FROM part)""",
    "sponsor_scan": """
SELECT l.last_at AS at, l.id, 'sponsor_scan' AS kind, l.event_id,
       jsonb_build_object('visits', l.visits, 'rating', l.rating, 'company', k.name)
           AS what
  FROM ops.sponsor_leads l JOIN part ON part.id = l.attendee_id
  LEFT JOIN sponsors s ON s.id = l.sponsor_id
  LEFT JOIN companies k ON k.id = s.company_id""",
    "interaction": """
SELECT coalesce(i.occurred_at, i.created_at) AS at, i.id, 'interaction' AS kind,
       i.event_id,
       jsonb_build_object('type', i.interaction_type, 'subject', i.subject,
           'direction', i.direction, 'outcome', i.outcome,
           'minutes', i.duration_minutes) AS what
  FROM interactions i JOIN who ON who.id = i.contact_id""",
    "campaign": """
SELECT coalesce(r.sent_at, r.created_at) AS at, r.id, 'campaign' AS kind, c.event_id,
       jsonb_build_object('campaign', c.name, 'status', r.status,
           'opens', r.open_count, 'clicks', r.click_count) AS what
  FROM campaign_recipients r JOIN who ON who.id = r.contact_id
  JOIN campaigns c ON c.id = r.campaign_id""",
    "consent": """
SELECT c.given_at AS at, c.id, 'consent' AS kind, c.event_id,
       jsonb_build_object('purpose', c.purpose, 'state', c.state, 'source', c.source)
           AS what
  FROM ops.consents c JOIN who ON who.id = c.contact_id""",
    "note": """
SELECT n.created_at AS at, n.id, 'note' AS kind, n.event_id,
       jsonb_build_object('title', n.title, 'content', left(n.content, 1000),
           'type', n.note_type, 'private', n.is_private, 'important', n.is_important)
           AS what
  FROM notes n JOIN who ON who.id = n.contact_id
 WHERE (n.is_private IS NOT TRUE OR n.created_by = $6)""",
    "task": """
SELECT t.created_at AS at, t.id, 'task' AS kind, t.event_id,
       jsonb_build_object('title', t.title, 'status', t.status, 'due_date', t.due_date,
           'assigned_to', t.assigned_to) AS what
  FROM tasks t JOIN who ON who.id = t.contact_id""",
    "lead": """
SELECT l.created_at AS at, l.id, 'lead' AS kind, l.event_id,
       jsonb_build_object('status', l.lead_status, 'source', l.lead_source,
           'value', l.estimated_value::text) AS what
  FROM leads l JOIN who ON who.id = l.contact_id""",
    "opportunity": """
SELECT o.created_at AS at, o.id, 'opportunity' AS kind, o.event_id,
       jsonb_build_object('name', o.name, 'stage', o.stage, 'amount', o.amount::text)
           AS what
  FROM opportunities o JOIN who ON who.id = o.contact_id""",
    "stage": """
SELECT s.at, lpad(to_hex(s.id), 32, '0')::uuid AS id, 'stage' AS kind, o.event_id,
       jsonb_build_object('name', o.name, 'from', s.from_stage, 'to', s.to_stage,
           'probability', s.probability, 'opportunity_id', o.id) AS what
  FROM opportunities o JOIN who ON who.id = o.contact_id
  JOIN ops.stage_changes s ON s.subject_id = o.id
 WHERE s.from_stage IS NOT NULL""",
    "merge": """
SELECT m.merged_at AS at, m.id, 'merge' AS kind, NULL::uuid AS event_id,
       jsonb_build_object('loser_id', m.loser_id) AS what
  FROM ops.contact_merges m JOIN who ON who.id = m.winner_id""",
}
# One branch writes two kinds.
_ALSO: Final = {"visit": "'visit', 'session'"}


def _statement() -> str:
    branches = "\nUNION ALL\n".join(
        f"(SELECT * FROM ({branch.strip()}) b\n"
        f"  WHERE ARRAY[{_ALSO.get(kind, repr(kind))}] && $5::text[]"
        " AND b.kind = ANY($5::text[])\n"
        "   AND ($2::timestamptz IS NULL OR (b.at, b.id) < ($2, $3::uuid))\n"
        "  ORDER BY b.at DESC, b.id DESC LIMIT $4)"
        for kind, branch in _BRANCHES.items()
    )
    return f"""
WITH who AS MATERIALIZED (
    SELECT id FROM contacts WHERE id = $1 OR merged_into_id = $1
), part AS MATERIALIZED (
    SELECT a.id FROM attendees a JOIN who ON who.id = a.contact_id
)
SELECT t.at, t.id, t.kind, t.event_id, e.title AS event, t.what
  FROM ({branches}) t LEFT JOIN events e ON e.id = t.event_id
 WHERE $6::uuid IS NOT NULL
 ORDER BY t.at DESC, t.id DESC LIMIT $4
"""


PAGE: Final = _statement()


class Timeline:
    """Reads the timeline of a contact."""

    def __init__(self, database: Pooled) -> None:
        self._database = database

    async def page(
        self,
        contact_id: UUID,
        reader: UUID,
        kinds: list[str],
        start: Start,
        limit: int,
    ) -> list[Any]:
        """At most `limit + 1` entries: two statements, whatever is on it.

        Raises:
            NotFound: no such contact.
        """
        pool = self._database.pool
        rows = await pool.fetch(
            PAGE,
            contact_id,
            *start,
            limit + 1,
            kinds,
            reader,
            timeout=CALL_TIMEOUT_S,
        )
        if rows:
            return list(rows)
        if await pool.fetchrow(EXISTS, contact_id, timeout=CALL_TIMEOUT_S) is None:
            raise NotFound("There is no such contact.")
        return []
