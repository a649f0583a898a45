"""A router with a public address in front of a machine that has only a private one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Nat:
    """What came in from outside for the private address."""

    def __init__(self):
        self.packets_in = 0
        self.packets_out = 0


@contextlib.asynccontextmanager
async def nat(*, public: str, private: str, port: int) -> AsyncIterator[Nat]:
    """Hand on what comes to a UDP port of the public address, and the answers, until the end.

    Stands for the 1:1 NAT of a cloud. Other than such a one it also hides the callers' addresses
    from the machine: a program can't send from theirs.
    """
    counts, inner = Nat(), dict[tuple, asyncio.DatagramTransport]()
    loop = asyncio.get_running_loop()

    class Outside(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple) -> None:
            counts.packets_in += 1
            if addr in inner:
                inner[addr].sendto(data)
            else:
                tasks.append(asyncio.create_task(open_for(addr, data)))

    class Inside(asyncio.DatagramProtocol):
        def __init__(self, caller: tuple):
            self.caller = caller

        def datagram_received(self, data: bytes, addr: tuple) -> None:
            counts.packets_out += 1
            outside.sendto(data, self.caller)

    async def open_for(caller: tuple, data: bytes) -> None:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Inside(caller), local_addr=(public, 0), remote_addr=(private, port)
        )
        inner[caller] = transport
        transport.sendto(data)

    tasks: list[asyncio.Task] = []
    outside, _ = await loop.create_datagram_endpoint(Outside, local_addr=(public, port))
    try:
        yield counts
    finally:
        await asyncio.gather(*tasks)
        for transport in (outside, *inner.values()):
            transport.close()
