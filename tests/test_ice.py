"""Ports, public address and silent STUN and TURN servers: what aioice does by itself, and with us."""

import asyncio
import contextlib
import functools
import inspect
import re
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvloop
from aioice import Candidate, Connection
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from loguru import logger
from pipecat.transports.smallwebrtc.connection import IceServer, SmallWebRTCConnection

from serving import ice_gathering
from serving.ice_gathering import Gathering, PortsTakenError
from tests.support.caller import Caller, HttpDoor
from tests.support.nat import nat
from tests.support.ports import free_port, free_ports
from tests.support.server import running_server

AIOICES_OWN = Connection.get_component_candidates
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def install(monkeypatch):
    """Gather in a way of a test's choice until its end."""

    def install(**options) -> None:
        monkeypatch.setattr(Connection, "get_component_candidates", AIOICES_OWN)
        Gathering(**options).install()

    return install


@pytest.fixture
def warnings():
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", format="{message}")
    yield lines
    logger.remove(sink)


@contextlib.asynccontextmanager
async def call(*servers: IceServer) -> AsyncIterator[tuple[RTCPeerConnection, str]]:
    """A caller who has offered, with the candidates that the bot's side answers with."""
    configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    caller, bot = RTCPeerConnection(configuration), SmallWebRTCConnection(list(servers))
    for kind in ("audio", "video", "video"):
        caller.addTransceiver(kind)
    caller.createDataChannel("chat")
    # The bot's side is what is looked at.
    line: Any = caller.getTransceivers()[0].sender.transport.transport.iceGatherer._connection
    line.get_component_candidates = functools.partial(AIOICES_OWN, line)
    try:
        await caller.setLocalDescription(await caller.createOffer())
        # Where the caller is can only be seen from what comes from there.
        offer = re.sub("a=(candidate|end-of-candidates).*\r\n", "", caller.localDescription.sdp)
        await bot.initialize(sdp=offer, type="offer")
        answer = bot.get_answer()
        assert answer
        yield caller, answer["sdp"]
    finally:
        await caller.close()
        await bot.disconnect()


def candidates(sdp: str) -> list[tuple[str, int, str]]:
    """Address, port and type of each."""
    found = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ (\w+)", sdp)
    return sorted({(host, int(port), kind) for host, port, kind in found})


def test_aioice_itself_knows_no_ports_and_no_public_address_and_waits_five_seconds():
    """When this fails, ours may go."""
    parameters = inspect.signature(Connection).parameters.keys()
    assert not [name for name in parameters if "port" in name.replace("transport", "")]
    assert not [name for name in parameters if "public" in name or "host" in name]
    own = inspect.signature(AIOICES_OWN).parameters
    assert own["timeout"].default == 5


@pytest.mark.parametrize("loop", LOOPS)
def test_each_call_takes_one_port_of_the_range_and_a_full_range_is_one_sentence(loop, install):
    ports = free_ports(2)
    install(ports=ports)

    async def calls():
        async with call() as (_, first), call() as (_, second):
            taken = [*candidates(first), *candidates(second)]
            assert sorted(port for _, port, _ in taken) == list(ports)
            with pytest.raises(PortsTakenError) as error:
                async with call():
                    pass
            assert str(error.value) == (
                f"No UDP port of SALON_ICE_PORTS={ports[0]}-{ports[1]} is free on 127.0.0.1: "
                "try again when a call has ended, or give more ports."
            )
        async with call() as (_, again):
            assert [port in ports for _, port, _ in candidates(again)] == [True]

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(calls())


async def test_a_full_range_on_a_second_address_gives_back_the_port_of_the_first(
    install, monkeypatch
):
    (port,) = ports = free_ports(1)
    install(ports=ports)
    monkeypatch.setattr(ice_gathering.aioice.ice, "get_host_addresses", two_addresses)
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.2", port))
        with pytest.raises(PortsTakenError, match=r"127\.0\.0\.2"):
            async with call():
                pass
    await asyncio.sleep(0)  # asyncio closes a socket in its next round
    async with call() as (_, answer):
        assert candidates(answer) == [("127.0.0.1", port, "host"), ("127.0.0.2", port, "host")]


def two_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return ["127.0.0.1", "127.0.0.2"]


