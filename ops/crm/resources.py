"""The description of each of the 34 tables, and of the places of a door.

Columns, types, checks and references come from the models; here stands what a model
cannot say: who may ask (`permission`), whose event a row is, what is private, what a
delete means, what people search by. A new column of a model appears by itself.
"""

from __future__ import annotations

from typing import Final

import ops.db.models  # noqa: F401 - fills the metadata that descriptions read
from ops.crm.door_resources import DOOR
from ops.crm.resource import Resource, describe
from ops.crm.whose import ME, MY_PROMOTER, OF_COMPANY, OF_CONTACT

__all__ = ["BY_NAME", "BY_TABLE", "RESOURCES"]

_BY_ACT: Final = "It is changed by its own acts, so that the door is never bypassed: {}"
_COUNTED: Final = "It is written by the server as it happens."

_PEOPLE: Final = (
    describe(
        "contacts",
        "contact",
        reach=OF_CONTACT.format(c="t.id"),
        search="first_name last_name email phone",
        sorts="last_name email lead_score",
        soft=("status", "deleted"),
        read_only="last_event_attended_at phone_normal merged_into_id",
        derived="last_contacted_at",
        example={
            "first_name": "Zoë",
            "last_name": "O'Brien-Łukasz",
            "email": "zoe.obrien@example.org",
            "contact_type": "business",
            "job_title": "Head of Events",
            "email_consent": True,
        },
    ),
    describe(
        "companies",
        "company",
        reach=OF_COMPANY,
        open_fields="email phone address_line1 address_line2 postal_code",
        search="name legal_name website email",
        sorts="name",
        example={
            "name": "Łódź & Fils",
            "company_size": "medium",
            "annual_revenue": "1250000.00",
            "account_type": "customer",
        },
    ),
    describe(
        "profiles",
        "profile",
        search="full_name email",
        sorts="email",
        example={"email": "mei@example.org", "full_name": "李小龙", "language": "fr"},
    ),
)

_PIPELINE: Final = (
    describe(
        "leads",
        "lead",
        search="lead_source requirements",
        sorts="lead_score estimated_value expected_close_date",
        label="t.lead_source",
        example={
            "lead_source": "event",
            "lead_status": "qualified",
            "estimated_value": "4800.00",
            "probability_percentage": 40,
        },
    ),
    describe(
        "opportunities",
        "opportunity",
        search="name description",
        sorts="amount expected_close_date name",
        example={
            "name": "Booth at the autumn fair",
            "stage": "proposal",
            "amount": "12500.00",
            "probability": 60,
            "expected_close_date": "2026-12-15",
        },
    ),
    describe(
        "interactions",
        "interaction",
        search="subject content",
        sorts="occurred_at",
        label="coalesce(t.subject, t.interaction_type)",
        example={
            "interaction_type": "phone",
            "subject": "Asked about group tickets",
            "direction": "inbound",
            "duration_minutes": 12,
        },
    ),
    describe(
        "tasks",
        "task",
        search="title description",
        sorts="due_date",
        soft=("status", "cancelled"),
        read_only="reminder_sent",
        example={
            "title": "Call back about the booth",
            "task_type": "call",
            "priority": "high",
            "due_date": "2026-12-01T14:00:00Z",
        },
    ),
    describe(
        "notes",
        "note",
        visible="(NOT coalesce(t.is_private, false) OR t.created_by = $M)",
        search="title content",
        label="coalesce(t.title, left(t.content, 60))",
        example={"content": "Prefers to be called after 16:00.", "is_private": False},
    ),
    describe(
        "campaigns",
        "campaign",
        search="name description",
        sorts="start_date name",
        soft=("status", "cancelled"),
        example={"name": "Early birds 2027", "campaign_type": "email"},
    ),
    describe(
        "campaign_recipients",
        "campaign_recipient",
        permission="campaigns",
        parent=("campaign_id", "public.campaigns", "p.event_id"),
        read_only="open_count click_count unique_opens unique_clicks",
        create_only="campaign_id contact_id",
        example={"status": "pending"},
    ),
)

