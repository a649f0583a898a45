"""One load on one server: an understudy, the server and the callers, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from bench.media.callers import Order
from bench.media.calling import CallersError, calling
from bench.media.conversation import Call, Talk
from bench.media.figures import Event
from bench.media.line import LINES
from bench.media.servers import ROOT, System, running
from bench.running import Running, busy_s, understudy

_ANSWER = "Good to hear you again today my friend. ."
"""Without a pause, so that silence means that it was cut; and a third of a second of silence at its
end, for a server that holds less than a frame until the next answer plays what it holds there."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is done to a server.

    Attributes:
        system: Which.
        sessions: How many call at a time.
        camera: Whether they show something.
        line: The name of their line.
        turns: Questions of each that count.
        barge_ins: How often each interrupts.
    """

    system: System
    sessions: int
    camera: bool
    line: str = "clean"
    turns: int
    barge_ins: int

    def order(self, url: str) -> Order:
        """What the callers are told."""
        line = LINES[self.line]
        talk = Talk(turns=self.turns, barge_ins=self.barge_ins, loses_one=line.loses_one)
        return Order(
            kind=self.system.kind,
            url=url,
            sessions=self.sessions,
            camera=self.camera,
            talk=talk,
            line=line,
        )


@dataclass(frozen=True)
class Outcome:
    """What came of a load.

    Attributes:
        calls: What the callers noted down.
        record: What the understudy recorded.
        cpu_s: The server's, for each session-minute; None without a server.
        memory_mb: The server's, for each session; None without one.
        lag_ms: By how much the server's event loop was late, 20 times a second; none without one.
        others_cores: What the machine did besides, meanwhile.
    """

    calls: list[Call]
    record: list[Event]
    cpu_s: float | None
    memory_mb: float | None
    lag_ms: list[float]
    others_cores: float


def run(load: Load) -> Outcome:
    """Puts a load on a server.

    Raises:
        ServerError: The server does not start.
        CallersError: The callers could not call, or not talk to the end.
    """
    with tempfile.TemporaryDirectory(prefix="bench-media-") as name:
        folder = Path(name)
        record = folder / "record.jsonl"
        scenario = folder / "scenario.yaml"
        scenario.write_text(json.dumps({"answers": [{"say": _ANSWER}]}))
        options = ("--scenario", str(scenario), "--record", str(record), "--profile", "3.8")
        try:
            with understudy(*options, module="bench.media.timed_understudy") as model:
                variables = {
                    "GOOGLE_API_KEY": "bench",
                    "GOOGLE_GEMINI_BASE_URL": model.base_url,
                    "SSL_CERT_FILE": model.certificate,
                }
                calls, used = _run(load, model, variables, folder)
        finally:
            _keep(folder, load)
        events = [json.loads(line) for line in record.read_text().splitlines()]
    return Outcome(calls, events, *used)


def _run(
    load: Load, model: Running, variables: dict[str, str], folder: Path
) -> tuple[list[Call], tuple[float | None, float | None, list[float], float]]:
    with contextlib.ExitStack() as stack:
        server = None
        if load.system.is_served:
            server = stack.enter_context(
                running(load.system, model=variables, camera=load.camera, folder=folder)
            )
        idle_bytes = server.settled_bytes() if server else 0
        order = load.order(server.url if server else "")
        callers = stack.enter_context(calling(order, variables, folder))
        watched = psutil.Process(callers.pid)

        def spent() -> np.ndarray:
            """Seconds: of the clock, the server, the other two, and all of the machine."""
            own = watched.cpu_times()
            ours = own.user + own.system + model.cpu_s
            return np.array([time.monotonic(), server.cpu_s if server else 0.0, ours, busy_s()])

        before = spent()
        callers.begin_to_talk()
        calls = callers.calls()
        wall_s, server_s, ours_s, all_s = spent() - before
        others = max(0.0, (all_s - ours_s - server_s) / wall_s)
        if not server:
            return calls, (None, None, [], others)
        cpu_s = server_s / (load.sessions * wall_s / 60)
        memory_mb = (server.memory_bytes - idle_bytes) / 1e6 / load.sessions
        begun_s, ended_s = min(c.begun_s for c in calls), max(c.ended_s for c in calls)
        return calls, (cpu_s, memory_mb, server.lag_ms(begun_s, ended_s), others)


def _keep(folder: Path, load: Load) -> None:
    """Keeps what the last load of each server left, to be read when figures surprise."""
    kept = ROOT / "logs" / "bench" / load.system.name.replace(" ", "-")
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for file in folder.glob("*.[lj]*"):
        shutil.copy(file, kept)


__all__ = ["CallersError", "Load", "Outcome", "run"]
