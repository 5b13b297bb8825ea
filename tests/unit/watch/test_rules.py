"""Every alert has its words in both languages: what it is, and what to do."""

from __future__ import annotations

import json

import pytest

from ops.pages_dir import find
from ops.watch.rules import RULES


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_rule_says_what_it_is_and_what_to_do(language: str) -> None:
    texts = json.loads((find().web / "i18n" / f"{language}.json").read_text())
    for name, rule in RULES.items():
        assert f"page.alert.{name}" in texts
        assert f"page.alert.name.{name}" in texts
        if rule.gravity != "info":  # what is for information asks nobody for anything
            assert f"page.alert.do.{name}" in texts
