CREATE TABLE ops.help_calls (
    id UUID NOT NULL,
    event_id UUID NOT NULL,
    kind TEXT NOT NULL,
    queue TEXT,
    note TEXT,
    gate_id UUID,
    device_id UUID,
    operator_id UUID,
    called_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE,
    seen_by UUID,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_by UUID,
    CONSTRAINT pk_help_calls PRIMARY KEY (id),
    CONSTRAINT ck_help_calls_kind CHECK (kind IN ('supervisor', 'security', 'medical', 'technical', 'queue')),
    CONSTRAINT ck_help_calls_queue CHECK (queue IN ('none', 'short', 'long', 'over_barrier')),
    CONSTRAINT fk_help_calls_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_help_calls_gate_id_gates FOREIGN KEY (gate_id) REFERENCES ops.gates (id) ON DELETE SET NULL,
    CONSTRAINT fk_help_calls_device_id_devices FOREIGN KEY (device_id) REFERENCES ops.devices (id) ON DELETE SET NULL,
    CONSTRAINT fk_help_calls_operator_id_operators FOREIGN KEY (operator_id) REFERENCES ops.operators (id) ON DELETE SET NULL,
    CONSTRAINT fk_help_calls_seen_by_users FOREIGN KEY (seen_by) REFERENCES public.users (id) ON DELETE SET NULL,
    CONSTRAINT fk_help_calls_closed_by_users FOREIGN KEY (closed_by) REFERENCES public.users (id) ON DELETE SET NULL
);
CREATE INDEX ix_help_calls_closed_by ON ops.help_calls (closed_by);
CREATE INDEX ix_help_calls_device_id ON ops.help_calls (device_id);
CREATE INDEX ix_help_calls_event_id_received_at_id ON ops.help_calls (event_id, received_at, id);
CREATE INDEX ix_help_calls_gate_id ON ops.help_calls (gate_id);
CREATE INDEX ix_help_calls_operator_id ON ops.help_calls (operator_id);
CREATE INDEX ix_help_calls_seen_by ON ops.help_calls (seen_by);

CREATE TABLE ops.incidents (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT DEFAULT 'open' NOT NULL,
    summary TEXT NOT NULL,
    owner TEXT,
    area_id UUID,
    gate_id UUID,
    ticket_id UUID,
    device_id UUID,
    operator_id UUID,
    reported_by UUID,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_incidents PRIMARY KEY (id),
    CONSTRAINT ck_incidents_kind CHECK (kind IN ('medical', 'security', 'lost_child', 'technical', 'complaint', 'ejection', 'other')),
    CONSTRAINT ck_incidents_state CHECK (state IN ('open', 'closed')),
    CONSTRAINT fk_incidents_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_incidents_area_id_areas FOREIGN KEY (area_id) REFERENCES ops.areas (id) ON DELETE SET NULL,
    CONSTRAINT fk_incidents_gate_id_gates FOREIGN KEY (gate_id) REFERENCES ops.gates (id) ON DELETE SET NULL,
    CONSTRAINT fk_incidents_ticket_id_tickets FOREIGN KEY (ticket_id) REFERENCES public.tickets (id) ON DELETE SET NULL,
    CONSTRAINT fk_incidents_device_id_devices FOREIGN KEY (device_id) REFERENCES ops.devices (id) ON DELETE SET NULL,
    CONSTRAINT fk_incidents_operator_id_operators FOREIGN KEY (operator_id) REFERENCES ops.operators (id) ON DELETE SET NULL,
    CONSTRAINT fk_incidents_reported_by_users FOREIGN KEY (reported_by) REFERENCES public.users (id) ON DELETE SET NULL
);
CREATE INDEX ix_incidents_area_id ON ops.incidents (area_id);
CREATE INDEX ix_incidents_device_id ON ops.incidents (device_id);
CREATE INDEX ix_incidents_event_id_started_at_id ON ops.incidents (event_id, started_at, id);
CREATE INDEX ix_incidents_gate_id ON ops.incidents (gate_id);
CREATE INDEX ix_incidents_operator_id ON ops.incidents (operator_id);
CREATE INDEX ix_incidents_reported_by ON ops.incidents (reported_by);
CREATE INDEX ix_incidents_ticket_id ON ops.incidents (ticket_id);

