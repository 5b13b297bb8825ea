"""A device that nobody can reach: a node process with the page's own code."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime
from typing import Any

from ops.ids import uuid7
from tests.device_engine import ROOT
from tests.integration.offline.kit import Phone

TRIES = 100
"""How often a part is sent until a busy server has decided all of it."""


class Isolated:
    """A device that nobody can reach, and the phone that it is when it comes back."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        node = shutil.which("node")
        assert node, "install node 20 or newer to test the pages' JavaScript"
        self.process = subprocess.Popen(
            [node, "--import", "./tests/js/register.mjs", "tests/js/device.mjs"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.queue: list[dict[str, Any]] = []
        self.waiting: list[str] = []
        """What it has not told the server yet."""

    def ask(self, op: str, **given: Any) -> Any:
        """One thing that happens on the device."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"op": op, **given}).encode() + b"\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        assert "failed" not in said, said["failed"]
        return said

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    async def download(self) -> Any:
        """The package, and the delta that brings its newest leases."""
        said: Any = {}
        for since in (None, "delta"):
            params = {"since": said["head"]["cursor"]} if since else {}
            answer = await self.phone.http.get(
                f"{self.phone.base}/offline-package",
                params=params,
                headers=self.phone.headers,
            )
            assert answer.status_code == 200, answer.text
            body = base64.b64encode(answer.content).decode()
            said = self.ask(
                "package",
                bytes=body,
                event=str(self.phone.event.id),
                waiting=self.waiting,
            )
        return said

    def scan(self, code: str, direction: str = "in", **change: Any) -> Any:
        """Decide alone; what the door showed waits for its upload."""
        at = datetime.now(UTC)
        body = {"id": str(uuid7()), "code": code, "direction": direction}
        body |= {"method": "qr_code", "scanned_at": at.isoformat(), **change}
        context = {
            "gate": {"id": str(self.phone.event.main_gate)},
            "role": "steward",
            "atMs": int(at.timestamp() * 1000),
            "scanId": body["id"],
        }
        said = self.ask("scan", body=body, context=context)
        self.queue.append(body | {"offline": True, "door": said["door"]})
        self.waiting.append(body["id"])
        return said

    async def come_back(self) -> Any:
        """Upload in parts, twice, and compare the counts.

        What a busy server could not decide in time is sent again, as a handheld does.
        """
        for _ in range(2):
            for at in range(0, len(self.queue), 7):
                await self._upload(self.queue[at : at + 7])
        self.waiting.clear()
        return await self.phone.post("offline-proof", self.ask("counts"))

    async def _upload(self, part: list[Any]) -> None:
        for _ in range(TRIES):
            said = await self.phone.post("scans/batch", {"scans": part})
            part = [
                record
                for record, result in zip(part, said["results"], strict=True)
                if result.get("error", {}).get("status") == 503
            ]
            if not part:
                return
        raise AssertionError(f"never decided: {part}")
