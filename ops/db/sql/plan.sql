-- The plan of an event: the event itself, types, places, gates, sessions, rules.
-- A change of any of them raises ops.plan_versions once a transaction and leaves one
-- note `plan` for the relay.

CREATE FUNCTION ops.plan_changed(events uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    told bigint;
BEGIN
    WITH raised AS (
        -- An event that is being deleted takes its plan with it.
        INSERT INTO ops.plan_versions AS p (event_id, version)
            SELECT e.id, 1 FROM public.events e WHERE e.id = ANY (events) ORDER BY e.id
        ON CONFLICT (event_id) DO UPDATE SET version = p.version + 1
            WHERE p.xmin <> pg_current_xact_id()::xid
        RETURNING event_id
    ), noted AS (
        INSERT INTO ops.outbox (event_id, kind, key)
            SELECT event_id, 'plan', event_id FROM raised
            RETURNING event_id
    )
    SELECT count(ops.tell(event_id)) INTO told FROM noted;
END
$$;

CREATE FUNCTION ops.plan_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.plan_changed(ARRAY(SELECT DISTINCT event_id FROM new_rows));
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.plan_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.plan_changed(ARRAY[OLD.event_id, NEW.event_id]);
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.plan_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.plan_changed(ARRAY(SELECT DISTINCT event_id FROM old_rows));
    RETURN NULL;
END
$$;

-- The event's own row is the plan's first part.
CREATE FUNCTION ops.events_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.plan_changed(ARRAY(SELECT id FROM new_rows));
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.event_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.plan_changed(ARRAY[NEW.id]);
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.events_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.outbox (event_id, kind, key) SELECT id, 'plan', id FROM old_rows;
    PERFORM ops.tell(id) FROM old_rows;
    RETURN NULL;
END
$$;

CREATE TRIGGER plan_insert AFTER INSERT ON public.events
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.events_inserted();
CREATE TRIGGER plan_update AFTER UPDATE ON public.events
    FOR EACH ROW EXECUTE FUNCTION ops.event_updated();
CREATE TRIGGER plan_delete AFTER DELETE ON public.events
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.events_deleted();

DO $$
DECLARE
    part text;
BEGIN
    FOREACH part IN ARRAY ARRAY['public.ticket_types', 'public.sessions', 'ops.areas',
                                'ops.scopes', 'ops.gates', 'ops.access_rules',
                                'ops.questions', 'ops.admission_stops', 'ops.held_places']
    LOOP
        EXECUTE format(
            'CREATE TRIGGER plan_insert AFTER INSERT ON %s'
            ' REFERENCING NEW TABLE AS new_rows'
            ' FOR EACH STATEMENT EXECUTE FUNCTION ops.plan_inserted()', part);
        EXECUTE format(
            'CREATE TRIGGER plan_delete AFTER DELETE ON %s'
            ' REFERENCING OLD TABLE AS old_rows'
            ' FOR EACH STATEMENT EXECUTE FUNCTION ops.plan_deleted()', part);
    END LOOP;
END
$$;

-- Not: sold_count, reserved_count.
CREATE TRIGGER plan_update AFTER UPDATE OF
    event_id, name, ticket_category, price, currency, total_capacity, sale_start_date,
    sale_end_date, features, benefits, status, access_class, admits,
    min_age
    ON public.ticket_types FOR EACH ROW EXECUTE FUNCTION ops.plan_updated();
-- Not: current_registrations, materials and the like.
CREATE TRIGGER plan_update AFTER UPDATE OF
    event_id, venue_id, title, session_type, start_time, end_time, max_attendees,
    registration_required, registration_deadline, waitlist_enabled, status, area_id,
    door_mode, check_in_opens, check_in_closes
    ON public.sessions FOR EACH ROW EXECUTE FUNCTION ops.plan_updated();
-- Not: inside, manual.
CREATE TRIGGER plan_update AFTER UPDATE OF
    event_id, venue_id, parent_id, name, kind, capacity, limit_kind, position,
    overflow_area_id, min_age
    ON ops.areas FOR EACH ROW EXECUTE FUNCTION ops.plan_updated();
-- Not: inside.
CREATE TRIGGER plan_update AFTER UPDATE OF
    event_id, kind, area_id, parent_id, session_id, name, capacity, limit_kind,
    tracks_exits, re_entry, passes_total, enter_outer, exclusive, opens_at, closes_at,
    opens_anchor, opens_offset_minutes, closes_anchor, closes_offset_minutes, passes_per_day,
    pass_gap_minutes, anti_passback_minutes,
    exits_assumed_at
    ON ops.scopes FOR EACH ROW EXECUTE FUNCTION ops.plan_updated();
CREATE TRIGGER plan_update AFTER UPDATE ON ops.gates
    FOR EACH ROW EXECUTE FUNCTION ops.plan_updated();
CREATE TRIGGER plan_update AFTER UPDATE ON ops.access_rules
    FOR EACH ROW EXECUTE FUNCTION ops.plan_updated();
CREATE TRIGGER plan_update AFTER UPDATE ON ops.questions
    FOR EACH ROW EXECUTE FUNCTION ops.plan_updated();
CREATE TRIGGER plan_update AFTER UPDATE ON ops.admission_stops
    FOR EACH ROW EXECUTE FUNCTION ops.plan_updated();
CREATE TRIGGER plan_update AFTER UPDATE ON ops.held_places
    FOR EACH ROW EXECUTE FUNCTION ops.plan_updated();
