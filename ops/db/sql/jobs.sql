-- What is due when. A job is a row of ops.jobs, named by kind and key; `due_at` is an
-- instant, so a change of the clocks moves nothing. Who runs a job holds its row locked
-- until the job's work is committed: two processes never run one, and a process that
-- dies gives it back at once.

-- Write down what the programme asks for; what moved is moved, what was done stays done.
CREATE OR REPLACE FUNCTION ops.plan_jobs_v1(p_now timestamptz) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
  v_rows int;
BEGIN
  WITH active AS (
    SELECT * FROM events WHERE status IN ('published', 'live', 'completed')
      AND ends_at > p_now - interval '3 days' AND starts_at < p_now + interval '30 days'
  ), wanted AS (
    SELECT 'check_in_opens' AS kind, s.id::text AS key, s.event_id,
      s.check_in_opens AS due_at, jsonb_build_object('session_id', s.id) AS args,
      NULL::int AS every_seconds, NULL::timestamptz AS until
    FROM sessions s JOIN active e ON e.id = s.event_id
    WHERE s.check_in_opens IS NOT NULL AND s.status IN ('scheduled', 'live')
    UNION ALL
    SELECT 'check_in_closes', s.id::text, s.event_id, s.check_in_closes,
      jsonb_build_object('session_id', s.id), NULL, NULL
    FROM sessions s JOIN active e ON e.id = s.event_id
    WHERE s.check_in_closes IS NOT NULL AND s.status IN ('scheduled', 'live')
    UNION ALL
    SELECT 'no_shows', e.id::text, e.id, e.ends_at + interval '1 hour', '{}', NULL, NULL
    FROM active e
    UNION ALL
    SELECT 'rollup', e.id::text, e.id, e.starts_at - interval '6 hours', '{}', 60,
      e.ends_at + interval '6 hours'
    FROM active e
  ), put AS (
    INSERT INTO ops.jobs AS j (kind, key, event_id, due_at, args, every_seconds, until)
    SELECT * FROM wanted
    ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at,
      until = excluded.until, done_at = NULL, attempts = 0
    WHERE (j.every_seconds IS NULL AND j.due_at <> excluded.due_at
        AND (j.done_at IS NULL OR excluded.due_at > p_now) AND j.attempts = 0)
      OR (j.every_seconds IS NOT NULL AND j.until <> excluded.until)
    RETURNING 1
  ), none AS (
    -- Cancelled or postponed without a time: nothing is due any more.
    DELETE FROM ops.jobs j USING active e
    WHERE j.event_id = e.id AND j.done_at IS NULL AND j.every_seconds IS NULL
      AND j.kind IN ('check_in_opens', 'check_in_closes')
      AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.kind = j.kind AND w.key = j.key)
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM put) + (SELECT count(*) FROM none) INTO v_rows;
  RETURN v_rows;
END
$$;
