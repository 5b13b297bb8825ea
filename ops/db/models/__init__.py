"""All models; importing this package fills `Base.metadata`."""

from ops.db.models.audience import (
    EventAnnouncement,
    EventFeedback,
    EventMaterial,
    EventMetric,
    NetworkingConnection,
)
from ops.db.models.campaigns import Campaign, CampaignRecipient
from ops.db.models.devices import Device, DeviceEvent, Enrolment, Operator
from ops.db.models.door import (
    AccessRule,
    Area,
    Gate,
    Scope,
    SessionRegistration,
    TicketCode,
)
from ops.db.models.fleet import (
    HelpCall,
    Incident,
    IncidentAction,
    LeadScan,
    SponsorLead,
)
from ops.db.models.house import (
    CacheEpoch,
    Cursor,
    Fact,
    ImportRun,
    Machine,
    OutboxRow,
    PlanVersion,
    SigningKey,
)
from ops.db.models.people import Company, Contact, Profile
from ops.db.models.pipeline import Interaction, Lead, Opportunity
from ops.db.models.programme import Event, Session, Speaker, Sponsor, Venue
from ops.db.models.records import ConflictRow, Count, ScanLog
from ops.db.models.sales import (
    Bundle,
    BundleItem,
    Promoter,
    PromoterCommission,
    Voucher,
)
from ops.db.models.seating import SeatAssignment, SeatMap
from ops.db.models.staff import AuditEntry, EventMember, IdempotencyKey, StaffSession
from ops.db.models.team import Note, Role, Task, User
from ops.db.models.tickets import Attendee, Order, Ticket, TicketType
from ops.db.models.visits import CheckIn

__all__ = [
    "AccessRule",
    "Area",
    "Attendee",
    "AuditEntry",
    "Bundle",
    "BundleItem",
    "CacheEpoch",
    "Campaign",
    "CampaignRecipient",
    "CheckIn",
    "Company",
    "ConflictRow",
    "Contact",
    "Count",
    "Cursor",
    "Device",
    "DeviceEvent",
    "Enrolment",
    "Event",
    "EventAnnouncement",
    "EventFeedback",
    "EventMaterial",
    "EventMember",
    "EventMetric",
    "Fact",
    "Gate",
    "HelpCall",
    "IdempotencyKey",
    "ImportRun",
    "Incident",
    "IncidentAction",
    "Interaction",
    "Lead",
    "LeadScan",
    "Machine",
    "NetworkingConnection",
    "Note",
    "Operator",
    "Opportunity",
    "Order",
    "OutboxRow",
    "PlanVersion",
    "Profile",
    "Promoter",
    "PromoterCommission",
    "Role",
    "ScanLog",
    "Scope",
    "SeatAssignment",
    "SeatMap",
    "Session",
    "SessionRegistration",
    "SigningKey",
    "Speaker",
    "Sponsor",
    "SponsorLead",
    "StaffSession",
    "Task",
    "Ticket",
    "TicketCode",
    "TicketType",
    "User",
    "Venue",
    "Voucher",
]
