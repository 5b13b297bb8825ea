-- ops.recount_v1(event): the counters of scopes and areas from the open visits.
--
-- Under the lock of the event, as the commit of a batch: no scan is counted twice.
CREATE OR REPLACE FUNCTION ops.recount_v1(p_event uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7301, no) FROM events WHERE id = p_event;
  UPDATE ops.scopes s SET inside = o.n FROM (
    SELECT x.id, count(ci.id) AS n FROM ops.scopes x
    LEFT JOIN check_ins ci ON ci.scope_id = x.id AND ci.checked_out_at IS NULL
      AND ci.undone_at IS NULL
    WHERE x.event_id = p_event GROUP BY x.id) o
  WHERE s.id = o.id AND s.inside <> o.n;
  UPDATE ops.areas a SET inside = o.n FROM (
    SELECT x.id, coalesce(sum(s.inside), 0)::int AS n FROM ops.areas x
    LEFT JOIN ops.scopes s ON s.area_id = x.id
    WHERE x.event_id = p_event GROUP BY x.id) o
  WHERE a.id = o.id AND a.inside <> o.n;
END
$$;
