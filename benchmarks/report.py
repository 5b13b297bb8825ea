"""The figures as a table, a picture and a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import matplotlib as mpl
import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure, Target

mpl.use("Agg")

from matplotlib import pyplot as plt

GOOD, BAD, PLAIN, INK = "#1f7a4d", "#b3402e", "#51617a", "#1c2430"


def number(value: float) -> str:
    """A number with three digits that count."""
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(figures: list[Figure], title: str) -> Table:
    """The table of issue and README."""
    out = Table(title=title, title_justify="left", pad_edge=False)
    for name in ("figure", "value", "baseline", "ratio", "spread", "target"):
        justify: Any = "left" if name in ("figure", "baseline") else "right"
        out.add_column(name, justify=justify)
    for figure in figures:
        base = ""
        if figure.baseline is not None:
            base = f"{number(figure.baseline)} {figure.unit} {figure.baseline_name}"
        colour = {True: "green", False: "red", None: "default"}[figure.met]
        spread = figure.spread
        out.add_row(
            figure.name,
            f"{number(figure.value)} {figure.unit}".strip(),
            base,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            "" if spread is None else f"{spread[0]:.2f}-{spread[1]:.2f}",
            f"[{colour}]{figure.target or ''}[/]",
        )
    return out


def show(figures: list[Figure], machine: dict[str, Any]) -> None:
    """Print the table, and beside it what the figures are made of."""
    console = Console(width=max(Console().width, 132))
    console.print(table(figures, f"Figures on {machine['cpus']} cores"))
    console.print(
        f"load of the machine before the run: {machine['load'][0]:.1f} "
        "(a busy machine makes all rates smaller and their ratios less sure)"
    )
    for figure in figures:
        for key in ("parts_ms", "by_process", "profile"):
            if key in figure.details:
                console.print(f"{figure.name}, {key.replace('_', ' ')}:")
                for name, value in figure.details[key].items():
                    said = value if isinstance(value, list) else number(value)
                    console.print(f"  {name}: {said}")
        if "scans_a_batch" in figure.details:
            console.print(f"  scans a batch: {figure.details['scans_a_batch']:.1f}")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "load": list(os.getloadavg()),
        "kernel": os.uname().release,
    }


def save(path: Path, figures: list[Figure], on: dict[str, Any]) -> None:
    """Write everything that was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.encode({"machine": on, "figures": figures})
    path.write_bytes(msgspec.json.format(text, indent=1) + b"\n")


def draw(path: Path, figures: list[Figure]) -> None:
    """One bar a ratio with its target as a line, on a scale of its own."""
    drawn = [f for f in figures if f.target is not None and f.met is not None]
    if not drawn:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fig, axes = plt.subplots(
        len(drawn), 1, figsize=(9, 0.75 * len(drawn) + 0.6), squeeze=False
    )
    for axis, figure in zip(axes[:, 0], drawn, strict=True):
        assert figure.target is not None
        _bar(axis, figure, figure.target)
    fig.tight_layout(h_pad=0.4)
    fig.savefig(path, dpi=130)
    plt.close(fig)


def _bar(axis: Any, figure: Figure, target: Target) -> None:
    value = figure.value if figure.ratio is None else figure.ratio
    widest = max(value, target.limit, figure.spread[1] if figure.spread else 0) * 1.15
    axis.barh([0], [value], height=0.7, color=GOOD if figure.met else BAD)
    if figure.spread:
        axis.plot(figure.spread, [0, 0], color=INK, lw=1.2, marker="|", ms=7)
    axis.axvline(target.limit, color=INK, lw=1.5, ls=(0, (3, 2)))
    axis.set_xlim(0, widest or 1)
    axis.set_yticks([])
    axis.tick_params(labelsize=7, colors=PLAIN)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    said = f"{number(value)}{'' if figure.ratio is not None else ' ' + figure.unit}"
    against = f" / {figure.baseline_name}" if figure.baseline_name else ""
    axis.set_title(
        f"{figure.name}{against}:  {said}   (target {target})",
        fontsize=8.5,
        loc="left",
        color=INK,
        pad=3,
    )
