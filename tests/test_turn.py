"""Calls through a real TURN server: nobody sees more of the other than the relay's address."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import trustme
from aioice import Connection
from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint
from aiortc import RTCIceServer
from loguru import logger
from playwright.async_api import Page, expect

from pipeline.ice_servers import ice_servers
from pipeline.live_client import shared_ssl_context
from pipeline.settings import ROOT, Settings
from serving.ice_gathering import Gathering
from tests.page.support import QUESTION, becomes_true, connect, received_audio_energy, turns
from tests.support.caller import BotDoor, Caller
from tests.support.ports import free_port
from tests.support.server import Server, running_server
from tests.support.speech import speech
from tests.support.turn_service import CLOUDFLARE, turn_service
from tests.support.turnserver import RELAY_PORTS, SECRET, TurnServer, running_turnserver
from tests.support.understudies import understudy_in
from tests.test_first_light import greeted
from tests.test_ice import call, candidates

VOICE_BYTES = 10_000
"""What a spoken sentence takes at least, as Opus in RTP."""


@pytest.fixture(scope="module")
def turn(tmp_path_factory) -> Iterator[TurnServer]:
    with running_turnserver(tmp_path_factory.mktemp("turn")) as turn:
        yield turn


@pytest.fixture(scope="module")
def server(turn, tmp_path_factory) -> Iterator[Server]:
    """The server as a user runs it, with the TURN server."""
    with running_server(
        tmp_path_factory.mktemp("server"),
        "--offline",
        SALON_TURN_URLS=f"{turn.url},{turn.url}?transport=tcp",
        SALON_TURN_SECRET=SECRET,
    ) as server:
        yield server


def name_for(turn: TurnServer, *, secret: str = SECRET, age_s: int = 0) -> dict:
    """What a session was given to reach the TURN server, some time ago."""
    settings = Settings.model_validate({"SALON_TURN_URLS": turn.url, "SALON_TURN_SECRET": secret})
    (given,) = ice_servers(settings, session_id="x", now_s=time.time() - age_s)
    return given


async def test_a_spoken_question_is_answered_aloud_through_the_relay(server, turn):
    question = speech("Hello, can you hear me through the relay?")
    async with Caller(server.url, relay_only=True) as caller:
        (given,) = caller.session["iceConfig"]["iceServers"]
        session_id, *_ = caller.session["sessionId"].split(".")
        assert given["username"].endswith(f":{session_id}")
        await greeted(caller)
        earlier = len(server.record())
        asked_at = time.monotonic() + caller.microphone.say(question)
        await caller.ear.hears_voice(seconds=1, since=asked_at)
        assert "seconds" in await caller.bot_said("seconds")
    record = server.record()[earlier:]
    spoken_s = sum(e["ms"] for e in record if e["event"] == "audio" and e["dbfs"] > -50) / 1000
    assert spoken_s == pytest.approx(len(question) / 48_000, abs=0.6)
    assert any(min(relayed) > VOICE_BYTES for relayed in turn.relays(session_id))
    assert given["credential"] not in server.log() and SECRET not in server.log()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("public_address", ["", "127.0.0.1"], ids=["two-relays", "one-relay"])
async def test_a_name_for_one_call_opens_the_relay(
    turn, monkeypatch, tmp_path, transport, public_address
):
    variables = {
        "SALON_TURN_URLS": f"{turn.url}?transport={transport}",
        "SALON_TURN_SECRET": SECRET,
        "SALON_PUBLIC_ADDRESS": public_address,
    }
    async with understudy_in(monkeypatch, tmp_path, **variables):
        async with Caller(BotDoor(), relay_only=True) as caller:
            await caller.ear.hears_voice(seconds=1)
            session_id = caller.session["sessionId"]
            (given,) = caller.session["iceConfig"]["iceServers"]
    assert given["username"].endswith(f":{session_id}")
    relays = turn.relays(session_id)
    assert len(relays) == (1 if public_address else 2)
    assert any(from_bot > VOICE_BYTES / 4 and to_bot > 0 for from_bot, to_bot in relays)


async def test_a_name_that_a_turn_service_minted_opens_the_relay_for_both_sides(turn, tmp_path):
    """The service is a stand-in; what it names is the real coturn."""
    async with turn_service(turn_url=turn.url, turn_secret=SECRET) as service:
        with running_server(
            tmp_path, "--offline", SALON_TURN_SERVICE_URL=service.url, **CLOUDFLARE
        ) as server:
            async with Caller(server.url, relay_only=True) as caller:
                _, given = caller.session["iceConfig"]["iceServers"]
                await greeted(caller)
            log = server.log()
    assert service.asked == [3600]  # once: the session's own side has the caller's
    relays = turn.relays("minted1")
    assert len(relays) == 2 and any(min(relayed) > 0 for relayed in relays)
    assert given["credential"] not in log and "planted" not in log


@pytest.fixture
def gathering(monkeypatch) -> Iterator[list[str]]:
    """Gather as the server does, and keep the warnings."""
    own = Connection.get_component_candidates
    monkeypatch.setattr(Connection, "get_component_candidates", own)
    Gathering().install()
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", format="{message}")
    yield lines
    logger.remove(sink)


async def test_the_bot_offers_a_relay_of_its_own(turn, gathering):
    async with call(RTCIceServer(**name_for(turn))) as (_, answer):
        assert sorted(kind for _, _, kind in candidates(answer)) == ["host", "relay"]
    assert gathering == []


@pytest.mark.parametrize(
    "given", [{"secret": "another"}, {"age_s": 3601}], ids=["wrong-secret", "expired"]
)
async def test_a_name_that_is_not_taken_is_one_sentence_and_the_call_goes_on(
    turn, gathering, given
):
    began_s = time.monotonic()
    async with call(RTCIceServer(**name_for(turn, **given))) as (_, answer):
        assert time.monotonic() - began_s < 1
        assert [kind for _, _, kind in candidates(answer)] == ["host"]
    assert [warning.strip() for warning in gathering] == [
        f"The TURN server 127.0.0.1:{turn.port} is no help: it does not take the name and the "
        "password (401); the call goes on without a relay of its own."
    ]


async def test_the_documented_coturn_reaches_salon_over_tls_and_nobody_else(
    tmp_path, monkeypatch, gathering
):
    certificate = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(certificate.cert_pem.bytes())
    own = certificate.issue_cert("127.0.0.1")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    for pem in own.cert_chain_pems:
        pem.write_to_path(tmp_path / "cert.pem", append=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    shared_ssl_context.cache_clear()
    tls_port = free_port()
    documented = changed(
        documented_configuration(),
        {
            "listening-port": None,
            "tls-listening-port": tls_port,
            "min-port": RELAY_PORTS[0],
            "max-port": RELAY_PORTS[-1],
            "static-auth-secret": SECRET,
            "cert": tmp_path / "cert.pem",
            "pkey": tmp_path / "key.pem",
            "allowed-peer-ip": "127.0.0.1",
        },
    )
    with running_turnserver(tmp_path, documented) as turn:
        given = name_for(turn)
        async with call(
            RTCIceServer(**{**given, "urls": f"turns:127.0.0.1:{tls_port}?transport=tcp"})
        ) as (_, answer):
            assert "relay" in {kind for _, _, kind in candidates(answer)}
        await bind_a_channel(turn, given, "127.0.0.1")
        for address in ("127.0.0.2", "10.0.0.1", "198.51.100.7"):
            with pytest.raises(TransactionFailed, match="403"):
                await bind_a_channel(turn, given, address)
        assert "Bad configuration" not in turn.log()
        assert "CLI listener" not in turn.log()
    shared_ssl_context.cache_clear()
    assert gathering == []


def documented_configuration() -> str:
    """The `turnserver.conf` that the documentation gives."""
    text = (ROOT / "docs" / "network.md").read_text()
    (configuration,) = re.findall("```ini\n(.*?)```", text, re.DOTALL)
    return configuration


def changed(configuration: str, values: dict[str, object]) -> str:
    """The same with other values, each for one that is there; None takes a line out."""
    for name, value in values.items():
        line = "" if value is None else f"{name}={value}"
        configuration, count = re.subn(rf"^{name}=.*$", line, configuration, flags=re.MULTILINE)
        assert count == 1, name
    return configuration


async def bind_a_channel(turn: TurnServer, given: dict, address: str) -> None:
    """Ask a relay to send to an address."""
    transport, _ = await create_turn_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", turn.port), given["username"], given["credential"]
    )
    inner: Any = transport._TurnTransport__inner_protocol  # pyright: ignore
    try:
        await inner.channel_bind(0x4000, (address, 9))
    finally:
        await inner.delete()


RELAY_ONLY = """
    globalThis.connections = [];
    globalThis.refusals = [];
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(configuration) {
            for (const server of configuration.iceServers) Object.assign(server, %s);
            super({...configuration, iceTransportPolicy: "relay"});
            connections.push(this);
            this.addEventListener("icecandidateerror", (event) => refusals.push(event.errorCode));
        }
    };
