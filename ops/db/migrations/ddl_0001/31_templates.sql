CREATE TABLE ops.announcement_templates (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID NOT NULL,
    name TEXT NOT NULL,
    purpose TEXT DEFAULT 'ordinary' NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    translations JSONB DEFAULT '{}' NOT NULL,
    priority TEXT DEFAULT 'normal' NOT NULL,
    delivery_method TEXT[] DEFAULT '{in_app,website}' NOT NULL,
    target_audience TEXT DEFAULT 'all' NOT NULL,
    target_segments JSONB DEFAULT '{}' NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_announcement_templates PRIMARY KEY (id),
    CONSTRAINT uq_announcement_templates_event_id_name UNIQUE (event_id, name),
    CONSTRAINT ck_announcement_templates_purpose CHECK (purpose IN ('ordinary', 'emergency', 'all_clear')),
    CONSTRAINT ck_announcement_templates_priority CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    CONSTRAINT fk_announcement_templates_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_announcement_templates_created_by_users FOREIGN KEY (created_by) REFERENCES public.users (id) ON DELETE SET NULL
);
CREATE INDEX ix_announcement_templates_created_by ON ops.announcement_templates (created_by);

CREATE TABLE ops.session_told (
    session_id UUID NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE,
    ends_at TIMESTAMP WITH TIME ZONE,
    room TEXT,
    status TEXT,
    told_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_session_told PRIMARY KEY (session_id),
    CONSTRAINT fk_session_told_session_id_sessions FOREIGN KEY (session_id) REFERENCES public.sessions (id) ON DELETE CASCADE
);
