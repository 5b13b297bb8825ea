"""docs/reliability.md: the table and the picture of what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from tests.faults.ground import ROOT
from tests.faults.guards import Caught
from tests.faults.scenario import Result

BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
_HEAD = (
    "fault",
    "acknowledged",
    "lost",
    "doubled",
    "amber",
    "unknown, and what became of it",
    "longest silence",
    "late",
    "longest without green",
    "first green afterwards",
    "merged /s",
    "kept",
)


def write(
    docs: Path,
    results: list[Result],
    caught: list[Caught],
    seed: int,
    took_s: float,
    how: str,
) -> None:
    """Put the figures into the page and the picture beside it; also of a run that is
    not over, so that one that is stopped is not lost."""
    page = docs / "reliability.md"
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    figures = "\n".join(
        [
            f"{datetime.now(UTC):%-d %B %Y}, seed {seed}, {len(results)} faults in "
            f"{took_s / 60:.0f} minutes, load average {os.getloadavg()[1]:.0f} on "
            f"{os.cpu_count()} cores, Python {platform.python_version()}, commit "
            f"{_commit()}, {how}. `late` is how long the harness itself was kept from "
            "its turn: so much of a silence is the machine's.",
            "",
            _table(results),
            "",
            _controls(caught),
        ]
    )
    page.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}")
    _draw(docs / "reliability.png", results)


def _commit() -> str:
    """What was measured: the commit, and whether something was changed since."""
    said = []
    for command in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain"]):
        done = subprocess.run(
            ["git", *command], cwd=ROOT, check=False, capture_output=True, text=True
        )
        said.append(done.stdout.strip())
    return f"{said[0] or 'unknown'}{' with changes' if said[1] else ''}"


def _table(results: list[Result]) -> str:
    lines = ["| " + " | ".join(_HEAD) + " |", "|" + "---|" * len(_HEAD)]
    for result in results:
        found = result.findings
        became = ", ".join(f"{n} {what}" for what, n in found.resolved.items())
        merged = f"{result.merge_per_s:.0f}" if result.merge_per_s else "-"
        kept = "yes" if result.good else f"**no**: {_wrong(result)}"
        cells = (
            result.name,
            found.acknowledged,
            found.lost,
            found.doubled + found.crowded,
            found.amber,
            f"{found.unknown}" + (f": {became}" if became else ""),
            f"{result.silence_s:.2f} s",
            f"{result.late_s:.2f} s",
            f"{result.gap_s:.2f} s",
            "-" if result.first_s is None else f"{result.first_s:.2f} s",
            merged,
            kept,
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _wrong(result: Result) -> str:
    words = [f"{name} {n}" for name, n in result.findings.broken.items()]
    words += [] if result.served else ["not served afterwards"]
    words += [] if result.converged else ["screens did not converge"]
    words += [result.stumbled] if result.stumbled else []
    return ", ".join(words)


def _controls(caught: list[Caught]) -> str:
    lines = ["| without | invariant | the checker said |", "|---|---|---|"]
    for one in caught:
        said = ", ".join(f"{name} {n}" for name, n in one.broken.items()) or "nothing"
        lines.append(f"| {one.name} | {one.invariant} | {said} |")
    return "\n".join(lines)


def _draw(path: Path, results: list[Result]) -> None:
    """Silence at a door and time without a green, a bar each a fault."""
    names = [result.name for result in results]
    figure, axes = pyplot.subplots(figsize=(9, 0.24 * len(names) + 1.4))
    places = list(range(len(names)))
    axes.barh(
        [p + 0.2 for p in places],
        [r.gap_s for r in results],
        0.4,
        color="#c98a1b",
        label="no green by the server, all doors",
    )
    axes.barh(
        [p - 0.2 for p in places],
        [r.silence_s for r in results],
        0.4,
        color="#1d6fa5",
        label="silence at a door (limit 1 s)",
    )
    axes.axvline(1.0, color="#1d6fa5", linewidth=0.8, linestyle="--")
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("seconds, the longest of each run")
    axes.legend(fontsize=8, loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
