"""Calls over media streams, from the caller's telephone to the understudy, with real speech."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Iterator

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from pipeline.announcements import Announcement, in_language
from pipeline.local_voice import speech as say
from tests.streams.support import Reachable, reachable_server, session_of, silent_since
from tests.support.speech import speech
from understudy.streams import StreamPhone
from understudy.streams.account import SERVICES

GREETED_WITHIN_S = 1.5
SILENT_WITHIN_S = 0.15

each_service = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Reachable]:
    personas = {"SALON_PHONE_PERSONAS": "+15550002222=art-critic"}
    with reachable_server(tmp_path_factory.mktemp("streams"), **personas) as site:
        yield site


@pytest.fixture(scope="module")
def question() -> np.ndarray:
    return speech("Hello, can you hear me?")


@each_service
async def test_a_call_is_greeted_converses_and_hears_digits(site, question, service):
    async with site.phone(service) as phone:
        call = await phone.dial(headers={"X-Customer": "1234"})
        await call.until(lambda: call.heard, within_s=10)
        assert call.connected_at_s
        assert call.heard[0][0] - call.connected_at_s < GREETED_WITHIN_S
        await call.until(lambda: call.heard_s() > 4.5, within_s=10)
        await asyncio.sleep(1)  # a pause, as people make before they answer
        asked_s = time.monotonic()
        call.say(question)
        await call.until(lambda: call.heard_s(since_s=asked_s + 1.4) > 2, within_s=10)
        pressed = _pressed(site)
        await call.press("12#")
        await call.until(lambda: _pressed(site) > pressed, within_s=5)
        await call.hang_up()
        session_id = session_of(phone)
        await call.until(lambda: len(site.server.turns(session_id)) > 2, within_s=5)
        assert call.faults == []
    turns = site.server.turns(session_id)
    assert [turn["side"] for turn in turns[:3]] == ["bot", "user", "bot"]
    assert re.search(r"\d\.\d seconds of speech", turns[1]["text"])


@each_service
async def test_an_interrupted_answer_is_silent_at_once(site, question, service):
    async with site.phone(service) as phone:
        call = await phone.dial()
        await call.until(lambda: call.heard_s() > 1, within_s=10)
        call.say(question)
        await call.until(lambda: call.cleared, within_s=4)
        cleared_s, thrown_away_s = call.cleared[0]
        await asyncio.sleep(0.5)
        assert thrown_away_s < SILENT_WITHIN_S
        assert silent_since(call, cleared_s) < SILENT_WITHIN_S
        assert call.faults == []


@each_service
async def test_the_server_hangs_up_when_the_goodbye_was_heard(site, service):
    async with site.phone(service) as phone:
        call = await phone.dial()
        await call.until(lambda: call.heard_s() > 1, within_s=10)
        ended_s = time.monotonic()
        await asyncio.to_thread(_delete, f"{site.server.url}/sessions/{session_of(phone)}")
        await call.until(lambda: call.state == "ended", within_s=10)
        assert call.heard_s(since_s=ended_s) > _goodbye_s() - 0.1
        assert call.playback.waiting < 800, "its last 0.1 s"
        # The stream is closed, and then the service is asked to hang up.
        await call.until(lambda: phone.requests, within_s=5)
        method, path, _ = phone.requests[0]
        assert call.call_id in path.replace("%3A", ":") and method in ("POST", "DELETE")


async def test_a_called_number_has_its_persona(site):
    async with site.phone("twilio") as phone:
        call = await phone.dial("+15550002222")
        await call.until(lambda: "art-critic is connected" in site.server.log(), within_s=10)


async def test_the_same_call_is_announced_again_and_gets_the_same_session(site):
    async with site.phone("twilio") as phone:
        form = phone.form("CA" + "1" * 32)
        first = await phone.announce("/phone/twilio", form)
        assert first and await phone.announce("/phone/twilio", form) == first


@each_service
async def test_a_call_that_has_begun_gets_no_second_bot(site, service):
    async with site.phone(service) as phone:
        call = await phone.dial()
        await call.until(lambda: call.state == "connected", within_s=10)
        again = await phone.announce(f"/phone/{service}", phone.form(call.call_id))
        assert again == b"" and phone.answers[-1] == (
            409,
            '{"detail":"This call was answered before."}',
        )
        url = f"{site.server.url.replace('http', 'ws')}/ws-phone/{session_of_first(phone)}"
        with pytest.raises(Exception, match="409"):
            async with connect(url):
                pass


@pytest.mark.parametrize(
    "messages",
    [
        ["nonsense"],
        ["[]", "[]"],
        [b"\x00\x01", b"\x00"],
        ['{"event": "start", "start": "streamSid callSid"}', "{}"],
        [
            '{"event":"connected"}',
            '{"event":"start","start":{"streamSid":"MZ1","callSid":"CA_of_somebody_else"}}',
        ],
        ["[" * 100_000, "{}"],
    ],
    ids=["nonsense", "lists", "bytes", "text", "another call", "nesting"],
)
async def test_a_stream_that_does_not_say_what_it_is_is_closed(site, messages):
    async with site.phone("twilio") as phone:
        await phone.announce("/phone/twilio", _call(phone))
        session_id = session_of(phone)
        url = f"{site.server.url.replace('http', 'ws')}/ws-phone/{session_id}"
        async with connect(url) as socket:
            for message in messages:
                await socket.send(message)
            await socket.send("{}")
            async with asyncio.timeout(5):
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
        assert closed.value.rcvd and closed.value.rcvd.code == 1008
        assert re.fullmatch(r"The stream [^.]*\.", closed.value.rcvd.reason)
    assert "Traceback" not in site.server.log()


async def test_nobody_comes_in_without_a_session_of_theirs(site):
    url = f"{site.server.url.replace('http', 'ws')}/ws-phone/{'0' * 32}.x.y"
    with pytest.raises(Exception, match="403"):
        async with connect(url):
            pass


@pytest.fixture(scope="module")
def narrow_site(tmp_path_factory) -> Iterator[Reachable]:
    folder = tmp_path_factory.mktemp("narrow")
    with reachable_server(folder, SALON_MAX_CALLS_PER_NUMBER="1") as site:
        yield site


@each_service
async def test_who_finds_no_line_hears_so(narrow_site, service):
    async with narrow_site.phone(service) as phone:
        first = await phone.dial()
        await first.until(lambda: first.state == "connected", within_s=10)
        second = await phone.dial()
        await second.until(lambda: second.state == "ended", within_s=5)
        assert second.told == ["All lines are busy. Please call again later."]
        another = await phone.dial(caller="+15558880000")
        await another.until(lambda: another.state == "connected", within_s=10)
        await first.hang_up()
        left_s = time.monotonic()
        while (
            "/ws-phone/" not in (await phone.announce(f"/phone/{service}", _call(phone))).decode()
        ):
            assert time.monotonic() < left_s + 5, "its line is free again"
            await asyncio.sleep(0.1)


def _goodbye_s() -> float:
    """How long it takes to say that the call ends."""
    words = in_language(Announcement.ENDING, "en-US")
    return len(say(words, rate_hz=8000)) / 2 / 8000


def _call(phone: StreamPhone) -> dict[str, str]:
    return phone.form(f"CA{time.time_ns():032x}")


def _pressed(site: Reachable) -> int:
    return str(site.server.record()).count("The caller pressed: 1 2")


def session_of_first(phone) -> str:
    found = re.search(r"/ws-phone/([\w.-]+)", phone.answers[0][1])
    assert found
    return found[1]


def _delete(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=20).close()
