CREATE TABLE public.leads (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    contact_id UUID,
    company_id UUID,
    event_id UUID,
    lead_source TEXT NOT NULL,
    lead_status TEXT DEFAULT 'new',
    lead_score INTEGER DEFAULT 0,
    estimated_value NUMERIC(10, 2),
    probability_percentage INTEGER,
    expected_close_date DATE,
    assigned_to UUID,
    created_by UUID,
    budget_range TEXT,
    decision_timeline TEXT,
    decision_makers TEXT[],
    pain_points TEXT[],
    requirements TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_leads PRIMARY KEY (id),
    CONSTRAINT ck_leads_lead_status CHECK (lead_status IN ('new', 'contacted', 'qualified', 'proposal', 'negotiation', 'closed_won', 'closed_lost')),
    CONSTRAINT ck_leads_lead_score CHECK (lead_score BETWEEN 0 AND 100),
    CONSTRAINT ck_leads_probability_percentage CHECK (probability_percentage BETWEEN 0 AND 100)
);
CREATE INDEX ix_leads_assigned_to ON public.leads (assigned_to);
CREATE INDEX ix_leads_company_id ON public.leads (company_id);
CREATE INDEX ix_leads_contact_id ON public.leads (contact_id);
CREATE INDEX ix_leads_created_at_id ON public.leads (created_at, id);
CREATE INDEX ix_leads_created_by ON public.leads (created_by);
CREATE INDEX ix_leads_event_id_created_at_id ON public.leads (event_id, created_at, id);

CREATE TABLE public.opportunities (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    lead_id UUID,
    contact_id UUID,
    company_id UUID,
    event_id UUID,
    name TEXT NOT NULL,
    description TEXT,
    stage TEXT DEFAULT 'prospecting',
    amount NUMERIC(10, 2),
    probability INTEGER,
    expected_close_date DATE,
    actual_close_date DATE,
    sales_methodology TEXT,
    competitor TEXT,
    win_reason TEXT,
    loss_reason TEXT,
    assigned_to UUID,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_opportunities PRIMARY KEY (id),
    CONSTRAINT ck_opportunities_stage CHECK (stage IN ('prospecting', 'qualification', 'proposal', 'negotiation', 'closed_won', 'closed_lost')),
    CONSTRAINT ck_opportunities_probability CHECK (probability BETWEEN 0 AND 100)
);
CREATE INDEX ix_opportunities_assigned_to ON public.opportunities (assigned_to);
CREATE INDEX ix_opportunities_company_id ON public.opportunities (company_id);
CREATE INDEX ix_opportunities_contact_id ON public.opportunities (contact_id);
CREATE INDEX ix_opportunities_created_at_id ON public.opportunities (created_at, id);
CREATE INDEX ix_opportunities_created_by ON public.opportunities (created_by);
CREATE INDEX ix_opportunities_event_id_created_at_id ON public.opportunities (event_id, created_at, id);
CREATE INDEX ix_opportunities_lead_id ON public.opportunities (lead_id);

CREATE TABLE public.interactions (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    contact_id UUID,
    company_id UUID,
    event_id UUID,
    opportunity_id UUID,
    interaction_type TEXT NOT NULL,
    subject TEXT,
    content TEXT,
    direction TEXT,
    scheduled_at TIMESTAMP WITH TIME ZONE,
    occurred_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    duration_minutes INTEGER,
    outcome TEXT,
    next_action TEXT,
    next_action_date DATE,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_interactions PRIMARY KEY (id),
    CONSTRAINT ck_interactions_interaction_type CHECK (interaction_type IN ('email', 'phone', 'sms', 'meeting', 'demo', 'proposal', 'follow_up', 'complaint')),
    CONSTRAINT ck_interactions_direction CHECK (direction IN ('inbound', 'outbound'))
);
CREATE INDEX ix_interactions_company_id ON public.interactions (company_id);
CREATE INDEX ix_interactions_contact_id ON public.interactions (contact_id);
CREATE INDEX ix_interactions_created_at_id ON public.interactions (created_at, id);
CREATE INDEX ix_interactions_created_by ON public.interactions (created_by);
CREATE INDEX ix_interactions_event_id_created_at_id ON public.interactions (event_id, created_at, id);
CREATE INDEX ix_interactions_opportunity_id ON public.interactions (opportunity_id);
