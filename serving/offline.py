"""Offline mode: an understudy of our own, as a process that lives as long as the server."""

import contextlib
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import certifi

from pipeline.settings import ROOT

READY_S = 20.0
"""How long the understudy may take to start; 1 s is usual."""


class OfflineError(Exception):
    """The understudy did not start; the message is one sentence for the user."""


@contextlib.contextmanager
def understudy(*, record: Path | None) -> Iterator[str]:
    """Run an understudy, and point the SDKs of this process at it by their own variables.

    It gets a process group of its own, so that Ctrl-C reaches the server first, and ends when its
    standard input does, so that it cannot outlive the server.

    Args:
        record: Where it records all that reaches it, one JSON line each; None: nowhere.

    Yields:
        Its address.

    Raises:
        OfflineError: When it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="salon-understudy-") as folder:
        options = ["--port", "0", "--until-eof", "--cert-dir", folder]
        if record:
            options += ["--record", str(record.resolve())]
        process = subprocess.Popen(
            [sys.executable, "-m", "understudy", *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        try:
            url = _address(process)
            trusted = Path(folder, "trusted.pem")
            # Daily and others are still reached with the usual certificates.
            ours = Path(folder, "cert.pem").read_text()
            trusted.write_text(Path(certifi.where()).read_text() + ours)
            os.environ.update(
                GOOGLE_API_KEY="offline", GOOGLE_GEMINI_BASE_URL=url, SSL_CERT_FILE=str(trusted)
            )
            yield url
        finally:
            _stop(process)


def _address(process: subprocess.Popen[str]) -> str:
    """Wait for the line that says where it listens."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        deadline = time.monotonic() + READY_S
        while selector.select(max(0.0, deadline - time.monotonic())):
            line = process.stdout.readline()
            match line.split():
                case ["understudy", "ready", url, *_]:
                    return url
                case []:
                    break
    raise OfflineError("The understudy did not start; `python -m understudy` says why.")


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    try:
        process.wait(timeout=1.5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
