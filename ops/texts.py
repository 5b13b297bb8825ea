"""The catalogue of texts for people: `web/i18n/<language>.json`, read once.

Pages read the same files. Stored answers keep a key and arguments, never a sentence,
so an answer can be said again in another language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

_PLACE = re.compile(r"\{(\w+)\}")

Template = tuple[str, ...]
"""A sentence cut at its places: text, place, text, place .. text."""


class Texts:
    """Sentences by language and key.

    Args:
        folder: the folder of the catalogue, one JSON object of texts a language.
        default: the language for those that are not in the catalogue.
    """

    def __init__(self, folder: Path, default: str = "en") -> None:
        self._texts: dict[str, dict[str, str]] = {
            file.stem: msgspec.json.decode(file.read_bytes(), type=dict[str, str])
            for file in sorted(folder.glob("*.json"))
        }
        self._templates: dict[str, dict[str, Template]] = {
            language: {key: tuple(_PLACE.split(text)) for key, text in texts.items()}
            for language, texts in self._texts.items()
        }
        self._default = default

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the catalogue."""
        return tuple(self._texts)

    def has(self, key: str) -> bool:
        """Whether the catalogue knows this key."""
        return key in self._texts[self._default]

    def word(self, language: str, group: str, code: str | None) -> str:
        """What people call a code of the program (`<group>.<code>`); itself where the
        catalogue has no word for it, nothing for none."""
        key = f"{group}.{code}"
        return self.say(language, key, {}) if self.has(key) else code or ""

    def say(self, language: str, key: str, args: Mapping[str, object]) -> str:
        """The sentence of a key, its places filled.

        A place without an argument takes the catalogue's `default.<place>`; a key
        that is not there is returned itself, so that a person still sees something.
        """
        templates = self._templates.get(language[:2]) or self._templates[self._default]
        template = templates.get(key) or self._templates[self._default].get(key)
        if template is None:
            return key
        if len(template) == 1:
            return template[0]
        parts = list(template)
        for at in range(1, len(parts), 2):
            value = args.get(parts[at])
            if value is None or value == "":
                parts[at] = templates.get(f"default.{parts[at]}", ("",))[0]
            else:
                parts[at] = str(value)
        return "".join(parts)
