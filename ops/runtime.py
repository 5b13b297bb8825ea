"""The composition root of the api role: everything is wired here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from ops import __version__, decoding
from ops.admission.journal import Journal
from ops.admission.scan import ScanRequest
from ops.announcements.service import Announcements
from ops.announcements.templates import Templates
from ops.attendance.acting import House
from ops.attendance.bulk import BulkCheck
from ops.attendance.counts import Counts
from ops.attendance.credits import Credits
from ops.attendance.ejecting import Ejecting
from ops.attendance.entitlements import Entitlements
from ops.attendance.guest_lists import GuestLists
from ops.attendance.history import History
from ops.attendance.media import Media
from ops.attendance.redemptions import Redemptions
from ops.attendance.registrations import Registrations
from ops.attendance.search import Search
from ops.attendance.stops import Stops
from ops.attendance.ticket_mail import TicketMail
from ops.attendance.tickets import TicketLife
from ops.attendee.consents import MyConsents
from ops.attendee.feedback import Feedback
from ops.attendee.links import Links
from ops.attendee.me import Mine
from ops.attendee.networking import Networking
from ops.audit.auditor import Auditor
from ops.auth.address import trusted_networks
from ops.auth.attendees import AttendeeTokens
from ops.auth.devices import DeviceRegistry
from ops.auth.limiter import RateLimiter
from ops.auth.login import Logins
from ops.auth.middleware import Authentication
from ops.auth.passwords import Passwords
from ops.auth.sessions import StaffSessions
from ops.auth.subjects import DeviceIdentity
from ops.cache.client import Cache
from ops.checkin.answers import Answers, ScanAnswer
from ops.checkin.coder import TicketCoder, parse
from ops.checkin.codes import Keyring
from ops.checkin.desk import Desk
from ops.checkin.device_cache import DeviceCache
from ops.checkin.devices import Devices
from ops.checkin.enrolments import Enrolments
from ops.checkin.events import Events
from ops.checkin.guest_tickets import GuestTickets
from ops.checkin.keys import Seal, SigningKeys
from ops.checkin.operators import Operators
from ops.checkin.pictures import Pictures
from ops.checkin.plans import Plans
from ops.checkin.printable import PrintableCodes
from ops.checkin.recovery import Recovery
from ops.checkin.scan_log import ScanLog
from ops.checkin.scan_routes import checked
from ops.checkin.simulator import Simulator
from ops.checkin.stores import Stores
from ops.checkin.undo import Undo
from ops.checkin.whole_order import WholeOrders
from ops.clock import Clock
from ops.crm import closing, door_questions
from ops.crm.admin_mount import TableAdmin
from ops.crm.bulk import Bulk
from ops.crm.changes import Hooks
from ops.crm.consents import Consents
from ops.crm.duplicates import Duplicates
from ops.crm.export import Export
from ops.crm.history import audited, named
from ops.crm.importing import Importing
from ops.crm.invitations import Invitations
from ops.crm.merge import Merging
from ops.crm.pipeline import Pipeline
from ops.crm.pool import CrmPool
from ops.crm.records import Records
from ops.crm.routes import Crm
from ops.crm.segments import Segments
from ops.crm.team import register
from ops.crm.ticket_codes import issued
from ops.crm.timeline import Timeline
from ops.db.door_calls import rehearse
from ops.db.engine import Database
from ops.emergency.report import Reports
from ops.emergency.rolls import Rolls
from ops.emergency.service import Emergencies
from ops.errors import StoreUnavailable
from ops.fleet.doors import Doors
from ops.fleet.help_calls import HelpCalls
from ops.fleet.incidents import Incidents
from ops.fleet.leads import Leads
from ops.http.health import Probe
from ops.http.idempotency import Idempotency
from ops.imports.routes import Importer
from ops.offline.offline import Offline
from ops.offline.package import Signing
from ops.pages_dir import find
from ops.presets.making import EventMaker
from ops.privacy.dossier import Dossiers
from ops.privacy.erasure import Eraser
from ops.privacy.retention import Retention
from ops.reports.reading import DayReports
from ops.settings import Settings
from ops.texts import Texts
from ops.watch.alerts import Alerts
from ops.watch.evidence import Cases
from ops.watch.shifts import Shifts


class Runtime:
    """The parts of one api process, made from settings, started and stopped in order.

    Making one does no I/O. `start` returns when requests may come; `stop` may come
    twice, or without `start`.

    Args:
        passwords: tests pass one that hashes cheaply.
    """

    def __init__(
        self, settings: Settings, clock: Clock, passwords: Passwords | None = None
    ) -> None:
        self.settings, self.clock = settings, clock
        self.database = Database(settings.database_url, "ops api", rehearse)
        self.cache = Cache(settings.redis_url)
        self.texts = Texts(find().web / "i18n")
        self.auditor = Auditor(settings.secret_key)
        self._staff()
        self._devices()
        self._fleet()
        self._door()
        self.crm_pool = CrmPool(self.settings.database_url)
        self._people()
        self._crm()
        self._attendance()
        self.passwords = passwords or Passwords()
        self.invitations = Invitations(
            self.crm_pool, clock, self.passwords, self.limiter
        )
        self.logins = Logins(
            self.database,
            clock,
            self.passwords,
            self.sessions,
            self.limiter,
            self.auditor,
        )
        self.authentication = Authentication(
            self.registry,
            self.sessions,
            self.attendee_tokens,
            trusted_networks(settings.trusted_proxies),
        )
        self.idempotency = Idempotency(self.database, clock, settings.secret_key)
        self.events = Events(self.database)
        self.event_maker = EventMaker(self.database, self.auditor)
        self.printable = PrintableCodes(self.database, settings.secret_key)
        self.pictures = Pictures()
        self.guest_tickets = GuestTickets(self.database, self.limiter, self.pictures)
        self._attendees()
        self._emergency()
        self.importer = Importer(self.database, self._coder, clock)
        self.offline = Offline(
            self.database, self.cache, clock, settings.secret_key, self._package_keys
        )
        self.desk.recall = self.offline.leases.recall
        self.offline.quarantine.decide_record = self._accept
        self.probe = Probe(
            __version__, self._ask_postgresql, self._ask_redis, self._ask_modes
        )

    def _attendees(self) -> None:
        database, clock, settings = self.database, self.clock, self.settings
        self.announcements = Announcements(database, clock)
        self.templates = Templates(database, clock)
        self.links = Links(
            database,
            clock,
            self.limiter,
            self.texts,
            settings.secret_key,
            settings.base_url,
        )
        self.mine = Mine(database)
        self.my_consents = MyConsents(database, self.consents)
        self.feedback = Feedback(database, clock, settings.secret_key)
        self.networking = Networking(database, clock)

    def _emergency(self) -> None:
        house = House(self.database, self.auditor, self.clock, parse)
        self.emergencies = Emergencies(
            house, self.stops, self.announcements, self.texts
        )
        self.rolls = Rolls(house, self.emergencies)
        self.reports = Reports(self.database, self.texts)
        self.day_reports = DayReports(
            self.database, self.events, self.texts, self.clock
        )

    def _staff(self) -> None:
        self.limiter = RateLimiter(self.cache, self.clock)
        self.sessions = StaffSessions(self.database, self.clock)
        self.attendee_tokens = AttendeeTokens(self.database)

    def _devices(self) -> None:
        database, clock, key = self.database, self.clock, self.settings.secret_key
        self.registry = DeviceRegistry(database, clock)
        entries = DeviceCache(database, self.cache)
        self.devices = Devices(
            database, clock, entries, self.registry, self.limiter, key, self._confirm
        )
        self.enrolments = Enrolments(database, clock, key)
        self.operators = Operators(
            database, clock, entries, self.registry, self.limiter, key
        )

    def _fleet(self) -> None:
        self.help_calls = HelpCalls(self.database, self.clock)
        self.incidents = Incidents(self.database, self.clock)
        self.leads = Leads(self.database, self.clock)
        self.doors = Doors(self.database, self.auditor)
        self.alerts = Alerts(self.database, self.auditor, self.clock)
        self.cases = Cases(self.database, self.clock)
        self.shifts = Shifts(self.database, self.clock)

    def _door(self) -> None:
        database, clock = self.database, self.clock
        settings = self.settings
        self.stores = Stores(database, self.cache, clock, settings.database_tries_s)
        folder = Path(settings.data_dir) / "journal"
        self.journal = Journal(folder)
        self.recovery = Recovery(
            database,
            self.stores,
            clock,
            folder,
            self._prepare,
            self._follow,
            settings.steady_s,
        )
        self.desk = Desk(
            database, self.stores, Plans(database), self.journal, Keyring({}), clock
        )
        self.undoing = Undo(self.stores, self.desk, clock)
        self.scans = ScanLog(database)
        self.texts = Texts(find().web / "i18n")
        self.answers = Answers(self.texts)
        self.whole_orders = WholeOrders(self.desk, self.answers, self.database)
        self.simulator = Simulator(
            self.desk, self.stores, Plans(database), self.answers.wording, clock
        )

    def _people(self) -> None:
        database, auditor, clock = self.crm_pool, self.auditor, self.clock
        self.consents = Consents(database, auditor, clock)
        self.duplicates = Duplicates(database, auditor)
        self.merging = Merging(database, auditor)
        self.timeline = Timeline(database)
        self.eraser = Eraser(database, auditor)
        self.dossiers = Dossiers(database, auditor)
        self.retention = Retention(database, auditor)

    def _crm(self) -> None:
        self.segments = Segments(self.crm_pool, self.auditor)
        self.pipeline = Pipeline(self.crm_pool, self.auditor, self.clock)
        self.hooks = Hooks(after_all=[audited(self.auditor)])
        for name in ("contacts", "leads", "opportunities"):
            self.hooks.before.setdefault(name, []).append(named(self.auditor))
        register(self.hooks)
        door_questions.register(self.hooks)
        closing.register(self.hooks, self.clock)
        self.hooks.after.setdefault("tickets", []).append(issued(self._coder))
        records = Records(self.crm_pool, self.hooks)
        self.export = Export(self.crm_pool, self.auditor)
        self.table_admin = TableAdmin(records, self.settings.secret_key)
        self.importing = Importing(records)
        self.crm = Crm(records, Bulk(records))

    def _attendance(self) -> None:
        house = House(self.database, self.auditor, self.clock, parse)
        texts = Texts(find().web / "i18n")
        mail = TicketMail(texts, self.settings.base_url)
        self.ticket_life = TicketLife(house, self._coder, mail)
        self.media = Media(house, self._coder, self.ticket_life)
        self.registrations = Registrations(house)
        self.credits = Credits(house)
        self.search = Search(house, self.limiter)
        self.redemptions = Redemptions(house, texts)
        self.entitlements = Entitlements(house)
        self.counts = Counts(house)
        self.ejecting = Ejecting(house)
        self.stops = Stops(house)
        self.many = BulkCheck(house, self._decide, self.desk.confirm)
        self.guest_lists = GuestLists(house, self._coder, mail)
        self.history = History(house)

    async def start(self) -> None:
        """Start the stores, then what stands on them.

        Raises:
            StoreUnavailable: PostgreSQL could not be reached.
        """
        try:
            await self.database.start()
            await self.crm_pool.start()
            await self.cache.start()
            await self.registry.start()
            await self.journal.start()
            await self.recovery.start()
            keys = SigningKeys(self.database.pool, self.settings.secret_key)
            self.desk.keyring, _ = await keys.load()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop in the opposite order: the desk first answers those who wait."""
        await self.desk.stop()
        await self.recovery.stop()
        await self.redemptions.stop()
        await self.journal.stop()
        await self.registry.stop()
        self.passwords.stop()
        self.pictures.stop()
        await self.cache.stop()
        await self.crm_pool.stop()
        await self.database.stop()

    async def _confirm(self, device: DeviceIdentity, scan_ids: Sequence[UUID]) -> None:
        """Hand what a heartbeat says was shown to the desks of its events."""
        for event_id in device.event_ids:
            await self.desk.event(event_id)
            self.desk.confirm(event_id, list(scan_ids))

    async def _decide(
        self, event_id: UUID, device_id: UUID, scan: ScanRequest
    ) -> ScanAnswer:
        """What a door would answer, decided between uploads."""
        answered = checked(await self.desk.scan(event_id, device_id, scan, "upload"))
        return self.answers.make(answered)

    async def _follow(self) -> None:
        """Know the doors as they are now, should PostgreSQL go away."""
        await self.desk.follow_plans()

    async def _prepare(self) -> None:
        """Meet who may come while PostgreSQL is away (mode D)."""
        await self.registry.meet()
        await self.desk.meet()

    async def _coder(self) -> TicketCoder:
        """Who reads and makes codes, with the newest key, also after a rotation."""
        keys = SigningKeys(self.database.pool, self.settings.secret_key)
        self.desk.keyring, signer = await keys.ensure(self.clock.now())
        return TicketCoder(signer, Seal(self.settings.secret_key))

    async def _accept(self, event_id: UUID, device_id: UUID, record: bytes) -> Any:
        """Decide a record of a revoked device, on a supervisor's word."""
        scan = decoding.decode(ScanRequest, record)
        answered = await self.desk.scan(
            event_id, device_id, scan, "upload", accepted=True
        )
        return self.answers.make(checked(answered))

    async def _package_keys(self) -> tuple[Signing, dict[int, bytes]]:
        """Who signs packages, and the public keys by which codes are checked."""
        keys = SigningKeys(self.database.pool, self.settings.secret_key)
        self.desk.keyring, signer = await keys.ensure(self.clock.now())
        signing = Signing(signer.key_id, signer.sign_bytes)
        return signing, self.desk.keyring.public()

    async def _ask_postgresql(self) -> None:
        await self.database.pool.fetchval("SELECT 1")

    async def _ask_modes(self) -> None:
        if await self.stores.in_journal(self.desk.events):
            raise StoreUnavailable("an event is in mode D")

    async def _ask_redis(self) -> None:
        await self.cache.redis.ping()
