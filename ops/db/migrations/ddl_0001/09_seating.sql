CREATE TABLE public.seat_maps (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    event_id UUID,
    venue_id UUID,
    name TEXT NOT NULL,
    description TEXT,
    map_type TEXT,
    svg_content TEXT,
    map_image_url TEXT,
    total_capacity INTEGER,
    rows INTEGER,
    seats_per_row INTEGER,
    seat_pricing JSONB,
    section_names TEXT[],
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_seat_maps PRIMARY KEY (id),
    CONSTRAINT ck_seat_maps_map_type CHECK (map_type IN ('theater', 'banquet', 'cocktail', 'standing', 'mixed'))
);
CREATE INDEX ix_seat_maps_created_at_id ON public.seat_maps (created_at, id);
CREATE INDEX ix_seat_maps_event_id_created_at_id ON public.seat_maps (event_id, created_at, id);
CREATE INDEX ix_seat_maps_venue_id ON public.seat_maps (venue_id);

CREATE TABLE public.seat_assignments (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    seat_map_id UUID,
    ticket_id UUID,
    attendee_id UUID,
    row_number INTEGER,
    seat_number INTEGER,
    section_name TEXT,
    seat_label TEXT,
    assigned_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    assigned_by UUID,
    accessibility_needs TEXT[],
    dietary_restrictions TEXT[],
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT pk_seat_assignments PRIMARY KEY (id),
    CONSTRAINT uq_seat_assignments_seat_map_id_row_number_seat_number UNIQUE (seat_map_id, row_number, seat_number),
    CONSTRAINT uq_seat_assignments_ticket_id UNIQUE (ticket_id)
);
CREATE INDEX ix_seat_assignments_assigned_by ON public.seat_assignments (assigned_by);
CREATE INDEX ix_seat_assignments_attendee_id ON public.seat_assignments (attendee_id);
CREATE INDEX ix_seat_assignments_created_at_id ON public.seat_assignments (created_at, id);
