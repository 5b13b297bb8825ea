"""The documents tell the truth: what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops import metrics
from ops.admission.verdicts import REASONS
from ops.cache import keys
from ops.live.codes import CloseCode
from ops.settings import PREFIX, Settings
from tests.architecture import rules
from tests.architecture.rules import ROOT, sources, text_of

DOCUMENTS = sources(".md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_names_is_there(name: str) -> None:
    assert rules.lost(text_of(name), (ROOT / name).parent) == []


def test_what_is_not_there_is_found() -> None:
    text = (
        "`ops/admission/decision.py` `ops/admission/nobody.py` [a](docs/none.md)"
        " `ops.admission.decision` `ops.admission.nothing` `make test` `make coffee`"
        " `tests/architecture/test_documents.py::test_nobody`"
    )
    assert set(rules.lost(text, Path(ROOT))) == {
        "ops/admission/nobody.py",
        "docs/none.md",
        "ops.admission.nothing",
        "tests/architecture/test_documents.py::test_nobody",
        "make coffee",
    }


def test_metrics() -> None:
    """The table of docs/subsystems/metrics.md is the catalogue."""
    text = text_of("docs/subsystems/metrics.md")
    told = set(re.findall(r"^\| `(ops_\w+)`", text, re.MULTILINE))
    known = set()
    for family in metrics.REGISTRY.collect():
        suffix = "_total" if family.type == "counter" else ""
        known.add(family.name + suffix)
    assert told == known


def test_every_metric_is_used() -> None:
    code = "".join(
        text_of(name)
        for name in sources(".py", under="ops/")
        if "metrics.py" not in name
    )
    names = re.findall(
        r"^(\w+) = (?:Counter|Gauge|Histogram)\(",
        text_of("ops/metrics.py"),
        re.MULTILINE,
    )
    assert [name for name in names if f"metrics.{name}" not in code] == []


def test_cache_keys() -> None:
    """The table of docs/subsystems/cache.md names each key of an event."""
    text = text_of("docs/subsystems/cache.md")
    told = set(re.findall(r"^\| `:(\w)` \|", text, re.MULTILINE))
    source = text_of("ops/cache/keys.py")
    assert told == set(re.findall(r"\}:(\w)\"", source))
    assert f"Layout version {keys.LAYOUT_VERSION}" in text


def test_nobody_else_builds_a_key() -> None:
    others = [
        name for name in sources(".py", under="ops/") if name != "ops/cache/keys.py"
    ]
    assert [name for name in others if re.search(r"\{+ev:", text_of(name))] == []


def test_close_codes() -> None:
    text = text_of("docs/protocol.md")
    assert [code.name for code in CloseCode if str(code.value) not in text] == []


def test_reasons() -> None:
    """docs/subsystems/admission.md has a row for each reason, and who clears it."""
    text = text_of("docs/subsystems/admission.md")
    rows = re.findall(r"^\| `(\w+)` \| (\w+)[^|]*\| ([\w -]+) \|", text, re.MULTILINE)
    assert {reason for reason, _, _ in rows} == set(REASONS)
    for reason, verdict, clear_by in rows:
        rule = REASONS[reason]
        assert rule.verdict == verdict, reason
        said = clear_by.replace("-", "nobody").replace(" ", "_")
        assert rule.clear_by == said, reason


def test_settings() -> None:
    """Every setting is told to those who run the program."""
    text = text_of("docs/runbook.md")
    names = [f"{PREFIX}{name.upper()}" for name in Settings.__struct_fields__]
    assert [name for name in names if name not in text] == []
