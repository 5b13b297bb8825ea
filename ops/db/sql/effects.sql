-- What the visits of a door do to the CRM. State, not increments: each function looks at
-- the visits as they are now and makes the CRM say so, so that running it twice, late or
-- after an undo is right. What was made is in ops.effects, once an attendee and effect.
-- Called by the sync role alone (ops.crm_sync.effects), never on a scan's way.

-- How attendees stand with the venue of their event.
CREATE OR REPLACE FUNCTION ops.attendance_v1(p_attendees uuid[])
RETURNS TABLE (attendee_id uuid, event_id uuid, contact_id uuid, company_id uuid,
  first_at timestamptz, last_out_at timestamptz, inside boolean, minutes int,
  left_early boolean, vip boolean, owner_id uuid, name text)
LANGUAGE sql STABLE AS $$
  SELECT a.id, a.event_id, a.contact_id, c.company_id, v.first_at, v.last_out_at,
    coalesce(v.inside, false), coalesce(v.minutes, 0),
    coalesce(NOT v.inside AND NOT v.assumed AND v.last_out_at
      < e.ends_at - make_interval(mins =>
        coalesce((e.settings ->> 'left_early_minutes')::int, 60)), false),
    'vip' = ANY (a.flags) OR coalesce(c.contact_type = 'vip', false) OR EXISTS (
      SELECT 1 FROM tickets t JOIN ticket_types tt ON tt.id = t.ticket_type_id
      WHERE t.attendee_id = a.id AND tt.ticket_category = 'vip'),
    coalesce(c.assigned_to, co.assigned_to),
    btrim(a.first_name || ' ' || a.last_name)
  FROM attendees a
  JOIN events e ON e.id = a.event_id
  LEFT JOIN contacts c ON c.id = a.contact_id
  LEFT JOIN companies co ON co.id = c.company_id
  LEFT JOIN LATERAL (
    SELECT min(ci.checked_in_at) AS first_at, max(ci.checked_out_at) AS last_out_at,
      bool_or(ci.checked_out_at IS NULL) AS inside,
      bool_or(ci.exit_assumed) AS assumed,
      -- By the doors' times: an upload is not when it came.
      (sum(greatest(0, extract(epoch FROM coalesce(ci.exit_door_time, ci.checked_out_at)
        - coalesce(ci.door_time, ci.checked_in_at)))) / 60)::int AS minutes
    FROM check_ins ci JOIN ops.scopes s ON s.id = ci.scope_id AND s.kind = 'venue'
    WHERE ci.attendee_id = a.id AND ci.undone_at IS NULL
    HAVING count(*) > 0) v ON true
  WHERE a.id = ANY (p_attendees)
$$;

-- Which rules hold for these attendees, switched off ones as well (what they made stays).
CREATE OR REPLACE FUNCTION ops.rules_holding_v1(p_event uuid, p_attendees uuid[])
RETURNS TABLE (rule_id uuid, enabled boolean, attendee_id uuid, contact_id uuid,
  company_id uuid, name text)
LANGUAGE sql STABLE AS $$
  SELECT r.id, r.enabled, a.attendee_id, a.contact_id, a.company_id, a.name
  FROM ops.attendance_v1(p_attendees) a
  JOIN attendees who ON who.id = a.attendee_id
  JOIN ops.effect_rules r ON r.event_id IS NULL OR r.event_id = p_event
  WHERE (r.ticket_type_id IS NULL OR EXISTS (SELECT 1 FROM tickets t
      WHERE t.attendee_id = a.attendee_id AND t.ticket_type_id = r.ticket_type_id))
    AND CASE r.happened
      WHEN 'attended_event' THEN a.first_at IS NOT NULL AND a.minutes >= r.minutes_min
      WHEN 'left_early' THEN a.left_early
      WHEN 'no_show' THEN who.status = 'no_show' AND a.first_at IS NULL
      ELSE EXISTS (
        SELECT 1 FROM check_ins ci JOIN ops.scopes s ON s.id = ci.scope_id
        WHERE ci.attendee_id = a.attendee_id AND s.session_id = r.session_id
          AND ci.undone_at IS NULL
        HAVING count(*) > 0 AND (r.minutes_min = 0 OR sum(greatest(0, extract(epoch FROM
          coalesce(ci.exit_door_time, ci.checked_out_at, now())
          - coalesce(ci.door_time, ci.checked_in_at)))) / 60 >= r.minutes_min))
    END
$$;