_TEAM: Final = (
    describe(
        "users",
        "user",
        hidden="password_hash",
        read_only="failed_login_attempts locked_until last_login_at",
        search="first_name last_name email department",
        sorts="last_name",
        soft=("status", "inactive"),
        example={
            "first_name": "Noor",
            "last_name": "al-Fārābī",
            "email": "noor@example.org",
            "department": "Sales",
        },
    ),
    describe(
        "roles",
        "role",
        search="name description",
        sorts="level name",
        sort="-level",
        example={
            "name": "booth crew",
            "level": 15,
            "permissions": {"leads": {"read": True, "write": True}},
        },
    ),
    describe(
        "ops.event_members",
        "member",
        name="members",
        permission="members",
        area="t.area_id",
        create_only="user_id event_id",
        example={"valid_from": "2026-11-26T08:00:00Z"},
        summary="roles of people in one event or area",
    ),
)

_PROGRAMME: Final = (
    describe(
        "venues",
        "venue",
        reach="EXISTS (SELECT FROM public.events x WHERE x.venue_id = t.id"
        " AND x.id = ANY($E))",
        open_fields="address_line1 address_line2 postal_code",
        search="name city",
        sorts="name",
        soft=("status", "inactive"),
        example={"name": "Forum Łuna", "city": "Montréal", "total_capacity": 900},
    ),
    describe(
        "events",
        "event",
        event="t.id",
        search="title slug description",
        sorts="starts_at title",
        sort="-starts_at",
        soft=("status", "cancelled"),
        example={
            "title": "Salon d'automne",
            "slug": "salon-automne-2027",
            "starts_at": "2027-10-01T13:00:00Z",
            "ends_at": "2027-10-01T23:00:00Z",
            "timezone": "America/Toronto",
        },
    ),
    describe(
        "sessions",
        "session",
        area="t.area_id",
        search="title description",
        sorts="start_time",
        soft=("status", "cancelled"),
        read_only="current_registrations seats_released_at",
        example={
            "title": "Queues without tears",
            "session_type": "workshop",
            "start_time": "2027-10-01T14:00:00Z",
            "end_time": "2027-10-01T15:00:00Z",
        },
    ),
    describe(
        "speakers",
        "speaker",
        mine=f"t.contact_id IN {ME.format(what='id')}",
        mine_writes="bio expertise_areas years_experience certifications"
        " presentation_title presentation_description presentation_slides_url"
        " handout_materials website_url linkedin_url twitter_handle"
        " company_affiliation travel_arrangements accommodation_needs"
        " dietary_restrictions headshot_url bio_image_url video_intro_url",
        search="presentation_title company_affiliation",
        soft=("status", "cancelled"),
        label="coalesce(t.presentation_title, t.id::text)",
        example={"presentation_title": "Doors at scale", "speaker_fee": "900.00"},
    ),
    describe(
        "sponsors",
        "sponsor",
        mine=f"(t.contact_id IN {ME.format(what='id')}"
        f" OR t.company_id IN {ME.format(what='company_id')})",
        mine_writes="logo_url website_url marketing_materials social_media_links",
        sorts="sponsorship_tier",
        soft=("status", "cancelled"),
        example={"sponsorship_tier": "gold", "sponsorship_amount": "15000.00"},
    ),
)

_AUDIENCE: Final = (
    describe(
        "event_feedback",
        "event_feedback",
        permission="feedback",
        search="comments suggestions",
        sorts="overall_rating",
        example={"overall_rating": 5, "comments": "Short queues 🎉"},
    ),
    describe(
        "networking_connections",
        "networking_connection",
        permission="networking",
        create_only="event_id requester_id target_id",
        example={"connection_type": "business", "message": "Coffee at 15:00?"},
    ),
    describe(
        "event_materials",
        "event_material",
        permission="materials",
        mine="(t.uploaded_by = $M OR t.session_id IN (SELECT s.id FROM"
        " public.sessions s JOIN public.speakers x ON x.id = s.speaker_id"
        f" WHERE x.contact_id IN {ME.format(what='id')}))",
        search="title description",
        read_only="download_count",
        owner="uploaded_by",
        example={"title": "Slides", "material_type": "presentation"},
    ),
    describe(
        "event_announcements",
        "event_announcement",
        permission="announcements",
        search="title content",
        sorts="scheduled_for",
        owner="author_id",
        soft=("status", "cancelled"),
        # Sending is an act of its own; here drafts are written and cancelled.
        read_only="status sent_at seq audience_count delivery_count open_count"
        " click_count",
        example={"title": "Room change", "content": "Hall B.", "priority": "high"},
    ),
    describe(
        "event_analytics",
        "event_metric",
        permission="analytics",
        search="metric_name",
        sorts="measurement_time",
        label="t.metric_name",
        example={"metric_name": "footfall", "metric_value": "812", "data_source": "x"},
    ),
)

