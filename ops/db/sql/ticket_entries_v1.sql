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
  -- What few tickets have (ops.cache.entry.Special), null for all others.
  CASE WHEN x.exemptions IS NOT NULL OR b.kind IS NOT NULL OR a.birth_date IS NOT NULL
    OR t.amount_due > 0 OR w.years IS NOT NULL OR w.questions IS NOT NULL
    OR r.released IS NOT NULL
  THEN json_build_array(
    coalesce(x.exemptions, '[]'),
    coalesce(b.kind, ''),
    coalesce((extract(epoch FROM b.until) * 1000)::bigint, 0),
    coalesce(a.birth_date::text, ''),
    coalesce(w.years, 0),
    CASE WHEN t.amount_due > 0 THEN t.amount_due || ' ' || t.currency ELSE '' END,
    coalesce(w.questions, '[]'),
    coalesce(r.released, '[]'))
  END AS special
FROM tickets t
JOIN ticket_types tt ON tt.id = t.ticket_type_id
LEFT JOIN attendees a ON a.id = t.attendee_id
LEFT JOIN LATERAL ops.bans_on(t.event_id, a.contact_id, a.email, a.phone,
  concat_ws(' ', nullif(a.first_name, ''), nullif(a.last_name, '')), a.birth_date) b ON true
LEFT JOIN LATERAL (
  SELECT json_agg(json_build_array(coalesce(s.no, 0), e.allowed,
    coalesce((extract(epoch FROM e.opens_at) * 1000)::bigint, 0),
    coalesce((extract(epoch FROM e.closes_at) * 1000)::bigint, 0),
    coalesce(e.passes_total, 0), coalesce(e.passes_per_day, 0), coalesce(e.re_entry, ''))
    ORDER BY e.created_at, e.id) AS exemptions
  FROM ops.exemptions e LEFT JOIN ops.scopes s ON s.id = e.scope_id
  WHERE e.ticket_id = t.id
) x ON true
LEFT JOIN LATERAL (
  SELECT max(n.years) AS years, json_agg(DISTINCT q.no) FILTER (WHERE q.no IS NOT NULL) AS questions
  FROM ops.answers n LEFT JOIN ops.questions q ON q.id = n.question_id
  WHERE n.ticket_id = t.id
) w ON true
LEFT JOIN LATERAL (
  SELECT json_agg(json_build_array(s.no,
    coalesce((extract(epoch FROM g.released_at) * 1000)::bigint, 0)) ORDER BY s.no) AS released
  FROM ops.session_registrations g JOIN ops.scopes s ON s.session_id = g.session_id
  WHERE g.ticket_id = t.id AND g.status = 'released'
) r ON true;
