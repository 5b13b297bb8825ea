-- ops.assume_exits_v1: end presences that nobody will scan out, at most p_limit at once.
--
-- Those of a scope that began before p_at (p_late: all of them), each with what lies
-- inside it. They end at p_at, assumed, so no minute is added that nobody saw. Facts are
-- written with them: the drain tells the cache. Returns how many rows ended; idempotent,
-- because only open ones are looked at.
CREATE OR REPLACE FUNCTION ops.assume_exits_v1(
  p_event uuid, p_event_no int, p_scope uuid, p_inner uuid[], p_at timestamptz,
  p_late boolean, p_now timestamptz, p_limit int
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_ended int;
BEGIN
  -- Nothing to do is the common case: no lock for it, and no look at all visits of a
  -- place where nobody is.
  IF coalesce((SELECT s.inside FROM ops.scopes s WHERE s.id = p_scope), 0) <= 0
    OR NOT EXISTS (SELECT 1 FROM check_ins ci WHERE ci.scope_id = p_scope
    AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL
    AND (p_late OR ci.checked_in_at < p_at)) THEN
    RETURN 0;
  END IF;
  PERFORM pg_advisory_xact_lock(7301, p_event_no);
  WITH people AS (
    SELECT ci.ticket_id, ci.person_no FROM check_ins ci
    WHERE ci.scope_id = p_scope AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL
      AND (p_late OR ci.checked_in_at < p_at)
    ORDER BY ci.ticket_id, ci.person_no LIMIT p_limit
  ), ended AS (
    UPDATE check_ins ci
    SET checked_out_at = greatest(p_at, ci.checked_in_at), exit_assumed = true,
      is_present = false, duration_minutes = ops.minutes_between(
        coalesce(ci.door_time, ci.checked_in_at), greatest(p_at, ci.checked_in_at))
    FROM people p
    WHERE ci.ticket_id = p.ticket_id AND ci.person_no = p.person_no
      AND ci.scope_id = ANY (p_scope || p_inner)
      AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL
      AND (p_late OR ci.checked_in_at < p_at)
    RETURNING ci.ticket_id, ci.scope_id, ci.person_no, ci.pass_no, ci.checked_out_at
  ), told AS (
    INSERT INTO ops.facts (event_id, kind, v, payload, at)
    SELECT p_event, 'exited', 1, jsonb_build_object('kind', 'exited', 'v', 1,
      'event_id', p_event, 'at', e.checked_out_at, 'ticket_id', e.ticket_id,
      'scope_id', e.scope_id, 'person_no', e.person_no, 'pass_no', e.pass_no,
      'scan_id', NULL, 'gate_id', NULL, 'assumed', true), p_now
    FROM ended e
  ), counted AS (
    SELECT e.scope_id, count(*)::int AS people FROM ended e GROUP BY e.scope_id
  ), scopes AS (
    UPDATE ops.scopes s SET inside = s.inside - c.people
    FROM counted c WHERE s.id = c.scope_id
  ), areas AS (
    UPDATE ops.areas a SET inside = a.inside - d.people
    FROM (SELECT s.area_id, sum(c.people)::int AS people FROM counted c
          JOIN ops.scopes s ON s.id = c.scope_id GROUP BY s.area_id) d
    WHERE a.id = d.area_id
  )
  SELECT coalesce(sum(c.people), 0)::int INTO v_ended FROM counted c;
  RETURN v_ended;
END
$$;
