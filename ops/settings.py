"""Settings: read once from the environment, validated, handed down as a value.

Every name begins with `OPS_`. An unknown name or a bad value stops the start with
one line that names it; production refuses unsafe defaults. Nothing else in the
program reads the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ops.errors import SettingsError

PREFIX = "OPS_"
DEVELOPMENT_SECRET = "development-only-secret-key-do-not-deploy"
SECRET_KEY_LENGTH_MIN = 32

_TRIES = re.compile(r"[1-9]\d{0,4}(,[1-9]\d{0,4}){0,3}")

Port = Annotated[int, Meta(ge=0, le=65535)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a process; the field `x_y` is the variable `OPS_X_Y`.

    An empty `database_url` or `redis_url` means: the embedded server in `data_dir`.
    """

    env: Literal["development", "production"] = "development"
    data_dir: Path = Path(".data")
    database_url: str = ""
    redis_url: str = ""
    host: str = "127.0.0.1"
    port: Port = 8000
    live_port: Port = 8001
    public_url: str = ""
    secret_key: str = DEVELOPMENT_SECRET
    tls_cert: str = ""
    tls_key: str = ""
    trusted_proxies: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    language: Literal["en", "fr"] = "en"
    stripe_api_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_base: str = ""
    smtp_url: str = ""
    database_tries_ms: str = "200,250"
    """How long the door waits for PostgreSQL, try by try, before mode D."""
    steady_s: Annotated[float, Meta(ge=0)] = 10.0
    """How long PostgreSQL must work without a gap before it is used again."""

    @property
    def database_tries_s(self) -> tuple[float, ...]:
        """The tries in seconds."""
        return tuple(int(part) / 1000 for part in self.database_tries_ms.split(","))

    @property
    def base_url(self) -> str:
        """The origin under which people reach the pages, without trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "https" if self.tls_cert else "http"
        host = "localhost" if self.host in ("0.0.0.0", "::", "127.0.0.1") else self.host
        return f"{scheme}://{host}:{self.port}"

    @property
    def live_url(self) -> str:
        """Where sockets connect: the same origin behind a proxy, else the live port."""
        if self.public_url:
            return self.public_url.rstrip("/").replace("http", "ws", 1) + "/live"
        scheme = "wss" if self.tls_cert else "ws"
        host = "localhost" if self.host in ("0.0.0.0", "::", "127.0.0.1") else self.host
        return f"{scheme}://{host}:{self.live_port}/live"

    @property
    def allowed_origins(self) -> frozenset[str]:
        """Origins whose pages may use the cookie at a socket handshake (exact)."""
        origins = {self.base_url}
        if not self.public_url:
            scheme = "https" if self.tls_cert else "http"
            origins |= {
                f"{scheme}://{host}:{self.port}" for host in ("localhost", "127.0.0.1")
            }
        return frozenset(origins)


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings of this process.

    Raises:
        SettingsError: an unknown `OPS_` name, a value of the wrong kind, or (in
            production) a default that is not safe. The message is one line.
    """
    raw = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }
    unknown = sorted(set(raw) - set(Settings.__struct_fields__))
    if unknown:
        raise SettingsError(f"unknown setting {PREFIX}{unknown[0].upper()}")
    for name, value in raw.items():
        # One field at a time, so that the message can name the variable.
        try:
            msgspec.convert({name: value}, Settings, strict=False, dec_hook=_path)
        except msgspec.ValidationError as error:
            detail = str(error).split(" - at")[0]
            raise SettingsError(
                f"bad value for {PREFIX}{name.upper()}: {detail}"
            ) from None
    settings = msgspec.convert(raw, Settings, strict=False, dec_hook=_path)
    _check(settings)
    return settings


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError


def _check(settings: Settings) -> None:
    for name, value, schemes in (
        ("DATABASE_URL", settings.database_url, ("postgresql://", "postgres://")),
        (
            "REDIS_URL",
            settings.redis_url,
            ("redis://", "rediss://", "unix://", "redis+cluster://"),
        ),
        ("PUBLIC_URL", settings.public_url, ("http://", "https://")),
    ):
        if value and not value.startswith(schemes):
            raise SettingsError(
                f"bad value for {PREFIX}{name}: must start with {' or '.join(schemes)}"
            )
    if not re.fullmatch(
        r"[1-9]\d{0,4}(,[1-9]\d{0,4}){0,3}", settings.database_tries_ms
    ):
        raise SettingsError("bad value for OPS_DATABASE_TRIES_MS: expected 200,250")
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingsError("OPS_TLS_CERT and OPS_TLS_KEY go together: one is missing")
    if settings.env != "production":
        return
    if settings.secret_key == DEVELOPMENT_SECRET:
        raise SettingsError("OPS_SECRET_KEY must be set in production")
    if len(settings.secret_key) < SECRET_KEY_LENGTH_MIN:
        raise SettingsError(
            f"OPS_SECRET_KEY must have at least {SECRET_KEY_LENGTH_MIN} characters"
        )
    for name, value in (
        ("DATABASE_URL", settings.database_url),
        ("REDIS_URL", settings.redis_url),
        ("PUBLIC_URL", settings.public_url),
    ):
        if not value:
            raise SettingsError(f"{PREFIX}{name} must be set in production")
