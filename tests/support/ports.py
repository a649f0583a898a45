"""Ports for what is about to listen: nobody else gets them meanwhile."""

import itertools
import os
import random
import socket

_ALL = range(20_200, 32_000)
"""Below those that the system gives to outgoing connections, above the relays of coturn's tests."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, for TCP and for UDP."""
    return free_ports(1)[0]


def free_ports(count: int) -> range:
    """Neighbouring ports of 127.0.0.1 that nobody has, for TCP and for UDP."""
    for _ in _OWN:
        ports = [next(_next_ports) for _ in range(count)]
        if ports[-1] - ports[0] == count - 1 and all(map(_is_free, ports)):
            return range(ports[0], ports[0] + count)
    raise AssertionError("no free ports")


def _own() -> range:
    """The share of this process among those of pytest-xdist."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    size = len(_ALL) // count
    first = number % count * size  # one that replaces a broken one has a higher number
    return _ALL[first : first + size]


def _is_free(port: int) -> bool:
    here = ("127.0.0.1", port)
    try:
        with socket.create_server(here), socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.bind(here)
    except OSError:
        return False
    return True


_OWN = _own()
# Another run beside this one has the same share: they begin in different places.
_begin = random.Random(os.getpid()).randrange(len(_OWN))
_next_ports = itertools.cycle([*_OWN[_begin:], *_OWN[:_begin]])
