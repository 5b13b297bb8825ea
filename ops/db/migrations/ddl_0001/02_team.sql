CREATE TABLE public.roles (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    level INTEGER DEFAULT 1,
    permissions JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_roles PRIMARY KEY (id),
    CONSTRAINT uq_roles_name UNIQUE (name)
);
CREATE INDEX ix_roles_created_at_id ON public.roles (created_at, id);

CREATE TABLE public.users (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    profile_id UUID,
    username TEXT,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT,
    password_hash TEXT,
    last_login_at TIMESTAMP WITH TIME ZONE,
    failed_login_attempts INTEGER DEFAULT 0,
    locked_until TIMESTAMP WITH TIME ZONE,
    role_id UUID,
    department TEXT,
    manager_id UUID,
    status TEXT DEFAULT 'active',
    timezone TEXT DEFAULT 'America/Toronto',
    language TEXT DEFAULT 'en',
    notification_preferences JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_status CHECK (status IN ('active', 'inactive', 'suspended')),
    CONSTRAINT uq_users_username UNIQUE (username),
    CONSTRAINT uq_users_email UNIQUE (email)
);
CREATE INDEX ix_users_created_at_id ON public.users (created_at, id);
CREATE INDEX ix_users_manager_id ON public.users (manager_id);
CREATE INDEX ix_users_profile_id ON public.users (profile_id);
CREATE INDEX ix_users_role_id ON public.users (role_id);

CREATE TABLE public.tasks (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    task_type TEXT,
    priority TEXT DEFAULT 'medium',
    due_date TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    status TEXT DEFAULT 'pending',
    assigned_to UUID,
    created_by UUID,
    contact_id UUID,
    company_id UUID,
    opportunity_id UUID,
    event_id UUID,
    reminder_sent BOOLEAN DEFAULT false,
    reminder_date TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_tasks PRIMARY KEY (id),
    CONSTRAINT ck_tasks_task_type CHECK (task_type IN ('call', 'email', 'meeting', 'follow_up', 'proposal', 'demo', 'admin', 'research')),
    CONSTRAINT ck_tasks_priority CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
    CONSTRAINT ck_tasks_status CHECK (status IN ('pending', 'in_progress', 'completed', 'cancelled'))
);
CREATE INDEX ix_tasks_assigned_to ON public.tasks (assigned_to);
CREATE INDEX ix_tasks_company_id ON public.tasks (company_id);
CREATE INDEX ix_tasks_contact_id ON public.tasks (contact_id);
CREATE INDEX ix_tasks_created_at_id ON public.tasks (created_at, id);
CREATE INDEX ix_tasks_created_by ON public.tasks (created_by);
CREATE INDEX ix_tasks_event_id_created_at_id ON public.tasks (event_id, created_at, id);
CREATE INDEX ix_tasks_opportunity_id ON public.tasks (opportunity_id);

CREATE TABLE public.notes (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    title TEXT,
    content TEXT NOT NULL,
    note_type TEXT DEFAULT 'general',
    is_private BOOLEAN DEFAULT false,
    is_important BOOLEAN DEFAULT false,
    contact_id UUID,
    company_id UUID,
    opportunity_id UUID,
    event_id UUID,
    interaction_id UUID,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_notes PRIMARY KEY (id),
    CONSTRAINT ck_notes_note_type CHECK (note_type IN ('general', 'meeting', 'call', 'email', 'internal', 'customer_feedback'))
);
CREATE INDEX ix_notes_company_id ON public.notes (company_id);
CREATE INDEX ix_notes_contact_id ON public.notes (contact_id);
CREATE INDEX ix_notes_created_at_id ON public.notes (created_at, id);
CREATE INDEX ix_notes_created_by ON public.notes (created_by);
CREATE INDEX ix_notes_event_id_created_at_id ON public.notes (event_id, created_at, id);
CREATE INDEX ix_notes_interaction_id ON public.notes (interaction_id);
CREATE INDEX ix_notes_opportunity_id ON public.notes (opportunity_id);
