-- What the relay has to bring to the door: rows of ops.outbox, one per changed key.
--
-- The outbox is a to-do list: the relay reads the CURRENT row of each key, so a key
-- need not be there twice for one transaction. `xmin <> pg_current_xact_id()` below
-- means: not written by this very transaction. What nobody else has seen yet needs no
-- new version and no second note. (Inside a savepoint the numbers differ; then a note
-- is written once too often, never too seldom.)
--
-- Inserts and deletes are told by statement-level triggers with transition tables.
-- Updates of tables whose counters change with every scan or heartbeat are told by
-- triggers with a list of columns, which cost nothing when another column changes;
-- PostgreSQL allows such a list only without transition tables, so these are per row.

CREATE FUNCTION ops.tell(event uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Equal notes of one transaction are sent once. A batch of scans is quiet: a note
    -- would line up its commits behind each other, and the relay looks by itself.
    IF current_setting('ops.quiet', true) IS DISTINCT FROM 'on' THEN
        PERFORM pg_notify('ops_outbox', event::text);
    END IF;
END
$$;

-- tickets -------------------------------------------------------------------------

CREATE FUNCTION ops.tickets_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.outbox (event_id, kind, key)
        SELECT event_id, 'ticket', id FROM changed;
    -- The same for the devices' packages, which go by transaction (offline.sql).
    INSERT INTO ops.offline_changes (event_id, ticket_id) SELECT event_id, id FROM changed;
    PERFORM ops.tell(event_id) FROM (SELECT DISTINCT event_id FROM changed) AS c;
    RETURN NULL;
END
$$;

CREATE TRIGGER outbox_insert AFTER INSERT ON public.tickets
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ops.tickets_changed();
CREATE TRIGGER outbox_update AFTER UPDATE ON public.tickets
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ops.tickets_changed();
CREATE TRIGGER outbox_delete AFTER DELETE ON public.tickets
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ops.tickets_changed();

-- A new version of these tickets; the trigger on tickets writes the notes. In id
-- order, so that two of these never wait for each other in a circle.
CREATE FUNCTION ops.bump_tickets(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.tickets t SET version = t.version + 1
    FROM (
        SELECT id FROM public.tickets
        WHERE id = ANY (ids) AND xmin <> pg_current_xact_id()::xid
        ORDER BY id FOR NO KEY UPDATE
    ) AS locked
    WHERE t.id = locked.id;
END
$$;

-- ticket_codes, session_registrations: their column ticket_id names the ticket.
CREATE FUNCTION ops.ticket_parts_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.bump_tickets(ARRAY(SELECT DISTINCT ticket_id FROM new_rows));
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.ticket_parts_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.bump_tickets(ARRAY(
        SELECT ticket_id FROM new_rows UNION SELECT ticket_id FROM old_rows));
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.ticket_parts_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.bump_tickets(ARRAY(SELECT DISTINCT ticket_id FROM old_rows));
    RETURN NULL;
END
$$;

CREATE TRIGGER outbox_insert AFTER INSERT ON ops.ticket_codes
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_inserted();
CREATE TRIGGER outbox_update AFTER UPDATE ON ops.ticket_codes
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_updated();
CREATE TRIGGER outbox_delete AFTER DELETE ON ops.ticket_codes
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_deleted();

CREATE TRIGGER outbox_insert AFTER INSERT ON ops.session_registrations
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_inserted();
CREATE TRIGGER outbox_update AFTER UPDATE ON ops.session_registrations
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_updated();
CREATE TRIGGER outbox_delete AFTER DELETE ON ops.session_registrations
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.ticket_parts_deleted();

-- scopes: a ticket's entry lists the scopes of the sessions it is registered for.
CREATE FUNCTION ops.registered_in(sessions uuid[]) RETURNS uuid[]
LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT DISTINCT r.ticket_id FROM ops.session_registrations r
                 WHERE r.session_id = ANY (sessions) AND r.status = 'registered')
$$;
CREATE FUNCTION ops.scopes_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.bump_tickets(ops.registered_in(ARRAY(
        SELECT session_id FROM new_rows WHERE session_id IS NOT NULL)));
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.scope_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.bump_tickets(
        ops.registered_in(ARRAY[OLD.session_id, NEW.session_id]));
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.scopes_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.bump_tickets(ops.registered_in(ARRAY(
        SELECT session_id FROM old_rows WHERE session_id IS NOT NULL)));
    RETURN NULL;
END
$$;

CREATE TRIGGER outbox_insert AFTER INSERT ON ops.scopes
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.scopes_inserted();
CREATE TRIGGER registered_update AFTER UPDATE OF session_id ON ops.scopes
    FOR EACH ROW WHEN (OLD.session_id IS DISTINCT FROM NEW.session_id)
    EXECUTE FUNCTION ops.scope_moved();
CREATE TRIGGER outbox_delete AFTER DELETE ON ops.scopes
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.scopes_deleted();

-- attendees: only what a door shows or decides by. (A deleted attendee empties
-- tickets.attendee_id, which the trigger on tickets sees.)
CREATE FUNCTION ops.attendees_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.bump_tickets(ARRAY(
        SELECT t.id
        FROM new_rows n
        JOIN old_rows o USING (id)
        JOIN public.tickets t ON t.attendee_id = n.id
        WHERE (n.first_name, n.last_name, n.company, n.language, n.flags, n.notes,
               n.birth_date, n.contact_id, n.email, n.phone)
            IS DISTINCT FROM
              (o.first_name, o.last_name, o.company, o.language, o.flags, o.notes,
               o.birth_date, o.contact_id, o.email, o.phone)));
    RETURN NULL;
END
$$;

CREATE TRIGGER outbox_update AFTER UPDATE ON public.attendees
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.attendees_updated();

-- devices and the operators at them --------------------------------------------------

-- A new version of these devices: what the cache holds of a device has parts from its
-- operator and its events, and the higher version wins there.
CREATE FUNCTION ops.bump_devices(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ops.devices d SET version = d.version + 1
    FROM (
        SELECT id FROM ops.devices
        WHERE id = ANY (ids) AND xmin <> pg_current_xact_id()::xid
        ORDER BY id FOR NO KEY UPDATE
    ) AS locked
    WHERE d.id = locked.id;
END
$$;

-- One note for each device and event: those it serves, and that of its gate.
CREATE FUNCTION ops.devices_told(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    told bigint;
BEGIN
    WITH served AS (
        SELECT event_id, device_id FROM ops.device_events
        WHERE device_id = ANY (ids)
        UNION
        SELECT g.event_id, d.id FROM ops.devices d JOIN ops.gates g ON g.id = d.gate_id
        WHERE d.id = ANY (ids)
    ), noted AS (
        INSERT INTO ops.outbox (event_id, kind, key)
            SELECT event_id, 'device', device_id FROM served
            RETURNING event_id
    )
    SELECT count(ops.tell(event_id)) INTO told FROM (SELECT DISTINCT event_id FROM noted) AS n;
END
$$;

CREATE FUNCTION ops.devices_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.devices_told(ARRAY(SELECT id FROM new_rows));
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.device_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.devices_told(ARRAY[NEW.id]);
    IF OLD.gate_id IS DISTINCT FROM NEW.gate_id THEN
        -- The event it was moved away from has to forget it.
        INSERT INTO ops.outbox (event_id, kind, key)
            SELECT g.event_id, 'device', NEW.id FROM ops.gates g
            WHERE g.id = OLD.gate_id
              AND g.event_id IS DISTINCT FROM
                  (SELECT n.event_id FROM ops.gates n WHERE n.id = NEW.gate_id);
        PERFORM ops.tell(g.event_id) FROM ops.gates g WHERE g.id = OLD.gate_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION ops.devices_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.outbox (event_id, kind, key)
        SELECT g.event_id, 'device', o.id
        FROM old_rows o JOIN ops.gates g ON g.id = o.gate_id;
    PERFORM ops.tell(e.event_id) FROM (
        SELECT DISTINCT g.event_id FROM old_rows o JOIN ops.gates g ON g.id = o.gate_id
    ) AS e;
    RETURN NULL;
END
$$;

CREATE TRIGGER outbox_insert AFTER INSERT ON ops.devices
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.devices_inserted();
-- Not: battery, pending, clock, last_seen_at, hardware, software, the pairing code.
CREATE TRIGGER outbox_update AFTER UPDATE OF
    name, profile, state, token_hash, gate_id, direction, session_id, operator_id,
    enrolment_id, sponsor_id, locked_at, revoked_at
    ON ops.devices FOR EACH ROW EXECUTE FUNCTION ops.device_updated();
CREATE TRIGGER outbox_delete AFTER DELETE ON ops.devices
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.devices_deleted();

CREATE FUNCTION ops.device_events_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ops.bump_devices(ARRAY(SELECT DISTINCT device_id FROM changed));
    INSERT INTO ops.outbox (event_id, kind, key)
        SELECT event_id, 'device', device_id FROM changed;
    PERFORM ops.tell(event_id) FROM (SELECT DISTINCT event_id FROM changed) AS c;
    RETURN NULL;
END
$$;

CREATE TRIGGER outbox_insert AFTER INSERT ON ops.device_events
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ops.device_events_changed();
CREATE TRIGGER outbox_update AFTER UPDATE ON ops.device_events
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ops.device_events_changed();
CREATE TRIGGER outbox_delete AFTER DELETE ON ops.device_events
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ops.device_events_changed();

-- An operator is told through the devices that he works. (A deleted one empties
-- devices.operator_id.) Not: failed_pins.
CREATE FUNCTION ops.operator_updated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    worked uuid[] := ARRAY(SELECT id FROM ops.devices WHERE operator_id = NEW.id);
BEGIN
    PERFORM ops.bump_devices(worked);
    PERFORM ops.devices_told(worked);
    RETURN NULL;
END
$$;

CREATE TRIGGER outbox_update AFTER UPDATE OF
    event_id, name, agency, pin_hash, badge_code_hash, role, gate_id, valid_from,
    valid_to, locked_until, language
    ON ops.operators FOR EACH ROW EXECUTE FUNCTION ops.operator_updated();

-- counts: people tapped in and out without tickets --------------------------------

CREATE FUNCTION ops.counts_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.outbox (event_id, kind, key)
        SELECT DISTINCT event_id, 'counts', area_id FROM new_rows;
    PERFORM ops.tell(event_id) FROM (SELECT DISTINCT event_id FROM new_rows) AS n;
    RETURN NULL;
END
$$;

CREATE TRIGGER outbox_insert AFTER INSERT ON ops.counts
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.counts_inserted();
