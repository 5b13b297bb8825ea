-- ops.read_plan_v1(event): the plan of an event as one JSON (ops.admission.plan.PlanRows),
-- or null for an unknown event. The version is read first: a change made meanwhile is
-- seen with an older version and read again.
CREATE OR REPLACE FUNCTION ops.read_plan_v1(p_event uuid) RETURNS json
LANGUAGE sql STABLE AS $$
SELECT json_build_object(
  'version', coalesce((SELECT v.version FROM ops.plan_versions v WHERE v.event_id = p_event), 0),
  'event', json_build_object(
    'id', e.id, 'no', e.no, 'title', e.title, 'timezone', e.timezone,
    'languages', e.languages, 'status', e.status, 'doors_state', e.doors_state,
    'starts_at', e.starts_at, 'ends_at', e.ends_at,
    'admission_opens_at', e.admission_opens_at, 'admission_closes_at', e.admission_closes_at,
    'day_starts_at', e.day_starts_at, 'doors_open_at', e.doors_open_at,
    'doors_delay_minutes', e.doors_delay_minutes),
  'areas', coalesce((SELECT json_agg(json_build_object(
      'id', a.id, 'no', a.no, 'name', a.name, 'kind', a.kind, 'capacity', a.capacity,
      'limit_kind', a.limit_kind, 'overflow_area_id', a.overflow_area_id,
      'parent_id', a.parent_id, 'min_age', a.min_age) ORDER BY a.no)
    FROM ops.areas a WHERE a.event_id = e.id), '[]'),
  'scopes', coalesce((SELECT json_agg(json_build_object(
      'id', s.id, 'no', s.no, 'kind', s.kind, 'area_id', s.area_id, 'name', s.name,
      'parent_id', s.parent_id, 'session_id', s.session_id, 'capacity', s.capacity,
      'limit_kind', coalesce(s.limit_kind, 'hard'), 'tracks_exits', s.tracks_exits, 're_entry', s.re_entry,
      'passes_total', s.passes_total, 'enter_outer', s.enter_outer, 'exclusive', s.exclusive,
      'opens_at', coalesce(s.opens_at, x.check_in_opens, x.start_time - interval '30 minutes'),
      'closes_at', coalesce(s.closes_at, x.check_in_closes, x.end_time),
      'door_mode', coalesce(x.door_mode, 'open'),
      'starts_at', x.start_time, 'ends_at', x.end_time,
      'opens_anchor', s.opens_anchor, 'opens_offset_minutes', s.opens_offset_minutes,
      'closes_anchor', s.closes_anchor, 'closes_offset_minutes', s.closes_offset_minutes,
      'passes_per_day', s.passes_per_day, 'pass_gap_minutes', s.pass_gap_minutes,
      'anti_passback_minutes', s.anti_passback_minutes,
      'exits_assumed_at', s.exits_assumed_at) ORDER BY s.no)
    FROM ops.scopes s LEFT JOIN sessions x ON x.id = s.session_id
    WHERE s.event_id = e.id AND s.area_id IS NOT NULL
      AND x.status IS DISTINCT FROM 'cancelled'), '[]'),
  'gates', coalesce((SELECT json_agg(json_build_object(
      'id', g.id, 'no', g.no, 'name', g.name, 'area_id', g.area_id, 'session_id', g.session_id,
      'direction', g.direction, 'state', g.state, 'use_instead_id', g.use_instead_id)
      ORDER BY g.position, g.no)
    FROM ops.gates g WHERE g.event_id = e.id AND g.area_id IS NOT NULL), '[]'),
  'types', coalesce((SELECT json_agg(json_build_object(
      'id', t.id, 'no', t.no, 'name', t.name, 'category', t.ticket_category,
      'access_class', t.access_class, 'min_age', t.min_age) ORDER BY t.no)
    FROM ticket_types t WHERE t.event_id = e.id), '[]'),
  'rules', coalesce((SELECT json_agg(json_build_object(
      'scope_id', r.scope_id, 'ticket_type_id', r.ticket_type_id,
      'access_class', r.access_class, 'allowed', r.allowed, 'opens_at', r.opens_at,
      'closes_at', r.closes_at, 'passes_total', r.passes_total, 're_entry', r.re_entry,
      'day', r.day, 'opens_anchor', r.opens_anchor,
      'opens_offset_minutes', r.opens_offset_minutes, 'closes_anchor', r.closes_anchor,
      'closes_offset_minutes', r.closes_offset_minutes, 'passes_per_day', r.passes_per_day,
      'pass_gap_minutes', r.pass_gap_minutes,
      'anti_passback_minutes', r.anti_passback_minutes, 'min_age', r.min_age)
      ORDER BY r.created_at, r.id)
    FROM ops.access_rules r WHERE r.event_id = e.id), '[]'),
  'questions', coalesce((SELECT json_agg(json_build_object(
      'id', q.id, 'no', q.no, 'kind', q.kind, 'text', q.text, 'options', q.options,
      'required', q.required, 'every_time', q.every_time, 'minimum', q.minimum,
      'maximum', q.maximum, 'scope_id', q.scope_id, 'ticket_type_id', q.ticket_type_id,
      'access_class', q.access_class) ORDER BY q.position, q.no)
    FROM ops.questions q WHERE q.event_id = e.id AND q.active), '[]'),
  'stops', coalesce((SELECT json_agg(json_build_object(
      'id', p.id, 'area_id', p.area_id, 'gate_id', p.gate_id) ORDER BY p.stopped_at, p.id)
    FROM ops.admission_stops p WHERE p.event_id = e.id AND p.lifted_at IS NULL), '[]'),
  'held', coalesce((SELECT json_agg(json_build_object(
      'id', h.id, 'places', h.places, 'scope_id', h.scope_id, 'area_id', h.area_id,
      'access_class', h.access_class, 'ticket_type_id', h.ticket_type_id,
      'until', h.until) ORDER BY h.created_at, h.id)
    FROM ops.held_places h WHERE h.event_id = e.id), '[]'))
FROM events e WHERE e.id = p_event
$$;
