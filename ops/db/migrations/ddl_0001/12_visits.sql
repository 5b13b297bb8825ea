CREATE TABLE public.check_ins (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    attendee_id UUID,
    ticket_id UUID,
    checked_in_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    checked_out_at TIMESTAMP WITH TIME ZONE,
    check_in_method TEXT,
    check_in_location TEXT,
    device_id TEXT,
    ip_address INET,
    user_agent TEXT,
    validated_by UUID,
    validation_notes TEXT,
    duration_minutes INTEGER,
    is_present BOOLEAN DEFAULT true,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    scope_id UUID,
    area_id UUID,
    gate_id UUID,
    operator_id UUID,
    person_no INTEGER DEFAULT 1 NOT NULL,
    pass_no INTEGER DEFAULT 1 NOT NULL,
    scan_id UUID,
    exit_scan_id UUID,
    exit_gate_id UUID,
    exit_assumed BOOLEAN DEFAULT false NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    undo_scan_id UUID,
    undo_reason TEXT,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    mode TEXT DEFAULT 'N' NOT NULL,
    door_time TIMESTAMP WITH TIME ZONE,
    exit_door_time TIMESTAMP WITH TIME ZONE,
    event_day DATE,
    CONSTRAINT pk_check_ins PRIMARY KEY (id),
    CONSTRAINT ck_check_ins_check_in_method CHECK (check_in_method IN ('qr_code', 'manual', 'nfc', 'app', 'kiosk')),
    CONSTRAINT uq_check_ins_pass UNIQUE (ticket_id, scope_id, person_no, pass_no),
    CONSTRAINT uq_check_ins_scan UNIQUE (scan_id, scope_id, person_no)
) WITH (fillfactor = 50);
CREATE INDEX ix_check_ins_attendee_id ON public.check_ins (attendee_id);
CREATE INDEX ix_check_ins_event_id_checked_in_at_id ON public.check_ins (event_id, checked_in_at, id);
CREATE INDEX ix_check_ins_gate_id ON public.check_ins (gate_id);
CREATE INDEX ix_check_ins_scope_id_ticket_id ON public.check_ins (scope_id, ticket_id);
CREATE INDEX ix_check_ins_validated_by ON public.check_ins (validated_by) WHERE validated_by IS NOT NULL;
CREATE UNIQUE INDEX uq_check_ins_exit ON public.check_ins (exit_scan_id, scope_id, person_no) WHERE exit_scan_id IS NOT NULL;
CREATE UNIQUE INDEX uq_check_ins_inside ON public.check_ins (ticket_id, scope_id, person_no) WHERE checked_out_at IS NULL AND undone_at IS NULL;
