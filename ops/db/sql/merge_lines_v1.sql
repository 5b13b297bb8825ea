-- ops.merge_lines_v1: bring lines of the journal into the record, in one transaction. Idempotent.
--
--   p_lines  [{"s": scan, "at": decided at, "md": mode, "pl": takes or leaves places,
--              "log": columns of ops.scan_log}]
--   p_opens  [{"s", "k": ticket, "at", "md", "ta": scan that it took over or null, "sc": scope
--              no, "n": person, "p": pass, "g": gate, "d": device, "op": operator, "me": method,
--              "dt": door time, "off": uploaded}]
--   p_closes [{"s", "k", "at", "sc", "n", "p": pass or 0, "must", "as": assumed, "g"}]
--   p_shown  scans whose green was shown
--   p_stale  scans that hold a row, but are in no journal that can be read and were never
--            confirmed: nobody can have seen their green, so a line takes their row over (R4)
--   p_hasty  scans that wait for no other line any more
--   p_weighed rivals (ops.merge_rivals_v1) that were looked for in the journals: an entry whose
--            pass is the row of any other waits, for that row came after the look
--   p_astray rivals that were let in elsewhere by mode D: their row is an earlier commit that
--            nobody heard of, and if it is confirmed, then for that other green
--   p_unseen scans of these lines whose green nobody saw: if their row was taken over, that was
--            told, and they are no conflict once more
-- Returns {"merged": lines written, "conflicts": rows of ops.conflicts, "tickets": [tickets of
--          conflicts, and of what is on record otherwise: the cache must be told],
--          "waiting": [scans that end a pass which is not there, or begin one while the pass
--          before it is open; not written], "queued_ms": waiting for the door, "took_ms"}
--
-- A call brings at most one line of a ticket (ops.admission.merge.waves): what a line finds in
-- the record is what the lines before it have left there. So an entry, its exit and the next
-- entry of one file are three calls; once they were one, the exit came from another file, and
-- the second entry was lost to the first.
--
-- What happened has happened: limits are not asked (I7). A line whose scan is in the log
-- already with its rows writes nothing. An entry whose pass is another scan's is placed on the
-- next one if nobody is inside, else it has no row; either way it is reported in ops.conflicts,
-- and without a row its scan is never green again (R9).
CREATE OR REPLACE FUNCTION ops.merge_lines_v1(
  p_event uuid, p_event_no int, p_now timestamptz, p_lines json, p_opens json, p_closes json,
  p_shown uuid[], p_stale uuid[], p_hasty uuid[], p_weighed uuid[], p_astray uuid[],
  p_unseen uuid[]
) RETURNS json LANGUAGE plpgsql
-- Point look-ups by key only, row by row (LATERAL .. OFFSET 0): by the key of the ticket or the
-- scan, however large the tables are.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_began timestamptz := clock_timestamp();
  v_locked timestamptz;
  v_new uuid[];
  v_waiting uuid[] := '{}';
  v_out json := '[]';     -- presences ended
  v_in json := '[]';      -- visits written
  v_took json := '[]';    -- visits taken over: {s, was, k, sc, n, p}
  v_lost json := '[]';    -- opens whose pass is another's: {s, k, sc, n, p, w, in: placed at}
  v_doors uuid[] := '{}'; -- scans whose door's own verdict was stored just now
  v_told uuid[] := '{}';  -- scans whose door's verdict was there before
  v_conflicts int := 0;
  v_zone text;
  v_day_starts interval;
