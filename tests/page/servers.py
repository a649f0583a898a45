"""Servers in a bad way, for the states that a good one does not get into."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import ROOT
from tests.support.server import Server, running_server
from tests.support.turnserver import SECRET, running_turnserver

KEY = "0123456789abcdef-a-key"
SHORT_S = 20
"""How long a call on the server `short` lasts; its page is warned a tenth before."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server, and what can be broken of it.

    Parameters:
        server: It.
        control_url: Where the understudy behind it is controlled.
        relay: The TURN server that carries its calls.
    """

    server: Server
    control_url: str | None = None
    relay: subprocess.Popen | None = None

    def stop_relay(self) -> None:
        """Let nothing through any more."""
        assert self.relay
        self.relay.send_signal(signal.SIGSTOP)

    def mend(self) -> None:
        """Make good what a test has broken."""
        if self.control_url:
            self.ask("DELETE", "/faults")
        if self.relay:
            self.relay.send_signal(signal.SIGCONT)

    def ask(self, method: str, path: str, body: object = None) -> None:
        """Of the understudy, as understudy/SCENARIOS.md says."""
        assert self.control_url
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.control_url}{path}", data, method=method)
        urllib.request.urlopen(request, timeout=5).close()


@contextlib.contextmanager
def beside_an_understudy(folder: Path, *options: str, **variables: str) -> Iterator[Place]:
    """A server whose model's service is an understudy with options of its own."""
    understudy = subprocess.Popen(
        [
            *[sys.executable, "-m", "understudy", "--port", "0", "--control-port", "0"],
            *["--until-eof", "--record", str(folder / "understudy.jsonl"), *options],
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with understudy:  # its end closes the pipe, which is what it waits for
        assert understudy.stdout
        lines = iter(understudy.stdout.readline, "Stop with Ctrl+C.\n")
        told = "".join(lines)
        url, certificate = re.findall(r"understudy ready (\S+) cert (\S+)", told)[0]
        (control_url,) = re.findall(r"curl (\S+)/faults", told)
        variables |= {"GOOGLE_GEMINI_BASE_URL": url, "SSL_CERT_FILE": certificate}
        with running_server(folder, **variables) as server:
            yield Place(server=server, control_url=control_url)


def breakable(folder: Path) -> contextlib.AbstractContextManager[Place]:
    """A server whose model breaks on command."""
    return beside_an_understudy(folder, GOOGLE_API_KEY="any-key")


def own_keys(folder: Path, key: str) -> contextlib.AbstractContextManager[Place]:
    """A server without a key to the model, whose service takes this one only."""
    return beside_an_understudy(
        folder,
        *("--keys", key),
        SALON_OWN_MODEL_KEYS="must",
        SALON_RUN_DIR=str(folder / "run"),
        SALON_LOG_LEVEL="TRACE",
        SALON_RESUME_S="30",
    )


@contextlib.contextmanager
def equipped(folder: Path) -> Iterator[Place]:
    """A server whose bot may search, and has a function."""
    program = ("-m", "tests.support.equipped")
    with running_server(folder, "--offline", program=program) as server:
        yield Place(server=server)


@contextlib.contextmanager
def short(folder: Path) -> Iterator[Place]:
    """A server whose calls are soon over."""
    with running_server(folder, "--offline", SALON_MAX_SESSION_S=str(SHORT_S)) as server:
        yield Place(server=server)


@contextlib.contextmanager
def full(folder: Path) -> Iterator[Place]:
    """A server that wants a key, and has a place for one, which is taken."""
    options = {"SALON_API_KEYS": f"visitors:{KEY}", "SALON_MAX_SESSIONS": "1"}
    with running_server(folder, "--offline", **options) as server:
        request = urllib.request.Request(
            f"{server.url}/start",
            b'{"transport": "webrtc"}',
            {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()
        yield Place(server=server)


@contextlib.contextmanager
def relayed(folder: Path) -> Iterator[Place]:
    """A server that may be reached through a TURN server."""
    with running_turnserver(folder) as turn:
        options = {
            "SALON_TURN_URLS": turn.url,
            "SALON_TURN_SECRET": SECRET,
            "SALON_RESUME_S": "30",
        }
        with running_server(folder, "--offline", **options) as server:
            yield Place(server=server, relay=turn.process)


SERVERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Place]]] = {
    "breakable": breakable,
    "equipped": equipped,
    "short": short,
    "full": full,
    "relayed": relayed,
}
