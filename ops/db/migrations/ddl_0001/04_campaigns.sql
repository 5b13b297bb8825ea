CREATE TABLE public.campaigns (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    name TEXT NOT NULL,
    description TEXT,
    campaign_type TEXT,
    start_date DATE,
    end_date DATE,
    status TEXT DEFAULT 'draft',
    budget NUMERIC(10, 2),
    cost_per_click NUMERIC(8, 2),
    cost_per_impression NUMERIC(8, 4),
    cost_per_acquisition NUMERIC(8, 2),
    target_audience JSONB,
    creative_assets JSONB,
    automation_rules JSONB,
    created_by UUID,
    assigned_to UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_campaigns PRIMARY KEY (id),
    CONSTRAINT ck_campaigns_campaign_type CHECK (campaign_type IN ('email', 'sms', 'social_media', 'paid_ads', 'direct_mail', 'event_promotion')),
    CONSTRAINT ck_campaigns_status CHECK (status IN ('draft', 'scheduled', 'active', 'paused', 'completed', 'cancelled'))
);
CREATE INDEX ix_campaigns_assigned_to ON public.campaigns (assigned_to);
CREATE INDEX ix_campaigns_created_at_id ON public.campaigns (created_at, id);
CREATE INDEX ix_campaigns_created_by ON public.campaigns (created_by);
CREATE INDEX ix_campaigns_event_id_created_at_id ON public.campaigns (event_id, created_at, id);

CREATE TABLE public.campaign_recipients (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    campaign_id UUID,
    contact_id UUID,
    status TEXT DEFAULT 'pending',
    sent_at TIMESTAMP WITH TIME ZONE,
    delivered_at TIMESTAMP WITH TIME ZONE,
    opened_at TIMESTAMP WITH TIME ZONE,
    clicked_at TIMESTAMP WITH TIME ZONE,
    bounced_at TIMESTAMP WITH TIME ZONE,
    unsubscribed_at TIMESTAMP WITH TIME ZONE,
    open_count INTEGER DEFAULT 0,
    click_count INTEGER DEFAULT 0,
    unique_opens INTEGER DEFAULT 0,
    unique_clicks INTEGER DEFAULT 0,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_campaign_recipients PRIMARY KEY (id),
    CONSTRAINT ck_campaign_recipients_status CHECK (status IN ('pending', 'sent', 'delivered', 'opened', 'clicked', 'bounced', 'unsubscribed', 'complained')),
    CONSTRAINT uq_campaign_recipients_campaign_id_contact_id UNIQUE (campaign_id, contact_id)
);
CREATE INDEX ix_campaign_recipients_contact_id ON public.campaign_recipients (contact_id);
CREATE INDEX ix_campaign_recipients_created_at_id ON public.campaign_recipients (created_at, id);