BEGIN
  PERFORM pg_advisory_xact_lock(7301, p_event_no);
  v_locked := clock_timestamp();
  SELECT timezone, coalesce(day_starts_at, '04:00')::interval INTO v_zone, v_day_starts
  FROM events WHERE id = p_event;
  SELECT coalesce(array_agg(l.s), '{}') INTO v_new
  FROM json_to_recordset(p_lines) AS l(s uuid, pl boolean)
  -- Not there, or there as an answer that let nobody through: mode D could not read it.
  WHERE NOT EXISTS (SELECT 1 FROM ops.scan_log g WHERE g.scan_id = l.s
    -- Its row may have another number by now: uploads have fallen into place.
    AND (g.durable = 'journal' OR NOT l.pl OR g.args ? 'settled'
      OR EXISTS (SELECT 1 FROM ops.conflicts c WHERE c.loser_scan_id = l.s
        AND (c.kind = 'merge' OR c.kind = 'superseded' AND NOT l.s = ANY (p_shown)
          -- A steward gave the place to another: what nobody saw gets no row of its own.
          AND (NOT coalesce((c.detail ->> 'stale')::boolean, false) OR l.s = ANY (p_unseen))))
      OR EXISTS (SELECT 1 FROM json_to_recordset(p_opens) AS o(s uuid, sc int, n int, p int)
        JOIN ops.scopes s ON s.no = o.sc AND s.event_id = p_event
        JOIN (SELECT * FROM check_ins x WHERE x.scan_id = l.s OFFSET 0) r
          ON r.scope_id = s.id AND r.person_no = o.n AND r.pass_no = o.p
        WHERE o.s = l.s)
      OR EXISTS (SELECT 1 FROM check_ins r WHERE r.exit_scan_id = l.s)));

  -- An exit comes after its entry, whose line may be in a file that is not read yet.
  SELECT coalesce(array_agg(DISTINCT c.s), '{}') INTO v_waiting
  FROM json_to_recordset(p_closes) AS c(s uuid, k uuid, sc int, n int, p int, must boolean)
  JOIN ops.scopes s ON s.no = c.sc AND s.event_id = p_event
  WHERE c.p > 0 AND c.s = ANY (v_new) AND NOT c.s = ANY (p_hasty)
    AND NOT EXISTS (SELECT 1 FROM (SELECT * FROM check_ins x WHERE x.ticket_id = c.k OFFSET 0) r
      WHERE r.scope_id = s.id AND r.person_no = c.n
        AND ops.line_pass_v1(r.scan_id, r.scope_id, r.pass_no) = c.p);
  -- And an entry after the exit before it. And one whose earlier commit, seen by nobody, has
  -- another pass: its row will be taken over by the scan that was let in on that pass.
  SELECT v_waiting || coalesce(array_agg(DISTINCT o.s), '{}') INTO v_waiting
  FROM json_to_recordset(p_opens) AS o(s uuid, k uuid, sc int, n int, p int)
  JOIN ops.scopes s ON s.no = o.sc AND s.event_id = p_event
  CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.ticket_id = o.k OFFSET 0) r
  WHERE o.s = ANY (v_new) AND r.scope_id = s.id AND r.person_no = o.n
    AND (r.pass_no = o.p AND r.scan_id <> o.s AND r.undone_at IS NULL
        AND ops.line_pass_v1(r.scan_id, r.scope_id, r.pass_no) = o.p
        AND (NOT r.scan_id = ANY (p_weighed)
          -- Confirmed since: whose green that was is looked for again.
          OR r.confirmed_at IS NOT NULL AND r.scan_id = ANY (p_stale)
            AND NOT r.scan_id = ANY (p_astray))
      OR o.s = ANY (p_hasty) IS FALSE AND r.scan_id = o.s AND r.pass_no <> o.p
      OR o.s = ANY (p_hasty) IS FALSE AND r.checked_out_at IS NULL AND r.undone_at IS NULL AND r.scan_id <> o.s
        AND ops.line_pass_v1(r.scan_id, r.scope_id, r.pass_no) < o.p
        AND NOT EXISTS (SELECT 1
          FROM json_to_recordset(p_closes) AS c(s uuid, sc int, n int)
          WHERE c.s = o.s AND c.sc = o.sc AND c.n = o.n));
  IF v_waiting <> '{}' THEN
    SELECT coalesce(array_agg(x), '{}') INTO v_new
    FROM unnest(v_new) x WHERE NOT x = ANY (v_waiting);
  END IF;

  IF json_array_length(p_closes) > 0 THEN
    WITH found AS (
      SELECT DISTINCT ON (e.s, s.id, e.n) e.*, r.id, r.checked_out_at IS NULL AS was_open
      FROM json_to_recordset(p_closes) AS e(s uuid, k uuid, at timestamptz, sc int, n int, p int,
        must boolean, "as" boolean, g uuid)
      JOIN ops.scopes s ON s.no = e.sc AND s.event_id = p_event
      CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.ticket_id = e.k
        AND x.scope_id = s.id AND x.person_no = e.n AND x.undone_at IS NULL OFFSET 0) r
      WHERE e.s = ANY (v_new)
        AND CASE WHEN e.p = 0 THEN r.checked_out_at IS NULL
            ELSE r.exit_scan_id IS NULL
              AND (ops.line_pass_v1(r.scan_id, r.scope_id, r.pass_no) = e.p
                -- The inner pass that it ended came to nothing: the one before it ends.
                OR NOT e.must AND e.s = ANY (p_hasty) AND r.checked_out_at IS NULL
                  AND ops.line_pass_v1(r.scan_id, r.scope_id, r.pass_no) < e.p) END
      ORDER BY e.s, s.id, e.n, r.checked_out_at IS NULL DESC, r.pass_no
    ), ended AS (
      UPDATE check_ins ci
      SET checked_out_at = greatest(e.at, ci.checked_in_at), exit_scan_id = e.s,
          exit_gate_id = (SELECT id FROM ops.gates WHERE id = e.g), exit_assumed = e."as",
          is_present = false,
          duration_minutes = greatest(0, extract(epoch FROM e.at - ci.checked_in_at) / 60)::int
      FROM found e WHERE ci.id = e.id
      RETURNING ci.ticket_id AS k, ci.scope_id AS sc, ci.person_no AS n, ci.pass_no AS p,
        e.s AS xs, e.g AS xg, e."as" AS xa, ci.area_id AS ar, e.was_open
    ) SELECT coalesce(json_agg(ended) FILTER (WHERE was_open), '[]') INTO v_out FROM ended;
  END IF;

  -- Whose exit never came has left all the same: a later pass was green.
  IF p_hasty <> '{}' THEN
    WITH ended AS (
      UPDATE check_ins ci
      SET checked_out_at = greatest(e.at, ci.checked_in_at), exit_assumed = true,
          is_present = false
      FROM json_to_recordset(p_opens) AS e(s uuid, k uuid, sc int, n int, p int,
          at timestamptz)
        JOIN ops.scopes s ON s.no = e.sc AND s.event_id = p_event
      WHERE e.s = ANY (p_hasty) AND e.s = ANY (v_new) AND ci.ticket_id = e.k
        AND ci.scope_id = s.id AND ci.person_no = e.n
        AND ops.line_pass_v1(ci.scan_id, ci.scope_id, ci.pass_no) < e.p
        AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL
      RETURNING ci.ticket_id AS k, ci.scope_id AS sc, ci.person_no AS n, ci.pass_no AS p,
        NULL::uuid AS xs, NULL::uuid AS xg, true AS xa, ci.area_id AS ar
    ) SELECT (v_out::jsonb || coalesce(jsonb_agg(ended), '[]'))::json INTO v_out FROM ended;
  END IF;

  IF json_array_length(p_opens) > 0 THEN
    -- A row that a steward took over, or that nobody can have seen green.
    WITH found AS (
      SELECT e.*, r.id, r.scan_id AS was
      FROM json_to_recordset(p_opens) AS e(s uuid, k uuid, sc int, n int, p int,
        at timestamptz, md text, ta uuid, g uuid, d text, op uuid)
      JOIN ops.scopes s ON s.no = e.sc AND s.event_id = p_event
      CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.ticket_id = e.k
        AND x.scope_id = s.id AND x.person_no = e.n AND x.pass_no = e.p OFFSET 0) r
      WHERE e.s = ANY (v_new) AND r.scan_id <> e.s
        AND (r.confirmed_at IS NULL OR r.scan_id = ANY (p_astray))
        AND ops.line_pass_v1(r.scan_id, r.scope_id, r.pass_no) = e.p
        AND r.undone_at IS NULL AND (r.scan_id = e.ta OR r.scan_id = ANY (p_stale))
    ), took AS (
      UPDATE check_ins ci
      SET scan_id = e.s, checked_in_at = e.at, device_id = e.d, mode = e.md,
          gate_id = (SELECT id FROM ops.gates WHERE id = e.g),
          operator_id = (SELECT id FROM ops.operators WHERE id = e.op), confirmed_at = NULL
      FROM found e WHERE ci.id = e.id
        AND (ci.confirmed_at IS NULL OR ci.scan_id = ANY (p_astray))
      RETURNING e.s, e.was, e.k, ci.scope_id AS sc, e.n, e.p, ci.area_id AS ar,
        e.ta IS DISTINCT FROM e.was AS stale
    ) SELECT coalesce(json_agg(took), '[]') INTO v_took FROM took;

    v_in := ops.merge_entries_v1(p_event, p_now, v_zone, v_day_starts, p_opens, v_new,
      p_shown, '{}');

    IF json_array_length(v_in) + json_array_length(v_took) < json_array_length(p_opens) THEN
      SELECT coalesce(json_agg(json_build_object('s', e.s, 'k', e.k, 'sc', c.id, 'n', e.n,
        'p', e.p, 'ar', c.area_id, 'at', e.at, 'g', e.g, 'w', r.scan_id, 'w_at',
        r.checked_in_at, 'w_gate', wg.name, 'open', coalesce(r.inside, false))), '[]')
      INTO v_lost
      FROM json_to_recordset(p_opens) AS e(s uuid, k uuid, sc int, n int, p int,
        at timestamptz, g uuid)
      JOIN ops.scopes c ON c.no = e.sc AND c.event_id = p_event
      LEFT JOIN LATERAL (SELECT ci.scan_id, ci.checked_in_at, ci.gate_id,
          bool_or(ci.checked_out_at IS NULL AND ci.undone_at IS NULL) OVER () AS inside
        FROM (SELECT * FROM check_ins x WHERE x.ticket_id = e.k OFFSET 0) ci
        WHERE ci.scope_id = c.id AND ci.person_no = e.n
          AND (ci.pass_no = e.p OR (ci.checked_out_at IS NULL AND ci.undone_at IS NULL))
        ORDER BY (ci.pass_no = e.p) DESC LIMIT 1) r ON true
      LEFT JOIN ops.gates wg ON wg.id = r.gate_id
      WHERE e.s = ANY (v_new) AND NOT EXISTS (
        SELECT 1 FROM (SELECT * FROM check_ins x WHERE x.scan_id = e.s OFFSET 0) mine
        WHERE mine.scope_id = c.id AND mine.person_no = e.n);
      IF json_array_length(v_lost) > 0 THEN
        -- Nobody of that number is inside: a green that was seen has a row of its own.
        SELECT (v_in::jsonb || ops.merge_entries_v1(p_event, p_now, v_zone, v_day_starts,
          p_opens, v_new, p_shown, coalesce(array_agg(o.s), '{}'))::jsonb)::json INTO v_in
        FROM json_to_recordset(v_lost) AS o(s uuid, w uuid, open boolean)
        WHERE o.w IS NOT NULL AND NOT o.open;
      END IF;
    END IF;
  END IF;

  -- What a device showed of a scan that is in the log already.
  IF position('"door":{' IN p_lines::text) > 0 THEN
    WITH told AS (
      UPDATE ops.scan_log g SET door = r.door, offline = true
      FROM json_to_recordset(p_lines) AS l(s uuid, log json),
        json_to_record(l.log) AS r(door jsonb)
      WHERE g.scan_id = l.s AND g.door IS NULL AND r.door IS NOT NULL
        AND jsonb_typeof(r.door) = 'object' AND NOT l.s = ANY (v_new || v_waiting)
      RETURNING g.scan_id
    ) SELECT coalesce(array_agg(scan_id), '{}') INTO v_doors FROM told;
    SELECT coalesce(array_agg(scan_id), '{}') INTO v_told FROM ops.scan_log
    WHERE scan_id = ANY (v_new) AND door IS NOT NULL;
  END IF;

  WITH stored AS (
  INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason, args, ticket_id,
    scope_id, gate_id, device_id, operator_id, direction, method, pass_no, people, code_hash,
    code_hint, decided_at, scanned_at, offline, door, mode, durable, superseded_by)
  SELECT l.s, p_event, decode(g.ch, 'hex'), g.ve, g.re,
    coalesce(g.ar, '{}') || coalesce(x.args, '{}'), g.k, g.sc, g.g, g.d, g.op, g.di, g.me, g.p,
    g.pe, decode(g.h, 'hex'), g.hi, l.at, g.sa, coalesce(g.off, false), g.door, l.md,
    CASE WHEN l.pl THEN 'journal' ELSE 'none' END, x.w
  FROM json_to_recordset(p_lines) AS l(s uuid, at timestamptz, md text, pl boolean, log json),
    json_to_record(l.log) AS g(ch text, ve text, re text, ar jsonb, k uuid, sc uuid, g uuid,
      d uuid, op uuid, di text, me text, p int, pe int, h text, hi text, sa timestamptz,
      off boolean, door jsonb)
  LEFT JOIN LATERAL (
    SELECT coalesce(o.w, l.s) AS w, jsonb_strip_nulls(jsonb_build_object(
      'since', floor(extract(epoch FROM o.w_at) * 1000)::bigint, 'gate', o.w_gate,
      'previous', o.w)) AS args
    FROM json_to_recordset(v_lost) AS o(s uuid, w uuid, w_at timestamptz, w_gate text,
      open boolean)
    WHERE o.s = l.s AND (o.open OR o.w IS NULL) LIMIT 1) x ON true
  WHERE l.s = ANY (v_new)
  ORDER BY l.s
  ON CONFLICT (scan_id) DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason,
    args = excluded.args, scope_id = excluded.scope_id, pass_no = excluded.pass_no,
    people = excluded.people, decided_at = excluded.decided_at, mode = excluded.mode,
    durable = excluded.durable, superseded_by = excluded.superseded_by,
    door = coalesce(scan_log.door, excluded.door),
    offline = scan_log.offline OR excluded.offline
  RETURNING scan_id, door)
  SELECT v_doors || coalesce(array_agg(scan_id)
    FILTER (WHERE door IS NOT NULL AND NOT scan_id = ANY (v_told)), '{}')
  INTO v_doors FROM stored;

  IF position('"given":' IN p_lines::text) > 0 THEN
    INSERT INTO ops.answers (event_id, ticket_id, question_id, scan_id, value, years,
      operator_id, device_id, created_at)
    SELECT p_event, g.ticket_id, a.q, g.scan_id, a.v, a.y, g.operator_id, g.device_id,
      g.decided_at
    FROM ops.scan_log g
    CROSS JOIN LATERAL jsonb_to_recordset((g.args ->> 'given')::jsonb)
      AS a(q uuid, v jsonb, y int)
    WHERE g.scan_id = ANY (v_new) AND g.args ? 'given' AND g.ticket_id IS NOT NULL;
  END IF;

  IF json_array_length(v_took) + json_array_length(v_lost) > 0 THEN
    -- Of a group some may be left: said again, it lets in those alone.
    UPDATE ops.scan_log g
    SET superseded_by = CASE WHEN l.people = 0 THEN t.s ELSE g.superseded_by END,
        people = CASE WHEN l.people = 0 THEN g.people ELSE least(g.people, l.people) END
    FROM json_to_recordset(v_took) AS t(s uuid, was uuid)
    CROSS JOIN LATERAL (SELECT count(*)::int AS people FROM ops.scan_log w
      JOIN (SELECT * FROM check_ins c WHERE c.scan_id = t.was OFFSET 0) x
        ON x.scope_id = coalesce(w.scope_id, x.scope_id)
      WHERE w.scan_id = t.was) l
    WHERE g.scan_id = t.was;

    WITH told AS (
      SELECT 'merge' AS kind, o.k, o.sc, o.w AS winner, o.s AS loser, o.ar,
        count(*) FILTER (WHERE o.open)::int AS people,
        jsonb_build_object('persons', json_agg(o.n), 'pass', min(o.p), 'at', min(o.at),
          'gate_id', min(o.g::text), 'winner_at', min(o.w_at),
          'winner_gate', min(o.w_gate)) AS detail
      FROM json_to_recordset(v_lost) AS o(s uuid, k uuid, sc uuid, n int, p int,
        at timestamptz, g uuid, ar uuid, open boolean, w uuid, w_at timestamptz, w_gate text)
      GROUP BY o.k, o.sc, o.w, o.s, o.ar
      UNION ALL
      SELECT 'superseded', t.k, t.sc, t.s, t.was, t.ar, 0,
        jsonb_build_object('persons', json_agg(t.n), 'pass', min(t.p),
          'stale', bool_or(t.stale))
      FROM json_to_recordset(v_took) AS t(s uuid, was uuid, k uuid, sc uuid, n int, p int,
        ar uuid, stale boolean)
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
  END IF;
  IF v_doors <> '{}' THEN
    PERFORM ops.doors_told_v1(p_event, p_now, v_doors);
  END IF;

  PERFORM ops.merge_told_v1(p_event, p_now, v_in, v_out);

  IF p_shown <> '{}' THEN
    -- Only the places of the line: an earlier commit of the scan may have others. What this
    -- call has written is confirmed already.
    UPDATE check_ins SET confirmed_at = p_now WHERE id IN (
      SELECT r.id FROM json_to_recordset(p_opens) AS o(s uuid, sc int, n int, p int)
      JOIN ops.scopes c ON c.no = o.sc AND c.event_id = p_event
      CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.scan_id = o.s OFFSET 0) r
      WHERE o.s = ANY (p_shown) AND r.confirmed_at IS NULL AND r.scope_id = c.id
        AND r.person_no = o.n
        AND ops.line_pass_v1(r.scan_id, r.scope_id, r.pass_no) = o.p);
  END IF;

  RETURN json_build_object('waiting', to_json(v_waiting),
    'merged', coalesce(cardinality(v_new), 0), 'conflicts', v_conflicts,
    'tickets', (SELECT coalesce(json_agg(DISTINCT c.k), '[]') FROM (
      SELECT k FROM json_to_recordset(v_lost) AS o(k uuid)
      UNION ALL SELECT k FROM json_to_recordset(v_took) AS t(k uuid)
      -- Committed before, with other places than mode D then claimed: those come to nothing.
      UNION ALL SELECT g.ticket_id FROM json_to_recordset(p_lines) AS l(s uuid, md text, pl boolean)
      JOIN ops.scan_log g ON g.scan_id = l.s AND g.durable = 'committed'
      WHERE l.pl AND l.md = 'D' AND NOT l.s = ANY (v_new || v_waiting)) c WHERE c.k IS NOT NULL),
    'queued_ms', extract(epoch FROM v_locked - v_began) * 1000,
    'took_ms', extract(epoch FROM clock_timestamp() - v_locked) * 1000);
