CREATE TABLE public.bundles (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    name TEXT NOT NULL,
    description TEXT,
    bundle_type TEXT,
    price NUMERIC(10, 2) NOT NULL,
    currency TEXT DEFAULT 'CAD',
    discount_amount NUMERIC(10, 2) DEFAULT 0,
    discount_percentage NUMERIC(5, 2) DEFAULT 0,
    total_quantity INTEGER,
    sold_quantity INTEGER DEFAULT 0,
    sale_start_date TIMESTAMP WITH TIME ZONE,
    sale_end_date TIMESTAMP WITH TIME ZONE,
    benefits TEXT[],
    exclusive_access TEXT[],
    status TEXT DEFAULT 'active',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_bundles PRIMARY KEY (id),
    CONSTRAINT ck_bundles_bundle_type CHECK (bundle_type IN ('ticket_package', 'experience_package', 'corporate_package')),
    CONSTRAINT ck_bundles_status CHECK (status IN ('active', 'inactive', 'sold_out'))
);
CREATE INDEX ix_bundles_created_at_id ON public.bundles (created_at, id);
CREATE INDEX ix_bundles_event_id_created_at_id ON public.bundles (event_id, created_at, id);

CREATE TABLE public.bundle_items (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    bundle_id UUID,
    ticket_type_id UUID,
    quantity INTEGER DEFAULT 1 NOT NULL,
    included_features TEXT[],
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_bundle_items PRIMARY KEY (id),
    CONSTRAINT uq_bundle_items_bundle_id_ticket_type_id UNIQUE (bundle_id, ticket_type_id)
);
CREATE INDEX ix_bundle_items_created_at_id ON public.bundle_items (created_at, id);
CREATE INDEX ix_bundle_items_ticket_type_id ON public.bundle_items (ticket_type_id);

CREATE TABLE public.vouchers (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    created_by UUID,
    code TEXT NOT NULL,
    name TEXT,
    description TEXT,
    discount_type TEXT,
    discount_value NUMERIC(10, 2),
    max_discount_amount NUMERIC(10, 2),
    min_purchase_amount NUMERIC(10, 2),
    usage_limit INTEGER,
    usage_count INTEGER DEFAULT 0,
    usage_limit_per_customer INTEGER DEFAULT 1,
    valid_from TIMESTAMP WITH TIME ZONE,
    valid_to TIMESTAMP WITH TIME ZONE,
    applicable_ticket_types UUID[],
    customer_restrictions JSONB,
    status TEXT DEFAULT 'active',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_vouchers PRIMARY KEY (id),
    CONSTRAINT ck_vouchers_discount_type CHECK (discount_type IN ('percentage', 'fixed_amount', 'free_ticket')),
    CONSTRAINT ck_vouchers_status CHECK (status IN ('active', 'inactive', 'expired', 'exhausted')),
    CONSTRAINT uq_vouchers_code UNIQUE (code)
);
CREATE INDEX ix_vouchers_applicable_ticket_types ON public.vouchers USING gin (applicable_ticket_types);
CREATE INDEX ix_vouchers_created_at_id ON public.vouchers (created_at, id);
CREATE INDEX ix_vouchers_created_by ON public.vouchers (created_by);
CREATE INDEX ix_vouchers_event_id_created_at_id ON public.vouchers (event_id, created_at, id);

CREATE TABLE public.promoters (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    contact_id UUID,
    promoter_code TEXT NOT NULL,
    company_name TEXT,
    tax_id TEXT,
    phone TEXT,
    email TEXT,
    address TEXT,
    commission_type TEXT,
    commission_rate NUMERIC(5, 2),
    commission_cap NUMERIC(10, 2),
    total_sales NUMERIC(12, 2) DEFAULT 0,
    total_commission NUMERIC(10, 2) DEFAULT 0,
    total_events INTEGER DEFAULT 0,
    status TEXT DEFAULT 'active',
    permissions JSONB DEFAULT '{}',
    assigned_to UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_promoters PRIMARY KEY (id),
    CONSTRAINT ck_promoters_commission_type CHECK (commission_type IN ('percentage', 'fixed_amount')),
    CONSTRAINT ck_promoters_status CHECK (status IN ('active', 'inactive', 'suspended')),
    CONSTRAINT uq_promoters_promoter_code UNIQUE (promoter_code)
);
CREATE INDEX ix_promoters_assigned_to ON public.promoters (assigned_to);
CREATE INDEX ix_promoters_contact_id ON public.promoters (contact_id);
CREATE INDEX ix_promoters_created_at_id ON public.promoters (created_at, id);

CREATE TABLE public.promoter_commissions (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    promoter_id UUID,
    order_id UUID,
    ticket_id UUID,
    commission_amount NUMERIC(10, 2) NOT NULL,
    commission_rate NUMERIC(5, 2),
    base_amount NUMERIC(10, 2),
    status TEXT DEFAULT 'pending',
    paid_at TIMESTAMP WITH TIME ZONE,
    payment_reference TEXT,
    approved_by UUID,
    approved_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_promoter_commissions PRIMARY KEY (id),
    CONSTRAINT ck_promoter_commissions_status CHECK (status IN ('pending', 'approved', 'paid', 'cancelled'))
);
CREATE INDEX ix_promoter_commissions_approved_by ON public.promoter_commissions (approved_by);
CREATE INDEX ix_promoter_commissions_created_at_id ON public.promoter_commissions (created_at, id);
CREATE INDEX ix_promoter_commissions_order_id ON public.promoter_commissions (order_id);
CREATE INDEX ix_promoter_commissions_promoter_id ON public.promoter_commissions (promoter_id);
CREATE INDEX ix_promoter_commissions_ticket_id ON public.promoter_commissions (ticket_id);
