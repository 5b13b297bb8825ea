"""Settings: what is read, what is refused, and how it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.errors import SettingsError
from ops.settings import DEVELOPMENT_SECRET, load

PRODUCTION = {
    "OPS_ENV": "production",
    "OPS_SECRET_KEY": "x" * 32,
    "OPS_DATABASE_URL": "postgresql://db/ops",
    "OPS_REDIS_URL": "redis://cache",
    "OPS_PUBLIC_URL": "https://doors.example.org",
}


def test_reads_every_kind_of_value() -> None:
    settings = load({"OPS_DATA_DIR": "/srv/ops", "OPS_PORT": "9000", "HOME": "/x"})
    assert settings.data_dir == Path("/srv/ops")
    assert settings.port == 9000


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OPS_PROT": "1"}, "unknown setting OPS_PROT"),
        ({"OPS_PORT": "high"}, "bad value for OPS_PORT"),
        ({"OPS_PORT": "70000"}, "bad value for OPS_PORT"),
        ({"OPS_ENV": "staging"}, "bad value for OPS_ENV"),
        ({"OPS_DATABASE_URL": "mysql://db"}, "bad value for OPS_DATABASE_URL"),
        ({"OPS_TLS_CERT": "cert.pem"}, "OPS_TLS_CERT and OPS_TLS_KEY go together"),
    ],
)
def test_names_what_is_wrong_in_one_line(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_production_starts_with_safe_values() -> None:
    assert load(PRODUCTION).env == "production"


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"OPS_ENV"}))
def test_production_refuses_each_unsafe_default(name: str) -> None:
    environ = {key: value for key, value in PRODUCTION.items() if key != name}
    with pytest.raises(SettingsError) as caught:
        load(environ)
    assert name in str(caught.value)


def test_production_refuses_the_known_secret() -> None:
    with pytest.raises(SettingsError):
        load({**PRODUCTION, "OPS_SECRET_KEY": DEVELOPMENT_SECRET})
