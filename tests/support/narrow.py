"""A line that carries only so much: a UDP relay on loopback, between a browser and a TURN server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

QUEUE_S = 0.5
"""What waits longer than this before the narrow place is lost there, as in a modem."""


class NarrowLine:
    """What the line carries from the one who opens it.

    Attributes:
        port: Where it is entered, on 127.0.0.1.
        bps: How much it carries, in bits a second; None: all.
        lost: How many packets did not get through.
    """

    def __init__(self) -> None:
        self.port = 0
        self.bps: int | None = None
        self.lost = 0
        self._free_s = 0.0

    def carry(self, data: bytes, send: Callable[[bytes], None]) -> None:
        """Send a packet when it is its turn, or lose it."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        if self.bps is None:
            send(data)
            return
        begins_s = max(self._free_s, now_s)
        if begins_s - now_s > QUEUE_S:
            self.lost += 1
            return
        self._free_s = begins_s + len(data) * 8 / self.bps
        loop.call_at(self._free_s, send, data)


@contextlib.asynccontextmanager
async def narrow_line(*, to_port: int) -> AsyncIterator[NarrowLine]:
    """Hand on what comes, as much as the line carries, and all of the answers, until the end."""
    line, inner = NarrowLine(), dict[tuple, asyncio.DatagramTransport]()
    loop = asyncio.get_running_loop()

    class Entrance(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple) -> None:
            if addr in inner:
                line.carry(data, inner[addr].sendto)
            else:
                tasks.append(asyncio.create_task(open_for(addr, data)))

    class Exit(asyncio.DatagramProtocol):
        def __init__(self, caller: tuple):
            self.caller = caller

        def datagram_received(self, data: bytes, addr: tuple) -> None:
            entrance.sendto(data, self.caller)

    async def open_for(caller: tuple, data: bytes) -> None:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Exit(caller), remote_addr=("127.0.0.1", to_port)
        )
        inner[caller] = transport
        transport.sendto(data)

    tasks: list[asyncio.Task] = []
    entrance, _ = await loop.create_datagram_endpoint(Entrance, local_addr=("127.0.0.1", 0))
    line.port = entrance.get_extra_info("sockname")[1]
    try:
        yield line
    finally:
        await asyncio.gather(*tasks)
        for transport in (entrance, *inner.values()):
            transport.close()
