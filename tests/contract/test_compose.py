"""docker-compose.yml says what the program understands, and nothing else.

Docker is not needed: the file is read, its settings go through `ops.settings`.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.auth.address import trusted_networks
from ops.cli import cli
from ops.settings import PREFIX, Settings, load

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
ROLES = ("migrate", "api", "live", "sync")
GIVEN = {"POSTGRES_PASSWORD": "secret", "OPS_SECRET_KEY": "k" * 40}


def filled(text: str, given: dict[str, str]) -> str:
    """The text with ${NAME:-default} and ${NAME:?message} as Compose fills them in."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match[1], match[2], match[3]
        if given.get(name):
            return given[name]
        if kind == ":?":
            raise KeyError(f"{name}: {rest}")
        return rest or ""

    return re.sub(r"\$\{(\w+)(:[-?])?([^}]*)\}", value, text)


def settings(service: str, **given: str) -> Settings:
    environ = SERVICES[service]["environment"]
    return load({k: filled(v, {**GIVEN, **given}) for k, v in environ.items()})


@pytest.mark.parametrize("service", ROLES)
def test_settings_are_known_and_fit_for_production(service: str) -> None:
    it = settings(service)
    assert it.env == "production"
    assert it.database_url.startswith("postgresql://ops:secret@postgres:")
    assert it.redis_url.startswith("redis://redis:")


@pytest.mark.parametrize("name", GIVEN)
def test_secrets_have_no_default(name: str) -> None:
    with pytest.raises(KeyError):
        settings("api", **{name: ""})


def test_values_in_the_file_are_texts() -> None:
    # YAML would make 8000 a number and `no` a false; the environment knows texts only.
    for service in SERVICES.values():
        for value in service.get("environment", {}).values():
            assert isinstance(value, str)


def test_names_of_ours_are_used_for_settings_alone() -> None:
    known = {PREFIX + field.upper() for field in Settings.__struct_fields__}
    used = set(re.findall(r"\bOPS_\w+", (ROOT / "docker-compose.yml").read_text()))
    used |= set(re.findall(r"\bOPS_\w+", (ROOT / "deploy/env.example").read_text()))
    assert used <= known


def test_every_role_runs_a_command_of_the_program() -> None:
    assert SERVICES["migrate"]["command"] == ["db", "upgrade"]
    for role in ("api", "live", "sync"):
        assert SERVICES[role]["command"] == ["serve", role]
    assert {"db", "serve"} <= set(cli.commands)


def test_the_journal_is_one_volume_of_api_and_sync() -> None:
    folder = str(settings("api").data_dir)
    for role in ("api", "sync"):
        assert f"ops:{folder}" in SERVICES[role]["volumes"]
    assert "ops" in COMPOSE["volumes"]
    assert f"VOLUME {folder}" in (ROOT / "Dockerfile").read_text()


def test_every_volume_is_declared_and_every_data_folder_kept() -> None:
    named = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert named == set(COMPOSE["volumes"])
    # PostgreSQL's image moved its folder in 18; at the old path nothing would be kept.
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]


def test_images_are_pinned_to_versions_that_are_safe() -> None:
    def version(service: str) -> tuple[int, ...]:
        found = re.fullmatch(r"[\w/]+:(\d+(?:\.\d+)+)", SERVICES[service]["image"])
        assert found, SERVICES[service]["image"]
        return tuple(map(int, found[1].split(".")))

    assert (15,) <= version("postgres") < (19,)
    # The advisories on Lua: 7.4.6, 8.0.4 and 8.2.2 are the first without them.
    redis = version("redis")
    assert (
        redis >= (8, 2, 2) or (8, 0, 4) <= redis < (8, 2) or (7, 4, 6) <= redis < (8,)
    )
    assert version("proxy") >= (2,)


def test_redis_never_forgets_by_itself() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    for words in ("--appendonly yes", "--maxmemory-policy noeviction", "--save "):
        assert words in command


def test_roles_wait_for_the_migration() -> None:
    for role in ("api", "live", "sync"):
        needs = SERVICES[role]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert needs["redis"]["condition"] == "service_healthy"


def test_only_the_proxy_is_reachable_from_outside() -> None:
    open_ones = {name for name, service in SERVICES.items() if "ports" in service}
    assert open_ones == {"proxy"}


def test_the_proxy_joins_pages_api_and_sockets_on_one_origin() -> None:
    caddy = (ROOT / "deploy/Caddyfile").read_text()
    it = settings("api")
    routes = dict(re.findall(r"handle (?:(/\w+) )?\{\s+reverse_proxy (\w+:\d+)", caddy))
    assert routes == {"/live": f"live:{it.live_port}", "": f"api:{it.port}"}
    assert re.search(r"handle /metrics \{\s+respond 404", caddy)
    assert it.live_url == "wss://localhost/live"
    assert settings("api", DOMAIN="doors.example.org").base_url == (
        "https://doors.example.org"
    )


def test_the_proxy_is_trusted_and_nobody_else() -> None:
    subnet = COMPOSE["networks"]["default"]["ipam"]["config"][0]["subnet"]
    trusted = list(trusted_networks(settings("api").trusted_proxies))
    assert trusted == [ipaddress.ip_network(subnet)]


def test_the_image_is_built_from_files_that_exist_and_are_not_ignored() -> None:
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.M
    )
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M)
    for source in " ".join(copied).split():
        name = source.rstrip("*")
        assert name.split("/")[0] in kept
        if not source.endswith("*"):
            assert (ROOT / name).exists(), name
