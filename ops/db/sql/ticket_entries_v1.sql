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
  coalesce(floor(extract(epoch FROM t.valid_from) * 1000)::bigint, 0) AS valid_from_ms,
  coalesce(floor(extract(epoch FROM t.valid_to) * 1000)::bigint, 0) AS valid_to_ms,
  coalesce((
    SELECT array_agg(s.no ORDER BY s.no)
    FROM ops.session_registrations r
    JOIN ops.scopes s ON s.session_id = r.session_id
    WHERE r.ticket_id = t.id AND r.status = 'registered'
  ), '{}') AS registered,
  coalesce(a.language, '') AS language,
  -- What few tickets have (ops.cache.entry.Special), null for all others.
  CASE WHEN p.parts THEN ops.special_v1(t.id, t.event_id, t.amount_due, t.currency, a)
    WHEN a.birth_date IS NOT NULL OR t.amount_due > 0 THEN json_build_array('[]'::json, '', 0,
      coalesce(a.birth_date::text, ''), 0,
      CASE WHEN t.amount_due > 0 THEN t.amount_due || ' ' || t.currency ELSE '' END,
      '[]'::json, '[]'::json)
  END AS special
FROM tickets t
JOIN ticket_types tt ON tt.id = t.ticket_type_id
LEFT JOIN attendees a ON a.id = t.attendee_id
-- Whether a ticket has any of it. Where a table is empty nothing is looked up in it, so
-- that warming 100,000 plain tickets costs what it cost before there were rules.
LEFT JOIN LATERAL (SELECT
    ((SELECT EXISTS (SELECT 1 FROM ops.exemptions))
      AND EXISTS (SELECT 1 FROM ops.exemptions e WHERE e.ticket_id = t.id))
    OR ((SELECT EXISTS (SELECT 1 FROM ops.answers))
      AND EXISTS (SELECT 1 FROM ops.answers n WHERE n.ticket_id = t.id))
    OR ((SELECT EXISTS (SELECT 1 FROM ops.session_registrations))
      AND EXISTS (SELECT 1 FROM ops.session_registrations g
        WHERE g.ticket_id = t.id AND g.status = 'released'))
    OR ((SELECT EXISTS (SELECT 1 FROM ops.bans))
      AND (EXISTS (SELECT 1 FROM ops.bans n WHERE n.contact_id = a.contact_id)
        OR EXISTS (SELECT 1 FROM ops.bans n WHERE n.email = a.email)
        OR EXISTS (SELECT 1 FROM ops.bans n WHERE n.birth_date = a.birth_date)
        OR (a.phone IS NOT NULL AND EXISTS (SELECT 1 FROM ops.bans n
          WHERE right(regexp_replace(n.phone, '[^0-9]', '', 'g'), 9)
              = right(regexp_replace(a.phone, '[^0-9]', '', 'g'), 9))))) AS parts
  ) p ON true;
