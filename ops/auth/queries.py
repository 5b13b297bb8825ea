"""The statements of this package; every one bounded, none built from input."""

from __future__ import annotations

from typing import Final

STAFF_BY_TOKEN: Final = """
SELECT s.id AS session_id, s.expires_at, s.revoked_at, s.csrf_hash,
       u.id AS user_id, u.email, u.first_name, u.last_name, u.language, u.status,
       r.name AS role, r.level, r.permissions::text AS permissions,
       (SELECT jsonb_agg(jsonb_build_object(
                   'event_id', m.event_id, 'area_id', m.area_id, 'role', mr.name,
                   'permissions', mr.permissions, 'level', coalesce(mr.level, 0),
                   'valid_from', m.valid_from, 'valid_to', m.valid_to))
          FROM ops.event_members m JOIN roles mr ON mr.id = m.role_id
         WHERE m.user_id = u.id)::text AS memberships
  FROM ops.staff_sessions s
  JOIN users u ON u.id = s.user_id
  LEFT JOIN roles r ON r.id = u.role_id
 WHERE s.token_hash = $1
"""
"""One row: the session, its user and all roles; also when revoked or expired."""

TAKE_ATTEMPT: Final = """
UPDATE users
   SET failed_login_attempts =
           CASE WHEN locked_until IS NULL
                THEN coalesce(failed_login_attempts, 0) + 1 ELSE 1 END,
       locked_until =
           CASE WHEN locked_until IS NULL
                 AND coalesce(failed_login_attempts, 0) + 1 >= $3
                THEN $2::timestamptz + $4::interval END
 WHERE email = $1 AND status = 'active'
   AND (locked_until IS NULL OR locked_until <= $2)
RETURNING id, password_hash
"""
"""Counts an attempt BEFORE the password is checked, so that attempts at the same
time cannot outrun the limit; the last one allowed sets the lock, a success lifts it.
No row: no such active user, or locked."""

ATTEMPT_SUCCEEDED: Final = """
UPDATE users
   SET failed_login_attempts = 0, locked_until = NULL, last_login_at = $2
 WHERE id = $1
"""

OPEN_SESSION: Final = """
INSERT INTO ops.staff_sessions
       (id, user_id, token_hash, csrf_hash, kind, created_at, expires_at, user_agent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

REVOKE_SESSION: Final = """
UPDATE ops.staff_sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL
"""

PRUNE_SESSIONS: Final = """
DELETE FROM ops.staff_sessions
 WHERE user_id = $1 AND expires_at < $2::timestamptz - interval '30 days'
"""

DEVICE_BY_TOKEN: Final = """
SELECT d.id, d.no, d.name, d.profile, d.state, d.token_hash, d.sponsor_id,
       d.locked_at IS NOT NULL AS locked,
       ARRAY(SELECT e.event_id FROM ops.device_events e
              WHERE e.device_id = d.id LIMIT 1000) AS event_ids
  FROM ops.devices d
 WHERE d.token_hash = $1
"""

LIVING_DEVICES: Final = """
SELECT d.id, d.no, d.name, d.profile, d.state, d.token_hash, d.sponsor_id,
       d.locked_at IS NOT NULL AS locked,
       ARRAY(SELECT e.event_id FROM ops.device_events e
              WHERE e.device_id = d.id LIMIT 1000) AS event_ids
  FROM ops.devices d
 WHERE d.token_hash = ANY($1::bytea[]) AND d.state = 'active'
"""

DEVICES_TO_MEET: Final = """
SELECT d.id, d.no, d.name, d.profile, d.state, d.token_hash, d.sponsor_id,
       d.locked_at IS NOT NULL AS locked,
       ARRAY(SELECT e.event_id FROM ops.device_events e
              WHERE e.device_id = d.id LIMIT 1000) AS event_ids
  FROM ops.devices d
 WHERE d.state = 'active' AND d.token_hash IS NOT NULL
   AND NOT d.token_hash = ANY($1::bytea[])
   AND EXISTS (SELECT 1 FROM ops.device_events e JOIN events v ON v.id = e.event_id
                WHERE e.device_id = d.id AND v.status IN ('published', 'live')
                  AND v.ends_at > now())
 ORDER BY d.last_seen_at DESC NULLS LAST
 LIMIT $2
"""

ENSURE_ROLE: Final = """
INSERT INTO roles (id, name, level, description, permissions)
VALUES ($1, $2, $3, $4, $5::text::jsonb)
ON CONFLICT (name) DO NOTHING
"""

INSERT_USER: Final = """
INSERT INTO users (id, first_name, last_name, email, username, password_hash,
                   role_id, language)
SELECT $1, $2, $3, $4, $4, $5, r.id, $7 FROM roles r WHERE r.name = $6
ON CONFLICT (email) DO UPDATE
   SET password_hash = excluded.password_hash, role_id = excluded.role_id,
       failed_login_attempts = 0, locked_until = NULL, status = 'active'
RETURNING id
"""
