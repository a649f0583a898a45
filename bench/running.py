"""An understudy in a process of its own, to be loaded, watched and left."""

from __future__ import annotations

import contextlib
import json
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from bench.holdings import Holdings

ROOT = Path(__file__).parents[1]
MODEL = "models/gemini-3.8-live"
_PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=bench"
_STOP_S = 15

SETUP = json.dumps(
    {
        "setup": {
            "model": MODEL,
            "generationConfig": {"responseModalities": ["AUDIO"]},
            "inputAudioTranscription": {},
            "outputAudioTranscription": {},
        }
    }
)


@dataclass(frozen=True)
class Running:
    """An understudy that runs.

    Attributes:
        url: Of a Live session, with a key.
        base_url: What clients take as base URL.
        certificate: The file with its certificate.
        trust: Trusts its certificate.
        process: To be watched.
        output: What it prints, after the line that says that it is ready.
    """

    url: str
    base_url: str
    certificate: str
    trust: ssl.SSLContext
    process: psutil.Process
    output: IO[str]

    def holdings(self) -> Holdings:
        """What it holds on to, of one that runs as `bench.watched`."""
        self.process.send_signal(signal.SIGUSR1)
        for line in self.output:
            if line.startswith("{"):
                return Holdings(**json.loads(line))
        raise RuntimeError("the understudy has ended")

    @property
    def memory_bytes(self) -> tuple[int, int]:
        """USS and PSS: what is its own, and that with its part of what it shares."""
        memory = self.process.memory_full_info()
        return memory.uss, memory.pss

    @property
    def cpu_s(self) -> float:
        """Processor seconds so far, of all its threads."""
        times = self.process.cpu_times()
        return times.user + times.system


@contextlib.contextmanager
def understudy(*options: str, module: str = "understudy") -> Iterator[Running]:
    """Runs an understudy on a free port of the loopback interface; it ends with this process.

    Args:
        options: Its command's options.
        module: What to run.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", module, "--port", "0"),
                *("--cert-dir", directory, "--until-eof", *options),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            words = process.stdout.readline().split()
            if words[:2] != ["understudy", "ready"]:
                raise RuntimeError("the understudy did not start")
            yield Running(
                url=words[2].replace("https", "wss") + _PATH,
                base_url=words[2],
                certificate=words[4],
                trust=ssl.create_default_context(cafile=words[4]),
                process=psutil.Process(process.pid),
                output=process.stdout,
            )
        finally:
            stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """End a process that ends with its standard input; one that does not is killed."""
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def busy_s() -> float:
    """Seconds that processors have worked, for anybody."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system
