"""Callers as a process of their own, told what to do by its standard input."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.media.callers import Order
from bench.media.conversation import Call
from bench.media.servers import ROOT
from bench.running import stop


class CallersError(Exception):
    """The callers came to nothing; the text says where to read why."""


@dataclass(frozen=True)
class Calling:
    """Callers that are connected, and wait to be told to talk.

    Attributes:
        pid: Of their process.
    """

    pid: int
    _process: subprocess.Popen[str]
    _log: Path

    def begin_to_talk(self) -> None:
        """Has them talk."""
        _tell(self._process, "")

    def calls(self) -> list[Call]:
        """What they noted down, once they have talked; they stay on the line.

        Raises:
            CallersError: They could not talk to the end.
        """
        calls: list[dict[str, Any]] = json.loads(_line(self._process, self._log))
        return [Call.read(fields) for fields in calls]


@contextlib.contextmanager
def calling(order: Order, variables: Mapping[str, str], folder: Path) -> Iterator[Calling]:
    """Has callers call; they hang up afterwards.

    Args:
        order: Whom, and what they will talk about.
        variables: That point at the model.
        folder: Where they leave their log.

    Raises:
        CallersError: They could not call.
    """
    path = folder / "callers.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.media.callers"],
            cwd=ROOT,
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        _tell(process, order.as_json())
        _line(process, path)
        yield Calling(process.pid, process, path)
    finally:
        stop(process)


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str], log: Path) -> str:
    """What the callers say; they have a deadline of their own."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        words = log.read_text().strip().splitlines()
        raise CallersError(words[-1] if words else "the callers ended")
    return line
