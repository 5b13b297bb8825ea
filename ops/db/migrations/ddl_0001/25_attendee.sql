ALTER TABLE public.attendees
    ADD COLUMN networking_visible BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN headline TEXT;

ALTER TABLE public.event_feedback
    ADD COLUMN once_hash BYTEA;
CREATE UNIQUE INDEX uq_event_feedback_once ON public.event_feedback (once_hash) WHERE once_hash IS NOT NULL;

CREATE TABLE ops.attendee_codes (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID NOT NULL,
    email TEXT NOT NULL,
    code_hash BYTEA NOT NULL,
    tries INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_attendee_codes PRIMARY KEY (id),
    CONSTRAINT fk_attendee_codes_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE
);
CREATE INDEX ix_attendee_codes_event_id_email ON ops.attendee_codes (event_id, email);
