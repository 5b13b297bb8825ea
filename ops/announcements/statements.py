"""The SQL of announcements. Arguments are named beside each statement."""

from __future__ import annotations

from typing import Final

# $1 event, $2 audience, $3 checked in, $4 areas, $5 sessions, $6 their state,
# $7 ticket types, $8 flags, $9 languages, $10 commercial. `mail` is an address that may
# be written to.
GUESTS: Final = """
SELECT a.id AS recipient_id, 'attendee' AS kind,
       coalesce(a.language, e.languages[1], 'en') AS language,
       CASE WHEN NOT $10::bool OR c.email_consent THEN a.email END AS mail,
       a.phone
  FROM attendees a
  JOIN events e ON e.id = a.event_id
  LEFT JOIN contacts c ON c.id = a.contact_id
 WHERE a.event_id = $1 AND a.status <> 'cancelled'
   AND EXISTS (
     SELECT FROM tickets t JOIN ticket_types k ON k.id = t.ticket_type_id
      WHERE t.attendee_id = a.id
        AND t.state IN ('valid', 'blocked', 'unpaid', 'pending')
        AND ($7::uuid[] IS NULL OR t.ticket_type_id = ANY($7))
        AND CASE $2::text
            WHEN 'all' THEN true
            WHEN 'attendees' THEN t.access_class IN ('guest', 'companion', 'child')
            WHEN 'vip' THEN k.ticket_category = 'vip' OR 'vip' = ANY(a.flags)
            WHEN 'organizers' THEN t.access_class = 'crew'
            WHEN 'speakers' THEN t.access_class = 'artist'
              OR k.ticket_category = 'speaker' OR EXISTS (
                SELECT FROM speakers s
                 WHERE s.event_id = $1 AND s.contact_id = a.contact_id)
            WHEN 'sponsors' THEN t.access_class = 'exhibitor'
              OR k.ticket_category = 'sponsor' OR EXISTS (
                SELECT FROM sponsors s
                 WHERE s.event_id = $1 AND s.contact_id = a.contact_id)
            END)
   AND ($3::bool IS NULL OR $3 = EXISTS (
     SELECT FROM check_ins v JOIN ops.scopes s ON s.id = v.scope_id AND s.kind = 'venue'
      WHERE v.attendee_id = a.id AND v.undone_at IS NULL))
   AND ($4::uuid[] IS NULL OR EXISTS (
     SELECT FROM check_ins v WHERE v.attendee_id = a.id AND v.area_id = ANY($4)
        AND v.checked_out_at IS NULL AND v.undone_at IS NULL))
   AND ($5::uuid[] IS NULL OR CASE WHEN $6::text = 'inside' THEN EXISTS (
     SELECT FROM check_ins v JOIN ops.scopes s ON s.id = v.scope_id
      WHERE v.attendee_id = a.id AND s.session_id = ANY($5)
        AND v.checked_out_at IS NULL AND v.undone_at IS NULL)
     ELSE EXISTS (
     SELECT FROM ops.session_registrations r
       JOIN tickets t ON t.id = r.ticket_id
      WHERE t.attendee_id = a.id AND r.session_id = ANY($5) AND r.status = $6) END)
   AND ($8::text[] IS NULL OR a.flags && $8 OR c.tags && $8)
   AND ($9::text[] IS NULL OR coalesce(a.language, e.languages[1], 'en') = ANY($9))
   AND (NOT $10::bool OR c.marketing_consent)
"""

# $1 event, $2 gates or null. A kiosk and a sponsor's phone are nobody of the staff.
DEVICES: Final = """
SELECT d.id AS recipient_id, 'device' AS kind, 'en' AS language, NULL::text AS mail,
       NULL::text AS phone
  FROM ops.devices d
  JOIN ops.device_events de ON de.device_id = d.id AND de.event_id = $1
 WHERE d.state = 'active' AND d.profile = 'scan'
   AND ($2::uuid[] IS NULL OR coalesce(de.gate_id, d.gate_id) = ANY($2))
"""

COLUMNS: Final = """
id, event_id, session_id, author_id, title, content, priority, target_audience,
target_segments, delivery_method, scheduled_for, sent_at, status, delivery_count,
open_count, click_count, created_at, updated_at, translations, link_url, commercial,
chain, chain_after_s, corrects_id, seq, audience_count
"""

# $1 announcement; waits for whoever sends or changes it right now
LOCK: Final = f"SELECT {COLUMNS} FROM event_announcements WHERE id = $1 FOR UPDATE"

