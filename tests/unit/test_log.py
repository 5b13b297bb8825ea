"""A log that takes no line (its disk is full) is no reason to stop."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import resource, sys
from ops import log, metrics

log.configure("info", "json", role="api")
logger = log.get("door")
print("the file is long already" * 10, file=sys.stderr)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
{say}
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
logger.info("there_is_room")
print(metrics.log_lines_lost_total._value.get())
"""


def run(say: str, log: Path) -> subprocess.CompletedProcess[str]:
    with log.open("wb") as errors:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM.format(say=say)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            timeout=60,
            check=False,
        )


def test_a_line_that_finds_no_room_is_counted_and_given_up(tmp_path: Path) -> None:
    ended = run("logger.error('journal_failed')", tmp_path / "log")
    assert (ended.returncode, ended.stdout) == (0, "1.0\n")
    assert "there_is_room" in (tmp_path / "log").read_text()


def test_what_writes_there_itself_would_be_ended_by_it(tmp_path: Path) -> None:
    """The control: without the stream of `ops.log` the limit is felt."""
    ended = run("print('journal_failed', file=sys.stderr)", tmp_path / "log")
    assert ended.returncode == 1
