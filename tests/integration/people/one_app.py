"""One application for all tests of a process: making it takes longer than a test.

The runtime is new for each test. What the application holds of the one before is
exchanged: the parts that handlers ask for, and the state of the three objects that
stand in its middleware, its hooks and at /admin.
"""

from __future__ import annotations

from litestar import Litestar

from ops.app import build, parts_of
from ops.runtime import Runtime

HELD = ("authentication", "idempotency", "table_admin")


class OneApp:
    """Makes the application at the first runtime and keeps it."""

    def __init__(self) -> None:
        self._made: tuple[Litestar, Runtime] | None = None

    def around(self, runtime: Runtime) -> Litestar:
        """The application, with this runtime's parts; its lifespan is not used."""
        if self._made is None:
            self._made = build(runtime), runtime
        app, first = self._made
        app.state.parts.update(parts_of(runtime))
        for name in HELD:
            held, new = getattr(first, name), getattr(runtime, name)
            if held is not new:
                vars(held).clear()
                vars(held).update(vars(new))
        return app


ONE_APP = OneApp()
