"""How a connection finds out where it can be reached: its ports, its public address, its relay.

aioice 0.13.0 binds any port, offers the address that it bound, waits 5 s for STUN and TURN servers
that do not answer, and says nothing of it. It has parameters for none of these, so the one method
that does all of it is replaced (`tests/test_ice.py` shows aioice's own).
"""

import asyncio
import copy
import errno
import ipaddress
import itertools
import random
import socket
from collections.abc import Iterable
from typing import Any

import aioice.ice
from aioice import Candidate, Connection
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol
from aioice.stun import TransactionError
from aioice.turn import UDP_SOCKET_BUFFER_SIZE
from loguru import logger

GATHER_S = 2.0
"""For how long a STUN or TURN server is waited for: long enough for a request to be sent three
times (after 0, 0.5 and 1.5 s), short enough for a caller who waits for the answer."""
TRIES = 256
"""How many ports are tried before others get a turn: under 1 ms."""


class PortsTakenError(Exception):
    """No port is left for a call; the message is one sentence for the user."""


class Gathering:
    """How the connections of this process find out where they can be reached.

    Args:
        ports: The UDP ports that they may listen on; None: any that the system gives. What they
            send from to a TURN server is not among them: nobody has to reach that from outside.
        public_addresses: What is offered instead of this machine's own addresses, which are those
            behind a 1:1 NAT: at most one of each version.
        within_s: How long STUN and TURN servers may take.
    """

    def __init__(
        self,
        *,
        ports: range | None = None,
        public_addresses: Iterable[str] = (),
        within_s: float = GATHER_S,
    ):
        self._ports = ports
        self._public = {ipaddress.ip_address(a).version: a for a in public_addresses}
        self._within_s = within_s

    def install(self) -> None:
        """Let all connections from now on do as this says."""

        async def get_component_candidates(
            connection: Connection, component: int, addresses: list[str], timeout: int = 0
        ) -> list[Candidate]:
            return await self._gather(connection, component, addresses)

        Connection.get_component_candidates = get_component_candidates  # pyright: ignore

    async def _gather(
        self, connection: Connection, component: int, addresses: Iterable[str]
    ) -> list[Candidate]:
        """What aioice's `get_component_candidates` does.

        Raises:
            PortsTakenError: When the range has no port left on one of the addresses.
        """
        hosts: list[StunProtocol] = []
        try:
            for address in addresses:
                if host := await self._host(connection, component, address):
                    hosts.append(host)
        except BaseException:
            for host in hosts:
                host.transport.close()
            raise
        connection._protocols += hosts
        offered = [self._offered(host.local_candidate) for host in hosts]
        return offered + [
            candidate
            for candidates in await asyncio.gather(
                self._reflexive(connection, hosts), self._relayed(connection, component)
            )
            for candidate in candidates
        ]

    async def _host(
        self, connection: Connection, component: int, address: str
    ) -> StunProtocol | None:
        try:
            sock = await _bind(address, self._ports)
        except OSError as error:
            logger.debug(f"WebRTC can't use {address}: {error.strerror}")
            return None
        transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: StunProtocol(connection), sock=sock
        )
        host, port = transport.get_extra_info("sockname")[:2]
        # The base: what the checks of this side come from stays the machine's own address.
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=host,
            port=port,
            type="host",
        )
        return protocol

    def _offered(self, candidate: Candidate) -> Candidate:
        offered = copy.copy(candidate)
        offered.host = self._public.get(_version(candidate), candidate.host)
        return offered

    async def _reflexive(
        self, connection: Connection, hosts: Iterable[StunProtocol]
    ) -> list[Candidate]:
        """What a STUN server sees of this machine, unless that is known; aioice: of IPv4 only."""
        server = connection.stun_server
        hosts = [host for host in hosts if _version(host.local_candidate) == 4]
        if server is None or not hosts or 4 in self._public:
            return []
        answers = await asyncio.gather(
            *(self._in_time(aioice.ice.server_reflexive_candidate(h, server)) for h in hosts)
        )
        found = [answer[0] for answer in answers if isinstance(answer, tuple)]
        if not found:
            logger.warning(f"The STUN server {_name(server)} is no help: {answers[0]}.")
        return found

    async def _relayed(self, connection: Connection, component: int) -> list[Candidate]:
        server = connection.turn_server
        if server is None:
            return []
        policy = connection._transport_policy
        answer = await self._in_time(
            aioice.ice.relayed_candidate(
                component=component,
                hide_related_address=policy == aioice.ice.TransportPolicy.RELAY,
                protocol_factory=lambda: StunProtocol(connection),
                turn_server=server,
                turn_username=connection.turn_username,
                turn_password=connection.turn_password,
                turn_ssl=_tls(connection),
                turn_transport=connection.turn_transport,
            )
        )
        if isinstance(answer, str):
            logger.warning(
                f"The TURN server {_name(server)} is no help: {answer}; "
                "the call goes on without a relay of its own."
            )
            return []
        candidate, protocol = answer
        connection._protocols.append(protocol)
        return [candidate]

    async def _in_time(self, answer):
        """What a server answers, or in words why not."""
        try:
            async with asyncio.timeout(self._within_s):
                return await answer
        except TransactionError as error:
            code = error.response.error_code if error.response else None
            if code == 401:
                return "it does not take the name and the password (401)"
            return f"it refused ({code})" if code else "it does not answer"
        except TimeoutError:
            return f"it did not answer within {self._within_s:g} s"
        except (OSError, ValueError) as error:
            return f"it can't be reached ({getattr(error, 'strerror', None) or error})"


async def _bind(address: str, ports: range | None) -> socket.socket:
    """A UDP socket on a free port, looked for from anywhere on, so that sessions seldom meet.

    Raises:
        PortsTakenError: When there is none.
        OSError: When the address can't be bound.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_SOCKET_BUFFER_SIZE)
        begin = random.randrange(len(ports)) if ports else 0
        for tried, port in enumerate(
            itertools.chain(ports[begin:], ports[:begin]) if ports else [0]
        ):
            if tried % TRIES == TRIES - 1:
                await asyncio.sleep(0)
            try:
                sock.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return sock
        assert ports
        raise PortsTakenError(
            f"No UDP port of SALON_ICE_PORTS={ports[0]}-{ports[-1]} is free on {address}: try again when a call has ended, or give more ports."
        )
    except BaseException:
        sock.close()
        raise


def _tls(connection: Connection) -> Any:
    """The TLS settings, for a server that is spoken to over TLS.

    aioice's own, made anew from the system's authorities, keep the event loop waiting for 70 ms.
    """
    if not connection.turn_ssl:
        return False
    from pipeline.live_client import shared_ssl_context  # loaded with the session anyway

    return shared_ssl_context()


def _version(candidate: Candidate) -> int:
    return ipaddress.ip_address(candidate.host).version


def _name(server: tuple[str, int]) -> str:
    return f"{server[0]}:{server[1]}"
