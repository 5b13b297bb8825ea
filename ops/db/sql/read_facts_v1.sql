-- ops.read_facts_v1(event, device ids, scans): the facts of a batch from PostgreSQL.
--
-- scans: [{"i": index, "s": scan id, "h": code hash in hex (two, see ops.code_v1) | "t": ticket id,
--          "sc": [scope ids to look at], "o": door's time of an upload, "ou": of an exit}]
-- Returns {"plan": version, "devices": [entry ..], "people": {scope or area: people in it},
--   "kept": {held place: still free for those it is kept for}, "scans": [{"i", "ticket_id", "code_state",
--   "ticket": entry, "visits": [..], "stored": answer in the log, "other": other event}]}
-- in the shapes of ops.admission.from_database. Mode D2 decides from it; mode N verifies
-- with it every answer that would turn a guest away, and reads with it who won a race.
CREATE OR REPLACE FUNCTION ops.read_facts_v1(p_event uuid, p_devices uuid[], p_scans json)
RETURNS json LANGUAGE plpgsql STABLE
-- Point look-ups by key, whatever the tables' size was when the plan was made.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_scopes uuid[] := ARRAY(SELECT DISTINCT x::uuid FROM json_array_elements(p_scans) q,
    json_array_elements_text(q -> 'sc') x);
BEGIN
RETURN json_build_object(
  'plan', coalesce((SELECT v.version FROM ops.plan_versions v WHERE v.event_id = p_event), 0),
  'devices', coalesce((SELECT json_agg(d) FROM ops.device_entries_v1 d
    WHERE d.event_id = p_event AND d.id = ANY (p_devices)), '[]'),
  'people', coalesce((SELECT json_object_agg(p.id, p.people) FROM (
      SELECT s.id, s.inside AS people FROM ops.scopes s WHERE s.id = ANY (v_scopes)
      UNION ALL SELECT a.id, a.inside + a.manual + a.disputed FROM ops.areas a WHERE a.id IN (
        SELECT s.area_id FROM ops.scopes s WHERE s.id = ANY (v_scopes))) p), '{}'),
  'kept', coalesce((SELECT json_object_agg(k.id, k.kept) FROM ops.kept_v1(ARRAY(
      SELECT h.id FROM ops.held_places h WHERE h.event_id = p_event
        AND (h.scope_id = ANY (v_scopes) OR h.area_id IN (
          SELECT s.area_id FROM ops.scopes s WHERE s.id = ANY (v_scopes))))) k), '{}'),
  'scans', coalesce((SELECT json_agg(json_build_object(
    'i', q.i,
    'ticket_id', e.id,
    'code_state', CASE c.revoked_reason
      WHEN 'exchanged' THEN 2 WHEN 'lost' THEN 3 ELSE CASE WHEN c.revoked_at IS NULL THEN 0 ELSE 1 END END,
    'ticket', row_to_json(e),
    -- What happened at a door after this upload did: a live scan, or an upload of the
    -- other direction by the time of its own door (an exit that came before its entry).
    'later', q.o IS NOT NULL AND EXISTS (SELECT 1 FROM ops.scan_log r
      WHERE r.ticket_id = e.id AND r.scope_id = ANY (q.sc)
        AND r.undone_at IS NULL AND r.scan_id <> q.s
        AND CASE WHEN r.offline THEN
          r.verdict = CASE WHEN coalesce(q.ou, false) THEN 'admitted' ELSE 'exited' END
          AND r.scanned_at > q.o + make_interval(secs => coalesce((SELECT d.clock_skew_ms
            FROM ops.devices d WHERE d.id = r.device_id), 0) / 1000.0)
        ELSE r.decided_at > q.o AND r.verdict IN ('admitted', 'exited') END),
    -- Passes that somebody was on when this upload says that he came in: by the doors' times,
    -- or the next upload that let him in knows of no exit between.
    'covered', CASE WHEN q.o IS NOT NULL AND NOT coalesce(q.ou, false) THEN (
      SELECT json_agg(json_build_array(x.no, ci.person_no))
      FROM check_ins ci JOIN ops.scopes x ON x.id = ci.scope_id
      WHERE ci.ticket_id = e.id AND ci.scope_id = ANY (q.sc) AND ci.scan_id <> q.s
        AND ci.undone_at IS NULL AND ci.checked_out_at IS NOT NULL
        AND CASE WHEN ci.door_time > q.o THEN NOT EXISTS (
            SELECT 1 FROM ops.exits_unmatched_v1(ci.ticket_id, ci.scope_id) r
            WHERE r.at BETWEEN q.o AND ci.door_time)
          ELSE coalesce(ci.door_time, ci.checked_in_at) <= q.o AND NOT ci.exit_assumed
            AND coalesce(ci.exit_door_time, ci.checked_out_at) > q.o END) END,
    'unbound', e.id IS NULL AND EXISTS (SELECT 1 FROM ops.media m
      WHERE m.event_id = p_event AND m.code_hash IN (decode(left(q.h, 32), 'hex'),
        decode(substr(q.h, 33), 'hex'))),
    'visits', v.visits,
    'stored', l.stored,
    'other', o.other))
  FROM json_to_recordset(p_scans) AS q(i int, s uuid, h text, t uuid, sc uuid[], o timestamptz,
    ou boolean)
  LEFT JOIN LATERAL ops.code_v1(p_event, q.h) c ON true
  LEFT JOIN ops.ticket_entries_v1 e ON e.id = coalesce(q.t, c.ticket_id) AND e.event_id = p_event
  LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object(
      'sc', w.scope_no, 'n', w.person_no, 'p', w.pass_no,
      'ph', CASE WHEN w.undone_at IS NOT NULL THEN 2 WHEN w.checked_out_at IS NOT NULL THEN 1 ELSE 0 END,
      'cf', w.confirmed_at IS NOT NULL, 'xa', w.exit_assumed,
      'un', CASE WHEN w.pass_no = 1 THEN (w.undone_at IS NOT NULL)::int ELSE z.un END,
      'dy', CASE WHEN w.pass_no > 1 THEN z.dy WHEN w.undone_at IS NULL
        THEN coalesce(w.event_day - DATE '1970-01-01', 0) ELSE 0 END,
      'du', CASE WHEN w.pass_no > 1 THEN z.du ELSE (w.undone_at IS NULL)::int END,
      'in_ms', floor(extract(epoch FROM w.checked_in_at) * 1000)::bigint,
      'out_ms', coalesce(floor(extract(epoch FROM w.checked_out_at) * 1000)::bigint, 0),
      'g', coalesce(g.no, 0), 'd', coalesce(d.no, 0), 'dn', d.name,
      'on', (SELECT o.name FROM ops.operators o WHERE o.id = w.operator_id),
      'xg', coalesce(xg.no, 0), 's', w.scan_id)) AS visits
    FROM (
      SELECT DISTINCT ON (ci.scope_id, ci.person_no) ci.*, sc.no AS scope_no
      FROM check_ins ci JOIN ops.scopes sc ON sc.id = ci.scope_id
      WHERE ci.ticket_id = e.id AND ci.scope_id = ANY (q.sc)
      ORDER BY ci.scope_id, ci.person_no, ci.pass_no DESC
    ) w
    LEFT JOIN LATERAL (SELECT p.* FROM ops.passes_v1(w.ticket_id, w.scope_id, w.person_no) p
      WHERE w.pass_no > 1) z ON true
    LEFT JOIN ops.gates g ON g.id = w.gate_id
    LEFT JOIN ops.gates xg ON xg.id = w.exit_gate_id
    LEFT JOIN ops.devices d
      ON d.id = CASE WHEN w.device_id ~ '^[0-9a-f-]{36}$' THEN w.device_id::uuid END
  ) v ON true
  LEFT JOIN LATERAL (
    SELECT json_build_object(
      'event_id', l.event_id, 'device_id', l.device_id,
      'content_hash', encode(l.content_hash, 'hex'), 'verdict', l.verdict, 'reason', l.reason,
      'args', coalesce(l.args, '{}'), 'decided_at', l.decided_at, 'direction', l.direction,
      'ticket_id', l.ticket_id, 'scope_id', l.scope_id, 'gate_id', l.gate_id,
      'pass_no', l.pass_no, 'people', l.people, 'durable', l.durable,
      'undone_at', l.undone_at, 'superseded_by', l.superseded_by) AS stored
    FROM ops.scan_log l WHERE l.scan_id = q.s
  ) l ON true
  LEFT JOIN LATERAL (
    SELECT json_build_object('title', ev.title, 'starts_at', ev.starts_at,
      'timezone', ev.timezone) AS other
    FROM ops.ticket_codes oc JOIN events ev ON ev.id = oc.event_id
    WHERE c.id IS NULL AND q.t IS NULL
      AND oc.code_hash IN (decode(left(q.h, 32), 'hex'), decode(substr(q.h, 33), 'hex'))
      AND oc.event_id <> p_event
    ORDER BY ev.starts_at DESC LIMIT 1
  ) o ON true), '[]'));
END
$$;
