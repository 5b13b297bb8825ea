"""The table admin under /admin: every table of the API as forms, under the same roles.

starlette-admin draws; rows go through `ops.crm.records`, so that rules, roles, hooks
and the audit log are those of the API. The module is heavy and loaded by name at the
first request (`ops.crm.admin_mount`).
"""

from __future__ import annotations

import importlib.resources
import uuid
from collections.abc import Callable, Collection, Sequence
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import msgspec
from jinja2 import BaseLoader, Environment, PackageLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette_admin import (
    BaseField,
    BaseModelView,
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    EnumField,
    IntegerField,
    JSONField,
    StringField,
    TagsField,
    TextAreaField,
    TimeField,
)
from starlette_admin.auth import AdminUser, BaseAuthProvider
from starlette_admin.base import BaseAdmin
from starlette_admin.exceptions import ActionFailed, FormValidationError

from ops.auth.permissions import Action
from ops.auth.subjects import Staff
from ops.crm.changes import Actor
from ops.crm.fields import Field
from ops.crm.query import Query
from ops.crm.reach import hidden_from
from ops.crm.records import Records
from ops.crm.resource import Resource
from ops.crm.resources import RESOURCES
from ops.errors import ApiError, NotFound

LONG: Final = frozenset(
    [
        "description",
        "content",
        "comments",
        "notes",
        "bio",
        "requirements",
        "svg_content",
    ]
)
OFFSET_MAX: Final = 10_000
"""The admin pages by number; further than this nobody leafs."""
_FORMS: Final[dict[str, Callable[..., BaseField]]] = {
    "integer": IntegerField,
    "decimal": DecimalField,
    "boolean": BooleanField,
    "timestamp": DateTimeField,
    "date": DateField,
    "time": TimeField,
    "json": JSONField,
    "objects": JSONField,
    "texts": TagsField,
    "uuids": TagsField,
}


def staff_of(request: Request) -> Staff | None:
    """The person of the request, found by the application's middleware."""
    who = request.scope.get("user")
    return who if isinstance(who, Staff) else None


class Door(BaseAuthProvider):
    """Lets in whoever signed in on the pages; what they see, the views decide."""

    async def authenticate(self, request: Request) -> AdminUser | None:
        """The signed-in person, or nobody: then the sign-in page."""
        staff = staff_of(request)
        if staff is None:
            return None
        return AdminUser(username=f"{staff.first_name} {staff.last_name}".strip())

    def get_routes(self, templates: Jinja2Templates) -> list[Route]:
        """Signing in and out are the pages' business: both lead there."""
        return [
            Route("/login", _away, name="login", methods=["GET", "POST"]),
            Route("/logout", _away, name="logout", methods=["GET", "POST"]),
        ]


async def _away(request: Request) -> Response:
    return RedirectResponse("/", status_code=303)