# $1 now, $2 how many: what is due and nobody else is sending
DUE: Final = f"""
SELECT {COLUMNS} FROM event_announcements
 WHERE status = 'scheduled' AND scheduled_for <= $1
 ORDER BY scheduled_for, id LIMIT $2 FOR UPDATE SKIP LOCKED
"""

# $1 event, $2 an epoch for the first one
NEXT: Final = """
INSERT INTO ops.announcement_epochs (event_id, epoch, seq) VALUES ($1, $2, 1)
ON CONFLICT (event_id) DO UPDATE SET seq = ops.announcement_epochs.seq + 1
RETURNING seq
"""

# $1 announcement, $2 now, $3 seq, $4 audience
SENT: Final = """
UPDATE event_announcements
   SET status = 'sent', sent_at = $2, seq = $3, audience_count = $4
 WHERE id = $1
"""

# $1 acks as arrays: announcement, recipient, what (1 delivered, 2 opened, 3 clicked).
# Who opened has had it delivered, whatever was lost on the way.
ACKNOWLEDGE: Final = """
WITH acks AS (
  SELECT a AS announcement_id, r AS recipient_id, max(w) AS what
    FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS x(a, r, w) GROUP BY a, r
), before AS (
  SELECT p.announcement_id, p.recipient_id, p.delivered_at, p.opened_at, p.clicked_at,
         x.what
    FROM ops.announcement_receipts p
    JOIN acks x USING (announcement_id, recipient_id)
   WHERE p.channel = 'in_app'
   ORDER BY p.announcement_id, p.recipient_id FOR UPDATE OF p
), after AS (
  UPDATE ops.announcement_receipts p
     SET delivered_at = coalesce(p.delivered_at, $4),
         opened_at = CASE WHEN b.what >= 2 THEN coalesce(p.opened_at, $4)
                          ELSE p.opened_at END,
         clicked_at = CASE WHEN b.what >= 3 THEN coalesce(p.clicked_at, $4)
                           ELSE p.clicked_at END
    FROM before b
   WHERE p.announcement_id = b.announcement_id AND p.recipient_id = b.recipient_id
     AND p.channel = 'in_app'
     AND (p.delivered_at IS NULL OR (b.what >= 2 AND p.opened_at IS NULL)
          OR (b.what >= 3 AND p.clicked_at IS NULL))
  RETURNING p.announcement_id, b.delivered_at IS NULL AND NOT EXISTS (
      SELECT FROM ops.announcement_receipts o
       WHERE o.announcement_id = p.announcement_id AND o.recipient_id = p.recipient_id
         AND o.channel <> 'in_app' AND o.delivered_at IS NOT NULL) AS delivered,
    b.what >= 2 AND b.opened_at IS NULL AS opened,
    b.what >= 3 AND b.clicked_at IS NULL AS clicked
), sums AS (
  SELECT announcement_id, count(*) FILTER (WHERE delivered) AS delivered,
         count(*) FILTER (WHERE opened) AS opened,
         count(*) FILTER (WHERE clicked) AS clicked
    FROM after GROUP BY announcement_id ORDER BY announcement_id
)
UPDATE event_announcements e
   SET delivery_count = e.delivery_count + s.delivered,
       open_count = e.open_count + s.opened, click_count = e.click_count + s.clicked
  FROM sums s WHERE e.id = s.announcement_id
"""

# $1 event, $2 seq: what a live process does not have yet, oldest first
SINCE: Final = f"""
SELECT {COLUMNS} FROM event_announcements
 WHERE event_id = $1 AND status = 'sent' AND seq > $2 ORDER BY seq DESC LIMIT $3
"""

POSITION: Final = "SELECT epoch, seq FROM ops.announcement_epochs WHERE event_id = $1"

# $1 announcement: whom a restricted one is meant for
MEANT: Final = """
SELECT DISTINCT recipient_id FROM ops.announcement_receipts WHERE announcement_id = $1
"""

# $1 event, $2 how many
REACH: Final = """
SELECT e.id, e.title, e.priority, e.status, coalesce(e.sent_at, e.scheduled_for) AS at,
       coalesce(e.audience_count, 0) AS counted, e.delivery_count AS delivered,
       e.open_count AS opened, e.click_count AS clicked,
       (SELECT count(*) FROM ops.announcement_receipts r
         WHERE r.announcement_id = e.id AND r.failure IS NOT NULL
           AND NOT EXISTS (SELECT FROM ops.announcement_receipts d
             WHERE d.announcement_id = e.id AND d.recipient_id = r.recipient_id
               AND d.delivered_at IS NOT NULL))::int AS failed
  FROM event_announcements e
 WHERE e.event_id = $1 AND e.status IN ('scheduled', 'sent')
 ORDER BY e.created_at DESC LIMIT $2
"""
