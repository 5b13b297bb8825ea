-- Tickets whose uploads may explain a conflict; the settler looks at each and forgets it.
CREATE TABLE ops.settling (
    ticket_id UUID NOT NULL,
    scope_id UUID NOT NULL,
    event_id UUID NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_settling PRIMARY KEY (ticket_id, scope_id),
    CONSTRAINT fk_settling_ticket_id_tickets FOREIGN KEY (ticket_id) REFERENCES public.tickets (id) ON DELETE CASCADE,
    CONSTRAINT fk_settling_scope_id_scopes FOREIGN KEY (scope_id) REFERENCES ops.scopes (id) ON DELETE CASCADE,
    CONSTRAINT fk_settling_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE
);
CREATE INDEX ix_settling_event_id ON ops.settling (event_id);
CREATE INDEX ix_settling_scope_id ON ops.settling (scope_id);