class Table(BaseModelView):
    """One table."""

    pk_attr = "id"
    page_size = 25
    page_size_options: Sequence[int] = (25, 50, 100)
    exporters: Sequence[Any] = ()
    importers: Sequence[Any] = ()
    search_highlight = False

    def __init__(self, records: Records, resource: Resource) -> None:
        self._records, self._resource = records, resource
        self.key = resource.name
        self.display_name = resource.name.replace("_", " ").capitalize()
        self.menu_label = self.display_name
        makes = {field.name for field in resource.writable(creating=True)}
        edits = {field.name for field in resource.writable(creating=False)}
        shown = [field.name for field in resource.shown]
        self.fields = [_form(field, makes) for field in resource.shown]
        self.exclude_fields_from_create = [n for n in shown if n not in makes]
        self.exclude_fields_from_edit = [n for n in shown if n not in edits]
        self.exclude_fields_from_list = shown[8:]
        self.searchable_fields = [*resource.search]
        self.sortable_fields = [*resource.sorts]
        self.fields_default_sort = [
            (resource.sort.lstrip("-"), resource.sort.startswith("-"))
        ]
        super().__init__()

    def _may(self, request: Request, action: Action, verb: str) -> bool:
        staff = staff_of(request)
        if staff is None or verb in self._resource.closed:
            return False
        return staff.may_somewhere(self._resource.permission, action, own=True)

    def is_accessible(self, request: Request) -> bool:
        """Whether the role reads the table."""
        return self._may(request, "read", "read")

    def can_create(self, request: Request) -> bool:
        """Whether the role writes it and rows are made by hand at all."""
        return self._may(request, "write", "create")

    def can_edit(self, request: Request) -> bool:
        """Whether the role writes it."""
        return self._may(request, "write", "update")

    def can_delete(self, request: Request) -> bool:
        """Whether the role deletes."""
        return self._may(request, "delete", "delete")

    def can_export(self, request: Request) -> bool:
        """Files leave through the API, which writes down who took them."""
        return False

    def can_import(self, request: Request) -> bool:
        """Files come in through the API."""
        return False

    def can_access_field(
        self, request: Request, field: BaseField, action: Any = None
    ) -> bool:
        """Whether the column is not hidden from the role."""
        staff = staff_of(request)
        if staff is None or field.name in hidden_from(staff, self._resource):
            return False
        return bool(super().can_access_field(request, field, action))

    async def find_all(
        self,
        request: Request,
        skip: int = 0,
        limit: int = 100,
        q: str | None = None,
        sorts: Sequence[tuple[str, str]] | None = None,
        filters: Any = None,
    ) -> Sequence[Any]:
        """A page by number."""
        sort, way = (sorts or [(self._resource.sort.lstrip("-"), "desc")])[0]
        query = Query(
            words=tuple((q or "").split()[:8]) if self._resource.search else (),
            sort=sort if sort in self._resource.sorts else self._resource.sorts[0],
            descending=way == "desc",
            limit=min(limit, 100) if limit > 0 else 100,
            offset=min(skip, OFFSET_MAX),
        )
        rows, _ = await self._records.page(_staff(request), self._resource, query)
        return [_Row(row) for row in rows]

    async def count(
        self, request: Request, q: str | None = None, filters: Any = None
    ) -> int:
        """How many there are, to ten thousand."""
        words = tuple((q or "").split()[:8]) if self._resource.search else ()
        return await self._records.count(
            _staff(request), self._resource, Query(words=words), OFFSET_MAX
        )

    async def find_by_pk(self, request: Request, pk: Any) -> Any:
        """One row, None if it is not in reach."""
        try:
            row = await self._records.read(
                _staff(request), self._resource, UUID(str(pk))
            )
        except (NotFound, ValueError):
            return None
        return _Row(row)

    async def find_by_pks(self, request: Request, pks: list[Any]) -> Sequence[Any]:
        """Some rows; those out of reach are left out."""
        found = [await self.find_by_pk(request, pk) for pk in pks]
        return [row for row in found if row is not None]

    async def create(self, request: Request, data: dict[str, Any]) -> Any:
        """Make a row; empty fields are left to their defaults."""
        values = {k: v for k, v in self._typed(data).items() if v not in (None, "")}
        try:
            async with self._records.connection() as db, db.transaction():
                row = await self._records.create(
                    db, _actor(request), self._resource, values
                )
        except ApiError as error:
            raise _refused(error, self.fields) from error
        return _Row(row)

    async def edit(self, request: Request, pk: Any, data: dict[str, Any]) -> Any:
        """Change what differs."""
        row_id = UUID(str(pk))
        try:
            before = await self._records.read(_staff(request), self._resource, row_id)
            values = {
                name: value
                for name, value in self._typed(data).items()
                if value != before.get(name)
            }
            async with self._records.connection() as db, db.transaction():
                row = await self._records.update(
                    db, _actor(request), self._resource, row_id, values
                )
        except ApiError as error:
            raise _refused(error, self.fields) from error
        return _Row(row)

    async def delete(self, request: Request, pks: list[Any]) -> int | None:
        """Delete or mark rows, all or none."""
        try:
            async with self._records.connection() as db, db.transaction():
                for pk in pks:
                    await self._records.delete(
                        db, _actor(request), self._resource, UUID(str(pk))
                    )
        except ApiError as error:
            raise ActionFailed(error.detail) from error
        return len(pks)

    async def repr(self, obj: Any, request: Request) -> str:
        """What a person calls the row."""
        for name in ("title", "name", "full_name", "code", "email"):
            if getattr(obj, name, None):
                return str(getattr(obj, name))
        return str(obj.id)

    def _typed(self, data: dict[str, Any]) -> dict[str, Any]:
        """What the form gave, in the types of the API."""
        typed: dict[str, Any] = {}
        problems: dict[str | int, Any] = {}
        for name, value in data.items():
            field = self._resource.fields[name]
            if value == "" and (field.nullable or field.kind != "text"):
                value = None
            if field.kind in ("texts", "uuids") and not value:
                value = None if field.nullable else []
            try:
                typed[name] = (
                    None
                    if value is None
                    else msgspec.convert(value, field.python, strict=False)
                )
            except msgspec.ValidationError:
                problems[name] = f"Not a {field.kind}."
        if problems:
            raise FormValidationError(problems)
        return typed