_TICKETS: Final = (
    describe(
        "ticket_types",
        "ticket_type",
        search="name",
        sorts="name price",
        soft=("status", "inactive"),
        read_only="sold_count reserved_count",
        example={"name": "VIP", "price": "120.00", "ticket_category": "vip"},
    ),
    describe(
        "orders",
        "order",
        search="order_number external_ref",
        sorts="placed_at",
        soft=("status", "cancelled"),
        label="t.order_number",
        mine=MY_PROMOTER,
        create_only="event_id",
        example={"order_number": "A-1001", "total": "240.00", "status": "paid"},
    ),
    describe(
        "attendees",
        "attendee",
        search="first_name last_name email company",
        sorts="last_name",
        soft=("status", "cancelled"),
        create_only="event_id",
        read_only="email_as_given",
        example={"first_name": "李", "last_name": "小龙", "company": "Łódź & Fils"},
    ),
    describe(
        "tickets",
        "ticket",
        search="external_ref seat_label",
        label="coalesce(t.external_ref, t.seat_label, t.id::text)",
        create_only="event_id",
        read_only="blocked_reason blocked_from",
        soft=("state", "cancelled"),
        example={"state": "valid", "seat_label": "A12"},
    ),
    describe(
        "check_ins",
        "check_in",
        permission="scans",
        area="t.area_id",
        sort="-id",
        read_only="event_id attendee_id ticket_id checked_in_at checked_out_at"
        " check_in_method device_id ip_address user_agent validated_by"
        " duration_minutes is_present scope_id area_id gate_id operator_id person_no"
        " pass_no scan_id exit_scan_id exit_gate_id exit_assumed undone_at"
        " undo_scan_id undo_reason confirmed_at mode door_time exit_door_time"
        " event_day",
        closed={
            "create": _BY_ACT.format("POST /events/{event_id}/scans"),
            "delete": _BY_ACT.format("POST /events/{event_id}/scans/{scan_id}/undo"),
        },
        example={"validation_notes": "Checked the passport."},
    ),
)

_SALES: Final = (
    describe(
        "bundles",
        "bundle",
        search="name",
        sorts="name",
        soft=("status", "inactive"),
        read_only="sold_quantity",
        parts="bundle_items",
        example={"name": "Team of five", "price": "400.00"},
    ),
    describe(
        "bundle_items",
        "bundle_item",
        permission="bundles",
        parent=("bundle_id", "public.bundles", "p.event_id"),
        create_only="bundle_id",
        example={"quantity": 5},
    ),
    describe(
        "vouchers",
        "voucher",
        search="code name",
        sorts="code",
        soft=("status", "inactive"),
        read_only="usage_count",
        label="t.code",
        example={
            "code": "MERCI-10",
            "discount_type": "percentage",
            "discount_value": "10.00",
        },
    ),
    describe(
        "promoters",
        "promoter",
        search="promoter_code company_name",
        sorts="promoter_code",
        soft=("status", "inactive"),
        read_only="total_sales total_commission total_events",
        label="t.promoter_code",
        mine=f"t.contact_id IN {ME.format(what='id')}",
        mine_writes="phone email address",
        example={"promoter_code": "NOOR", "commission_rate": "7.50"},
    ),
    describe(
        "promoter_commissions",
        "promoter_commission",
        permission="promoters",
        parent=("order_id", "public.orders", "p.event_id"),
        soft=("status", "cancelled"),
        create_only="promoter_id order_id",
        mine=MY_PROMOTER,
        example={"commission_amount": "18.00", "status": "pending"},
    ),
    describe(
        "seat_maps",
        "seat_map",
        permission="seating",
        search="name",
        parts="seat_assignments",
        example={"name": "Gala dinner", "map_type": "banquet", "rows": 12},
    ),
    describe(
        "seat_assignments",
        "seat_assignment",
        permission="seating",
        parent=("seat_map_id", "public.seat_maps", "p.event_id"),
        owner="assigned_by",
        create_only="seat_map_id",
        label="coalesce(t.seat_label, t.id::text)",
        example={"row_number": 1, "seat_number": 12, "seat_label": "A12"},
    ),
)

RESOURCES: Final[tuple[Resource, ...]] = (
    *_PEOPLE,
    *_PIPELINE,
    *_TEAM,
    *_PROGRAMME,
    *_AUDIENCE,
    *_TICKETS,
    *_SALES,
    *DOOR,
)
BY_NAME: Final = {resource.name: resource for resource in RESOURCES}
BY_TABLE: Final = {resource.table: resource for resource in RESOURCES}
