-- What the record of the door does to the CRM, and what is due when.

CREATE TABLE ops.effect_rules (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    event_id UUID,
    enabled BOOLEAN DEFAULT true NOT NULL,
    happened TEXT NOT NULL,
    session_id UUID,
    ticket_type_id UUID,
    minutes_min INTEGER DEFAULT 0 NOT NULL,
    action TEXT NOT NULL,
    sponsor_id UUID,
    assigned_to UUID,
    title TEXT,
    lead_score INTEGER DEFAULT 0 NOT NULL,
    amount NUMERIC(10, 2),
    priority TEXT DEFAULT 'medium' NOT NULL,
    due_hours INTEGER DEFAULT 24 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_effect_rules PRIMARY KEY (id),
    CONSTRAINT ck_effect_rules_happened CHECK (happened IN ('attended_event', 'attended_session', 'left_early', 'no_show')),
    CONSTRAINT ck_effect_rules_action CHECK (action IN ('lead', 'opportunity', 'task')),
    CONSTRAINT ck_effect_rules_priority CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
    CONSTRAINT ck_effect_rules_lead_score CHECK (lead_score BETWEEN 0 AND 100),
    CONSTRAINT ck_effect_rules_minutes_min CHECK (minutes_min >= 0),
    CONSTRAINT ck_effect_rules_session CHECK (happened <> 'attended_session' OR session_id IS NOT NULL)
);
CREATE INDEX ix_effect_rules_assigned_to ON ops.effect_rules (assigned_to);
CREATE INDEX ix_effect_rules_created_at_id ON ops.effect_rules (created_at, id);
CREATE INDEX ix_effect_rules_event_id_created_at_id ON ops.effect_rules (event_id, created_at, id);
CREATE INDEX ix_effect_rules_session_id ON ops.effect_rules (session_id);
CREATE INDEX ix_effect_rules_sponsor_id ON ops.effect_rules (sponsor_id);
CREATE INDEX ix_effect_rules_ticket_type_id ON ops.effect_rules (ticket_type_id);

CREATE TABLE ops.effects (
    attendee_id UUID NOT NULL,
    effect TEXT NOT NULL,
    event_id UUID NOT NULL,
    rule_id UUID,
    target_id UUID NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_effects PRIMARY KEY (attendee_id, effect)
);
CREATE INDEX ix_effects_event_id_effect ON ops.effects (event_id, effect);

CREATE TABLE ops.jobs (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    event_id UUID,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    args JSONB DEFAULT '{}' NOT NULL,
    every_seconds INTEGER,
    until TIMESTAMP WITH TIME ZONE,
    attempts INTEGER DEFAULT 0 NOT NULL,
    last_error TEXT,
    done_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_jobs PRIMARY KEY (kind, key),
    CONSTRAINT ck_jobs_every_seconds CHECK (every_seconds > 0)
);
CREATE INDEX ix_jobs_due_at ON ops.jobs (due_at) WHERE done_at IS NULL;
CREATE INDEX ix_jobs_event_id ON ops.jobs (event_id);

ALTER TABLE ops.effect_rules
    ADD CONSTRAINT fk_effect_rules_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
ALTER TABLE ops.effect_rules
    ADD CONSTRAINT fk_effect_rules_session_id_sessions FOREIGN KEY(session_id) REFERENCES public.sessions (id) ON DELETE CASCADE;
ALTER TABLE ops.effect_rules
    ADD CONSTRAINT fk_effect_rules_ticket_type_id_ticket_types FOREIGN KEY(ticket_type_id) REFERENCES public.ticket_types (id) ON DELETE CASCADE;
ALTER TABLE ops.effect_rules
    ADD CONSTRAINT fk_effect_rules_sponsor_id_sponsors FOREIGN KEY(sponsor_id) REFERENCES public.sponsors (id) ON DELETE CASCADE;
ALTER TABLE ops.effect_rules
    ADD CONSTRAINT fk_effect_rules_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES public.users (id) ON DELETE SET NULL;
ALTER TABLE ops.jobs
    ADD CONSTRAINT fk_jobs_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE;
