-- What an event's organisers set otherwise than the catalogue (ops.watch.rules) says.
CREATE TABLE ops.alert_rules (
    event_id UUID NOT NULL,
    rule TEXT NOT NULL,
    enabled BOOLEAN DEFAULT true NOT NULL,
    threshold DOUBLE PRECISION NOT NULL,
    clear_at DOUBLE PRECISION NOT NULL,
    for_s INTEGER NOT NULL,
    clear_s INTEGER NOT NULL,
    changed_by UUID,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_alert_rules PRIMARY KEY (event_id, rule),
    CONSTRAINT ck_alert_rules_for_s CHECK (for_s BETWEEN 0 AND 86400),
    CONSTRAINT ck_alert_rules_clear_s CHECK (clear_s BETWEEN 0 AND 86400),
    CONSTRAINT fk_alert_rules_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_alert_rules_changed_by_users FOREIGN KEY (changed_by) REFERENCES public.users (id) ON DELETE SET NULL
);
CREATE INDEX ix_alert_rules_changed_by ON ops.alert_rules (changed_by);

-- Alerts, open and past. They name what they are about by ids and have no foreign keys to
-- it: they are a record, like ops.scan_log.
CREATE TABLE ops.alerts (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    args JSONB DEFAULT '{}' NOT NULL,
    gate_id UUID,
    area_id UUID,
    device_id UUID,
    operator_id UUID,
    ticket_id UUID,
    session_id UUID,
    raised_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    cleared_at TIMESTAMP WITH TIME ZONE,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    acknowledged_by UUID,
    note TEXT,
    CONSTRAINT pk_alerts PRIMARY KEY (id),
    CONSTRAINT fk_alerts_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_alerts_acknowledged_by_users FOREIGN KEY (acknowledged_by) REFERENCES public.users (id) ON DELETE SET NULL
);
CREATE INDEX ix_alerts_acknowledged_by ON ops.alerts (acknowledged_by);
CREATE INDEX ix_alerts_event_id_raised_at_id ON ops.alerts (event_id, raised_at, id);
CREATE UNIQUE INDEX uq_alerts_open ON ops.alerts (event_id, rule, subject) WHERE cleared_at IS NULL;

-- What the watcher remembers of an event between two looks; the row is the claim.
CREATE TABLE ops.watches (
    event_id UUID NOT NULL,
    state JSONB DEFAULT '{}' NOT NULL,
    looked_at TIMESTAMP WITH TIME ZONE,
    patterns_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_watches PRIMARY KEY (event_id),
    CONSTRAINT fk_watches_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE
);

-- How long a person walks from one gate to another, either way (low id first).
CREATE TABLE ops.gate_walks (
    event_id UUID NOT NULL,
    low_gate_id UUID NOT NULL,
    high_gate_id UUID NOT NULL,
    walk_s INTEGER NOT NULL,
    CONSTRAINT pk_gate_walks PRIMARY KEY (event_id, low_gate_id, high_gate_id),
    CONSTRAINT ck_gate_walks_order CHECK (low_gate_id < high_gate_id),
    CONSTRAINT ck_gate_walks_walk_s CHECK (walk_s BETWEEN 0 AND 86400),
    CONSTRAINT fk_gate_walks_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_gate_walks_low_gate_id_gates FOREIGN KEY (low_gate_id) REFERENCES ops.gates (id) ON DELETE CASCADE,
    CONSTRAINT fk_gate_walks_high_gate_id_gates FOREIGN KEY (high_gate_id) REFERENCES ops.gates (id) ON DELETE CASCADE
);
CREATE INDEX ix_gate_walks_high_gate_id ON ops.gate_walks (high_gate_id);
CREATE INDEX ix_gate_walks_low_gate_id ON ops.gate_walks (low_gate_id);

-- The newest forecast of an event, made once a minute by whoever claims the row.
CREATE TABLE ops.forecasts (
    event_id UUID NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE,
    data JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_forecasts PRIMARY KEY (event_id),
    CONSTRAINT fk_forecasts_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE
);

-- Who should work where, from when to when.
CREATE TABLE ops.shifts (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID NOT NULL,
    operator_id UUID NOT NULL,
    gate_id UUID,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    note TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_shifts PRIMARY KEY (id),
    CONSTRAINT ck_shifts_ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT fk_shifts_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE,
    CONSTRAINT fk_shifts_operator_id_operators FOREIGN KEY (operator_id) REFERENCES ops.operators (id) ON DELETE CASCADE,
    CONSTRAINT fk_shifts_gate_id_gates FOREIGN KEY (gate_id) REFERENCES ops.gates (id) ON DELETE SET NULL
);
CREATE INDEX ix_shifts_event_id_starts_at_id ON ops.shifts (event_id, starts_at, id);
CREATE INDEX ix_shifts_gate_id ON ops.shifts (gate_id);
CREATE INDEX ix_shifts_operator_id ON ops.shifts (operator_id);