END
$$;

-- ops.line_pass_v1: the pass that lines of the journal mean by a visit. It is the visit's own,
-- but for one that was placed on a later pass because its own was another scan's.
CREATE OR REPLACE FUNCTION ops.line_pass_v1(p_scan uuid, p_scope uuid, p_pass int)
RETURNS int LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT (c.detail ->> 'pass')::int FROM ops.conflicts c
    WHERE c.loser_scan_id = p_scan AND c.scope_id = p_scope AND c.kind = 'merge' LIMIT 1), p_pass)
$$;

-- ops.merge_entries_v1: the rows of these entries, where their keys allow them. With p_next, of
-- those scans alone and on the pass after the newest. Returns the rows as a JSON array.
-- What was shown (p_shown) is confirmed as it is written: to change a row that the same
-- transaction has written, PostgreSQL looks all its foreign keys up once more.
CREATE OR REPLACE FUNCTION ops.merge_entries_v1(
  p_event uuid, p_now timestamptz, p_zone text, p_day_starts interval, p_opens json,
  p_new uuid[], p_shown uuid[], p_next uuid[]
) RETURNS json LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_in json;
BEGIN
  WITH entered AS (
    INSERT INTO check_ins (id, event_id, attendee_id, ticket_id, checked_in_at,
      check_in_method, check_in_location, device_id, scope_id, area_id, gate_id, operator_id,
      person_no, pass_no, scan_id, mode, door_time, checked_out_at, exit_assumed, is_present,
      duration_minutes, event_day, confirmed_at)
    SELECT gen_random_uuid(), p_event, t.attendee_id, t.id, e.at, e.me, g.name, e.d, s.id,
      s.area_id, g.id, o.id, e.n, CASE WHEN p_next = '{}' THEN e.p ELSE later.newest + 1 END,
      e.s, e.md, CASE WHEN e.off THEN e.dt END,
      x.at, x.at IS NOT NULL, x.at IS NULL,
      greatest(0, extract(epoch FROM x.at - e.at) / 60)::int,
      ((e.at AT TIME ZONE p_zone) - p_day_starts)::date,
      CASE WHEN e.s = ANY (p_shown) THEN p_now END
    FROM json_to_recordset(p_opens) AS e(s uuid, k uuid, at timestamptz, md text, sc int, n int,
      p int, g uuid, d text, op uuid, me text, dt timestamptz, off boolean)
    JOIN ops.scopes s ON s.no = e.sc AND s.event_id = p_event
    JOIN tickets t ON t.id = e.k AND t.event_id = p_event
    LEFT JOIN ops.gates g ON g.id = e.g
    LEFT JOIN ops.operators o ON o.id = e.op
    LEFT JOIN LATERAL (SELECT max(r.pass_no) AS newest,
        min(r.checked_in_at) FILTER (WHERE
          ops.line_pass_v1(r.scan_id, r.scope_id, r.pass_no) > e.p) AS at
      FROM (SELECT * FROM check_ins x WHERE x.ticket_id = e.k OFFSET 0) r
      WHERE r.scope_id = s.id AND r.person_no = e.n) later ON true
    -- A later pass is here already, from another file: this one must have ended.
    CROSS JOIN LATERAL (SELECT CASE WHEN p_next = '{}' THEN later.at END AS at) x
    WHERE e.s = ANY (p_new) AND (p_next = '{}' OR e.s = ANY (p_next)) AND NOT EXISTS (
      SELECT 1 FROM (SELECT * FROM check_ins x WHERE x.scan_id = e.s OFFSET 0) mine
      WHERE mine.scope_id = s.id AND mine.person_no = e.n)
    ORDER BY e.k, s.id, e.n
    ON CONFLICT DO NOTHING
    RETURNING id, ticket_id AS k, scope_id AS sc, person_no AS n, pass_no AS p, scan_id AS s,
      gate_id AS g, device_id AS d, operator_id AS op, area_id AS ar, checked_out_at AS xat,
      checked_in_at AS at
  )
  SELECT coalesce(json_agg(entered), '[]') INTO v_in FROM entered;
  RETURN v_in;
