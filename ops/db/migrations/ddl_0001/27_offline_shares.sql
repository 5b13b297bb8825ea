-- What a device that is alone may take of things that many take of: places of a hard
-- limit, units of an item. Written with each package; nothing on the scan path.
CREATE TABLE ops.offline_shares (
    device_id UUID NOT NULL,
    event_id UUID NOT NULL,
    of_id UUID NOT NULL,
    kind TEXT NOT NULL,
    share INTEGER NOT NULL,
    given_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_offline_shares PRIMARY KEY (device_id, event_id, of_id),
    CONSTRAINT ck_offline_shares_kind CHECK (kind IN ('scope', 'area', 'item')),
    CONSTRAINT ck_offline_shares_share CHECK (share >= 0),
    CONSTRAINT fk_offline_shares_device_id_devices FOREIGN KEY (device_id) REFERENCES ops.devices (id) ON DELETE CASCADE,
    CONSTRAINT fk_offline_shares_event_id_events FOREIGN KEY (event_id) REFERENCES public.events (id) ON DELETE CASCADE
);
CREATE INDEX ix_offline_shares_event_id ON ops.offline_shares (event_id);

-- How many units of an item a device may hand out alone; 0: none without the network.
ALTER TABLE ops.items ADD COLUMN offline_units INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE ops.items ADD CONSTRAINT ck_items_offline_units CHECK (offline_units BETWEEN 0 AND 10000);