class _Row(SimpleNamespace):
    """A row as attributes; a hidden column is None."""

    def __init__(self, row: dict[str, Any]) -> None:
        super().__init__(**{k: _plain(v) for k, v in row.items()})

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _form(field: Field, makes: Collection[str]) -> BaseField:
    """The form's part for a column."""
    needed = field.name in makes and not field.nullable and not field.has_default
    label = field.name.replace("_", " ").capitalize()
    if field.allowed is not None and field.kind == "text":
        choices = [(word, word.replace("_", " ")) for word in field.allowed]
        return EnumField(field.name, label=label, choices=choices, required=needed)
    if field.name in LONG:
        return TextAreaField(field.name, label=label, required=needed)
    make = _FORMS.get(field.kind, StringField)
    return make(field.name, label=label, required=needed)


def _staff(request: Request) -> Staff:
    staff = staff_of(request)
    assert staff is not None, "the door lets nobody in who is nobody"
    return staff


def _actor(request: Request) -> Actor:
    return Actor(_staff(request), str(request.scope.get("client_address", "")))


def _refused(error: ApiError, fields: Sequence[BaseField]) -> FormValidationError:
    """A refusal at its fields; one of no field stands at the first."""
    names = {field.name for field in fields}
    told: dict[str | int, Any] = {
        problem.field: problem.detail
        for problem in error.errors
        if problem.field in names
    }
    return FormValidationError(told or {fields[1].name: error.detail})


class Nonced(BaseLoader):
    """The templates with the request's nonce at each script, and without the font of
    another host: the content policy allows neither."""

    def __init__(self) -> None:
        self._inner = PackageLoader("starlette_admin", "templates")
        theme = importlib.resources.files("starlette_admin")
        assert theme.is_dir()

    def get_source(self, environment: Environment, template: str) -> Any:
        """The source of a template, changed."""
        source, name, fresh = self._inner.get_source(environment, template)
        source = source.replace(
            "@import url('https://rsms.me/inter/inter.css');", ""
        ).replace("<script", '<script nonce="{{ request.scope.nonce }}"')
        return source, name, fresh


def make(records: Records, secret_key: str) -> Starlette:
    """The application to be mounted at /admin."""
    admin = BaseAdmin(
        title="Tables",
        base_url="/admin",
        auth_provider=Door(),
        secret_key=secret_key,
        additional_loaders=[Nonced()],
        templates_dir="",
        favicon_url=lambda _: "/img/mark.svg",
    )
    for resource in RESOURCES:
        admin.add_view(Table(records, resource))
    outer = Starlette()
    admin.mount_to(outer)
    return outer
