-- ops.newest_visits_v1: the newest pass of each person of each ticket in each scope, as the
-- cache packs it. Read by: the rebuilder, for a whole event.
CREATE OR REPLACE VIEW ops.newest_visits_v1 AS
SELECT w.event_id, w.ticket_id AS k, sc.no AS sc, w.person_no AS n, w.pass_no AS p,
  CASE WHEN w.undone_at IS NOT NULL THEN 2
       WHEN w.checked_out_at IS NOT NULL THEN 1 ELSE 0 END AS ph,
  w.confirmed_at IS NOT NULL AS cf,
  CASE WHEN w.pass_no = 1 THEN (w.undone_at IS NOT NULL)::int ELSE z.un END AS un,
  w.exit_assumed AS xa,
  floor(extract(epoch FROM w.checked_in_at) * 1000)::bigint AS in_ms,
  coalesce(floor(extract(epoch FROM w.checked_out_at) * 1000)::bigint, 0) AS out_ms,
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

-- ops.read_passes_v1(event, ticket ids): all passes of some tickets in their order, each as it
-- was packed when it was the newest. Read by: the drain, so that no counter of the cache misses
-- a transition (an exit whose guest is back already, a gate that a pass led through).
CREATE OR REPLACE FUNCTION ops.read_passes_v1(p_event uuid, p_tickets uuid[])
RETURNS TABLE (k uuid, sc int, n int, p int, ph int, cf boolean, un int, xa boolean,
  in_ms bigint, out_ms bigint, g int, d int, xg int, s uuid, type_no int, dy int, du int)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  RETURN QUERY
  WITH w AS (
    SELECT c.*, CASE WHEN c.undone_at IS NULL
        THEN coalesce(c.event_day - DATE '1970-01-01', 0) END AS day,
      sum((c.undone_at IS NOT NULL)::int) OVER so_far AS undone
    FROM unnest(p_tickets) AS x(id)
    CROSS JOIN LATERAL (SELECT * FROM check_ins y WHERE y.ticket_id = x.id
      AND y.scan_id IS NOT NULL AND y.event_id IS NOT DISTINCT FROM p_event OFFSET 0) c
    WINDOW so_far AS (PARTITION BY c.ticket_id, c.scope_id, c.person_no ORDER BY c.pass_no)
  ), days AS (
    SELECT w.*, coalesce(max(w.day) OVER so_far, 0) AS newest,
      count(*) OVER (PARTITION BY w.ticket_id, w.scope_id, w.person_no, w.day
        ORDER BY w.pass_no) AS of_day
    FROM w
    WINDOW so_far AS (PARTITION BY w.ticket_id, w.scope_id, w.person_no ORDER BY w.pass_no)
  )
  SELECT v.ticket_id, sco.no, v.person_no, v.pass_no,
    CASE WHEN v.undone_at IS NOT NULL THEN 2
         WHEN v.checked_out_at IS NOT NULL THEN 1 ELSE 0 END,
    v.confirmed_at IS NOT NULL, v.undone::int, v.exit_assumed,
    floor(extract(epoch FROM v.checked_in_at) * 1000)::bigint,
    coalesce(floor(extract(epoch FROM v.checked_out_at) * 1000)::bigint, 0),
    coalesce(g.no, 0), coalesce(d.no, 0), coalesce(xg.no, 0), v.scan_id, tt.no, v.newest,
    CASE WHEN v.day = v.newest THEN v.of_day
      ELSE (SELECT count(*) FROM w u WHERE u.ticket_id = v.ticket_id
        AND u.scope_id = v.scope_id AND u.person_no = v.person_no
        AND u.pass_no <= v.pass_no AND u.day = v.newest) END::int
  FROM days v
  JOIN ops.scopes sco ON sco.id = v.scope_id
  JOIN tickets t ON t.id = v.ticket_id
  JOIN ticket_types tt ON tt.id = t.ticket_type_id
  LEFT JOIN ops.gates g ON g.id = v.gate_id
  LEFT JOIN ops.gates xg ON xg.id = v.exit_gate_id
  LEFT JOIN ops.devices d ON d.id = CASE
    WHEN v.device_id ~ '^[0-9a-f-]{36}$' THEN v.device_id::uuid END
  ORDER BY v.ticket_id, sco.no, v.person_no, v.pass_no;
END
$$;

-- ops.read_visits_v1(event, ticket ids): the newest passes of some tickets. Read by: the merge,
-- which settles them, and the reconciler.
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
