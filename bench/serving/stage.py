"""A model, and the real server that talks to it, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.media.figures import Event
from bench.media.servers import ROOT, RUN_FOLDER, Server, System, running
from bench.running import understudy

ANSWER = "Good to hear you again today my friend. ."
KEPT = ROOT / "logs" / "bench" / "serving"
_SETTLE_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A server that runs.

    Attributes:
        server: The server.
        model: The variables that point at its model.
        folder: Where all leave their traces.
        spares: How many of its processes wait for a call.
    """

    server: Server
    model: Mapping[str, str]
    folder: Path
    spares: int

    @property
    def run_folder(self) -> Path:
        """The server's."""
        return self.folder / RUN_FOLDER

    @property
    def forkserver(self) -> psutil.Process:
        """The process of which all sessions' are forks."""
        (found,) = (
            process
            for process in self.server.process.children()
            if "forkserver" in " ".join(process.cmdline())
        )
        return found

    def record(self) -> list[Event]:
        """What reached the model so far."""
        time.sleep(0.5)  # written by a thread
        *whole, _ = (self.folder / "record.jsonl").read_text().split("\n")
        return [json.loads(line) for line in whole]

    def settle(self) -> None:
        """Waits until no session is left and all spares wait; at most 15 seconds."""
        until_s = time.monotonic() + _SETTLE_S
        while time.monotonic() < until_s and not self._is_settled():
            time.sleep(0.1)
        time.sleep(0.3)

    def _is_settled(self) -> bool:
        names = [path.stem for path in self.run_folder.glob("*.sock")]
        waiting = sum(name.startswith("spare-") for name in names)
        processes = len(self.forkserver.children())
        return waiting == processes == self.spares and len(names) == self.spares + 1


@contextlib.contextmanager
def stage(*, spares: int, most: int = 8) -> Iterator[Stage]:
    """Runs a server offline on loopback, as a user would.

    Args:
        spares: How many of its processes wait for a call.
        most: How many sessions it takes.

    Raises:
        ServerError: It does not start.
    """
    variables = {"SALON_SPARE_PROCESSES": str(spares), "SALON_MAX_SESSIONS": str(most)}
    system = System(name="Salon", kind="pipecat", variables=variables)
    with tempfile.TemporaryDirectory(prefix="bench-serving-") as name:
        folder = Path(name)
        scenario = folder / "scenario.yaml"
        scenario.write_text(json.dumps({"answers": [{"say": ANSWER}]}))
        options = ("--scenario", str(scenario), "--record", str(folder / "record.jsonl"))
        try:
            with understudy(
                *options, "--profile", "3.8", module="bench.media.timed_understudy"
            ) as own:
                model = {
                    "GOOGLE_API_KEY": "bench",
                    "GOOGLE_GEMINI_BASE_URL": own.base_url,
                    "SSL_CERT_FILE": own.certificate,
                }
                with running(
                    system, model=model, camera=True, folder=folder, watches_loops=False
                ) as server:
                    yield Stage(server=server, model=model, folder=folder, spares=spares)
        finally:
            KEPT.mkdir(parents=True, exist_ok=True)
            for file in folder.glob("*.log"):
                shutil.copy(file, KEPT)