CREATE TABLE ops.incident_actions (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    incident_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    text TEXT NOT NULL,
    user_id UUID,
    operator_id UUID,
    CONSTRAINT pk_incident_actions PRIMARY KEY (id),
    CONSTRAINT fk_incident_actions_incident_id_incidents FOREIGN KEY (incident_id) REFERENCES ops.incidents (id) ON DELETE CASCADE,
    CONSTRAINT fk_incident_actions_user_id_users FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE SET NULL,
    CONSTRAINT fk_incident_actions_operator_id_operators FOREIGN KEY (operator_id) REFERENCES ops.operators (id) ON DELETE SET NULL
);
CREATE INDEX ix_incident_actions_incident_id_at_id ON ops.incident_actions (incident_id, at, id);
CREATE INDEX ix_incident_actions_operator_id ON ops.incident_actions (operator_id);
CREATE INDEX ix_incident_actions_user_id ON ops.incident_actions (user_id);

CREATE TABLE ops.sponsor_leads (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID NOT NULL,
    sponsor_id UUID NOT NULL,
    attendee_id UUID NOT NULL,
    visits INTEGER DEFAULT 1 NOT NULL,
    rating SMALLINT,
    answers JSONB DEFAULT '{}' NOT NULL,
    notes TEXT,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_sponsor_leads PRIMARY KEY (id),
    CONSTRAINT uq_sponsor_leads_sponsor_id_attendee_id UNIQUE (sponsor_id, attendee_id),
    CONSTRAINT ck_sponsor_leads_rating CHECK (rating BETWEEN 1 AND 5),
    CONSTRAINT fk_sponsor_leads_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_sponsor_leads_sponsor_id_sponsors FOREIGN KEY (sponsor_id) REFERENCES public.sponsors (id) ON DELETE CASCADE,
    CONSTRAINT fk_sponsor_leads_attendee_id_attendees FOREIGN KEY (attendee_id) REFERENCES public.attendees (id) ON DELETE CASCADE
);
CREATE INDEX ix_sponsor_leads_attendee_id ON ops.sponsor_leads (attendee_id);
CREATE INDEX ix_sponsor_leads_event_id ON ops.sponsor_leads (event_id);
CREATE INDEX ix_sponsor_leads_sponsor_id_last_at_id ON ops.sponsor_leads (sponsor_id, last_at, id);

CREATE TABLE ops.lead_scans (
    id UUID NOT NULL,
    event_id UUID NOT NULL,
    sponsor_id UUID NOT NULL,
    lead_id UUID,
    device_id UUID,
    outcome TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_lead_scans PRIMARY KEY (id),
    CONSTRAINT ck_lead_scans_outcome CHECK (outcome IN ('lead', 'again', 'opted_out', 'unknown')),
    CONSTRAINT fk_lead_scans_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_lead_scans_sponsor_id_sponsors FOREIGN KEY (sponsor_id) REFERENCES public.sponsors (id) ON DELETE CASCADE,
    CONSTRAINT fk_lead_scans_lead_id_sponsor_leads FOREIGN KEY (lead_id) REFERENCES ops.sponsor_leads (id) ON DELETE SET NULL,
    CONSTRAINT fk_lead_scans_device_id_devices FOREIGN KEY (device_id) REFERENCES ops.devices (id) ON DELETE SET NULL
);
CREATE INDEX ix_lead_scans_device_id ON ops.lead_scans (device_id);
CREATE INDEX ix_lead_scans_event_id ON ops.lead_scans (event_id);
CREATE INDEX ix_lead_scans_lead_id ON ops.lead_scans (lead_id);
CREATE INDEX ix_lead_scans_sponsor_id_at_id ON ops.lead_scans (sponsor_id, at, id);
