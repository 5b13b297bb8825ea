-- ops.merge_lines_v1: bring lines of the journal into the record, in one transaction. Idempotent.
--
--   p_lines  [{"q": order in its file, "s": scan, "k": ticket, "at": decided at, "md": mode,
--              "ta": scan that it took over or null, "log": columns of ops.scan_log,
--              "opens": [{"sc": scope no, "n": person, "p": pass}],
--              "closes": [{"sc": scope no, "n": person, "p": pass or 0, "must", "as": assumed}]}]
--   p_shown  scans whose green was shown
--   p_stale  scans that hold a row, but are in no journal that can be read and were never
--            confirmed: nobody can have seen their green, so a line takes their row over (R4)
-- Returns {"merged": lines written, "conflicts": rows of ops.conflicts, "tickets": [tickets of
--          conflicts: the cache must be told what is on record],
--          "waiting": [scans that end a pass which is not there; not written if p_patient]}
--
-- What happened has happened: limits are not asked (I7). A line whose scan is in the log
-- already with its rows writes nothing. A place that another scan holds stays with it: the line is
-- reported in ops.conflicts, and its scan is never green again (R9).
CREATE OR REPLACE FUNCTION ops.merge_lines_v1(
  p_event uuid, p_event_no int, p_now timestamptz, p_lines json, p_shown uuid[], p_stale uuid[],
  p_patient boolean
) RETURNS json LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_new uuid[];
  v_ev json := '[]';      -- {q, w (0 close, 1 open), s, k, sc, n, p, must, as, at, nx ..}
  v_out json := '[]';     -- presences ended
  v_in json := '[]';      -- visits written
  v_took json := '[]';    -- visits taken over: {s, was, k, sc, n, p}
  v_lost json := '[]';    -- opens that found another: {s, k, sc, n, p, w}
  v_waiting uuid[] := '{}';
  v_conflicts int := 0;
  v_zone text;
  v_day_starts interval;