"""
"""In a browser: as where a firewall lets nothing but TURN through."""


async def reach_only_the_relay(page: Page, **server: str) -> None:
    """Open the page again, as one who reaches nothing else; the arguments change how it does."""
    await page.add_init_script(RELAY_ONLY % json.dumps(server))
    await page.reload()


async def own_candidates(page: Page) -> list[str]:
    """The ways on which the page's connection has tried to send, as `relay/udp`."""
    return await page.evaluate(
        """async () => {
            const ways = new Set();
            for (const connection of connections)
                for (const report of (await connection.getStats()).values())
                    if (report.type === "local-candidate")
                        ways.add(`${report.candidateType}/${report.relayProtocol}`);
            return [...ways];
        }"""
    )


@pytest.mark.parametrize("microphone", [QUESTION], indirect=True)
async def test_a_question_to_the_page_is_answered_through_the_relay(page, turn):
    await reach_only_the_relay(page, urls=turn.url)
    await connect(page)
    await expect(turns(page, "user").first).to_contain_text("seconds of speech", timeout=30_000)
    await expect(turns(page, "bot").nth(1)).to_contain_text("seconds", timeout=20_000)
    assert await received_audio_energy(page) > 0
    assert await own_candidates(page) == ["relay/udp"]


async def test_the_page_reaches_the_relay_over_tcp_too(page, turn):
    await reach_only_the_relay(page, urls=f"{turn.url}?transport=tcp")
    await connect(page)
    assert await received_audio_energy(page) > 0
    assert await own_candidates(page) == ["relay/tcp"]


NO_SOCKETS = """
    globalThis.WebSocket = class extends WebSocket {
        constructor(url) { super(url.replace(/:\\d+\\//, ":9/")); }
    };
"""
"""In a browser: as where a firewall lets no WebSocket through either."""


async def test_the_page_says_it_when_the_relay_refuses_and_nothing_else_is_left(page, problems):
    await page.clock.install()
    await page.add_init_script(NO_SOCKETS)
    await reach_only_the_relay(page, credential="another")
    await page.get_by_test_id("connect").click()
    await becomes_true(
        page, "globalThis.connections[0]?.remoteDescription && refusals.includes(401)"
    )
    await page.clock.run_for(15_000)
    async with asyncio.timeout(20):
        while not problems:  # the browser complains of the WebSocket
            await asyncio.sleep(0.05)
    await page.clock.run_for(30_000)
    await expect(page.locator("body")).to_have_attribute("data-state", "failed")
    await expect(page.locator("body")).to_contain_text(
        "No connection came about between this browser and Salon: a firewall or a VPN"
    )
    assert all(":9/" in problem or "websocket" in problem for problem in problems)
    problems.clear()
