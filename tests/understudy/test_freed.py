"""What a connection held is free as soon as it has ended, not when the garbage collector comes.

It comes seldom in a process that remembers much, and a connection with TLS holds 300 KB.
"""

import asyncio
import contextlib
import gc
import json
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.understudy.test_conformance import MODEL, PATH, trust
from understudy import Understudy
from understudy.connection import Connection
from understudy.posting import PostingConnection
from understudy.session import Session

HELD = (PostingConnection, Connection, Session)


@pytest.fixture
def held():
    """Says what is held besides what was before, while no garbage collector comes."""
    gc.collect()
    gc.disable()
    others = [thing for thing in gc.get_objects() if type(thing) in HELD]
    known = set(map(id, others))  # which stay theirs as long as the others are held here
    yield lambda: sorted(
        type(thing).__name__
        for thing in gc.get_objects()
        if type(thing) in HELD and id(thing) not in known
    )
    gc.enable()


async def leave(client: ClientConnection) -> None:
    await client.close()


async def be_refused(client: ClientConnection) -> None:
    await client.send('{"nonsense": 1}')
    await client.wait_closed()


async def be_refused_and_go_on(client: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        for _ in range(10):
            await client.send('{"nonsense": 1}')
    await client.wait_closed()


async def vanish_while_spoken_to(client: ClientConnection) -> None:
    await client.send(json.dumps({"realtimeInput": {"text": "count to 50"}}))
    while b"inlineData" not in await client.recv(decode=False):
        pass
    client.transport.abort()


async def vanish_while_looked_for(client: ClientConnection) -> None:
    picture = {"data": "A" * 100_000, "mimeType": "image/png"}
    await client.send(json.dumps({"realtimeInput": {"video": picture}}))
    client.transport.abort()


@pytest.mark.parametrize(
    "end",
    [leave, be_refused, be_refused_and_go_on, vanish_while_spoken_to, vanish_while_looked_for],
)
async def test_an_ended_connection_is_free_at_once(
    held: Callable[[], list[str]], end: Callable[[ClientConnection], Awaitable[None]]
):
    async with Understudy() as understudy:
        url = f"{understudy.base_url.replace('https', 'wss')}{PATH}?key=any"
        async with connect(url, ssl=trust(understudy)) as client:
            await client.send(json.dumps({"setup": {"model": f"models/{MODEL}"}}))
            assert b"setupComplete" in await client.recv(decode=False)
            assert held() == ["Connection", "PostingConnection", "Session"]
            await end(client)
        await assert_free(understudy, held)


async def test_a_connection_with_a_refused_key_is_free_at_once(held: Callable[[], list[str]]):
    async with Understudy() as understudy:
        url = f"{understudy.base_url.replace('https', 'wss')}{PATH}?key=invalid"
        async with connect(url, ssl=trust(understudy)) as client:
            await client.send(json.dumps({"setup": {"model": f"models/{MODEL}"}}))
            await client.wait_closed()
        await assert_free(understudy, held)


async def assert_free(understudy: Understudy, held: Callable[[], list[str]]) -> None:
    async with asyncio.timeout(5):
        while understudy.records[-1]["event"] != "closed":
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # for the callbacks of what has just ended
    assert held() == []
