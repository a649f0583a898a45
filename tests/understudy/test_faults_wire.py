"""Broken links and broken frames, as the unmodified google-genai sees them."""

import asyncio
import json
import ssl
import time

import pytest
from websockets.asyncio.client import connect

from tests.understudy.stage import Stage
from tests.understudy.test_conformance import MODEL, PATH, generation, session, trust
from understudy import Understudy
from understudy.acts import BlackHole, Raw, Reset


async def test_slow_pongs():
    url = ""
    async with Understudy(faults=["slow-pongs:delay_ms=300,at=after-setup"]) as understudy:
        url = understudy.base_url.replace("https", "wss") + PATH + "?key=k"
        async with connect(url, ssl=trust(understudy)) as websocket:
            assert await (await websocket.ping()) < 0.25
            await websocket.send(json.dumps({"setup": {"model": f"models/{MODEL}"}}))
            await websocket.recv()
            assert await (await websocket.ping()) >= 0.29


async def test_an_empty_flood_is_survived():
    async with Understudy(faults=["empty-flood:count=500,per_s=10000"]) as understudy:
        async with session(understudy) as live:
            await live.send_realtime_input(text="still there?")
            assert "still there?" in (await generation(live)).said


def test_an_empty_flood_is_as_fast_as_it_says():
    client = Stage("empty-flood:count=100,per_s=50").set_up()
    client.wait(1)
    empty = [message for _, message in client.sent if message in ({}, {"serverContent": {}})]
    assert len(empty) == 51
    client.wait(5)
    assert len(client.sent) == 102


def test_never_answer_setup():
    client = Stage("never-answer-setup").set_up()
    client.wait(60)
    assert client.sent == []
    assert not client.closed


async def test_a_setup_never_answered_is_a_timeout_at_the_client():
    async with Understudy(faults=["never-answer-setup"]) as understudy:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5), session(understudy):
                raise AssertionError("connected")


def test_slow_setup():
    client = Stage("slow-setup:delay_ms=2000").set_up()
    client.wait(10)
    assert [(t, *message) for t, message in client.sent] == [
        (102, "setupComplete"),
        (102, "sessionResumptionUpdate"),
    ]


def test_reset_and_silence_end_everything_else():
    for fault, kind in (("rst", Reset), ("black-hole", BlackHole)):
        client = Stage(f"{fault}:at=speaking").set_up()
        client.type("Good morning")
        client.wait(10)
        assert [type(act) for _, act in client.broken] == [kind]
        assert len(client.audio()) == 1


def test_broken_frames_do_not_end_the_session():
    client = Stage("invalid-json", "truncated-json", "error-json").set_up()
    assert [type(act) for _, act in client.broken] == [Raw, Raw, Raw]
    client.type("Good morning")
    client.wait(10)
    assert client.said() == "You typed: Good morning."


def test_early_drop_spares_most():
    for connection in range(1, 21):
        client = Stage("early-drop", connection=connection).set_up()
        client.wait(11)
        assert bool(client.broken) is (connection % 10 == 0)


async def test_a_black_hole_does_not_hold_up_the_end():
    async with Understudy(faults=["black-hole"]) as understudy:
        url = understudy.base_url.replace("https", "wss") + PATH + "?key=k"
        context: ssl.SSLContext = trust(understudy)
        websocket = await connect(url, ssl=context, close_timeout=0.1)
        await websocket.send(json.dumps({"setup": {"model": f"models/{MODEL}"}}))
        await websocket.recv()
        begun_s = time.monotonic()
    assert time.monotonic() - begun_s < 1.5
    await websocket.close()
