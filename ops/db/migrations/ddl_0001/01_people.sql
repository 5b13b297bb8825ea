CREATE TABLE public.profiles (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    email TEXT NOT NULL,
    full_name TEXT,
    avatar_url TEXT,
    phone TEXT,
    language TEXT DEFAULT 'en' NOT NULL,
    timezone TEXT DEFAULT 'America/Toronto' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_profiles PRIMARY KEY (id),
    CONSTRAINT uq_profiles_email UNIQUE (email)
);
CREATE INDEX ix_profiles_created_at_id ON public.profiles (created_at, id);

CREATE TABLE public.contacts (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    profile_id UUID,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT,
    date_of_birth DATE,
    gender TEXT,
    address_line1 TEXT,
    address_line2 TEXT,
    city TEXT,
    state_province TEXT,
    postal_code TEXT,
    country TEXT DEFAULT 'Canada',
    contact_type TEXT DEFAULT 'individual',
    lead_source TEXT,
    lead_score INTEGER DEFAULT 0,
    status TEXT DEFAULT 'active',
    job_title TEXT,
    company_id UUID,
    industry TEXT,
    annual_income_range TEXT,
    marketing_consent BOOLEAN DEFAULT false,
    email_consent BOOLEAN DEFAULT false,
    sms_consent BOOLEAN DEFAULT false,
    phone_consent BOOLEAN DEFAULT false,
    assigned_to UUID,
    created_by UUID,
    last_contacted_at TIMESTAMP WITH TIME ZONE,
    last_event_attended_at TIMESTAMP WITH TIME ZONE,
    phone_normal TEXT,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    merged_into_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_contacts PRIMARY KEY (id),
    CONSTRAINT ck_contacts_gender CHECK (gender IN ('male', 'female', 'other', 'prefer_not_to_say')),
    CONSTRAINT ck_contacts_contact_type CHECK (contact_type IN ('individual', 'business', 'vip')),
    CONSTRAINT ck_contacts_lead_score CHECK (lead_score BETWEEN 0 AND 100),
    CONSTRAINT ck_contacts_status CHECK (status IN ('active', 'inactive', 'blocked', 'deleted')),
    CONSTRAINT uq_contacts_email UNIQUE (email)
);
CREATE INDEX ix_contacts_assigned_to ON public.contacts (assigned_to);
CREATE INDEX ix_contacts_company_id ON public.contacts (company_id);
CREATE INDEX ix_contacts_created_at_id ON public.contacts (created_at, id);
CREATE INDEX ix_contacts_created_by ON public.contacts (created_by);
CREATE INDEX ix_contacts_merged_into_id ON public.contacts (merged_into_id);
CREATE INDEX ix_contacts_full_name_trigrams ON public.contacts USING gin (lower(first_name || ' ' || last_name) gin_trgm_ops);
CREATE INDEX ix_contacts_mailbox ON public.contacts (lower(regexp_replace(email, '(\+[^@]*)?@', '@')));
CREATE INDEX ix_contacts_phone_normal ON public.contacts (phone_normal);
CREATE INDEX ix_contacts_phone_to_read ON public.contacts (id) WHERE phone IS NOT NULL AND phone_normal IS NULL;
CREATE INDEX ix_contacts_profile_id ON public.contacts (profile_id);
CREATE INDEX ix_contacts_vip ON public.contacts (id) WHERE contact_type = 'vip';
CREATE INDEX ix_contacts_tags ON public.contacts USING gin (tags);

CREATE TABLE public.companies (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    legal_name TEXT,
    industry TEXT,
    company_size TEXT,
    website TEXT,
    phone TEXT,
    email TEXT,
    address_line1 TEXT,
    address_line2 TEXT,
    city TEXT,
    state_province TEXT,
    postal_code TEXT,
    country TEXT DEFAULT 'Canada',
    annual_revenue NUMERIC(15, 2),
    employee_count INTEGER,
    founded_year INTEGER,
    tax_id TEXT,
    account_type TEXT DEFAULT 'prospect',
    priority TEXT DEFAULT 'medium',
    primary_contact_id UUID,
    assigned_to UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_companies PRIMARY KEY (id),
    CONSTRAINT ck_companies_company_size CHECK (company_size IN ('startup', 'small', 'medium', 'large', 'enterprise')),
    CONSTRAINT ck_companies_account_type CHECK (account_type IN ('prospect', 'customer', 'partner', 'vendor')),
    CONSTRAINT ck_companies_priority CHECK (priority IN ('low', 'medium', 'high'))
);
CREATE INDEX ix_companies_assigned_to ON public.companies (assigned_to);
CREATE INDEX ix_companies_created_at_id ON public.companies (created_at, id);
CREATE INDEX ix_companies_primary_contact_id ON public.companies (primary_contact_id);
