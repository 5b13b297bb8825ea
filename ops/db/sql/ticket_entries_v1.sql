-- ops.ticket_entries_v1: what a decision and an answer need of each ticket, one row a ticket.
-- The cache is warmed and kept current from it, and mode D2 reads it directly, so
-- both sources of facts agree by construction. Read by: read_facts_v1, warm, relay.
CREATE OR REPLACE VIEW ops.ticket_entries_v1 AS
SELECT
  t.id,
  t.event_id,
  t.version,
  t.admits,
  t.state,
  tt.no AS type_no,
  coalesce(t.access_class, tt.access_class) AS access_class,
  coalesce(nullif(concat_ws(' ', nullif(a.first_name, ''), nullif(a.last_name, '')), ''), '') AS name,
  coalesce(a.company, '') AS company,
  coalesce(t.seat_label, '') AS seat,
  coalesce(a.flags, '{}') AS flags,
  coalesce(a.notes, '{}') AS notes,
  coalesce((extract(epoch FROM t.valid_from) * 1000)::bigint, 0) AS valid_from_ms,
  coalesce((extract(epoch FROM t.valid_to) * 1000)::bigint, 0) AS valid_to_ms,
  coalesce((
    SELECT array_agg(s.no ORDER BY s.no)
    FROM ops.session_registrations r
    JOIN ops.scopes s ON s.session_id = r.session_id
    WHERE r.ticket_id = t.id AND r.status = 'registered'
  ), '{}') AS registered,
  coalesce(a.language, '') AS language,
  NULL::json AS special
FROM tickets t
JOIN ticket_types tt ON tt.id = t.ticket_type_id
LEFT JOIN attendees a ON a.id = t.attendee_id;
