"""The server as a user runs it: `runner.py` as a process of its own, offline, on loopback."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.settings import ROOT, Settings
from tests.support.ports import free_port


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server and where it leaves its traces."""

    url: str
    process: subprocess.Popen
    folder: Path

    def record(self) -> list[dict[str, Any]]:
        """All that reached the understudy."""
        return _lines(self.folder / "understudy.jsonl")

    def turns(self, session_id: str) -> list[dict[str, Any]]:
        """The turns that are in the log of a session."""
        (path,) = (self.folder / "turns").glob(f"*{session_id.partition('.')[0]}.jsonl")
        return [line for line in _lines(path) if "side" in line]

    def log(self) -> str:
        """What it printed."""
        return (self.folder / "server.log").read_text()


@contextlib.contextmanager
def running_server(
    folder: Path,
    *options: str,
    program: Sequence[str] = ("runner.py",),
    port: int | str = 0,
    **variables: str,
) -> Iterator[Server]:
    """Run `runner.py`; what a developer has set in the environment does not reach it.

    Args:
        folder: For its traces.
        options: Of the command.
        program: Another program with the same options.
        port: To listen on; 0: one that is free.
        variables: Of its environment.
    """
    port = int(port) or free_port()
    environment = {k: v for k, v in os.environ.items() if k not in Settings.variables()}
    environment |= {
        "SALON_ICE_ADDRESSES": "127.0.0.1",
        "SALON_TURN_LOG_DIR": str(folder / "turns"),
        "SALON_UNDERSTUDY_RECORD": str(folder / "understudy.jsonl"),
        "SALON_LOG_LEVEL": "DEBUG",
        "SALON_DRAIN_S": "0",
        "SALON_RESUME_S": "2",
        "SALON_MAX_SESSIONS": "8",
        "SALON_STARTS_PER_MINUTE": "10000",
        **variables,
    }
    command = [sys.executable, *program, "--host", "127.0.0.1", "--port", str(port), *options]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        server = Server(url=f"http://127.0.0.1:{port}", process=process, folder=folder)
        try:
            _wait_until_it_answers(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(server: Server, *, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{server.url}/status", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"the server does not answer; it printed:\n{server.log()}")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
