"""The HTTP application of the api role.

Routes come from each feature's `ROUTES`; what they need is injected by name from the
`Runtime`; errors become problem documents; every answer gets the security headers.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import time
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, OpenAPIType, Schema, SecurityScheme
from litestar.plugins import OpenAPISchemaPlugin
from litestar.types import Message, Scope
from litestar.typing import FieldDefinition

from ops import __version__, metrics
from ops.announcements import routes as announcement_routes
from ops.announcements import template_routes
from ops.attendance import (
    count_routes,
    guest_list_routes,
    media_routes,
    redemption_routes,
    registration_routes,
    search_routes,
    supervisor_routes,
    ticket_routes,
)
from ops.attendance.acting import provide_caller
from ops.attendee import routes as attendee_routes
from ops.auth import routes as auth_routes
from ops.auth.guards import (
    provide_actor,
    provide_attendee,
    provide_device,
    provide_staff,
    public,
)
from ops.checkin import (
    device_routes,
    event_routes,
    guest_routes,
    operator_routes,
    qr_routes,
    scan_routes,
    simulate_routes,
)
from ops.clock import Clock
from ops.crm import (
    audit_routes,
    consent_routes,
    effect_rule_routes,
    exchange_routes,
    people_routes,
    pipeline_routes,
    privacy_routes,
    segment_routes,
    team_routes,
)
from ops.crm import routes as crm_routes
from ops.crm.admin_mount import mounted
from ops.emergency import routes as emergency_routes
from ops.fleet import door_routes, help_routes, incident_routes, lead_routes
from ops.http import health
from ops.http.headers import security_headers
from ops.http.limits import BODY_BYTES_MAX, StrictRequest
from ops.http.pages import page_routes
from ops.http.problem import EXCEPTION_HANDLERS
from ops.imports import routes as import_routes
from ops.listing import turn_of
from ops.offline import package_routes, return_routes
from ops.pages_dir import find
from ops.presets import routes as preset_routes
from ops.reports import routes as report_routes
from ops.runtime import Runtime
from ops.settings import Settings
from ops.watch import alert_routes, shift_routes

API_PREFIX = "/api/v1"
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

API_ROUTES: tuple[Any, ...] = (
    *auth_routes.ROUTES,
    *device_routes.ROUTES,
    *operator_routes.ROUTES,
    *event_routes.ROUTES,
    *scan_routes.ROUTES,
    *simulate_routes.ROUTES,
    *qr_routes.ROUTES,
    *guest_routes.ROUTES,
    *import_routes.ROUTES,
    *ticket_routes.ROUTES,
    *media_routes.ROUTES,
    *registration_routes.ROUTES,
    *search_routes.ROUTES,
    *redemption_routes.ROUTES,
    *count_routes.ROUTES,
    *supervisor_routes.ROUTES,
    *guest_list_routes.ROUTES,
    *audit_routes.ROUTES,
    *consent_routes.ROUTES,
    *help_routes.ROUTES,
    *incident_routes.ROUTES,
    *door_routes.ROUTES,
    *lead_routes.ROUTES,
    *package_routes.ROUTES,
    *return_routes.ROUTES,
    *people_routes.ROUTES,
    *crm_routes.ROUTES,
    *announcement_routes.ROUTES,
    *template_routes.ROUTES,
    *emergency_routes.ROUTES,
    *report_routes.ROUTES,
    *attendee_routes.ROUTES,
    *preset_routes.ROUTES,
    *team_routes.ROUTES,
    *exchange_routes.ROUTES,
    *privacy_routes.ROUTES,
    *segment_routes.ROUTES,
    *effect_rule_routes.ROUTES,
    *pipeline_routes.ROUTES,
    *alert_routes.ROUTES,
    *shift_routes.ROUTES,
)
"""Handlers under /api/v1, one tuple a module."""

PLAIN_ROUTES: tuple[Any, ...] = (*health.ROUTES,)
"""Handlers with addresses of their own."""


ATTENDANCE = (
    "ticket_life",
    "media",
    "registrations",
    "credits",
    "search",
    "redemptions",
    "entitlements",
    "counts",
    "ejecting",
    "stops",
    "many",
    "guest_lists",
    "history",
)
"""Parts of `ops.attendance` that handlers ask for by the name the runtime has."""


def create_app(settings: Settings, clock: Clock | None = None) -> Litestar:
    """Make the application; stores are opened by its lifespan, not here."""
    return build(Runtime(settings, clock or Clock()))


def build(runtime: Runtime) -> Litestar:
    """Make the application around a runtime (tests keep the runtime in hand).

    It takes 1.5 s of a core, so tests make one and exchange `state.parts`.
    """
    parts = parts_of(runtime)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None, None]:
        await runtime.start()
        try:
            yield
        finally:
            await runtime.stop()

    headers = security_headers(runtime.settings)
    ours = frozenset(name for name, _ in headers)

    async def before_send(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            said = {name for name, _ in message["headers"]}
            sent = [*message["headers"]]
            if said.isdisjoint(ours):
                sent += headers
            else:
                sent += (line for line in headers if line[0] not in said)
            if scope["path"].startswith(API_PREFIX) and b"cache-control" not in said:
                # Names of guests do not belong in a browser's cache.
                sent.append((b"cache-control", b"no-store"))
            message["headers"] = sent
            method = str(scope.get("method"))
            # A method is whatever a client writes; a label must not be.
            label = method if method in METHODS else "other"
            metrics.requests_total.labels(label, str(message["status"])).inc()

    api = Router(API_PREFIX, route_handlers=API_ROUTES)
    pages = page_routes(find(), runtime.settings, __version__)
    return Litestar(
        route_handlers=[api, *PLAIN_ROUTES, *pages, mounted(runtime.table_admin)],
        lifespan=[lifespan],
        dependencies=_dependencies(parts),
        state=State({"parts": parts}, deep_copy=False),
        exception_handlers=EXCEPTION_HANDLERS,
        request_class=StrictRequest,
        request_max_body_size=BODY_BYTES_MAX,
        middleware=[runtime.authentication],
        before_request=runtime.idempotency.before_request,
        before_send=[runtime.idempotency.before_send, before_send],
        openapi_config=_openapi(),
        plugins=[ClockTimes()],
        logging_config=None,
    )


def parts_of(runtime: Runtime) -> dict[str, Any]:
    """What handlers may ask for by name."""
    return {
        "clock": runtime.clock,
        "settings": runtime.settings,
        "probe": runtime.probe,
        "logins": runtime.logins,
        "sessions": runtime.sessions,
        "devices": runtime.devices,
        "enrolments": runtime.enrolments,
        "operators": runtime.operators,
        "events": runtime.events,
        "door": scan_routes.Door(
            runtime.desk,
            runtime.answers,
            runtime.whole_orders,
            runtime.offline.quarantine.device,
            runtime.redemptions.of_scan,
            runtime.offline.quarantine.keep,
        ),
        "undoing": runtime.undoing,
        "simulator": runtime.simulator,
        "scans": runtime.scans,
        "printable": runtime.printable,
        "pictures": runtime.pictures,
        "guest_tickets": runtime.guest_tickets,
        "importer": runtime.importer,
        "offline": runtime.offline,
        **{name: getattr(runtime, name) for name in ATTENDANCE},
        "auditor": runtime.auditor,
        "database": runtime.database,
        "consents": runtime.consents,
        "help_calls": runtime.help_calls,
        "incidents": runtime.incidents,
        "doors": runtime.doors,
        "alerts": runtime.alerts,
        "cases": runtime.cases,
        "shifts": runtime.shifts,
        "leads": runtime.leads,
        "duplicates": runtime.duplicates,
        "merging": runtime.merging,
        "timeline_of": runtime.timeline,
        "crm": runtime.crm,
        "export": runtime.export,
        "importing": runtime.importing,
        "announcements": runtime.announcements,
        "templates": runtime.templates,
        "emergencies": runtime.emergencies,
        "rolls": runtime.rolls,
        "reports": runtime.reports,
        "day_reports": runtime.day_reports,
        "attendee_tokens": runtime.attendee_tokens,
        "links": runtime.links,
        "mine": runtime.mine,
        "my_consents": runtime.my_consents,
        "feedback": runtime.feedback,
        "networking": runtime.networking,
        "event_maker": runtime.event_maker,
        "invitations": runtime.invitations,
        "eraser": runtime.eraser,
        "segments": runtime.segments,
        "pipeline": runtime.pipeline,
        "crm_pool": runtime.crm_pool,
        "dossiers": runtime.dossiers,
        "retention": runtime.retention,
        "texts": runtime.texts,
    }


def _dependencies(parts: dict[str, Any]) -> dict[str, Provide]:
    def provide(name: str) -> Provide:
        return Provide(lambda: parts[name], sync_to_thread=False)

    return {
        **{name: provide(name) for name in parts},
        "me": Provide(provide_staff, sync_to_thread=False),
        "device": Provide(provide_device, sync_to_thread=False),
        "attendee": Provide(provide_attendee, sync_to_thread=False),
        "actor": Provide(provide_actor, sync_to_thread=False),
        "caller": Provide(provide_caller, sync_to_thread=False),
        "turn": Provide(turn_of, sync_to_thread=False),
    }


class ClockTimes(OpenAPISchemaPlugin):
    """A time of day in the document; the framework would call it a duration."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        """Times of day."""
        return value is time

    def to_openapi_schema(
        self, field_definition: FieldDefinition, schema_creator: Any
    ) -> Schema:
        """A text: the formats that tools know want a zone."""
        return Schema(
            type=OpenAPIType.STRING,
            pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$",
            examples=["06:00:00"],
        )


def _openapi() -> OpenAPIConfig:
    """The document at /schema/openapi.json; no page that loads from elsewhere."""
    return OpenAPIConfig(
        title="Event-day operations server",
        version=__version__,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer"),
                "device": SecurityScheme(
                    type="apiKey",
                    name="Authorization",
                    security_scheme_in="header",
                    description="`Device <token>`, from POST /devices/pair",
                ),
                "cookie": SecurityScheme(
                    type="apiKey", name="ops_session", security_scheme_in="cookie"
                ),
            }
        ),
        security=[{"bearer": []}, {"device": []}, {"cookie": []}],
        openapi_router=Router("/schema", route_handlers=[], guards=[public]),
        render_plugins=[JsonRenderPlugin()],
    )