END
$$;

-- ops.merge_told_v1: facts of what was merged, for everybody who acts on it later, and the
-- counters of who is inside.
CREATE OR REPLACE FUNCTION ops.merge_told_v1(
  p_event uuid, p_now timestamptz, p_in json, p_out json
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ops.facts (event_id, kind, v, payload, at)
  SELECT p_event, f.kind, 1, f.payload, f.at FROM (
    SELECT 'admitted' AS kind, x.at, jsonb_build_object('kind', 'admitted', 'v', 1,
      'event_id', p_event, 'at', x.at, 'ticket_id', x.k, 'scope_id', x.sc, 'person_no', x.n,
      'pass_no', x.p, 'scan_id', x.s, 'gate_id', x.g, 'device_id', x.d, 'operator_id', x.op)
      AS payload
    FROM json_to_recordset(p_in) AS x(k uuid, sc uuid, n int, p int, s uuid, g uuid, d uuid,
      op uuid, at timestamptz)
    UNION ALL
    SELECT 'exited', p_now, jsonb_build_object('kind', 'exited', 'v', 1, 'event_id', p_event,
      'at', p_now, 'ticket_id', y.k, 'scope_id', y.sc, 'person_no', y.n, 'pass_no', y.p,
      'scan_id', y.xs, 'gate_id', y.xg, 'assumed', y.xa)
    FROM (
      SELECT k, sc, n, p, xs, xg, xa FROM json_to_recordset(p_out) AS y(k uuid, sc uuid, n int,
        p int, xs uuid, xg uuid, xa boolean)
      UNION ALL
      SELECT k, sc, n, p, NULL, NULL, true FROM json_to_recordset(p_in) AS y(k uuid, sc uuid,
        n int, p int, xat timestamptz) WHERE xat IS NOT NULL) y
  ) f;

  WITH moved AS (
    SELECT m.sc, sum(m.by)::int AS by FROM (
      SELECT sc, 1 AS by FROM json_to_recordset(p_in) AS x(sc uuid, xat timestamptz)
      WHERE xat IS NULL
      UNION ALL SELECT sc, -1 FROM json_to_recordset(p_out) AS y(sc uuid)) m
    GROUP BY m.sc
  ), scoped AS (
    UPDATE ops.scopes s SET inside = s.inside + moved.by
    FROM moved WHERE s.id = moved.sc AND moved.by <> 0 RETURNING 1
  )
  UPDATE ops.areas a SET inside = a.inside + d.by
  FROM (SELECT s.area_id, sum(moved.by)::int AS by FROM moved
        JOIN ops.scopes s ON s.id = moved.sc GROUP BY s.area_id) d
  WHERE a.id = d.area_id AND d.by <> 0;
END
$$;

-- ops.merge_rivals_v1: other scans that hold a pass of these entries in the record, and whether
-- that is confirmed. The merge looks for them in the journals before it takes their rows over.
-- Not those that a merge has placed on a later pass than their own line means.
CREATE OR REPLACE FUNCTION ops.merge_rivals_v1(p_event uuid, p_opens json)
RETURNS TABLE (rival uuid, confirmed boolean) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  RETURN QUERY SELECT ci.scan_id, bool_or(ci.confirmed_at IS NOT NULL)
  FROM json_to_recordset(p_opens) AS o(s uuid, k uuid, sc int, n int, p int)
  JOIN ops.scopes s ON s.no = o.sc AND s.event_id = p_event
  CROSS JOIN LATERAL (SELECT * FROM check_ins x WHERE x.ticket_id = o.k OFFSET 0) ci
  WHERE ci.scope_id = s.id AND ci.person_no = o.n AND ci.pass_no = o.p
    AND ci.scan_id <> o.s AND ci.undone_at IS NULL
    AND ops.line_pass_v1(ci.scan_id, ci.scope_id, ci.pass_no) = o.p
  GROUP BY ci.scan_id;
END
$$;
