"""The rules of the house as functions: a text goes in, what is wrong comes out.

Each is shown a good and a bad sample before it is let loose on the tree.
"""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

FILE_LINES_MAX = 500
TEST_LINES_MAX = 700
FUNCTION_LINES_MAX = 70

STORE_CALLS = frozenset({"acquire", "execute", "fetch", "fetchrow", "fetchval"})

# In pieces, so that this file does not hold what it forbids.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("unpkg", "com"),
        ("jsdelivr", "net"),
        ("golang", "org"),
    )
]
_SLEEP = "asyncio.sleep("
_MACHINE = re.compile(r"(?<![\w.>}])/(?:work|tmp|root|home|Users)/[A-Za-z0-9]")
_PATH = re.compile(
    r"`([\w./-]+\.(?:py|sql|lua|md|json|js|mjs|toml|yml|css|html|png|txt))`"
)
_FOLDER = re.compile(
    r"`((?:ops|tests|docs|web|kiosk|load_tests|benchmarks|deploy)/[\w./-]*)`"
)
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
_MODULE = re.compile(r"`(ops(?:\.[a-z_0-9]+)+)(?:\.[A-Z]\w*(?:\.\w+)*)?(?:\(.*?\))?`")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_TARGET = re.compile(r"`make ([a-z-]+)")


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the project, by its path from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return tuple(
        name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()
    )


def sources(*suffixes: str, under: str = "") -> list[str]:
    """Tracked files of these kinds under a folder."""
    return [
        name for name in tracked() if name.startswith(under) and name.endswith(suffixes)
    ]


def text_of(name: str) -> str:
    """The text of a tracked file."""
    return (ROOT / name).read_text(encoding="utf-8")


def too_long(text: str, limit: int = FILE_LINES_MAX) -> list[str]:
    """Files end, and functions fit on a page."""
    found = []
    lines = text.count("\n")
    if lines > limit:
        found.append(f"{lines} lines")
    return found


def long_functions(text: str) -> list[str]:
    """Functions longer than a page."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                found.append(f"{node.name}: {lines} lines")
    return found


def late_imports(text: str) -> list[str]:
    """Imports inside functions, and the block that hides circles from the machine."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += [
                f"import in {node.name}"
                for inner in ast.walk(node)
                if isinstance(inner, ast.Import | ast.ImportFrom)
            ]
        if isinstance(node, ast.If):
            names = {getattr(part, "id", "") for part in ast.walk(node.test)}
            names |= {getattr(part, "attr", "") for part in ast.walk(node.test)}
            if "TYPE_CHECKING" in names:
                found.append("TYPE_CHECKING")
    return found


def unbounded_calls(text: str) -> list[str]:
    """Calls to a database without a time limit."""
    return [
        f"line {node.lineno}: {node.func.attr}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in STORE_CALLS
        and "timeout" not in {word.arg for word in node.keywords}
    ]


def own_loops(text: str) -> list[str]:
    """Endless loops that rest by themselves: what nobody thought of would end them."""
    return [
        f"{function.name}: line {loop.lineno}"
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.AsyncFunctionDef)
        for loop in ast.walk(function)
        if isinstance(loop, ast.While)
        and isinstance(loop.test, ast.Constant)
        and any(
            isinstance(part, ast.Await) and ast.unparse(part.value).startswith(_SLEEP)
            for part in ast.walk(loop)
        )
    ]


def places(text: str) -> list[str]:
    """Addresses that only this machine or this day knows."""
    found = [host for host in HOSTS if host in text]
    return found + [match.group() for match in _MACHINE.finditer(text)]


def unpinned(text: str) -> list[str]:
    """Requirements without an exact version and a hash; addresses of an index."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        said = line.split(" #")[0].strip()
        if not said or said.startswith("#"):
            continue
        if said.startswith("-") or "://" in said:
            found.append(said)
        elif "==" not in said or "--hash=sha256:" not in said:
            found.append(said.split()[0])
    return found


def targets(makefile: str) -> set[str]:
    """The targets of a Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


@cache
def _sql() -> str:
    return "".join(text_of(name) for name in sources(".sql", under="ops/"))


def _module(name: str) -> bool:
    """Whether a name is a package, a module, something in one, or in the database."""
    parts = name.split(".")
    if len(parts) == 2 and (name in _sql() or len(parts[1]) == 1):
        return True
    for end in (len(parts), len(parts) - 1):
        path = ROOT.joinpath(*parts[:end])
        file = path.with_suffix(".py")
        if file.is_file():
            return end == len(parts) or parts[-1] in file.read_text()
        if path.is_dir() and end == len(parts):
            return True
    return False


def lost(text: str, folder: Path) -> list[str]:
    """What a document names and nobody finds: files, modules, tests, targets."""
    found = []
    for match in [*_PATH.finditer(text), *_FOLDER.finditer(text)]:
        name = match.group(1)
        roots = (ROOT, folder, ROOT / "web", ROOT / "kiosk")
        # Samples, what a command makes, addresses of a server.
        sample = "NAME" in name or name.startswith(("out/", "/"))
        if "/" in name and not sample and not any((at / name).exists() for at in roots):
            found.append(name)
    found += [
        name for name in _LINK.findall(text) if not (folder / name).resolve().exists()
    ]
    found += [name for name in _MODULE.findall(text) if not _module(name)]
    for name, test in _TEST.findall(text):
        file = ROOT / name
        if not file.is_file() or f"def {test}(" not in file.read_text():
            found.append(f"{name}::{test}")
    known = targets((ROOT / "Makefile").read_text())
    found += [f"make {name}" for name in _TARGET.findall(text) if name not in known]
    return found
