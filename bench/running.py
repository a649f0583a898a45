"""An understudy in a process of its own, to be loaded, watched and left."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
MODEL = "models/gemini-3.8-live"
_PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=bench"
_STOP_S = 10

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
        trust: Trusts its certificate.
        process: To be watched.
    """

    url: str
    trust: ssl.SSLContext
    process: psutil.Process

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
def understudy(*, record: Path | None = None) -> Iterator[Running]:
    """Runs an understudy on a free port of the loopback interface; it ends with this process.

    Args:
        record: Where it records all that reaches it; None: nowhere.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "understudy", "--port", "0"),
                *("--cert-dir", directory, "--until-eof"),
                *(("--record", str(record)) if record else ()),
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
                trust=ssl.create_default_context(cafile=words[4]),
                process=psutil.Process(process.pid),
            )
        finally:
            process.stdin.close()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
