"""What the tests of media streams share."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port
from tests.support.server import Server, running_server
from understudy.streams import Account, StreamCall, StreamPhone
from understudy.streams.account import SERVICES


@dataclass(frozen=True)
class Reachable:
    """A server with an account at each service, and where it looks for their APIs."""

    server: Server
    ports: dict[str, int]

    def phone(self, service: str) -> StreamPhone:
        """A telephone of a customer of a service."""
        return StreamPhone(service, self.server.url, port=self.ports[service])


@contextmanager
def reachable_server(folder: Path, **variables: str) -> Iterator[Reachable]:
    ports = {service: free_port() for service in SERVICES}
    port = free_port()
    for service, api_port in ports.items():
        variables |= Account(service=service).variables(f"http://127.0.0.1:{api_port}")
    # A key of Daily's, so that no stand-in for Daily is run along: nothing here needs a room.
    own = {"SALON_PUBLIC_URL": f"http://127.0.0.1:{port}", "DAILY_API_KEY": "unused-here"}
    variables = {**own, **variables}
    with running_server(folder, "--offline", port=port, **variables) as server:
        yield Reachable(server, ports)


def session_of(phone: StreamPhone) -> str:
    """The signed id of the session that a phone's last call was given."""
    found = re.search(r"/ws-phone/([\w.-]+)", phone.answers[-1][1])
    assert found, phone.answers
    return found[1]


def silent_since(call: StreamCall, at_s: float) -> float:
    """How long after a moment the caller still heard something, before a pause of 0.3 s."""
    last_s = at_s
    for heard_s, _ in call.heard:
        if heard_s > at_s:
            if heard_s > last_s + 0.3:
                break
            last_s = heard_s
    return last_s - at_s
