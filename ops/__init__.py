"""The event-day operations server.

Scanners send ticket codes; the server says who may come in, once and only once,
keeps every answer it gave, and shows the evening live. `docs/architecture.md` is
the map; a scan is decided in `ops/admission/decision.py`.
"""

__version__ = "0.1.0"
