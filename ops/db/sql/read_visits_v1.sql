-- ops.newest_visits_v1: the newest pass of each person of each ticket in each scope, as the
-- cache packs it. Read by: the rebuilder, for a whole event.
CREATE OR REPLACE VIEW ops.newest_visits_v1 AS
SELECT w.event_id, w.ticket_id AS k, sc.no AS sc, w.person_no AS n, w.pass_no AS p,
  CASE WHEN w.undone_at IS NOT NULL THEN 2
       WHEN w.checked_out_at IS NOT NULL THEN 1 ELSE 0 END AS ph,
  w.confirmed_at IS NOT NULL AS cf,
  CASE WHEN w.pass_no = 1 THEN (w.undone_at IS NOT NULL)::int ELSE z.un END AS un,
  w.exit_assumed AS xa,
  (extract(epoch FROM w.checked_in_at) * 1000)::bigint AS in_ms,
  coalesce((extract(epoch FROM w.checked_out_at) * 1000)::bigint, 0) AS out_ms,
  coalesce(g.no, 0) AS g, coalesce(d.no, 0) AS d, coalesce(xg.no, 0) AS xg,
  w.scan_id AS s, tt.no AS type_no,
  CASE WHEN w.pass_no > 1 THEN z.dy WHEN w.undone_at IS NULL
    THEN coalesce(w.event_day - DATE '1970-01-01', 0) ELSE 0 END AS dy,
  CASE WHEN w.pass_no > 1 THEN z.du ELSE (w.undone_at IS NULL)::int END AS du
FROM check_ins w
JOIN ops.scopes sc ON sc.id = w.scope_id
JOIN tickets t ON t.id = w.ticket_id
JOIN ticket_types tt ON tt.id = t.ticket_type_id
LEFT JOIN LATERAL (SELECT p.* FROM ops.passes_v1(w.ticket_id, w.scope_id, w.person_no) p
  WHERE w.pass_no > 1) z ON true
LEFT JOIN ops.gates g ON g.id = w.gate_id
LEFT JOIN ops.gates xg ON xg.id = w.exit_gate_id
LEFT JOIN ops.devices d ON d.id = CASE
  WHEN w.device_id ~ '^[0-9a-f-]{36}$' THEN w.device_id::uuid END
WHERE w.scan_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM check_ins later
  WHERE later.ticket_id = w.ticket_id AND later.scope_id = w.scope_id
    AND later.person_no = w.person_no AND later.pass_no > w.pass_no);

-- ops.read_visits_v1(event, ticket ids): the same for some tickets. Read by: the drain.
CREATE OR REPLACE FUNCTION ops.read_visits_v1(p_event uuid, p_tickets uuid[])
RETURNS SETOF ops.newest_visits_v1 LANGUAGE plpgsql STABLE
-- Point look-ups by key, whatever the tables' size was when the plan was made.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  RETURN QUERY SELECT v.* FROM ops.newest_visits_v1 v
  -- Not `=`: an index on the event would read all its visits for a few tickets.
  WHERE v.k = ANY (p_tickets) AND v.event_id IS NOT DISTINCT FROM p_event;
END
$$;
