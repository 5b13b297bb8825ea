-- ops.score_contacts_v1(ids): lead scores by the organiser's rules (ops.score_rules);
-- null ids mean all contacts. Points of a rule count for each time its signal was seen,
-- at most times_max times, only those within_days; the sum is kept in 0 to 100.
-- Returns how many scores changed. Without an enabled rule scores stay as they are.
CREATE FUNCTION ops.score_contacts_v1(p_ids uuid[]) RETURNS int
LANGUAGE sql AS $$
    WITH rules AS MATERIALIZED (
        SELECT * FROM ops.score_rules WHERE enabled
    ), people AS MATERIALIZED (
        SELECT c.id FROM public.contacts c
        WHERE (p_ids IS NULL OR c.id = ANY(p_ids))
          AND c.status IS DISTINCT FROM 'deleted' AND EXISTS (SELECT FROM rules)
    ), part AS MATERIALIZED (
        SELECT a.id, a.contact_id, a.event_id, a.status, a.updated_at
        FROM public.attendees a JOIN people p ON p.id = a.contact_id
    ), signals AS (
        SELECT part.contact_id, 'event_attended' AS signal, part.event_id,
               max(v.checked_in_at) AS at
        FROM part JOIN public.check_ins v ON v.attendee_id = part.id
        WHERE v.undone_at IS NULL GROUP BY 1, 3
        UNION ALL
        SELECT part.contact_id, 'session_attended', part.event_id, max(v.checked_in_at)
        FROM part JOIN public.check_ins v ON v.attendee_id = part.id
        JOIN ops.scopes s ON s.id = v.scope_id AND s.kind = 'session'
        WHERE v.undone_at IS NULL GROUP BY 1, 3, s.id
        UNION ALL
        SELECT contact_id, 'no_show', event_id, updated_at FROM part
        WHERE status = 'no_show'
        UNION ALL
        SELECT part.contact_id, 'feedback_given', part.event_id, f.created_at
        FROM part JOIN public.event_feedback f ON f.attendee_id = part.id
        WHERE f.is_anonymous IS NOT TRUE
        UNION ALL
        SELECT part.contact_id, 'sponsor_scan', part.event_id, l.last_at
        FROM part JOIN ops.sponsor_leads l ON l.attendee_id = part.id
        UNION ALL
        SELECT o.contact_id, 'order_paid', o.event_id, o.created_at
        FROM public.orders o JOIN people p ON p.id = o.contact_id
        WHERE o.status = 'paid'
        UNION ALL
        SELECT i.contact_id, 'interaction_logged', i.event_id, i.occurred_at
        FROM public.interactions i JOIN people p ON p.id = i.contact_id
        UNION ALL
        SELECT l.contact_id, 'lead_created', l.event_id, l.created_at
        FROM public.leads l JOIN people p ON p.id = l.contact_id
        UNION ALL
        SELECT r.contact_id, s.signal, c.event_id, s.at
        FROM public.campaign_recipients r JOIN people p ON p.id = r.contact_id
        JOIN public.campaigns c ON c.id = r.campaign_id
        CROSS JOIN LATERAL (VALUES ('campaign_opened', r.opened_at),
            ('campaign_clicked', r.clicked_at),
            ('unsubscribed', r.unsubscribed_at)) AS s (signal, at)
        WHERE s.at IS NOT NULL
    ), points AS (
        SELECT s.contact_id, r.points * least(count(*), r.times_max) AS points
        FROM signals s JOIN rules r ON r.signal = s.signal
         AND (r.event_id IS NULL OR r.event_id = s.event_id)
         AND (r.within_days IS NULL OR s.at >= now() - make_interval(days => r.within_days))
        GROUP BY s.contact_id, r.id, r.points, r.times_max
    ), wanted AS (
        SELECT p.id, greatest(0, least(100, coalesce(sum(t.points), 0)))::int AS score
        FROM people p LEFT JOIN points t ON t.contact_id = p.id GROUP BY p.id
    ), changed AS (
        UPDATE public.contacts c SET lead_score = w.score FROM wanted w
        WHERE c.id = w.id AND c.lead_score IS DISTINCT FROM w.score RETURNING 1
    )
    SELECT count(*)::int FROM changed
$$;