async def test_looking_through_a_large_full_range_lets_others_have_their_turn(monkeypatch):
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))

        class EveryPortTaken(socket.socket):
            def bind(self, address: Any) -> None:
                super().bind(taken.getsockname())

        monkeypatch.setattr(socket, "socket", EveryPortTaken)
        looking = asyncio.create_task(ice_gathering._bind("127.0.0.1", range(1024, 65536)))
        longest_s, last_s = 0.0, time.thread_time()
        while not looking.done():
            await asyncio.sleep(0)
            longest_s, last_s = max(longest_s, time.thread_time() - last_s), time.thread_time()
    assert isinstance(looking.exception(), PortsTakenError)
    assert longest_s < 0.01


async def test_the_public_address_is_offered_and_the_private_one_is_not(install):
    install(public_addresses=["127.0.0.2", "2001:db8::7"])
    async with call() as (_, answer):
        assert [(host, kind) for host, _, kind in candidates(answer)] == [("127.0.0.2", "host")]
        assert "127.0.0.1" not in answer


@pytest.mark.parametrize(
    ("own", "offered"),
    [("10.0.0.5", "203.0.113.7"), ("fd00::5", "fd00::5")],
    ids=["of the same version", "of the other version"],
)
def test_an_address_is_replaced_by_one_of_its_own_version(own, offered):
    candidate = Candidate("1", 1, "udp", 7, own, 40_000, "host")
    shown = Gathering(public_addresses=["203.0.113.7"])._offered(candidate)
    assert (shown.host, shown.port) == (offered, 40_000)
    assert candidate.host == own


async def test_the_server_uses_what_is_set_and_refuses_a_call_that_finds_no_port(tmp_path):
    (port,) = free_ports(1)
    with running_server(
        tmp_path,
        "--offline",
        SALON_ICE_PORTS=f"{port}-{port}",
        SALON_PUBLIC_ADDRESS="127.0.0.2",
    ) as server:
        async with Caller(server.url) as caller:
            assert candidates(caller._pc.remoteDescription.sdp) == [("127.0.0.2", port, "host")]
            door = HttpDoor(server.url)
            async with contextlib.aclosing(door.http):
                session = await door.start({})
                with pytest.raises(httpx.HTTPStatusError) as error:
                    await door.offer(session["sessionId"], caller._pc.localDescription.sdp)
    assert error.value.response.status_code == 503
    assert error.value.response.json()["detail"].startswith(
        f"No UDP port of SALON_ICE_PORTS={port}"
    )


async def test_a_caller_gets_through_to_the_public_address(install):
    install(public_addresses=["127.0.0.2"])
    async with call() as (caller, answer):
        ((host, port, _),) = candidates(answer)
        async with nat(public=host, private="127.0.0.1", port=port) as router:
            connected = asyncio.Event()
            caller.on("connectionstatechange", lambda: _is(caller, "connected", connected))
            await caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            async with asyncio.timeout(5):
                await connected.wait()
            assert router.packets_in and router.packets_out
            await caller.close()


def _is(caller: RTCPeerConnection, state: str, event: asyncio.Event) -> None:
    if caller.connectionState == state:
        event.set()


@pytest.mark.parametrize("kind", ["stun", "turn"])
async def test_a_silent_server_keeps_nobody_waiting_and_is_named(install, warnings, kind):
    install(within_s=0.2)
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{silent.getsockname()[1]}"
        server = IceServer(urls=f"{kind}:{name}", username="planted-name", credential="planted")
        began_s = time.monotonic()
        async with call(server) as (_, answer):
            assert 0.2 <= time.monotonic() - began_s < 1
            assert [kind for _, _, kind in candidates(answer)] == ["host"]
    (warning,) = warnings
    assert f"The {kind.upper()} server {name} is no help: it did not answer within 0.2 s" in warning
    assert "planted" not in warning


async def test_a_server_where_nobody_listens_is_named_at_once(install, warnings):
    install()
    url = f"turn:127.0.0.1:{free_port()}?transport=tcp"
    began_s = time.monotonic()
    async with call(IceServer(urls=url, username="u", credential="c")):
        assert time.monotonic() - began_s < 1
    (warning,) = warnings
    assert "is no help: it can't be reached (" in warning
