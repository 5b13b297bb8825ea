CREATE TABLE ops.merges (
    machine_id UUID NOT NULL,
    event_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    merged_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_merges PRIMARY KEY (machine_id, event_id),
    CONSTRAINT fk_merges_machine_id_machines FOREIGN KEY(machine_id) REFERENCES ops.machines (id) ON DELETE CASCADE,
    CONSTRAINT fk_merges_event_id_events FOREIGN KEY(event_id) REFERENCES public.events (id) ON DELETE CASCADE
);
CREATE INDEX ix_merges_event_id ON ops.merges (event_id);
