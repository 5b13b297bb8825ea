"""`ops openapi`: the description of the API, as the server would serve it."""

from __future__ import annotations

import msgspec

from ops.app import create_app
from ops.settings import Settings


def run(settings: Settings) -> bytes:
    """The document as indented JSON; needs no store."""
    # The parts want addresses, although nothing here connects to them.
    somewhere = msgspec.structs.replace(
        settings, database_url="postgresql:///ops", redis_url="redis://localhost"
    )
    document = create_app(somewhere).openapi_schema.to_schema()
    # Names of columns are a kind of str of the ORM's own.
    encoded = msgspec.json.encode(document, enc_hook=str)
    return msgspec.json.format(encoded, indent=2)
