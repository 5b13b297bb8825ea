-- ops.commit_scans_v1: write one batch of decided scans, in one transaction, one round trip.
--
-- It holds no rules. It is the arbiter: a decision stands only if its ticket still has the
-- version that was decided on, its device is active, its scan id has no answer yet, every
-- place it takes is free (four unique keys of check_ins) and every limit has room. A scan
-- is written whole or not at all; the others of the batch are not touched by its loss.
--
--   p_items   [{"i": order of arrival, "s": scan, "k": ticket, "v": ticket version, "d": device,
--               "g": gate, "gn": gate's name, "op": operator, "me": method, "dt": door time,
--               "no": number of opens, "mu": number of closes that must succeed,
--               "of": uploaded afterwards, "le": a supervisor ends a lease of the ticket,
--               "ac": accepted by a person though the device was revoked,
--               "an": [{"q": question or null, "v": value, "y": years}],
--               "ca": area, "cn": people who enter it without a ticket, "cr": reason}]
--   p_needs   [{"i", "c": id of a scope or area with a hard limit, "n": people,
--               "h": held places that are not for them}]
--   p_opens   [{"i", "id": row id, "sc": scope, "n": person, "p": pass, "ed": event day,
--               "x": over already}]
--   p_closes  [{"i", "sc": scope, "n": person, "must", "as": assumed}]
--   p_logs    [{"i": item or null, columns of ops.scan_log}] (null: a refusal, always written)
--   p_confirms scans whose answer was shown
-- Returns {"leased": [{"i", "d": device that alone may admit the ticket, "g": its gate's no}],
--          "lost": [i], "full": [{"i", "fits"}], "closed": [visits as in read_facts_v1 + "i"],
--          "inside": {scope or area id: people}, "exits": {gate's no: exits that came before
--          their entries}}
--
-- One batch of an event writes at a time (advisory lock): no two batches can wait for each
-- other, and places are given in the order of arrival. Rows are sorted all the same, so
-- that writers without the lock (merges, imports) cannot deadlock with it.
CREATE OR REPLACE FUNCTION ops.commit_scans_v1(
  p_event uuid, p_event_no int, p_mode text, p_now timestamptz,
  p_items json, p_needs json, p_opens json, p_closes json, p_logs json, p_confirms uuid[]
) RETURNS json LANGUAGE plpgsql
-- Point look-ups by key only: a plan made while the tables were empty must not read
-- them whole when they are full.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_full int[] := '{}';
  v_full_json json := '[]';
  v_leased json := '[]';
  v_leases uuid[] := '{}';  -- tickets of the batch that are leased to a device
  v_doors uuid[] := '{}';   -- scans whose door's own verdict was stored just now
  v_lost int[] := '{}';
  v_in json := '[]';      -- visits written: {i, id, k, sc, n, p}
  v_out json := '[]';     -- presences ended: {i, id, k, sc, n, p, must, as, ..}
  v_closed json := '[]';
  v_inside json := '{}';
  v_exits json := '{}';   -- exits that came before their entries: {number of a gate: n}
BEGIN
  IF json_array_length(p_items) > 0 THEN
    PERFORM pg_advisory_xact_lock(7301, p_event_no);

    IF json_array_length(p_needs) > 0 THEN
      SELECT coalesce(array_agg(f.i), '{}'),
             coalesce(json_agg(json_build_object('i', f.i, 'fits', f.fits)), '[]')
      INTO v_full, v_full_json
      FROM ops.places_refused_v1(p_needs) f;
    END IF;

    -- Tickets that one device may admit without us: entries elsewhere wait for its word.
    SELECT coalesce(array_agg(DISTINCT l.ticket_id), '{}'),
           coalesce(json_agg(json_build_object('i', q.i, 'd', l.device_id,
               'g', (SELECT coalesce(max(g.no), 0) FROM ops.devices x
                 JOIN ops.gates g ON g.id = x.gate_id WHERE x.id = l.device_id)))
             FILTER (WHERE l.device_id <> q.d AND NOT coalesce(q."of", false) AND NOT coalesce(q.le, false)), '[]'),
           v_full || coalesce(array_agg(q.i)
             FILTER (WHERE l.device_id <> q.d AND NOT coalesce(q."of", false) AND NOT coalesce(q.le, false)), '{}')
    INTO v_leases, v_leased, v_full
    FROM json_to_recordset(p_items) AS q(i int, k uuid, d uuid, no int, "of" boolean, le boolean)
    JOIN ops.leases l ON l.ticket_id = q.k AND l.state = 'held'
    WHERE q.no > 0;

    -- Ends of presence first: a pass that replaces one needs its place.
    IF json_array_length(p_closes) > 0 THEN
      WITH wanted AS (
        SELECT c.*, q.s, q.g, q.k, q.dt
        FROM json_to_recordset(p_closes) AS c(i int, sc uuid, n int, must boolean, "as" boolean)
        JOIN json_to_recordset(p_items) AS q(i int, s uuid, g uuid, k uuid, dt timestamptz)
          ON q.i = c.i
        WHERE NOT c.i = ANY (v_full)
          AND NOT EXISTS (SELECT 1 FROM ops.scan_log l WHERE l.scan_id = q.s)
      ), ended AS (
        UPDATE check_ins ci
        SET checked_out_at = p_now, exit_scan_id = w.s, exit_gate_id = w.g,
            exit_assumed = w."as", is_present = false, exit_door_time = w.dt,
            duration_minutes = ops.minutes_between(
              coalesce(ci.door_time, ci.checked_in_at), coalesce(w.dt, p_now))
        FROM wanted w
        WHERE ci.ticket_id = w.k AND ci.scope_id = w.sc AND ci.person_no = w.n
          AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL
        RETURNING w.i, w.must, ci.id, ci.ticket_id AS k, ci.scope_id AS sc,
          ci.person_no AS n, ci.pass_no AS p, ci.checked_in_at AS at, ci.gate_id AS g,
          ci.device_id AS d, ci.scan_id AS s, ci.confirmed_at IS NOT NULL AS cf,
          w.s AS xs, w.g AS xg, w."as" AS xa
      )
      SELECT coalesce(json_agg(ended), '[]') INTO v_out FROM ended;
    END IF;

    IF json_array_length(p_opens) > 0 THEN
      WITH entered AS (
        INSERT INTO check_ins (id, event_id, attendee_id, ticket_id, checked_in_at,
          check_in_method, check_in_location, device_id, scope_id, area_id, gate_id,
          operator_id, person_no, pass_no, scan_id, mode, door_time, event_day,
          checked_out_at, exit_assumed, is_present)
        SELECT o.id, p_event, t.attendee_id, t.id, p_now, q.me, q.gn, q.d::text, o.sc,
          s.area_id, q.g, q.op, o.n, o.p, q.s, p_mode, q.dt, o.ed,
          CASE WHEN o.x THEN p_now END, coalesce(o.x, false), NOT coalesce(o.x, false)
        FROM json_to_recordset(p_opens) AS o(i int, id uuid, sc uuid, n int, p int, ed date,
          x boolean)
        JOIN json_to_recordset(p_items) AS q(i int, s uuid, k uuid, v bigint, d uuid, g uuid,
          gn text, op uuid, me text, dt timestamptz, ac boolean) ON q.i = o.i
        JOIN tickets t ON t.id = q.k AND t.event_id = p_event AND t.version = q.v
        JOIN ops.devices d ON d.id = q.d AND (d.state = 'active' OR coalesce(q.ac, false))
        JOIN ops.scopes s ON s.id = o.sc
        WHERE NOT o.i = ANY (v_full)
          AND NOT EXISTS (SELECT 1 FROM ops.scan_log l WHERE l.scan_id = q.s)
        ORDER BY q.k, o.sc, o.n, o.i
        ON CONFLICT DO NOTHING
        RETURNING id, ticket_id AS k, scope_id AS sc, person_no AS n, pass_no AS p,
          scan_id AS s, gate_id AS g, device_id AS d, operator_id AS op, exit_assumed AS x
      )
      SELECT coalesce(json_agg(entered), '[]') INTO v_in FROM entered;
    END IF;

    -- All or nothing: what a scan got only in part is taken back. In the common case
    -- every row was written and nothing has to be looked for.
    IF json_array_length(v_in) < json_array_length(p_opens)
      OR json_array_length(p_closes) > 0 THEN
      SELECT coalesce(array_agg(q.i), '{}') INTO v_lost
      FROM json_to_recordset(p_items) AS q(i int, s uuid, no int, mu int)
      LEFT JOIN (
        SELECT s, count(*) AS got FROM json_to_recordset(v_in) AS x(s uuid) GROUP BY s
      ) x ON x.s = q.s
      LEFT JOIN (
        SELECT i, count(*) AS got FROM json_to_recordset(v_out) AS y(i int, must boolean)
        WHERE must GROUP BY i
      ) y ON y.i = q.i
      WHERE NOT q.i = ANY (v_full)
        AND (q.no <> coalesce(x.got, 0) OR q.mu > coalesce(y.got, 0));
    END IF;
    IF position('"ca":"' IN p_items::text) > 0 THEN
      -- Somebody without a ticket takes no key: the log alone says that it was done.
      SELECT v_lost || coalesce(array_agg(q.i), '{}') INTO v_lost
      FROM json_to_recordset(p_items) AS q(i int, s uuid, ca uuid)
      WHERE q.ca IS NOT NULL AND NOT q.i = ANY (v_full)
        AND EXISTS (SELECT 1 FROM ops.scan_log l WHERE l.scan_id = q.s);
    END IF;
    IF v_lost <> '{}' THEN
      DELETE FROM check_ins ci
      USING json_to_recordset(v_in) AS x(id uuid, s uuid),
            json_to_recordset(p_items) AS q(i int, s uuid)
      WHERE ci.id = x.id AND q.s = x.s AND q.i = ANY (v_lost);
      UPDATE check_ins ci
      SET checked_out_at = NULL, exit_scan_id = NULL, exit_gate_id = NULL,
          exit_assumed = false, is_present = true, duration_minutes = NULL
      FROM json_to_recordset(v_out) AS y(i int, id uuid)
      WHERE ci.id = y.id AND y.i = ANY (v_lost);
      SELECT coalesce(json_agg(x), '[]') INTO v_in FROM json_array_elements(v_in) x
      WHERE NOT EXISTS (SELECT 1 FROM json_to_recordset(p_items) AS q(i int, s text)
        WHERE q.s = x ->> 's' AND q.i = ANY (v_lost));
      SELECT coalesce(json_agg(y), '[]') INTO v_out FROM json_array_elements(v_out) y
      WHERE NOT (y ->> 'i')::int = ANY (v_lost);
    END IF;

    IF position('"x":true' IN p_opens::text) > 0 THEN
      v_exits := ops.exits_found_v1(v_in);
    END IF;

    -- Answers, and people who were let in without a ticket.
    IF position('"an":[' IN p_items::text) > 0 THEN
      INSERT INTO ops.answers (event_id, ticket_id, question_id, scan_id, value, years,
        operator_id, device_id, created_at)
      SELECT p_event, q.k, a.q, q.s, a.v, a.y, q.op, q.d, p_now
      FROM json_to_recordset(p_items) AS q(i int, s uuid, k uuid, d uuid, op uuid, an json)
      CROSS JOIN LATERAL json_to_recordset(q.an) AS a(q uuid, v jsonb, y int)
      WHERE q.an IS NOT NULL AND NOT q.i = ANY (v_lost) AND NOT q.i = ANY (v_full);
    END IF;
    IF position('"ca":"' IN p_items::text) > 0 THEN
      PERFORM set_config('ops.quiet', 'on', true);
      WITH counted AS (
        INSERT INTO ops.counts (id, event_id, area_id, gate_id, device_id, operator_id,
          delta, reason, at)
        SELECT q.s, p_event, q.ca, q.g, q.d, q.op, q.cn, q.cr, p_now
        FROM json_to_recordset(p_items) AS q(i int, s uuid, g uuid, d uuid, op uuid,
          ca uuid, cn int, cr text)
        WHERE q.ca IS NOT NULL AND NOT q.i = ANY (v_lost) AND NOT q.i = ANY (v_full)
        ON CONFLICT (id) DO NOTHING
        RETURNING area_id, delta
      )
      UPDATE ops.areas a SET manual = a.manual + c.people
      FROM (SELECT area_id, sum(delta)::int AS people FROM counted GROUP BY area_id) c
      WHERE a.id = c.area_id;
    END IF;
    IF v_leases <> '{}' THEN
      PERFORM ops.leases_met_v1(p_event, p_now, p_items, v_in);
    END IF;

    -- What happened, for everybody who acts on it later; then the counters.
    INSERT INTO ops.facts (event_id, kind, v, payload, at)
    SELECT p_event, f.kind, 1, f.payload, p_now FROM (
      SELECT 'admitted' AS kind, jsonb_build_object('kind', 'admitted', 'v', 1,
        'event_id', p_event, 'at', p_now, 'ticket_id', x.k, 'scope_id', x.sc,
        'person_no', x.n, 'pass_no', x.p, 'scan_id', x.s, 'gate_id', x.g,
        'device_id', x.d, 'operator_id', x.op) AS payload
      FROM json_to_recordset(v_in) AS x(k uuid, sc uuid, n int, p int, s uuid, g uuid,
        d uuid, op uuid)
      UNION ALL
      -- An upload that a live scan has overtaken: in, and out again at once.
      SELECT 'exited', jsonb_build_object('kind', 'exited', 'v', 1,
        'event_id', p_event, 'at', p_now, 'ticket_id', x.k, 'scope_id', x.sc,
        'person_no', x.n, 'pass_no', x.p, 'scan_id', NULL, 'gate_id', NULL,
        'assumed', true)
      FROM json_to_recordset(v_in) AS x(k uuid, sc uuid, n int, p int, x boolean) WHERE x.x
      UNION ALL
      SELECT 'exited', jsonb_build_object('kind', 'exited', 'v', 1,
        'event_id', p_event, 'at', p_now, 'ticket_id', y.k, 'scope_id', y.sc,
        'person_no', y.n, 'pass_no', y.p, 'scan_id', y.xs, 'gate_id', y.xg,
        'assumed', y.xa)
      FROM json_to_recordset(v_out) AS y(k uuid, sc uuid, n int, p int, xs uuid, xg uuid,
        xa boolean)) f;

    WITH moved AS (
      SELECT m.sc, sum(m.by)::int AS by FROM (
        SELECT sc, 1 AS by FROM json_to_recordset(v_in) AS x(sc uuid, x boolean)
        WHERE NOT x.x
        UNION ALL SELECT sc, -1 FROM json_to_recordset(v_out) AS y(sc uuid)) m
      GROUP BY m.sc
    ), scoped AS (
      UPDATE ops.scopes s SET inside = s.inside + moved.by
      FROM moved WHERE s.id = moved.sc AND moved.by <> 0 RETURNING s.id, s.inside
    ), areas AS (
      UPDATE ops.areas a SET inside = a.inside + d.by
      FROM (SELECT s.area_id, sum(moved.by)::int AS by FROM moved
            JOIN ops.scopes s ON s.id = moved.sc GROUP BY s.area_id) d
      WHERE a.id = d.area_id AND d.by <> 0 RETURNING a.id, a.inside + a.manual + a.disputed AS inside
    )
    SELECT coalesce(json_object_agg(x.id, x.inside), '{}') INTO v_inside
    FROM (SELECT id, inside FROM scoped UNION ALL SELECT id, inside FROM areas) x;

    IF json_array_length(v_out) > 0 THEN
      SELECT json_agg(json_build_object('i', y.i, 'k', y.k, 'sc', s.no,
        'n', y.n, 'p', y.p, 'ph', 1, 'cf', y.cf, 'un', z.un, 'dy', z.dy, 'du', z.du,
        'xa', y.xa, 'in_ms', floor(extract(epoch FROM y.at) * 1000)::bigint,
        'out_ms', floor(extract(epoch FROM p_now) * 1000)::bigint, 'g', coalesce(g.no, 0),
        'd', coalesce(d.no, 0), 'xg', coalesce(xg.no, 0), 's', y.s))
      INTO v_closed
      FROM json_to_recordset(v_out) AS y(i int, k uuid, sc uuid, n int, p int, cf boolean,
        xa boolean, at timestamptz, g uuid, xg uuid, d text, s uuid)
      CROSS JOIN LATERAL ops.passes_v1(y.k, y.sc, y.n) z
      JOIN ops.scopes s ON s.id = y.sc
      LEFT JOIN ops.gates g ON g.id = y.g
      LEFT JOIN ops.gates xg ON xg.id = y.xg
      LEFT JOIN ops.devices d
        ON d.id = CASE WHEN y.d ~ '^[0-9a-f-]{36}$' THEN y.d::uuid END;
    END IF;
  END IF;

  WITH stored AS (
  INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason, args, ticket_id,
    scope_id, gate_id, device_id, operator_id, direction, method, pass_no, people, code_hash,
    code_hint, decided_at, scanned_at, offline, door, mode, durable)
  SELECT l.s, p_event, decode(l.ch, 'hex'), l.ve, l.re, l.ar, l.k, l.sc, l.g, l.d, l.op, l.di,
    l.me, l.p, l.pe, decode(l.h, 'hex'), l.hi, p_now, l.sa, l.off, l.door, p_mode,
    CASE WHEN l.ve IN ('admitted', 'exited') THEN 'committed' ELSE 'none' END
  FROM json_to_recordset(p_logs) AS l(i int, s uuid, ch text, ve text, re text, ar jsonb, k uuid,
    sc uuid, g uuid, d uuid, op uuid, di text, me text, p int, pe int, h text, hi text,
    sa timestamptz, off boolean, door jsonb)
  WHERE l.i IS NULL OR NOT (l.i = ANY (v_lost) OR l.i = ANY (v_full))
  ORDER BY l.s
  -- An upload of an id that was decided before keeps what the device showed.
  ON CONFLICT (scan_id) DO UPDATE SET door = excluded.door, offline = true
    WHERE ops.scan_log.door IS NULL AND excluded.door IS NOT NULL
  RETURNING scan_id, door)
  SELECT coalesce(array_agg(scan_id) FILTER (WHERE door IS NOT NULL), '{}') INTO v_doors
  FROM stored;

  -- What a device showed and did without us: conflicts, leases, budgets.
  IF v_doors <> '{}' THEN
    PERFORM ops.doors_told_v1(p_event, p_now, v_doors);
  END IF;

  IF p_confirms <> '{}' THEN
    -- SKIP LOCKED: a visit that somebody ends right now needs no confirmation.
    UPDATE check_ins SET confirmed_at = p_now WHERE id IN (
      SELECT id FROM check_ins
      WHERE scan_id = ANY (p_confirms) AND confirmed_at IS NULL FOR UPDATE SKIP LOCKED);
  END IF;

  RETURN json_build_object('leased', v_leased, 'lost', to_json(v_lost), 'full', v_full_json,
    'closed', v_closed, 'inside', v_inside, 'exits', v_exits);
END
$$;
