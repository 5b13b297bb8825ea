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
    'day_starts_at', e.day_starts_at),
  'areas', coalesce((SELECT json_agg(json_build_object(
      'id', a.id, 'no', a.no, 'name', a.name, 'kind', a.kind, 'capacity', a.capacity,
      'limit_kind', a.limit_kind, 'overflow_area_id', a.overflow_area_id) ORDER BY a.no)
    FROM ops.areas a WHERE a.event_id = e.id), '[]'),
  'scopes', coalesce((SELECT json_agg(json_build_object(
      'id', s.id, 'no', s.no, 'kind', s.kind, 'area_id', s.area_id, 'name', s.name,
      'parent_id', s.parent_id, 'session_id', s.session_id, 'capacity', s.capacity,
      'limit_kind', coalesce(s.limit_kind, 'hard'), 'tracks_exits', s.tracks_exits, 're_entry', s.re_entry,
      'passes_total', s.passes_total, 'enter_outer', s.enter_outer, 'exclusive', s.exclusive,
      'opens_at', coalesce(s.opens_at, x.check_in_opens, x.start_time - interval '30 minutes'),
      'closes_at', coalesce(s.closes_at, x.check_in_closes, x.end_time),
      'door_mode', coalesce(x.door_mode, 'open'),
      'starts_at', x.start_time, 'ends_at', x.end_time) ORDER BY s.no)
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
      'access_class', t.access_class) ORDER BY t.no)
    FROM ticket_types t WHERE t.event_id = e.id), '[]'),
  'rules', coalesce((SELECT json_agg(json_build_object(
      'scope_id', r.scope_id, 'ticket_type_id', r.ticket_type_id,
      'access_class', r.access_class, 'allowed', r.allowed, 'opens_at', r.opens_at,
      'closes_at', r.closes_at, 'passes_total', r.passes_total, 're_entry', r.re_entry))
    FROM ops.access_rules r WHERE r.event_id = e.id), '[]'))
FROM events e WHERE e.id = p_event
$$;
