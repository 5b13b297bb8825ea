-- What holds for contacts, consents and the pipeline whoever writes, psql included.

-- A consent is evidence: nobody rewrites it. Only a merge hands it to the contact that
-- stays, and an erasure takes the evidence and what names the person.
CREATE FUNCTION ops.keep_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND to_jsonb(NEW) - ARRAY['contact_id', 'evidence', 'key_id', 'source']
           = to_jsonb(OLD) - ARRAY['contact_id', 'evidence', 'key_id', 'source']
       AND (NEW.evidence IS NULL OR NEW.evidence = OLD.evidence)
       AND (NEW.source = OLD.source OR NEW.source LIKE '%(erased)%') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on ops.consents is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'take a consent back with a new row';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ops.consents
    FOR EACH ROW EXECUTE FUNCTION ops.keep_consent();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ops.consent_texts
    FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ops.audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ops.stage_changes
    FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

-- ops.consented(contact, purpose): whether the newest row of the ledger grants it.
CREATE FUNCTION ops.consented(contact uuid, what text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT c.state = 'granted' AND (c.expires_at IS NULL OR c.expires_at > now())
        FROM ops.consents c
        WHERE c.contact_id = contact AND c.purpose = what
        ORDER BY c.given_at DESC, c.id DESC LIMIT 1), false)
$$;

-- The four flags of contacts are what the ledger says. A row of the ledger sets them;
-- a flag that somebody sets writes a row of the ledger. Each stops where both agree.
CREATE FUNCTION ops.consent_sets_flag() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    given boolean := ops.consented(NEW.contact_id, NEW.purpose);
BEGIN
    CASE NEW.purpose
        WHEN 'marketing' THEN
            UPDATE public.contacts SET marketing_consent = given
            WHERE id = NEW.contact_id AND marketing_consent IS DISTINCT FROM given;
        WHEN 'email' THEN
            UPDATE public.contacts SET email_consent = given
            WHERE id = NEW.contact_id AND email_consent IS DISTINCT FROM given;
        WHEN 'sms' THEN
            UPDATE public.contacts SET sms_consent = given
            WHERE id = NEW.contact_id AND sms_consent IS DISTINCT FROM given;
        WHEN 'phone' THEN
            UPDATE public.contacts SET phone_consent = given
            WHERE id = NEW.contact_id AND phone_consent IS DISTINCT FROM given;
        ELSE NULL;
    END CASE;
    RETURN NULL;
END
$$;
CREATE TRIGGER sets_flag AFTER INSERT OR UPDATE OF contact_id ON ops.consents
    FOR EACH ROW EXECUTE FUNCTION ops.consent_sets_flag();

CREATE FUNCTION ops.flag_writes_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A flag set in an instant of the past or the future would lose to an older row.
    INSERT INTO ops.consents (contact_id, purpose, state, source, given_at, recorded_by)
    SELECT NEW.id, f.purpose, CASE WHEN f.given THEN 'granted' ELSE 'withdrawn' END,
           'flag', greatest(clock_timestamp(), (
               SELECT max(c.given_at) + interval '1 microsecond' FROM ops.consents c
               WHERE c.contact_id = NEW.id AND c.purpose = f.purpose)),
           nullif(current_setting('ops.user_id', true), '')::uuid
    FROM (VALUES ('marketing', coalesce(NEW.marketing_consent, false)),
                 ('email', coalesce(NEW.email_consent, false)),
                 ('sms', coalesce(NEW.sms_consent, false)),
                 ('phone', coalesce(NEW.phone_consent, false))) AS f (purpose, given)
    WHERE f.given <> ops.consented(NEW.id, f.purpose);
    RETURN NULL;
END
$$;
CREATE TRIGGER writes_consent_insert AFTER INSERT ON public.contacts
    FOR EACH ROW WHEN (NEW.marketing_consent OR NEW.email_consent
                       OR NEW.sms_consent OR NEW.phone_consent)
    EXECUTE FUNCTION ops.flag_writes_consent();
CREATE TRIGGER writes_consent_update
    AFTER UPDATE OF marketing_consent, email_consent, sms_consent, phone_consent
    ON public.contacts
    FOR EACH ROW WHEN (NEW.marketing_consent IS DISTINCT FROM OLD.marketing_consent
                       OR NEW.email_consent IS DISTINCT FROM OLD.email_consent
                       OR NEW.sms_consent IS DISTINCT FROM OLD.sms_consent
                       OR NEW.phone_consent IS DISTINCT FROM OLD.phone_consent)
    EXECUTE FUNCTION ops.flag_writes_consent();

-- A number that changed has to be read anew: null is "not yet", '' is "no number".
CREATE FUNCTION ops.phone_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.phone_normal := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER phone_changed BEFORE UPDATE OF phone, country ON public.contacts
    FOR EACH ROW WHEN (NEW.phone IS DISTINCT FROM OLD.phone
                       OR NEW.country IS DISTINCT FROM OLD.country)
    EXECUTE FUNCTION ops.phone_changed();

-- The history of the pipeline, whoever moves a card.
CREATE FUNCTION ops.lead_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.stage_changes
        (kind, subject_id, from_stage, to_stage, probability, amount, changed_by)
    VALUES ('lead', NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.lead_status END,
            NEW.lead_status, NEW.probability_percentage, NEW.estimated_value,
            nullif(current_setting('ops.user_id', true), '')::uuid);
    RETURN NULL;
END
$$;
CREATE TRIGGER moved_insert AFTER INSERT ON public.leads
    FOR EACH ROW EXECUTE FUNCTION ops.lead_moved();
CREATE TRIGGER moved_update AFTER UPDATE OF lead_status ON public.leads
    FOR EACH ROW WHEN (NEW.lead_status IS DISTINCT FROM OLD.lead_status)
    EXECUTE FUNCTION ops.lead_moved();

CREATE FUNCTION ops.opportunity_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.stage_changes
        (kind, subject_id, from_stage, to_stage, probability, amount, changed_by)
    VALUES ('opportunity', NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.stage END,
            NEW.stage, NEW.probability, NEW.amount,
            nullif(current_setting('ops.user_id', true), '')::uuid);
    RETURN NULL;
END
$$;
CREATE TRIGGER moved_insert AFTER INSERT ON public.opportunities
    FOR EACH ROW EXECUTE FUNCTION ops.opportunity_moved();
CREATE TRIGGER moved_update AFTER UPDATE OF stage ON public.opportunities
    FOR EACH ROW WHEN (NEW.stage IS DISTINCT FROM OLD.stage)
    EXECUTE FUNCTION ops.opportunity_moved();

-- Whoever spoke with a contact has contacted them.
CREATE FUNCTION ops.contacted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.contacts c SET last_contacted_at = NEW.occurred_at
    WHERE c.id = NEW.contact_id
      AND (c.last_contacted_at IS NULL OR c.last_contacted_at < NEW.occurred_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER contacted AFTER INSERT ON public.interactions
    FOR EACH ROW WHEN (NEW.contact_id IS NOT NULL AND NEW.occurred_at <= now())
    EXECUTE FUNCTION ops.contacted();
