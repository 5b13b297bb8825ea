"""Sentences about a verdict: for the steward, for the guest, what to do. Pure.

One catalogue (`web/i18n`) for server and devices: keys are
`verdict.<verdict>.<reason>.<kind>` with the kinds message, guest and action. Where the
arguments tell a nearer cause, a variant of the reason says it: `<variant>`,
`<variant>_guest`, `<variant>_action`; a kind without that variant is said as always.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ops.admission.days import zone
from ops.admission.questions import Question
from ops.admission.scan_facts import Args
from ops.cache.entry import from_ms
from ops.texts import Texts

Kind = Literal["message", "guest", "action"]

_TIMES = ("since", "when")
_NEXT_DAY = frozenset(
    {"passes_used", "already_used", "already_inside", "re_entry_not_allowed"}
)


def variant(reason: str, args: Args) -> str:
    """The nearer cause that the arguments tell, or ""."""
    if args.get("just_now"):
        return "just_now"
    if args.get("perhaps_banned"):
        return "perhaps_banned"
    match reason:
        case "wrong_area" if args.get("unplanned"):
            return "unplanned"
        case "wrong_area" | "doors_closed" if args.get("gate"):
            return "use_instead"
        case "doors_closed" if args.get("held"):
            return "held"
        case "area_full" if args.get("overflow"):
            return "overflow"
        case "area_full" if args.get("fits"):
            return "some_fit"
        case "not_registered" if args.get("at_door"):
            return "at_door"
        case "needs_count" if args.get("leaving"):
            return "leaving"
        case "too_early" if args.get("gap"):
            return "gap"
        case "admission_stopped" if args.get("where") in ("area", "gate"):
            return f"at_{args['where']}"
        case _ if reason in _NEXT_DAY and args.get("when"):
            return "next_day"
    return ""


def printable(args: Args, timezone: str, now: datetime) -> dict[str, object]:
    """Arguments with times as clock times of the event; with the date if it differs."""
    said: dict[str, object] = dict(args)
    for name in _TIMES:
        value = args.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            said[name] = _clock(timezone, value, now)
    return said


def _clock(timezone: str, value_ms: int, now: datetime) -> str:
    where = zone(timezone)
    at = from_ms(value_ms).astimezone(where)
    same_day = at.date() == now.astimezone(where).date()
    return at.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M")


class Wording:
    """Says verdicts and questions in a language."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def say(
        self,
        language: str,
        verdict: str,
        reason: str,
        kind: Kind,
        args: dict[str, object],
        which: str = "",
    ) -> str:
        """The sentence; `args` are printable, `which` is the variant."""
        key = f"verdict.{verdict}.{reason}."
        if which:
            special = which if kind == "message" else f"{which}_{kind}"
            if self._texts.has(key + special):
                return self._texts.say(language, key + special, args)
        return self._texts.say(language, key + kind, args)

    def ask(self, language: str, question: Question) -> str:
        """The text of a question: in this language, else in any that it has."""
        if question.id is None:
            return self._texts.say(language, "question.age", {"years": question.years})
        return _of(question.text, language)

    def order(self, language: str, people: int, held: int) -> str:
        """What became of a whole order."""
        key = "order.all" if not held else "order.some"
        return self._texts.say(language, key, {"people": people, "held": held})


def option(texts: dict[str, str], language: str, value: str) -> str:
    """The text of an offered answer; without texts, the answer itself."""
    return _of(texts, language) or value


def _of(texts: dict[str, str], language: str) -> str:
    found = texts.get(language[:2])
    return found if found is not None else next(iter(texts.values()), "")
