-- Times and versions of rows.

-- ops.touch(): BEFORE UPDATE, for tables with `updated_at`.
CREATE FUNCTION ops.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- ops.bump(): BEFORE UPDATE, for tables with `version`. The new version is the old
-- one plus 1 whatever the statement says, so that no statement counts twice and none
-- can set it back.
CREATE FUNCTION ops.bump() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.table_name FROM information_schema.columns c
        WHERE c.table_schema = 'public' AND c.column_name = 'updated_at'
    LOOP
        EXECUTE format(
            'CREATE TRIGGER touch BEFORE UPDATE ON public.%I'
            ' FOR EACH ROW EXECUTE FUNCTION ops.touch()', name);
    END LOOP;
END
$$;

CREATE TRIGGER bump BEFORE UPDATE ON public.tickets
    FOR EACH ROW EXECUTE FUNCTION ops.bump();
CREATE TRIGGER bump BEFORE UPDATE ON ops.gates
    FOR EACH ROW EXECUTE FUNCTION ops.bump();
CREATE TRIGGER bump BEFORE UPDATE ON ops.access_rules
    FOR EACH ROW EXECUTE FUNCTION ops.bump();

-- Tables with columns that change all the time: these leave the version alone.
CREATE TRIGGER bump BEFORE UPDATE OF
    event_id, name, ticket_category, price, currency, total_capacity, sale_start_date,
    sale_end_date, features, benefits, status, access_class, admits,
    min_age, version
    ON public.ticket_types FOR EACH ROW EXECUTE FUNCTION ops.bump();
CREATE TRIGGER bump BEFORE UPDATE OF
    event_id, venue_id, parent_id, name, kind, capacity, limit_kind, position,
    overflow_area_id, min_age, version
    ON ops.areas FOR EACH ROW EXECUTE FUNCTION ops.bump();
CREATE TRIGGER bump BEFORE UPDATE OF
    event_id, kind, area_id, parent_id, session_id, name, capacity, limit_kind,
    tracks_exits, re_entry, passes_total, enter_outer, exclusive, opens_at, closes_at,
    opens_anchor, opens_offset_minutes, closes_anchor, closes_offset_minutes, passes_per_day,
    pass_gap_minutes, anti_passback_minutes,
    exits_assumed_at, version
    ON ops.scopes FOR EACH ROW EXECUTE FUNCTION ops.bump();
CREATE TRIGGER bump BEFORE UPDATE OF
    name, profile, state, token_hash, gate_id, direction, session_id, operator_id,
    enrolment_id, sponsor_id, locked_at, revoked_at, version
    ON ops.devices FOR EACH ROW EXECUTE FUNCTION ops.bump();
CREATE TRIGGER bump BEFORE UPDATE OF
    event_id, name, agency, pin_hash, badge_code_hash, role, gate_id, valid_from,
    valid_to, locked_until, language, version
    ON ops.operators FOR EACH ROW EXECUTE FUNCTION ops.bump();
