"""A draft survives its row, and each route asks for the right permission."""

from __future__ import annotations

import msgspec
import pytest

from ops.announcements import routes
from ops.announcements.content import Words
from ops.announcements.service import Draft, check, draft_of
from ops.auth.guards import Requires
from ops.errors import Unprocessable


def test_a_draft_comes_back_from_its_row() -> None:
    draft = Draft(
        title="Doors open",
        content="Come in.",
        translations={"fr": Words("Portes ouvertes", "Entrez.")},
        delivery_method=["in_app", "email"],
        chain=True,
    )
    assert draft_of(msgspec.to_builtins(draft)) == draft


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(Unprocessable) as refused:
        check(Draft(title="", content="", delivery_method=[], chain_after_s=1))
    fields = {problem.field for problem in refused.value.errors}
    assert fields == {"title", "content", "delivery_method", "chain_after_s"}


def test_reading_needs_read_and_everything_else_write() -> None:
    for handler in routes.ROUTES:
        (guard,) = handler.guards
        assert isinstance(guard, Requires)
        names = handler.handler_id or str(handler)
        reads = handler.http_methods == {"GET"} and "recipients" not in names
        assert guard.action == ("read" if reads else "write"), names
