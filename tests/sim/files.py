"""A model of the journals of a machine: files of lines, each with its owner."""

from __future__ import annotations

import itertools
from uuid import UUID

import msgspec

from ops.admission.journal import Mark
from ops.admission.lines import Found, Line, Owner, over


class FileModel:
    """The journal of one process incarnation."""

    def __init__(self) -> None:
        self.lines: dict[UUID, tuple[int, Line]] = {}
        self.alive = True
        self._seq = 0

    def append(self, lines: list[Line], marks: list[Mark]) -> None:
        """Lines go over those of the same scan; marks only go up."""
        for scan_id, state in marks:
            self._seq += 1
            known = self.lines.get(scan_id)
            if (
                known is not None
                and known[1].state in ("pending", "answered")
                and known[1].state != state
            ):
                changed = msgspec.structs.replace(known[1], state=state)
                self.lines[scan_id] = self._seq, changed
        for line in lines:
            self._seq += 1
            known = self.lines.get(line.scan_id)
            kept = over(known[1], line) if known is not None else line
            if kept is not None:
                self.lines[line.scan_id] = self._seq, kept

    def since(self, seq: int, limit: int, every: bool) -> tuple[list[Line], int]:
        """As `Journals.since`."""
        end = max((at for at, _ in self.lines.values()), default=seq)
        found = sorted(
            ((at, line) for at, line in self.lines.values() if at > seq),
            key=lambda one: one[0],
        )
        found = [(at, line) for at, line in found if every or line.mode == "D"]
        lines = [line for _, line in found[:limit]]
        return lines, found[limit - 1][0] if len(found) >= limit else max(seq, end)


class Files:
    """The folder of a machine."""

    def __init__(self) -> None:
        self.files: dict[int, FileModel] = {}
        self._numbers = itertools.count()

    def new(self) -> FileModel:
        """The file of a process that starts."""
        made = self.files[next(self._numbers)] = FileModel()
        return made

    def recall(self, scan_ids: list[UUID], own: FileModel | None) -> list[Found]:
        """Lines of these scans."""
        wanted = set(scan_ids)
        return [
            Found(file.lines[scan_id][1], _owner(file, own))
            for file in self.files.values()
            for scan_id in wanted & file.lines.keys()
        ]

    def look(self, ticket_ids: list[UUID], own: FileModel | None) -> list[Found]:
        """Lines for these tickets."""
        wanted = set(ticket_ids)
        return [
            Found(line, _owner(file, own))
            for file in self.files.values()
            for _, line in file.lines.values()
            if line.ticket_id in wanted
        ]


def _owner(file: FileModel, own: FileModel | None) -> Owner:
    if not file.alive:
        return "dead"
    return "own" if file is own else "live"