-- attendees.status and contacts.last_event_attended_at follow the visits.
CREATE OR REPLACE FUNCTION ops.people_follow_v1(p_attendees uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE attendees t SET status = w.status
  FROM (
    SELECT a.attendee_id, CASE WHEN a.inside THEN 'checked_in'
      WHEN a.first_at IS NOT NULL THEN 'left' ELSE 'registered' END AS status
    FROM ops.attendance_v1(p_attendees) a
    JOIN attendees old ON old.id = a.attendee_id
    WHERE old.status <> 'cancelled' AND (a.first_at IS NOT NULL OR old.status <> 'no_show')
    ORDER BY a.attendee_id) w
  WHERE t.id = w.attendee_id AND t.status <> w.status;

  UPDATE contacts c SET last_event_attended_at = w.last_at
  FROM (
    SELECT a.contact_id, (SELECT max(ci.checked_in_at) FROM attendees b
      JOIN check_ins ci ON ci.attendee_id = b.id AND ci.undone_at IS NULL
      WHERE b.contact_id = a.contact_id) AS last_at
    FROM (SELECT DISTINCT contact_id FROM attendees
          WHERE id = ANY (p_attendees) AND contact_id IS NOT NULL) a
    ORDER BY a.contact_id) w
  WHERE c.id = w.contact_id AND c.last_event_attended_at IS DISTINCT FROM w.last_at
    AND (w.last_at IS NOT NULL OR EXISTS (SELECT 1 FROM ops.effects f
      JOIN attendees b ON b.id = f.attendee_id AND b.contact_id = c.id
      WHERE f.effect = 'attended'));
END
$$;

-- One interaction an attendee: attended, left early, or no show.
CREATE OR REPLACE FUNCTION ops.interactions_follow_v1(p_event uuid, p_attendees uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WITH wanted AS (
    SELECT a.*, CASE WHEN a.first_at IS NULL THEN 'no_show' WHEN a.left_early
      THEN 'left_early' ELSE 'attended' END AS outcome
    FROM ops.attendance_v1(p_attendees) a JOIN attendees who ON who.id = a.attendee_id
    WHERE a.contact_id IS NOT NULL
      AND (a.first_at IS NOT NULL OR who.status = 'no_show')
  ), made AS (
    INSERT INTO ops.effects (attendee_id, effect, event_id, target_id)
    SELECT attendee_id, 'attended', p_event, gen_random_uuid() FROM wanted
    ON CONFLICT DO NOTHING RETURNING attendee_id, target_id
  ), written AS (
    INSERT INTO interactions (id, contact_id, company_id, event_id, interaction_type,
      subject, direction, occurred_at, duration_minutes, outcome)
    SELECT m.target_id, w.contact_id, w.company_id, p_event, 'meeting', e.title,
      'inbound', coalesce(w.first_at, e.ends_at), w.minutes, w.outcome
    FROM made m JOIN wanted w USING (attendee_id) JOIN events e ON e.id = p_event
  )
  UPDATE interactions i SET outcome = w.outcome, duration_minutes = w.minutes,
    occurred_at = coalesce(w.first_at, i.occurred_at)
  FROM wanted w JOIN ops.effects f
    ON f.attendee_id = w.attendee_id AND f.effect = 'attended'
  WHERE i.id = f.target_id AND (i.outcome, i.duration_minutes, i.occurred_at)
    IS DISTINCT FROM (w.outcome, w.minutes, coalesce(w.first_at, i.occurred_at));

  WITH gone AS (
    DELETE FROM ops.effects f USING ops.attendance_v1(p_attendees) a
    JOIN attendees who ON who.id = a.attendee_id
    WHERE f.attendee_id = a.attendee_id AND f.effect = 'attended'
      AND a.first_at IS NULL AND who.status <> 'no_show'
    RETURNING f.target_id)
  DELETE FROM interactions i USING gone WHERE i.id = gone.target_id;
END
$$;

-- A VIP is in: a task and an interaction for who looks after the account.
-- Returns [{"attendee", "contact", "owner", "task", "at"}] of those who are new.
CREATE OR REPLACE FUNCTION ops.vips_follow_v1(p_event uuid, p_attendees uuid[])
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_new json;
BEGIN
  WITH wanted AS (
    SELECT * FROM ops.attendance_v1(p_attendees) WHERE vip AND first_at IS NOT NULL
  ), made AS (
    INSERT INTO ops.effects (attendee_id, effect, event_id, target_id)
    SELECT attendee_id, 'vip', p_event, gen_random_uuid() FROM wanted
    ON CONFLICT DO NOTHING RETURNING attendee_id, target_id
  ), tasked AS (
    INSERT INTO tasks (id, title, task_type, priority, due_date, status, assigned_to,
      contact_id, company_id, event_id)
    SELECT m.target_id, 'VIP: ' || w.name, 'follow_up', 'high',
      w.first_at + interval '1 hour', 'pending', w.owner_id, w.contact_id, w.company_id,
      p_event
    FROM made m JOIN wanted w USING (attendee_id)
  ), talked AS (
    INSERT INTO interactions (id, contact_id, company_id, event_id, interaction_type,
      subject, direction, occurred_at, outcome)
    SELECT m.target_id, w.contact_id, w.company_id, p_event, 'follow_up', e.title,
      'inbound', w.first_at, 'vip_arrived'
    FROM made m JOIN wanted w USING (attendee_id) JOIN events e ON e.id = p_event
    WHERE w.contact_id IS NOT NULL
  )
  SELECT json_agg(json_build_object('attendee_id', w.attendee_id, 'contact_id',
    w.contact_id, 'owner_id', w.owner_id, 'task_id', m.target_id, 'at', w.first_at))
  INTO v_new FROM made m JOIN wanted w USING (attendee_id);

  -- Undone: what nobody has touched goes.
  WITH gone AS (
    DELETE FROM ops.effects f USING ops.attendance_v1(p_attendees) a
    WHERE f.attendee_id = a.attendee_id AND f.effect = 'vip' AND a.first_at IS NULL
    RETURNING f.target_id
  ), untasked AS (
    DELETE FROM tasks t USING gone WHERE t.id = gone.target_id AND t.status = 'pending')
  DELETE FROM interactions i USING gone WHERE i.id = gone.target_id;
  RETURN coalesce(v_new, '[]');
END
$$;

-- Leads, opportunities and tasks by the organiser's rules.
CREATE OR REPLACE FUNCTION ops.rules_follow_v1(p_event uuid, p_attendees uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM ops.effect_rules
                 WHERE event_id IS NULL OR event_id = p_event) THEN
    RETURN;
  END IF;
  WITH holding AS (
    SELECT * FROM ops.rules_holding_v1(p_event, p_attendees)
    WHERE contact_id IS NOT NULL
  ), made AS (
    INSERT INTO ops.effects (attendee_id, effect, event_id, rule_id, target_id)
    SELECT attendee_id, 'rule:' || rule_id, p_event, rule_id, gen_random_uuid()
    FROM holding WHERE enabled
    ON CONFLICT DO NOTHING RETURNING attendee_id, rule_id, target_id
  ), wanted AS (
    SELECT m.target_id, h.contact_id, h.company_id, h.name AS person, r.*,
      coalesce(r.assigned_to, sp.assigned_to, co.assigned_to) AS owner_id
    FROM made m
    JOIN holding h USING (attendee_id, rule_id)
    JOIN ops.effect_rules r ON r.id = m.rule_id
    LEFT JOIN sponsors sp ON sp.id = r.sponsor_id
    LEFT JOIN companies co ON co.id = sp.company_id
  ), led AS (
    INSERT INTO leads (id, contact_id, company_id, event_id, lead_source, lead_status,
      lead_score, estimated_value, assigned_to, requirements)
    SELECT target_id, contact_id, company_id, p_event, 'event', 'new', lead_score, amount,
      owner_id, coalesce(title, name) FROM wanted WHERE action = 'lead'
  ), opened AS (
    INSERT INTO opportunities (id, contact_id, company_id, event_id, name, stage, amount,
      assigned_to)
    SELECT target_id, contact_id, company_id, p_event,
      coalesce(title, name) || ': ' || person, 'prospecting', amount, owner_id
    FROM wanted WHERE action = 'opportunity'
  )
  INSERT INTO tasks (id, title, task_type, priority, due_date, status, assigned_to,
    contact_id, company_id, event_id)
  SELECT target_id, coalesce(title, name) || ': ' || person, 'follow_up', priority,
    now() + make_interval(hours => due_hours), 'pending', owner_id, contact_id, company_id,
    p_event FROM wanted WHERE action = 'task';

  -- What does not hold any more goes, if nobody has worked on it.
  WITH gone AS (
    DELETE FROM ops.effects f
    WHERE f.attendee_id = ANY (p_attendees) AND f.rule_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM ops.rules_holding_v1(p_event, p_attendees) h
        WHERE h.attendee_id = f.attendee_id AND h.rule_id = f.rule_id)
    RETURNING f.target_id
  ), unled AS (
    DELETE FROM leads l USING gone WHERE l.id = gone.target_id AND l.lead_status = 'new'
  ), closed AS (
    DELETE FROM opportunities o USING gone
    WHERE o.id = gone.target_id AND o.stage = 'prospecting')
  DELETE FROM tasks t USING gone WHERE t.id = gone.target_id AND t.status = 'pending';
END
$$;

-- A figure of an event: the same name and dimensions are the same row.
CREATE OR REPLACE FUNCTION ops.put_metric_v1(p_event uuid, p_session uuid, p_name text,
  p_value numeric, p_unit text, p_d1 text, p_d2 text) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO event_analytics AS m (id, event_id, session_id, metric_name, metric_value,
    metric_unit, data_source, dimension_1, dimension_2, calculation_method)
  VALUES (md5(concat_ws('|', p_event, p_session, p_name, p_d1))::uuid, p_event, p_session,
    p_name, p_value, p_unit, 'check_ins', p_d1, p_d2, 'rollup_v1')
  ON CONFLICT (id) DO UPDATE SET metric_value = excluded.metric_value,
    dimension_2 = excluded.dimension_2, measurement_time = now()
  WHERE m.metric_value IS DISTINCT FROM excluded.metric_value
    OR m.dimension_2 IS DISTINCT FROM excluded.dimension_2
$$;

-- What promoters sold and who of it came, for these promoters.
CREATE OR REPLACE FUNCTION ops.promoters_follow_v1(p_event uuid, p_promoters uuid[])
RETURNS void LANGUAGE sql AS $$
  SELECT ops.put_metric_v1(p_event, NULL, m.name, m.value, m.unit, q.id::text, q.code)
  FROM (
    SELECT p.id, p.promoter_code AS code, count(*) AS sold,
      count(*) FILTER (WHERE c.came) AS came,
      coalesce(sum(t.price) FILTER (WHERE c.came), 0) AS value
    FROM promoters p JOIN orders o ON o.promoter_id = p.id AND o.event_id = p_event
    JOIN tickets t ON t.order_id = o.id AND t.state IN ('valid', 'blocked')
      AND t.access_class = 'guest'
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM check_ins ci
      JOIN ops.scopes s ON s.id = ci.scope_id AND s.kind = 'venue'
      WHERE ci.ticket_id = t.id AND ci.undone_at IS NULL) AS came) c
    WHERE p.id = ANY (p_promoters) GROUP BY p.id) q
  CROSS JOIN LATERAL (VALUES ('promoter_sold', q.sold::numeric, 'tickets'),
    ('promoter_attended', q.came::numeric, 'tickets'),
    ('promoter_attended_value', q.value, 'money')) AS m(name, value, unit)
