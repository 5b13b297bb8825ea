-- ops.device_entries_v1: the state of each device at each of its events.
-- Read by: read_facts_v1, warm, relay. A change of its operator or of its events raises
-- the device's version as well (outbox.sql), so the version never falls.
CREATE OR REPLACE VIEW ops.device_entries_v1 AS
SELECT
  d.id,
  de.event_id,
  d.version,
  d.no,
  CASE WHEN d.state = 'active' AND d.locked_at IS NOT NULL THEN 'locked' ELSE d.state END
    AS state,
  d.profile,
  d.name,
  coalesce(g.no, 0) AS gate_no,
  coalesce(d.direction, '') AS direction,
  d.session_id,
  d.operator_id,
  coalesce(o.name, '') AS operator_name,
  coalesce(o.role, '') AS operator_role,
  coalesce(o.language, '') AS operator_language,
  coalesce(o.no, 0) AS operator_no,
  coalesce(d.clock_skew_ms, 0) AS skew_ms
FROM ops.devices d
JOIN ops.device_events de ON de.device_id = d.id
LEFT JOIN LATERAL (
  -- Where it stands at this event: it may serve several, each at a gate of its own.
  SELECT x.no FROM ops.gates x
   WHERE x.event_id = de.event_id AND x.id IN (d.gate_id, de.gate_id)
   ORDER BY x.id IS NOT DISTINCT FROM d.gate_id DESC LIMIT 1
) g ON true
LEFT JOIN ops.operators o ON o.id = d.operator_id;
