"""A real TURN server: coturn, on loopback, as long as a test needs it."""

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.coturn import WHAT_TO_DO, turnserver
from tests.support.ports import free_port

SECRET = "planted-turn-secret"
RELAY_PORTS = range(20_000, 20_200)
"""Below those that the system gives by itself. coturn passes over what is taken."""

PLAIN = f"""
min-port={RELAY_PORTS[0]}
max-port={RELAY_PORTS[-1]}
realm=salon.test
use-auth-secret
static-auth-secret={SECRET}
no-cli
no-tls
no-dtls
"""


@dataclass(frozen=True, kw_only=True)
class TurnServer:
    """A running coturn."""

    port: int
    folder: Path
    process: subprocess.Popen

    @property
    def url(self) -> str:
        """Its address, over UDP."""
        return f"turn:127.0.0.1:{self.port}"

    def log(self) -> str:
        """What it printed."""
        return (self.folder / "coturn.log").read_text()

    def relays(self, session_id: str, *, within_s: float = 10) -> list[tuple[int, int]]:
        """The relays of a session: the bytes that each took from others and sent to them.

        coturn tells when it has forgotten a relay, seconds after its end.
        """
        name = rf"username=<\d+:{session_id}>"
        opened = re.compile(rf"new, realm=.*{name}")
        usage = re.compile(rf"peer usage: .*{name}, rp=\d+, rb=(\d+), sp=\d+, sb=(\d+)")
        deadline = time.monotonic() + within_s
        while True:
            log = self.log()
            ended = [(int(taken), int(sent)) for taken, sent in usage.findall(log)]
            if ended and len(ended) == len(opened.findall(log)):
                return ended
            assert time.monotonic() < deadline, f"a relay of {session_id} is left:\n{log}"
            time.sleep(0.05)


@contextlib.contextmanager
def running_turnserver(folder: Path, configuration: str | None = None) -> Iterator[TurnServer]:
    """Run coturn for peers on loopback: never do that outside of tests.

    Args:
        folder: Where it keeps what it writes.
        configuration: The lines of a `turnserver.conf`; where it listens is added.
    """
    program = turnserver()
    assert program, WHAT_TO_DO
    port = free_port()
    here = f"""
listening-ip=127.0.0.1
listening-port={port}
relay-ip=127.0.0.1
allow-loopback-peers
userdb={folder / "users.sqlite"}
pidfile={folder / "coturn.pid"}
log-file=stdout
verbose
"""
    path = folder / "turnserver.conf"
    path.write_text((configuration or PLAIN) + here)
    with (folder / "coturn.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-c", path], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        turn = TurnServer(port=port, folder=folder, process=process)
        try:
            _wait_until_it_listens(turn, process)
            yield turn
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_listens(
    turn: TurnServer, process: subprocess.Popen, *, within_s: float = 10
) -> None:
    deadline = time.monotonic() + within_s
    while process.poll() is None and time.monotonic() < deadline:
        # UDP is what it opens last.
        if "UDP listener opened on" in turn.log():
            with socket.create_connection(("127.0.0.1", turn.port), timeout=1):
                return
        time.sleep(0.02)
    raise AssertionError(f"coturn does not listen; it printed:\n{turn.log()}")
