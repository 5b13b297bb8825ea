ALTER TABLE public.event_announcements
    ADD COLUMN translations JSONB DEFAULT '{}' NOT NULL,
    ADD COLUMN link_url TEXT,
    ADD COLUMN commercial BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN chain BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN chain_after_s INTEGER DEFAULT 60 NOT NULL,
    ADD COLUMN corrects_id UUID,
    ADD COLUMN seq BIGINT,
    ADD COLUMN audience_count INTEGER,
    ADD CONSTRAINT uq_event_announcements_event_id_seq UNIQUE (event_id, seq),
    ADD CONSTRAINT ck_event_announcements_chain_after_s CHECK (chain_after_s BETWEEN 5 AND 86400),
    ADD CONSTRAINT fk_event_announcements_corrects_id_event_announcements
        FOREIGN KEY (corrects_id) REFERENCES public.event_announcements (id) ON DELETE SET NULL;
CREATE INDEX ix_event_announcements_corrects_id ON public.event_announcements (corrects_id);
CREATE INDEX ix_event_announcements_due ON public.event_announcements (scheduled_for) WHERE status = 'scheduled';

CREATE TABLE ops.announcement_epochs (
    event_id UUID NOT NULL,
    epoch TEXT NOT NULL,
    seq BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT pk_announcement_epochs PRIMARY KEY (event_id)
);

CREATE TABLE ops.announcement_receipts (
    announcement_id UUID NOT NULL,
    recipient_id UUID NOT NULL,
    channel TEXT NOT NULL,
    event_id UUID NOT NULL,
    kind TEXT DEFAULT 'attendee' NOT NULL,
    step SMALLINT DEFAULT 0 NOT NULL,
    attempted_at TIMESTAMP WITH TIME ZONE,
    delivered_at TIMESTAMP WITH TIME ZONE,
    opened_at TIMESTAMP WITH TIME ZONE,
    clicked_at TIMESTAMP WITH TIME ZONE,
    failure TEXT,
    CONSTRAINT pk_announcement_receipts PRIMARY KEY (announcement_id, recipient_id, channel),
    CONSTRAINT ck_announcement_receipts_channel CHECK (channel IN ('in_app', 'email', 'push', 'sms')),
    CONSTRAINT ck_announcement_receipts_kind CHECK (kind IN ('attendee', 'device'))
) WITH (fillfactor = 70);
CREATE INDEX ix_announcement_receipts_recipient_id_announcement_id ON ops.announcement_receipts (recipient_id, announcement_id);
CREATE INDEX ix_announcement_receipts_open ON ops.announcement_receipts (channel, announcement_id) WHERE attempted_at IS NULL AND delivered_at IS NULL AND failure IS NULL;

CREATE TABLE ops.attendee_tokens (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID NOT NULL,
    attendee_id UUID NOT NULL,
    kind TEXT DEFAULT 'link' NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_attendee_tokens PRIMARY KEY (id),
    CONSTRAINT ck_attendee_tokens_kind CHECK (kind IN ('link', 'code')),
    CONSTRAINT uq_attendee_tokens_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_attendee_tokens_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_attendee_tokens_attendee_id_attendees FOREIGN KEY (attendee_id) REFERENCES public.attendees (id) ON DELETE CASCADE
);
CREATE INDEX ix_attendee_tokens_attendee_id ON ops.attendee_tokens (attendee_id);
CREATE INDEX ix_attendee_tokens_event_id ON ops.attendee_tokens (event_id);

CREATE TABLE ops.mails (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    kind TEXT NOT NULL,
    reference_id UUID,
    recipient_id UUID,
    to_address TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    language TEXT DEFAULT 'en' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE,
    attempted_at TIMESTAMP WITH TIME ZONE,
    sent_at TIMESTAMP WITH TIME ZONE,
    failure TEXT,
    tries INTEGER DEFAULT 0 NOT NULL,
    last_answer TEXT,
    CONSTRAINT pk_mails PRIMARY KEY (id)
);
CREATE INDEX ix_mails_waiting ON ops.mails (created_at, id) WHERE attempted_at IS NULL;
CREATE INDEX ix_mails_event_id_created_at_id ON ops.mails (event_id, created_at, id);
CREATE INDEX ix_mails_reference_id ON ops.mails (reference_id);
