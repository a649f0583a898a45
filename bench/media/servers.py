"""The servers that are measured, each as a process of its own: Salon, and peers as published."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.media import loop_lag
from conformance.environments import InstallError, install_locked
from pipeline.settings import Settings
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "bench" / "peers"
_WRAPPER = Path(loop_lag.__file__).resolve()
_ENVIRONMENTS = PEERS / ".envs"
_START_S = 90
_STOP_S = 10
_SETTLED_BYTES = 500_000
_LAG_FILE = "lag.log"
RUN_FOLDER = "run"
"""Of Salon's server, in the folder of its traces."""


@dataclass(frozen=True, kw_only=True)
class System:
    """What can be called.

    Attributes:
        name: As in the table.
        kind: How it is called: see `callers.Order`.
        peer: The folder of its script and lock file; "" for Salon's own, or none.
        variables: What its environment needs besides.
    """

    name: str
    kind: str
    peer: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_served(self) -> bool:
        """Whether there is a server at all."""
        return self.kind != "floor"

    @property
    def shows(self) -> bool:
        """Whether it takes pictures."""
        return self.kind != "door"

    @property
    def is_webrtc(self) -> bool:
        """Whether a line can lose packets."""
        return self.kind in ("pipecat", "fastrtc")


SYSTEMS = {
    system.name: system
    for system in (
        System(name="Salon", kind="pipecat"),
        System(name="Salon WebSocket", kind="door"),
        System(name="floor", kind="floor"),
        System(name="Pipecat", kind="pipecat", peer="pipecat"),
        System(
            name="Pipecat with VAD", kind="pipecat", peer="pipecat", variables={"BENCH_VAD": "1"}
        ),
        System(name="FastRTC", kind="fastrtc", peer="fastrtc"),
        System(name="relay", kind="relay", peer="relay"),
    )
}


class ServerError(Exception):
    """A server did not start; the text says which and where to read why."""


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        url: Where.
        process: With all that it starts.
        lag_file: Where its processes note down how late their event loops are.
    """

    url: str
    process: psutil.Process
    lag_file: Path

    @property
    def cpu_s(self) -> float:
        """Processor seconds so far, of all its processes."""
        times = [process.cpu_times() for process in self._processes()]
        return sum(t.user + t.system for t in times)

    @property
    def memory_bytes(self) -> int:
        """Memory of all its processes that is no file's, and what they share counted once.

        Not USS: the pages of a library are a process's own until another one loads it too.
        """
        return sum(_anonymous_bytes(process.pid) for process in self._processes())

    def settled_bytes(self) -> int:
        """The same, once it no longer changes: what a server does after its start is no session's.

        Whatever it still does after ten seconds is taken as it is.
        """
        now = self.memory_bytes
        for _ in range(20):
            before = now
            time.sleep(0.5)
            now = self.memory_bytes
            if abs(now - before) < _SETTLED_BYTES:
                break
        return now

    def lag_ms(self, since_s: float, until_s: float) -> list[float]:
        """By how much its event loops were late, 20 times a second; from when and until when."""
        return loop_lag.lags(self.lag_file.read_text(), since_s=since_s, until_s=until_s)

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def _anonymous_bytes(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (kb,) = (line.split()[1] for line in rollup.splitlines() if line.startswith("Pss_Anon:"))
    return int(kb) * 1024


def install(system: System) -> None:
    """Makes the environment of a peer, when it is missing or its lock file has changed.

    Raises:
        InstallError: Something could not be installed.
    """
    if system.peer:
        logs = _ENVIRONMENTS / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        lock = PEERS / system.peer / "requirements.lock"
        install_locked(system.peer, lock, _ENVIRONMENTS / system.peer, logs=logs)


@contextlib.contextmanager
def running(
    system: System,
    *,
    model: Mapping[str, str],
    camera: bool,
    folder: Path,
    watches_loops: bool = True,
) -> Iterator[Server]:
    """Runs a server on a free port of the loopback interface.

    Args:
        system: Which.
        model: The variables that point it at the model.
        camera: Whether it will be shown something.
        folder: Where it leaves its traces.
        watches_loops: Whether it notes down how late its event loops are.

    Raises:
        ServerError: It does not start.
    """
    port = free_port()
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            _command(system, port, watches_loops=watches_loops),
            cwd=ROOT if not system.peer else PEERS / system.peer,
            env=_environment(system, model, camera=camera, folder=folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(system, url, process, folder)
        yield Server(url, psutil.Process(process.pid), folder / _LAG_FILE)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(system: System, port: int, *, watches_loops: bool) -> list[str]:
    options = ["--host", "127.0.0.1", "--port", str(port)]
    python, script = sys.executable, "runner.py"
    if system.peer:
        python, script = str(_ENVIRONMENTS / system.peer / "bin/python"), "server.py"
    return [python, *([str(_WRAPPER)] if watches_loops else []), script, *options]


def _environment(
    system: System, model: Mapping[str, str], *, camera: bool, folder: Path
) -> dict[str, str]:
    """What a developer has set for Salon, for Google's clients or as a proxy reaches no server."""
    foreign = ("GOOGLE_", "GEMINI_", "PYTHON")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in Settings.variables()
        and not name.upper().startswith(foreign)
        and not name.upper().endswith("_PROXY")
    }
    own = {
        "SALON_ICE_ADDRESSES": "127.0.0.1",
        "SALON_TURN_LOG_DIR": str(folder / "turns"),
        "SALON_RUN_DIR": str(folder / RUN_FOLDER),
        "SALON_DRAIN_S": "0",
        # What it can carry is what is to be found out.
        "SALON_MAX_SESSIONS": "64",
        "SALON_STARTS_PER_MINUTE": "100000",
        "BENCH_CAMERA": "1" if camera else "",
        loop_lag.FILE: str(folder / _LAG_FILE),
        # Nothing is looked up where there is no internet.
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
    }
    return {**kept, **own, **model, **system.variables}


def _wait_until_it_answers(
    system: System, url: str, process: subprocess.Popen[bytes], folder: Path
) -> None:
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/status", timeout=5):
                return
        except urllib.error.HTTPError:
            return  # an answer too
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    log = shutil.copy(folder / "server.log", _failed_log(system))
    raise ServerError(f"{system.name} does not start; the reason is in {log}")


def _failed_log(system: System) -> Path:
    path = ROOT / "logs" / "bench" / f"{system.name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


__all__ = ["SYSTEMS", "InstallError", "Server", "ServerError", "System", "install", "running"]
