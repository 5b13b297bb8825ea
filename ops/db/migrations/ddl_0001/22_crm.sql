-- Search and order of the long lists: by any part of a text (trigrams over the folded
-- text of ops/db/sql/folded.sql), and by the columns that people sort by.
CREATE INDEX ix_attendees_search ON public.attendees USING gin (ops.searched(VARIADIC ARRAY[first_name, last_name, email, company]) gin_trgm_ops);
CREATE INDEX ix_attendees_last_name_id ON public.attendees (last_name, id);
CREATE INDEX ix_companies_search ON public.companies USING gin (ops.searched(VARIADIC ARRAY[name, legal_name, website, email]) gin_trgm_ops);
CREATE INDEX ix_companies_name_id ON public.companies (name, id);
CREATE INDEX ix_contacts_search ON public.contacts USING gin (ops.searched(VARIADIC ARRAY[first_name, last_name, email, phone]) gin_trgm_ops);
CREATE INDEX ix_contacts_last_name_id ON public.contacts (last_name, id);
CREATE INDEX ix_contacts_lead_score_id ON public.contacts (lead_score, id);
CREATE INDEX ix_interactions_search ON public.interactions USING gin (ops.searched(VARIADIC ARRAY[subject, content]) gin_trgm_ops);
CREATE INDEX ix_interactions_occurred_at_id ON public.interactions (occurred_at, id);
CREATE INDEX ix_leads_lead_score_id ON public.leads (lead_score, id);
CREATE INDEX ix_opportunities_search ON public.opportunities USING gin (ops.searched(VARIADIC ARRAY[name, description]) gin_trgm_ops);
CREATE INDEX ix_opportunities_expected_close_date_id ON public.opportunities (expected_close_date, id);
CREATE INDEX ix_orders_search ON public.orders USING gin (ops.searched(VARIADIC ARRAY[order_number, external_ref]) gin_trgm_ops);
CREATE INDEX ix_orders_placed_at_id ON public.orders (placed_at, id);
CREATE INDEX ix_tasks_due_date_id ON public.tasks (due_date, id);

CREATE TABLE ops.user_invitations (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    user_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_user_invitations PRIMARY KEY (id),
    CONSTRAINT uq_user_invitations_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_user_invitations_user_id_users FOREIGN KEY(user_id) REFERENCES public.users (id) ON DELETE CASCADE
);
CREATE INDEX ix_user_invitations_user_id ON ops.user_invitations (user_id);
