"""The house: the 34 tables of the CRM, the schema `ops` of the door, its triggers.

Revision: 0001_the_house
"""

from __future__ import annotations

from ops.db.migrations.scripts import run_sql

revision = "0001_the_house"
down_revision = None

TABLES = (
    "00_extensions",
    "01_people",
    "02_team",
    "03_pipeline",
    "04_campaigns",
    "05_programme",
    "06_audience",
    "07_tickets",
    "08_sales",
    "09_seating",
    "10_door",
    "11_devices",
    "12_visits",
    "13_records",
    "14_staff",
    "15_house",
    "16_door_rules",
    "17_attendance",
    "18_offline",
    "19_fleet",
    "20_journal",
    "22_crm",
    "21_effects",
    "23_privacy",
    "24_announcements",
    "25_attendee",
    "29_watch",
    "30_emergency",
    "31_templates",
    "27_offline_shares",
    "28_settling",
    "90_foreign_keys",
)

# Functions and triggers, after the tables they speak of.
FUNCTIONS = (
    "touch",
    "guards",
    "crm_people",
    "outbox",
    "plan",
    "door_rules",
    "ticket_entries_v1",
    "device_entries_v1",
    "counters_v1",
    "read_plan_v1",
    "read_facts_v1",
    "read_visits_v1",
    "places_refused_v1",
    "commit_scans_v1",
    "undo_scan_v1",
    "score_contacts_v1",
    "merge_lines_v1",
    "take_over_v1",
    "assume_exits_v1",
    "registrations",
    "search",
    "redeem_v1",
    "attendance",
    "offline",
    "settling",
    "offline_shares",
    "effects",
    "rollup_v1",
    "jobs",
    "recount_v1",
)


def upgrade() -> None:
    """Create everything; the schema `ops` itself exists already (env.py)."""
    run_sql("sql/folded.sql")
    run_sql(*(f"migrations/ddl_0001/{name}.sql" for name in TABLES))
    run_sql(*(f"sql/{name}.sql" for name in FUNCTIONS))
