CREATE TABLE public.event_feedback (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    session_id UUID,
    attendee_id UUID,
    overall_rating INTEGER,
    content_rating INTEGER,
    speaker_rating INTEGER,
    venue_rating INTEGER,
    organization_rating INTEGER,
    value_rating INTEGER,
    comments TEXT,
    suggestions TEXT,
    best_aspects TEXT,
    improvement_areas TEXT,
    would_recommend BOOLEAN,
    would_attend_again BOOLEAN,
    session_rating INTEGER,
    session_comments TEXT,
    is_anonymous BOOLEAN DEFAULT false,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_event_feedback PRIMARY KEY (id),
    CONSTRAINT ck_event_feedback_overall_rating CHECK (overall_rating BETWEEN 1 AND 5),
    CONSTRAINT ck_event_feedback_content_rating CHECK (content_rating BETWEEN 1 AND 5),
    CONSTRAINT ck_event_feedback_speaker_rating CHECK (speaker_rating BETWEEN 1 AND 5),
    CONSTRAINT ck_event_feedback_venue_rating CHECK (venue_rating BETWEEN 1 AND 5),
    CONSTRAINT ck_event_feedback_organization_rating CHECK (organization_rating BETWEEN 1 AND 5),
    CONSTRAINT ck_event_feedback_value_rating CHECK (value_rating BETWEEN 1 AND 5),
    CONSTRAINT ck_event_feedback_session_rating CHECK (session_rating BETWEEN 1 AND 5)
);
CREATE INDEX ix_event_feedback_attendee_id ON public.event_feedback (attendee_id);
CREATE INDEX ix_event_feedback_created_at_id ON public.event_feedback (created_at, id);
CREATE INDEX ix_event_feedback_event_id_created_at_id ON public.event_feedback (event_id, created_at, id);
CREATE INDEX ix_event_feedback_session_id ON public.event_feedback (session_id);

CREATE TABLE public.networking_connections (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    requester_id UUID,
    target_id UUID,
    connection_type TEXT,
    connection_reason TEXT,
    status TEXT DEFAULT 'pending',
    message TEXT,
    meeting_requested BOOLEAN DEFAULT false,
    meeting_scheduled TIMESTAMP WITH TIME ZONE,
    meeting_location TEXT,
    meeting_notes TEXT,
    follow_up_scheduled BOOLEAN DEFAULT false,
    follow_up_date DATE,
    follow_up_notes TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_networking_connections PRIMARY KEY (id),
    CONSTRAINT ck_networking_connections_connection_type CHECK (connection_type IN ('business', 'collaboration', 'mentorship', 'friendship', 'partnership')),
    CONSTRAINT ck_networking_connections_status CHECK (status IN ('pending', 'accepted', 'declined', 'blocked')),
    CONSTRAINT uq_networking_connections_event_id_requester_id_target_id UNIQUE (event_id, requester_id, target_id)
);
CREATE INDEX ix_networking_connections_created_at_id ON public.networking_connections (created_at, id);
CREATE INDEX ix_networking_connections_event_id_created_at_id ON public.networking_connections (event_id, created_at, id);
CREATE INDEX ix_networking_connections_requester_id ON public.networking_connections (requester_id);
CREATE INDEX ix_networking_connections_target_id ON public.networking_connections (target_id);

CREATE TABLE public.event_materials (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    session_id UUID,
    uploaded_by UUID,
    title TEXT NOT NULL,
    description TEXT,
    material_type TEXT,
    file_url TEXT,
    file_size BIGINT,
    file_format TEXT,
    file_duration INTEGER,
    download_count INTEGER DEFAULT 0,
    access_level TEXT DEFAULT 'attendees_only',
    requires_download BOOLEAN DEFAULT true,
    password_protected BOOLEAN DEFAULT false,
    tags TEXT[],
    language TEXT DEFAULT 'en',
    category TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_event_materials PRIMARY KEY (id),
    CONSTRAINT ck_event_materials_material_type CHECK (material_type IN ('presentation', 'document', 'video', 'audio', 'image', 'link', 'handout')),
    CONSTRAINT ck_event_materials_access_level CHECK (access_level IN ('public', 'attendees_only', 'speakers_only', 'sponsors_only', 'organizers_only'))
);
CREATE INDEX ix_event_materials_created_at_id ON public.event_materials (created_at, id);
CREATE INDEX ix_event_materials_event_id_created_at_id ON public.event_materials (event_id, created_at, id);
CREATE INDEX ix_event_materials_session_id ON public.event_materials (session_id);
CREATE INDEX ix_event_materials_uploaded_by ON public.event_materials (uploaded_by);

CREATE TABLE public.event_announcements (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    session_id UUID,
    author_id UUID,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    priority TEXT DEFAULT 'normal',
    target_audience TEXT,
    target_segments JSONB,
    delivery_method TEXT[],
    scheduled_for TIMESTAMP WITH TIME ZONE,
    sent_at TIMESTAMP WITH TIME ZONE,
    status TEXT DEFAULT 'draft',
    delivery_count INTEGER DEFAULT 0,
    open_count INTEGER DEFAULT 0,
    click_count INTEGER DEFAULT 0,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_event_announcements PRIMARY KEY (id),
    CONSTRAINT ck_event_announcements_priority CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    CONSTRAINT ck_event_announcements_target_audience CHECK (target_audience IN ('all', 'attendees', 'speakers', 'sponsors', 'organizers', 'vip')),
    CONSTRAINT ck_event_announcements_delivery_method CHECK (delivery_method <@ ARRAY['email', 'push', 'in_app', 'sms', 'website']),
    CONSTRAINT ck_event_announcements_status CHECK (status IN ('draft', 'scheduled', 'sent', 'cancelled'))
);
CREATE INDEX ix_event_announcements_author_id ON public.event_announcements (author_id);
CREATE INDEX ix_event_announcements_created_at_id ON public.event_announcements (created_at, id);
CREATE INDEX ix_event_announcements_event_id_created_at_id ON public.event_announcements (event_id, created_at, id);
CREATE INDEX ix_event_announcements_session_id ON public.event_announcements (session_id);

CREATE TABLE public.event_analytics (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    session_id UUID,
    metric_name TEXT NOT NULL,
    metric_value NUMERIC(15, 4),
    metric_unit TEXT,
    measurement_time TIMESTAMP WITH TIME ZONE DEFAULT now(),
    data_source TEXT,
    dimension_1 TEXT,
    dimension_2 TEXT,
    dimension_3 TEXT,
    raw_data JSONB,
    calculation_method TEXT,
    calculation_period TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_event_analytics PRIMARY KEY (id)
);
CREATE INDEX ix_event_analytics_created_at_id ON public.event_analytics (created_at, id);
CREATE INDEX ix_event_analytics_event_id_created_at_id ON public.event_analytics (event_id, created_at, id);
CREATE INDEX ix_event_analytics_session_id ON public.event_analytics (session_id);
