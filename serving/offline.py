"""Offline mode: stand-ins of our own, as processes that live as long as the server."""

import contextlib
import json
import os
import secrets
import selectors
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import certifi

from pipeline.settings import ROOT, Settings

READY_S = 20.0
"""How long a stand-in may take to start; 1 s is usual."""
NUMBER = "+15550100"
"""What `make call` dials; numbers that begin so are nobody's."""
MESSAGE = "Nobody can take your call now. Please call again later."
RING = "ring.json"
"""In the run folder: where the stand-in for Daily is, for `make call`."""


class OfflineError(Exception):
    """A stand-in did not start; the message is one sentence for the user."""


@contextlib.contextmanager
def offline(settings: Settings, *, folder: Path, port: int) -> Iterator[None]:
    """Run the stand-ins, and point the SDKs of this process at them by their own variables.

    Each gets a process group of its own, so that Ctrl-C reaches the server first, and ends when its
    standard input does, so that it cannot outlive the server. Who has a key for Daily is offline
    for the model only.

    Args:
        settings: Of the server.
        folder: The run folder.
        port: Where the server listens, on this machine.

    Raises:
        OfflineError: When one does not start.
    """
    with contextlib.ExitStack() as stack:
        certificates = stack.enter_context(tempfile.TemporaryDirectory(prefix="salon-understudy-"))
        understudy = stack.enter_context(_understudy(settings, certificates))
        telephone = None
        if settings.daily_api_key is None:
            telephone = stack.enter_context(_telephone(folder, port))
        _use_understudy(_address(understudy, "understudy"), certificates)
        if telephone:
            url = _address(telephone, "daily")
            os.environ["DAILY_API_URL"] = url
            stack.enter_context(_announced(Path(folder, RING), {"url": url, "number": NUMBER}))
        os.environ["SALON_OFFLINE"] = "true"
        yield


def _understudy(settings: Settings, certificates: str):
    options = ["--port", "0", "--cert-dir", certificates]
    if record := settings.understudy_record:
        options += ["--record", str(record.resolve())]
    return _running("understudy", *options)


def _telephone(folder: Path, port: int):
    """Runs the stand-in for Daily, with a number that rings this server."""
    key, hmac = secrets.token_hex(16), b64encode(secrets.token_bytes(32)).decode()
    os.environ.update(DAILY_API_KEY=key, DAILY_PINLESS_HMAC_SECRET=hmac)
    webhook = f"http://127.0.0.1:{port}/daily-dialin-webhook"
    number = ["--number", NUMBER, "--webhook", webhook, "--message", MESSAGE]
    return _running("understudy.daily", "--port", "0", *number)


@contextlib.contextmanager
def _announced(path: Path, what: dict[str, str]) -> Iterator[None]:
    text = json.dumps(what)
    path.write_text(text)
    try:
        yield
    finally:
        if path.exists() and path.read_text() == text:  # not that of a server that took over
            path.unlink()


def _use_understudy(url: str, certificates: str) -> None:
    trusted = Path(certificates, "trusted.pem")
    # Others are still reached with the usual certificates.
    ours = Path(certificates, "cert.pem").read_text()
    trusted.write_text(Path(certifi.where()).read_text() + ours)
    os.environ.update(
        GOOGLE_API_KEY="offline", GOOGLE_GEMINI_BASE_URL=url, SSL_CERT_FILE=str(trusted)
    )


@contextlib.contextmanager
def _running(module: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *options, "--until-eof"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def _address(process: subprocess.Popen[str], name: str) -> str:
    """Wait for the line that says where it listens."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        deadline = time.monotonic() + READY_S
        while selector.select(max(0.0, deadline - time.monotonic())):
            line = process.stdout.readline()
            match line.split():
                case [said, "ready", url, *_] if said == name:
                    return url
                case []:
                    break
    module = "understudy" if name == "understudy" else f"understudy.{name}"
    raise OfflineError(f"The understudy did not start; `python -m {module}` says why.")


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    try:
        process.wait(timeout=1.5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
