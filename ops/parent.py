"""Children that cannot outlive their parent, whatever happens to it.

PR_SET_PDEATHSIG belongs to the *thread* that started the child: start children from a
thread that lives as long as they shall, usually the main one.
"""

from __future__ import annotations

import os


def dies_with_parent(signal_name: str) -> list[str]:
    """A command's prefix that ties the program to this process by the kernel.

    The shell closes the gap: a parent that died before the signal was asked for
    has left the child with another parent.
    """
    check = 'test "$PPID" = "$0" || exit 1; exec "$@"'
    tie = ["setpriv", "--pdeathsig", signal_name, "--"]
    return [*tie, "sh", "-c", check, str(os.getpid())]