$$;

-- Everything above for the tickets of a batch of facts.
-- Returns {"vips": [..], "promoters": [ids whose figures moved]}.
CREATE OR REPLACE FUNCTION ops.apply_effects_v1(p_event uuid, p_tickets uuid[])
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  v_attendees uuid[];
  v_vips json;
BEGIN
  SELECT array_agg(DISTINCT attendee_id ORDER BY attendee_id) INTO v_attendees
  FROM tickets WHERE id = ANY (p_tickets) AND event_id = p_event
    AND attendee_id IS NOT NULL;
  IF v_attendees IS NULL THEN
    RETURN json_build_object('vips', '[]'::json, 'promoters', '[]'::json);
  END IF;
  PERFORM ops.people_follow_v1(v_attendees);
  PERFORM ops.interactions_follow_v1(p_event, v_attendees);
  PERFORM ops.rules_follow_v1(p_event, v_attendees);
  v_vips := ops.vips_follow_v1(p_event, v_attendees);
  INSERT INTO ops.facts (event_id, kind, payload)
  SELECT p_event, 'alert', jsonb_build_object('kind', 'alert', 'v', 1,
    'event_id', p_event, 'name', 'vip_arrived', 'at', v ->> 'at', 'args', v)
  FROM json_array_elements(v_vips) v;
  RETURN json_build_object('vips', v_vips, 'promoters', (
    SELECT coalesce(json_agg(DISTINCT o.promoter_id), '[]')
    FROM tickets t JOIN orders o ON o.id = t.order_id
    WHERE t.id = ANY (p_tickets) AND o.promoter_id IS NOT NULL));
END
$$;

-- The event is over: who had a valid guest ticket and never came. At most p_limit people
-- a call; returns how many were found, 0 when all are told.
CREATE OR REPLACE FUNCTION ops.no_shows_v1(p_event uuid, p_limit int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
  v_attendees uuid[];
BEGIN
  SELECT array_agg(id) INTO v_attendees FROM (
    SELECT a.id FROM attendees a
    WHERE a.event_id = p_event AND a.status = 'registered'
      AND EXISTS (SELECT 1 FROM tickets t WHERE t.attendee_id = a.id
        AND t.state IN ('valid', 'blocked', 'expired') AND t.access_class = 'guest')
      AND NOT EXISTS (SELECT 1 FROM check_ins ci WHERE ci.attendee_id = a.id
        AND ci.undone_at IS NULL)
    ORDER BY a.id LIMIT p_limit FOR NO KEY UPDATE) q;
  IF v_attendees IS NULL THEN
    RETURN 0;
  END IF;
  UPDATE attendees SET status = 'no_show' WHERE id = ANY (v_attendees);
  PERFORM ops.interactions_follow_v1(p_event, v_attendees);
  PERFORM ops.rules_follow_v1(p_event, v_attendees);
  RETURN cardinality(v_attendees);
END
$$;
