"""The statements of sponsors' leads; every list is bounded and of one sponsor."""

from __future__ import annotations

from typing import Final

from ops.db.code_keys import exact_first, known_by

ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 21))"
"""The same reading sent twice at once is taken once."""

SCAN: Final = "SELECT device_id, outcome, lead_id FROM ops.lead_scans WHERE id = $1"

# The newest word about sharing with sponsors, for all events or for this one.
_CONSENT = """
  LEFT JOIN LATERAL (
       SELECT c.state FROM ops.consents c
        WHERE c.contact_id = a.contact_id AND c.purpose = 'sponsor_sharing'
          AND (c.event_id IS NULL OR c.event_id = a.event_id)
        ORDER BY c.given_at DESC, c.id DESC LIMIT 1) said ON true
"""
_REFUSES = """(coalesce(said.state = 'withdrawn', false)
       OR coalesce(a.custom @> '{"sponsor_sharing": false}', false))"""

PERSON: Final = (
    f"""
SELECT a.id AS attendee_id, a.contact_id, {_REFUSES} AS opted_out,
       coalesce(said.state = 'granted', false) AS granted
  FROM ops.ticket_codes k
  JOIN tickets t ON t.id = k.ticket_id
  JOIN attendees a ON a.id = t.attendee_id
"""
    + _CONSENT
    + f" WHERE k.event_id = $1 AND {known_by('k.code_hash')}"
    f" {exact_first('k.code_hash')}"
)

VISIT: Final = """
INSERT INTO ops.sponsor_leads AS l
       (id, event_id, sponsor_id, attendee_id, first_at, last_at)
VALUES ($1, $2, $3, $4, $5, $5)
    ON CONFLICT (sponsor_id, attendee_id) DO UPDATE
   SET visits = l.visits + 1, first_at = least(l.first_at, excluded.first_at),
       last_at = greatest(l.last_at, excluded.last_at)
RETURNING id, visits
"""

CONSENT: Final = """
INSERT INTO ops.consents
       (id, contact_id, purpose, state, basis, source, event_id, given_at)
VALUES ($1, $2, 'sponsor_sharing', 'granted', 'express', 'badge_scan', $3, $4)
"""

CHANGE: Final = """
UPDATE ops.sponsor_leads
   SET rating = coalesce($3, rating), notes = coalesce($4, notes),
       answers = answers || coalesce($5::jsonb, '{}')
 WHERE id = $1 AND sponsor_id = $2
"""

KEEP_SCAN: Final = """
INSERT INTO ops.lead_scans
       (id, event_id, sponsor_id, lead_id, device_id, outcome, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

_VIEW = (
    f"""
SELECT l.id, l.visits, l.rating, l.answers, l.notes, l.first_at, l.last_at,
       trim(concat_ws(' ', a.first_name, a.last_name)) AS name, a.company, a.job_title,
       a.email, a.phone, y.name AS ticket_type, e.settings -> 'leads' AS settings,
       {_REFUSES} AS withdrawn
  FROM ops.sponsor_leads l
  JOIN events e ON e.id = l.event_id
  JOIN attendees a ON a.id = l.attendee_id
  LEFT JOIN LATERAL (
       SELECT ty.name FROM tickets t JOIN ticket_types ty ON ty.id = t.ticket_type_id
        WHERE t.attendee_id = a.id ORDER BY t.id LIMIT 1) y ON true
"""
    + _CONSENT
)

ONE: Final = _VIEW + " WHERE l.id = $1 AND l.sponsor_id = $2"

LIST: Final = (
    _VIEW
    + """
 WHERE l.event_id = $1 AND l.sponsor_id = $2
   AND ($3::timestamptz IS NULL OR (l.last_at, l.id) < ($3, $4))
 ORDER BY l.last_at DESC, l.id DESC LIMIT $5
"""
)

STAND: Final = """
SELECT coalesce(c.name, 'Sponsor') AS sponsor, e.settings -> 'leads' AS settings
  FROM sponsors s JOIN events e ON e.id = s.event_id
  LEFT JOIN companies c ON c.id = s.company_id
 WHERE s.event_id = $1 AND s.id = $2
"""

FIGURES: Final = """
SELECT count(*)::int AS scans,
       count(DISTINCT lead_id)::int AS leads,
       count(*) FILTER (WHERE outcome = 'opted_out')::int AS opted_out,
       count(*) FILTER (WHERE outcome = 'unknown')::int AS unknown
  FROM ops.lead_scans WHERE sponsor_id = $1
"""

CONFIGURE: Final = """
UPDATE events
   SET settings = coalesce(settings, '{}') || jsonb_build_object('leads', $2::jsonb)
 WHERE id = $1 RETURNING id
"""