BEGIN
  PERFORM pg_advisory_xact_lock(7301, p_event_no);
  SELECT timezone, coalesce(day_starts_at, '04:00')::interval INTO v_zone, v_day_starts
  FROM events WHERE id = p_event;
  SELECT coalesce(array_agg(l.s), '{}') INTO v_new
  FROM json_to_recordset(p_lines) AS l(s uuid, opens json, closes json)
  -- Not there, or there as an answer that let nobody through: mode D could not read it.
  WHERE NOT EXISTS (SELECT 1 FROM ops.scan_log g WHERE g.scan_id = l.s
    AND (g.durable = 'journal'
      OR EXISTS (SELECT 1 FROM ops.conflicts c WHERE c.loser_scan_id = l.s AND c.kind = 'merge')
      OR json_array_length(l.opens) + json_array_length(l.closes) = 0
      OR EXISTS (SELECT 1 FROM json_to_recordset(l.opens) AS o(sc int, n int, p int)
        JOIN ops.scopes s ON s.no = o.sc AND s.event_id = p_event
        JOIN (SELECT * FROM check_ins x WHERE x.scan_id = l.s OFFSET 0) r
          ON r.scope_id = s.id AND r.person_no = o.n AND r.pass_no = o.p)
      OR EXISTS (SELECT 1 FROM check_ins r WHERE r.exit_scan_id = l.s)));

  -- An exit comes after its entry, whose line may be in a file that is not read yet.
  IF p_patient THEN
    SELECT coalesce(array_agg(DISTINCT l.s), '{}') INTO v_waiting
    FROM json_to_recordset(p_lines) AS l(q bigint, s uuid, k uuid, closes json),
      json_to_recordset(l.closes) AS c(sc int, n int, p int, must boolean)
    JOIN ops.scopes s ON s.no = c.sc AND s.event_id = p_event
    WHERE l.s = ANY (v_new) AND c.must AND c.p > 0
      AND NOT EXISTS (SELECT 1 FROM check_ins r WHERE r.ticket_id = l.k AND r.scope_id = s.id
        AND r.person_no = c.n AND r.pass_no = c.p)
      AND NOT EXISTS (SELECT 1 FROM json_to_recordset(p_lines) AS e(s uuid, k uuid, opens json),
        json_to_recordset(e.opens) AS o(sc int, n int, p int)
        WHERE e.s = ANY (v_new) AND e.k = l.k AND o.sc = c.sc AND o.n = c.n AND o.p = c.p);
    -- And an entry after the exit before it.
    SELECT v_waiting || coalesce(array_agg(DISTINCT l.s), '{}') INTO v_waiting
    FROM json_to_recordset(p_lines) AS l(q bigint, s uuid, k uuid, opens json),
      json_to_recordset(l.opens) AS o(sc int, n int, p int)
    JOIN ops.scopes s ON s.no = o.sc AND s.event_id = p_event
    CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.ticket_id = l.k OFFSET 0) r
    WHERE l.s = ANY (v_new) AND r.scope_id = s.id AND r.person_no = o.n AND r.pass_no < o.p
      AND r.checked_out_at IS NULL AND r.undone_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM json_to_recordset(p_lines) AS e(s uuid, k uuid, closes json),
        json_to_recordset(e.closes) AS c(sc int, n int)
        WHERE e.s = ANY (v_new) AND e.k = l.k AND c.sc = o.sc AND c.n = o.n);
    -- And one whose earlier commit, seen by nobody, has another pass: its row will be
    -- taken over by the scan that was let in on that pass.
    SELECT v_waiting || coalesce(array_agg(DISTINCT l.s), '{}') INTO v_waiting
    FROM json_to_recordset(p_lines) AS l(q bigint, s uuid, opens json),
      json_to_recordset(l.opens) AS o(sc int, n int, p int)
    JOIN ops.scopes s ON s.no = o.sc AND s.event_id = p_event
    CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.scan_id = l.s OFFSET 0) r
    WHERE l.s = ANY (v_new)
      AND r.scope_id = s.id AND r.person_no = o.n AND r.pass_no <> o.p;
    SELECT coalesce(array_agg(x), '{}') INTO v_new
    FROM unnest(v_new) x WHERE NOT x = ANY (v_waiting);
  END IF;

  -- Entries and exits in their order; an entry knows the end that follows it here.
  WITH line AS (
    SELECT l.* FROM json_to_recordset(p_lines) AS l(q bigint, s uuid, k uuid, at timestamptz,
      md text, ta uuid, opens json, closes json, log json)
    WHERE l.s = ANY (v_new)
  ), ev AS (
    SELECT l.q, 0 AS w, l.s, l.k, l.at, l.md, l.ta, l.log, c.sc, c.n, c.p, c.must, c."as" AS xa
    FROM line l, json_to_recordset(l.closes) AS c(sc int, n int, p int, must boolean, "as" boolean)
    UNION ALL
    SELECT l.q, 1, l.s, l.k, l.at, l.md, l.ta, l.log, o.sc, o.n, o.p, true, false
    FROM line l, json_to_recordset(l.opens) AS o(sc int, n int, p int)
  ), ordered AS (
    SELECT e.*,
      lag(e.w) OVER places AS before_w,
      lead(e.w) OVER places AS next_w, lead(e.s) OVER places AS next_s,
      lead(e.at) OVER places AS next_at, lead(e.xa) OVER places AS next_xa,
      lead(e.log ->> 'g') OVER places AS next_g
    FROM ev e WINDOW places AS (PARTITION BY e.k, e.sc, e.n ORDER BY e.q, e.w)
  )
  SELECT coalesce(json_agg(json_build_object('q', o.q, 'w', o.w, 's', o.s, 'k', o.k,
    'at', o.at, 'md', o.md, 'ta', o.ta, 'sc', s.id, 'n', o.n, 'p', o.p, 'xa', o.xa,
    'ar', s.area_id, 'bw', o.before_w, 'g', o.log ->> 'g', 'd', o.log ->> 'd',
    'op', o.log ->> 'op', 'me', o.log ->> 'me', 'dt', o.log ->> 'sa', 'off', o.log ->> 'off',
    'xs', CASE WHEN o.next_w = 0 THEN o.next_s END,
    'xat', CASE WHEN o.next_w = 0 THEN o.next_at END,
    'xxa', CASE WHEN o.next_w = 0 THEN o.next_xa ELSE false END,
    'xg', CASE WHEN o.next_w = 0 THEN o.next_g END)), '[]')
  INTO v_ev
  FROM ordered o JOIN ops.scopes s ON s.no = o.sc AND s.event_id = p_event;

  -- LATERAL with OFFSET 0: row by row by the ticket's key, however large the table is.
  WITH found AS (
    SELECT e.*, r.id, r.checked_out_at IS NULL AS was_open
    FROM json_to_recordset(v_ev) AS e(w int, bw int, s uuid, k uuid, sc uuid, n int,
      p int, at timestamptz, g uuid, xa boolean)
    CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.ticket_id = e.k
      AND x.scope_id = e.sc AND x.person_no = e.n AND x.undone_at IS NULL OFFSET 0) r
    WHERE e.w = 0 AND coalesce(e.bw, 0) = 0
      AND CASE WHEN e.p > 0 THEN r.pass_no = e.p AND r.exit_scan_id IS NULL
          ELSE r.checked_out_at IS NULL END
  ), ended AS (
    UPDATE check_ins ci
    SET checked_out_at = greatest(e.at, ci.checked_in_at), exit_scan_id = e.s,
        exit_gate_id = (SELECT id FROM ops.gates WHERE id = e.g), exit_assumed = e.xa,
        is_present = false,
        duration_minutes = greatest(0, extract(epoch FROM e.at - ci.checked_in_at) / 60)::int
    FROM found e WHERE ci.id = e.id
    RETURNING ci.ticket_id AS k, ci.scope_id AS sc, ci.person_no AS n, ci.pass_no AS p,
      e.s AS xs, e.g AS xg, e.xa, ci.area_id AS ar, e.was_open
  ) SELECT coalesce(json_agg(ended) FILTER (WHERE was_open), '[]') INTO v_out FROM ended;

  -- Whose exit never came has left all the same: a later pass was green.
  IF NOT p_patient THEN
    WITH ended AS (
      UPDATE check_ins ci
      SET checked_out_at = greatest(e.at, ci.checked_in_at), exit_assumed = true,
          is_present = false
      FROM json_to_recordset(v_ev) AS e(w int, k uuid, sc uuid, n int, p int, at timestamptz)
      WHERE e.w = 1 AND ci.ticket_id = e.k AND ci.scope_id = e.sc
        AND ci.person_no = e.n AND ci.pass_no < e.p AND ci.checked_out_at IS NULL
        AND ci.undone_at IS NULL
      RETURNING ci.ticket_id AS k, ci.scope_id AS sc, ci.person_no AS n, ci.pass_no AS p,
        NULL::uuid AS xs, NULL::uuid AS xg, true AS xa, ci.area_id AS ar
    ) SELECT (v_out::jsonb || coalesce(jsonb_agg(ended), '[]'))::json INTO v_out FROM ended;
  END IF;

  -- A row that a steward took over, or that nobody can have seen green.
  WITH found AS (
    SELECT e.*, r.id, r.scan_id AS was
    FROM json_to_recordset(v_ev) AS e(w int, s uuid, k uuid, sc uuid, n int, p int,
      at timestamptz, md text, ta uuid, g uuid, d text, op uuid)
    CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.ticket_id = e.k
      AND x.scope_id = e.sc AND x.person_no = e.n AND x.pass_no = e.p OFFSET 0) r
    WHERE e.w = 1 AND r.scan_id <> e.s AND r.confirmed_at IS NULL AND r.undone_at IS NULL
      AND (r.scan_id = e.ta OR r.scan_id = ANY (p_stale))
  ), took AS (
    UPDATE check_ins ci
    SET scan_id = e.s, checked_in_at = e.at, device_id = e.d, mode = e.md,
        gate_id = (SELECT id FROM ops.gates WHERE id = e.g),
        operator_id = (SELECT id FROM ops.operators WHERE id = e.op)
    FROM found e WHERE ci.id = e.id AND ci.confirmed_at IS NULL
    RETURNING e.s, e.was, e.k, e.sc, e.n, e.p, ci.area_id AS ar
  ) SELECT coalesce(json_agg(took), '[]') INTO v_took FROM took;

  WITH entered AS (
    INSERT INTO check_ins (id, event_id, attendee_id, ticket_id, checked_in_at,
      check_in_method, check_in_location, device_id, scope_id, area_id, gate_id, operator_id,
      person_no, pass_no, scan_id, mode, door_time, checked_out_at, exit_scan_id,
      exit_gate_id, exit_assumed, is_present, duration_minutes, event_day)
    SELECT gen_random_uuid(), p_event, t.attendee_id, t.id, e.at, e.me, g.name, e.d, e.sc, e.ar,
      g.id, o.id, e.n, e.p, e.s, e.md, CASE WHEN e.off THEN e.dt END,
      coalesce(e.xat, later.at), e.xs, xg.id, e.xxa OR (e.xat IS NULL AND later.at IS NOT NULL),
      coalesce(e.xat, later.at) IS NULL,
      greatest(0, extract(epoch FROM coalesce(e.xat, later.at) - e.at) / 60)::int,
      ((e.at AT TIME ZONE v_zone) - v_day_starts)::date
    FROM json_to_recordset(v_ev) AS e(q bigint, w int, s uuid, k uuid, at timestamptz, md text,
      sc uuid, n int, p int, ar uuid, g uuid, d text, op uuid, me text, dt timestamptz,
      off boolean, xs uuid, xat timestamptz, xxa boolean, xg uuid)
    JOIN tickets t ON t.id = e.k AND t.event_id = p_event
    LEFT JOIN ops.gates g ON g.id = e.g
    LEFT JOIN ops.gates xg ON xg.id = e.xg
    LEFT JOIN ops.operators o ON o.id = e.op
    -- A later pass is here already, from another file: this one must have ended.
    LEFT JOIN LATERAL (SELECT min(r.checked_in_at) AS at
      FROM (SELECT * FROM check_ins x WHERE x.ticket_id = e.k OFFSET 0) r
      WHERE r.scope_id = e.sc AND r.person_no = e.n AND r.pass_no > e.p) later ON true
    WHERE e.w = 1 AND NOT EXISTS (
      SELECT 1 FROM (SELECT * FROM check_ins x WHERE x.scan_id = e.s OFFSET 0) mine
      WHERE mine.scope_id = e.sc AND mine.person_no = e.n)
    ORDER BY e.k, e.sc, e.n, e.q
    ON CONFLICT DO NOTHING
    RETURNING id, ticket_id AS k, scope_id AS sc, person_no AS n, pass_no AS p, scan_id AS s,
      gate_id AS g, device_id AS d, operator_id AS op, area_id AS ar, checked_out_at AS xat,
      exit_scan_id AS xs, exit_gate_id AS xg, exit_assumed AS xa, checked_in_at AS at
  ) SELECT coalesce(json_agg(entered), '[]') INTO v_in FROM entered;

  SELECT coalesce(json_agg(json_build_object('s', e.s, 'k', t.id, 'sc', e.sc, 'n', e.n,
    'p', e.p, 'at', e.at, 'g', e.g, 'ar', e.ar, 'inside', e.xat IS NULL, 'w', r.scan_id,
    'w_at', r.checked_in_at, 'w_gate', wg.name)), '[]')
  INTO v_lost
  FROM json_to_recordset(v_ev) AS e(w int, s uuid, k uuid, sc uuid, n int, p int, ar uuid,
    at timestamptz, g uuid, xat timestamptz)
  LEFT JOIN tickets t ON t.id = e.k
  LEFT JOIN LATERAL (SELECT ci.scan_id, ci.checked_in_at, ci.gate_id
    FROM (SELECT * FROM check_ins x WHERE x.ticket_id = e.k OFFSET 0) ci
    WHERE ci.scope_id = e.sc AND ci.person_no = e.n
      AND (ci.pass_no = e.p OR (ci.checked_out_at IS NULL AND ci.undone_at IS NULL))
    ORDER BY (ci.pass_no = e.p) DESC LIMIT 1) r ON true
  LEFT JOIN ops.gates wg ON wg.id = r.gate_id
  WHERE e.w = 1 AND NOT EXISTS (
      SELECT 1 FROM (SELECT * FROM check_ins x WHERE x.scan_id = e.s OFFSET 0) mine
      WHERE mine.scope_id = e.sc AND mine.person_no = e.n);

  INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason, args, ticket_id,
    scope_id, gate_id, device_id, operator_id, direction, method, pass_no, people, code_hash,
    code_hint, decided_at, scanned_at, offline, door, mode, durable, superseded_by)
  SELECT l.s, p_event, decode(g.ch, 'hex'), g.ve, g.re,
    coalesce(g.ar, '{}') || coalesce(x.args, '{}'), g.k, g.sc, g.g, g.d, g.op, g.di, g.me, g.p,
    g.pe, decode(g.h, 'hex'), g.hi, l.at, g.sa, coalesce(g.off, false), g.door, l.md,
    CASE WHEN json_array_length(l.opens) + json_array_length(l.closes) > 0 THEN 'journal'
      ELSE 'none' END, x.w
  FROM json_to_recordset(p_lines) AS l(s uuid, at timestamptz, md text, opens json, closes json,
      log json),
    json_to_record(l.log) AS g(ch text, ve text, re text, ar jsonb, k uuid, sc uuid, g uuid,
      d uuid, op uuid, di text, me text, p int, pe int, h text, hi text, sa timestamptz,
      off boolean, door jsonb)
  LEFT JOIN LATERAL (
    SELECT coalesce(o.w, l.s) AS w, jsonb_strip_nulls(jsonb_build_object(
      'since', (extract(epoch FROM o.w_at) * 1000)::bigint, 'gate', o.w_gate,
      'previous', o.w)) AS args
    FROM json_to_recordset(v_lost) AS o(s uuid, w uuid, w_at timestamptz, w_gate text)
    WHERE o.s = l.s LIMIT 1) x ON true
  WHERE l.s = ANY (v_new)
  ORDER BY l.s
  ON CONFLICT (scan_id) DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason,
    args = excluded.args, scope_id = excluded.scope_id, pass_no = excluded.pass_no,
    people = excluded.people, decided_at = excluded.decided_at, mode = excluded.mode,
    durable = excluded.durable, superseded_by = excluded.superseded_by;

  INSERT INTO ops.answers (event_id, ticket_id, question_id, scan_id, value, years,
    operator_id, device_id, created_at)
  SELECT p_event, g.ticket_id, a.q, g.scan_id, a.v, a.y, g.operator_id, g.device_id, g.decided_at
  FROM ops.scan_log g
  CROSS JOIN LATERAL jsonb_to_recordset((g.args ->> 'given')::jsonb) AS a(q uuid, v jsonb, y int)
  WHERE g.scan_id = ANY (v_new) AND g.args ? 'given' AND g.ticket_id IS NOT NULL;

  UPDATE ops.scan_log g SET superseded_by = t.s
  FROM json_to_recordset(v_took) AS t(s uuid, was uuid)
  WHERE g.scan_id = t.was AND NOT EXISTS (SELECT 1 FROM check_ins r WHERE r.scan_id = t.was);

  WITH told AS (
    SELECT 'merge' AS kind, o.k, o.sc, o.w AS winner, o.s AS loser, o.ar,
      count(*) FILTER (WHERE o.inside)::int AS people,
      jsonb_build_object('persons', json_agg(o.n), 'pass', min(o.p), 'at', min(o.at),
        'gate_id', min(o.g::text), 'winner_at', min(o.w_at), 'winner_gate', min(o.w_gate)) AS detail
    FROM json_to_recordset(v_lost) AS o(s uuid, k uuid, sc uuid, n int, p int, at timestamptz,
      g uuid, ar uuid, inside boolean, w uuid, w_at timestamptz, w_gate text)
    GROUP BY o.k, o.sc, o.w, o.s, o.ar
    UNION ALL
    SELECT 'superseded', t.k, t.sc, t.s, t.was, t.ar, 0,
      jsonb_build_object('persons', json_agg(t.n), 'pass', min(t.p))
    FROM json_to_recordset(v_took) AS t(s uuid, was uuid, k uuid, sc uuid, n int, p int, ar uuid)
    GROUP BY t.k, t.sc, t.s, t.was, t.ar
  ), written AS (
    INSERT INTO ops.conflicts (id, event_id, kind, ticket_id, scope_id, winner_scan_id,
      loser_scan_id, area_id, people, detail)
    SELECT gen_random_uuid(), p_event, kind, k, sc, winner, loser, ar, people, detail
    FROM told RETURNING area_id, people
  ), disputed AS (
    UPDATE ops.areas a SET disputed = a.disputed + d.people
    FROM (SELECT area_id, sum(people)::int AS people FROM written GROUP BY area_id) d
    WHERE a.id = d.area_id AND d.people > 0 RETURNING 1
  )
  SELECT count(*) INTO v_conflicts FROM written;

  INSERT INTO ops.facts (event_id, kind, v, payload, at)
  SELECT p_event, f.kind, 1, f.payload, f.at FROM (
    SELECT 'admitted' AS kind, x.at, jsonb_build_object('kind', 'admitted', 'v', 1,
      'event_id', p_event, 'at', x.at, 'ticket_id', x.k, 'scope_id', x.sc, 'person_no', x.n,
      'pass_no', x.p, 'scan_id', x.s, 'gate_id', x.g, 'device_id', x.d, 'operator_id', x.op)
      AS payload
    FROM json_to_recordset(v_in) AS x(k uuid, sc uuid, n int, p int, s uuid, g uuid, d uuid,
      op uuid, at timestamptz)
    UNION ALL
    SELECT 'exited', p_now, jsonb_build_object('kind', 'exited', 'v', 1, 'event_id', p_event,
      'at', p_now, 'ticket_id', y.k, 'scope_id', y.sc, 'person_no', y.n, 'pass_no', y.p,
      'scan_id', y.xs, 'gate_id', y.xg, 'assumed', y.xa)
    FROM (
      SELECT k, sc, n, p, xs, xg, xa FROM json_to_recordset(v_out) AS y(k uuid, sc uuid, n int,
        p int, xs uuid, xg uuid, xa boolean)
      UNION ALL
      SELECT k, sc, n, p, xs, xg, xa FROM json_to_recordset(v_in) AS y(k uuid, sc uuid, n int,
        p int, xs uuid, xg uuid, xa boolean, xat timestamptz) WHERE xat IS NOT NULL) y
  ) f;

  WITH moved AS (
    SELECT m.sc, sum(m.by)::int AS by FROM (
      SELECT sc, 1 AS by FROM json_to_recordset(v_in) AS x(sc uuid, xat timestamptz)
      WHERE xat IS NULL
      UNION ALL SELECT sc, -1 FROM json_to_recordset(v_out) AS y(sc uuid)) m
    GROUP BY m.sc
  ), scoped AS (
    UPDATE ops.scopes s SET inside = s.inside + moved.by
    FROM moved WHERE s.id = moved.sc AND moved.by <> 0 RETURNING 1
  )
  UPDATE ops.areas a SET inside = a.inside + d.by
  FROM (SELECT s.area_id, sum(moved.by)::int AS by FROM moved
        JOIN ops.scopes s ON s.id = moved.sc GROUP BY s.area_id) d
  WHERE a.id = d.area_id AND d.by <> 0;

  IF p_shown <> '{}' THEN
    -- Only the places of the line: an earlier commit of the scan may have others. OFFSET 0
    -- here and above: by the key of the scan, and by no index that knows the scope alone.
    UPDATE check_ins SET confirmed_at = p_now WHERE id IN (
      SELECT r.id FROM json_to_recordset(p_lines) AS l(s uuid, opens json),
        json_to_recordset(l.opens) AS o(sc int, n int, p int)
      JOIN ops.scopes c ON c.no = o.sc AND c.event_id = p_event
      CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.scan_id = l.s OFFSET 0) r
      WHERE l.s = ANY (p_shown) AND r.confirmed_at IS NULL
        AND r.scope_id = c.id AND r.person_no = o.n AND r.pass_no = o.p);
  END IF;

  RETURN json_build_object('waiting', to_json(v_waiting),
    'merged', coalesce(cardinality(v_new), 0), 'conflicts', v_conflicts,
    'tickets', (SELECT coalesce(json_agg(DISTINCT c.k), '[]') FROM (
      SELECT k FROM json_to_recordset(v_lost) AS o(k uuid)
      UNION ALL SELECT k FROM json_to_recordset(v_took) AS t(k uuid)) c WHERE c.k IS NOT NULL));
END
$$;

-- ops.merge_rivals_v1: scans that hold a place of these lines in the record and were never
-- confirmed. The merge looks for them in the journals before it takes their rows over.
CREATE OR REPLACE FUNCTION ops.merge_rivals_v1(p_event uuid, p_lines json)
RETURNS SETOF uuid LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  RETURN QUERY SELECT DISTINCT ci.scan_id
  FROM json_to_recordset(p_lines) AS l(s uuid, k uuid, opens json),
    json_to_recordset(l.opens) AS o(sc int, n int, p int)
  JOIN ops.scopes s ON s.no = o.sc AND s.event_id = p_event
  JOIN check_ins ci ON ci.scope_id = s.id AND ci.person_no = o.n AND ci.pass_no = o.p
  WHERE ci.ticket_id = l.k AND ci.scan_id <> l.s AND ci.confirmed_at IS NULL
    AND ci.undone_at IS NULL;
END
$$;
