CREATE TABLE ops.scan_log (
    scan_id UUID NOT NULL,
    event_id UUID NOT NULL,
    content_hash BYTEA NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    args JSONB DEFAULT '{}' NOT NULL,
    ticket_id UUID,
    scope_id UUID,
    gate_id UUID,
    device_id UUID,
    operator_id UUID,
    direction TEXT,
    method TEXT,
    pass_no INTEGER,
    people INTEGER DEFAULT 1 NOT NULL,
    code_hash BYTEA,
    code_hint TEXT,
    decided_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    scanned_at TIMESTAMP WITH TIME ZONE,
    offline BOOLEAN DEFAULT false NOT NULL,
    door JSONB,
    mode TEXT DEFAULT 'N' NOT NULL,
    durable TEXT,
    undone_at TIMESTAMP WITH TIME ZONE,
    superseded_by UUID,
    CONSTRAINT pk_scan_log PRIMARY KEY (scan_id)
);
CREATE INDEX ix_scan_log_event_id_decided_at_scan_id ON ops.scan_log (event_id, decided_at, scan_id);
CREATE INDEX ix_scan_log_event_id_gate_id_decided_at ON ops.scan_log (event_id, gate_id, decided_at);
CREATE INDEX ix_scan_log_ticket_id_decided_at ON ops.scan_log (ticket_id, decided_at);

CREATE TABLE ops.conflicts (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID NOT NULL,
    kind TEXT NOT NULL,
    ticket_id UUID,
    scope_id UUID,
    winner_scan_id UUID,
    loser_scan_id UUID,
    area_id UUID,
    people INTEGER DEFAULT 0 NOT NULL,
    detail JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    resolved_by UUID,
    resolution TEXT,
    note TEXT,
    CONSTRAINT pk_conflicts PRIMARY KEY (id)
);
CREATE INDEX ix_conflicts_area_id ON ops.conflicts (area_id);
CREATE INDEX ix_conflicts_loser_scan_id ON ops.conflicts (loser_scan_id);
CREATE INDEX ix_conflicts_event_id_created_at_id ON ops.conflicts (event_id, created_at, id);
CREATE INDEX ix_conflicts_resolved_by ON ops.conflicts (resolved_by);
CREATE INDEX ix_conflicts_scope_id ON ops.conflicts (scope_id);
CREATE INDEX ix_conflicts_ticket_id ON ops.conflicts (ticket_id);

CREATE TABLE ops.counts (
    id UUID NOT NULL,
    event_id UUID NOT NULL,
    area_id UUID NOT NULL,
    gate_id UUID,
    device_id UUID,
    operator_id UUID,
    delta INTEGER NOT NULL,
    reason TEXT,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_counts PRIMARY KEY (id)
);
CREATE INDEX ix_counts_area_id ON ops.counts (area_id);
CREATE INDEX ix_counts_device_id ON ops.counts (device_id);
CREATE INDEX ix_counts_event_id_at_id ON ops.counts (event_id, at, id);
CREATE INDEX ix_counts_gate_id ON ops.counts (gate_id);
CREATE INDEX ix_counts_operator_id ON ops.counts (operator_id);
