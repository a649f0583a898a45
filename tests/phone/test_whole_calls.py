"""Calls from dialling to hanging up: a telephone, the server as a process, the bot, the model."""

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from pipeline.announcements import Announcement, in_language
from pipeline.local_voice import speech as say
from tests.phone.served import LINE_HZ, Served, answered, quiet, served, sound
from tests.support.speech import speech

GREETED_WITHIN_S = 1.5
TARGETS = "front-desk=+15551234567,help=sip:help@example.com"
MENU = """
- {call: transfer_call to=front-desk, contains: ["pressed: 1"]}
- {call: transfer_call to=help, contains: ["pressed: 2"]}
- {call: send_digits digits=12#, contains: ["pressed: 3"]}
- {call: end_call, contains: ["pressed: 9"]}
- {say: "Thank you for calling, goodbye.", returned: end_call}
- {call: voicemail, turn: 2}
"""
"""What the model does when the caller presses a key. It can't tell a machine from a person: of a
call that we make, what it hears first is a machine to it; of others there is no such function."""


@pytest.fixture(scope="module")
def server_with_daily(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("calls")
    may = {"SALON_TRANSFER_TO": TARGETS, "SALON_DIAL_OUT_TO": "+1555"}
    with served(folder, menu=MENU, **may) as site:
        yield site


@pytest.fixture
async def site(server_with_daily: Served) -> AsyncIterator[Served]:
    """The server; no test leaves anything with it."""
    yield server_with_daily
    await server_with_daily.hang_up()
    await server_with_daily.no_room_is_left()


def seconds(announcement: Announcement) -> float:
    """How long a sentence takes."""
    return len(say(in_language(announcement, "en-US"), rate_hz=LINE_HZ)) / 2 / LINE_HZ


# --- calls that come in ----------------------------------------------------------------------------


async def test_a_call_is_greeted_converses_and_is_hung_up_by_the_caller(site: Served):
    caller = "+15550001"
    call = await site.ring(caller, sip_headers={"X-Customer": "17"})
    await call.until(lambda: call.heard, within_s=10)
    assert call.picked_up_at_s is not None
    assert call.heard[0][0] - call.picked_up_at_s < GREETED_WITHIN_S
    await quiet(call)

    asked_s = time.monotonic()
    call.say(question := speech("What is the weather like today?"))
    await answered(call, since_s=asked_s + question.size / 48_000)
    call.press("42#")
    await answered(call, since_s=time.monotonic() + 0.2)
    await call.hang_up()

    assert await site.end(caller) == ("user", "The caller hung up.")
    assert site.noted(caller, "call") == [
        {"provider": "daily", "caller": caller, "called": site.number}
    ]
    turns = [line for line in site.log(caller) if "side" in line]
    assert [turn["side"] for turn in turns] == ["bot", "user", "bot", "user", "bot"]
    assert re.search(r"\d\.\d seconds of speech", turns[1]["text"])
    assert re.search(r"You spoke for \d\.\d seconds", turns[2]["text"])
    assert turns[3]["text"] == "(The caller pressed: 4 2 #)"
    typed = [event["text"] for event in site.server.record() if event["event"] == "text"]
    assert "(The caller pressed: 4 2 #)" in typed


async def test_the_bot_hangs_up_when_its_goodbye_was_heard(site: Served):
    caller = "+15550002"
    call = await site.connected(caller)
    call.press("9")
    pressed_s = time.monotonic()
    await call.until(lambda: call.state == "ended", within_s=15)
    assert sound(call, since_s=pressed_s).size / LINE_HZ > 1.3, "all of the goodbye"
    times = [at_s for at_s, _ in call.heard if at_s > pressed_s]
    assert times[-1] - times[0] < 2.5, "and no other"
    assert await site.end(caller) == ("bot", "The bot ended the call.")
    last = [line for line in site.log(caller) if "side" in line][-1]
    assert last["text"] == "Thank you for calling, goodbye."


@pytest.mark.parametrize(
    ("key", "name", "target"),
    [("1", "front-desk", "+15551234567"), ("2", "help", "sip:help@example.com")],
)
async def test_a_caller_is_transferred(site: Served, key: str, name: str, target: str):
    caller = f"+1555001{key}"
    call = await site.connected(caller)
    call.press(key)
    await call.until(lambda: call.state == "transferred", within_s=10)
    assert call.transferred_to == target
    told = f"The caller was transferred to {name}."
    assert await site.end(caller) == ("transferred", told)
    assert site.noted(caller, "transfer") == [{"to": name}]


async def test_keys_that_the_bot_presses_reach_the_other_end(site: Served):
    caller = "+15550020"
    call = await site.connected(caller)
    call.press("3")
    await call.until(lambda: call.digits == "12#", within_s=10)
    await call.hang_up()
    assert await site.end(caller) == ("user", "The caller hung up.")
    assert site.noted(caller, "digits") == [{"digits": "12#"}]


# --- calls that are made ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("does", "outcome", "text"),
    [
        ("busy", "busy", "The line is busy."),
        ("no-answer", "no-answer", "Nobody answered the call."),
        ("fails", "failure", "The call could not be made: Call failed"),
    ],
)
async def test_a_call_that_nobody_takes_is_told_apart(site: Served, does, outcome, text):
    number = f"+155502{len(does):02}"
    await site.order("called", number=number, does=does)
    state = await _until_ended(site, await _dialled(site, number))
    assert state == {"state": "ended", "reason": "finished", "text": text, "outcome": outcome}


async def test_a_call_that_is_answered_is_held_until_they_hang_up(site: Served):
    number = "+15550301"
    await site.order("called", number=number, does="answers", hangs_up_after_s=5)
    session = await _dialled(site, number)
    assert (await _state(site, session))["state"] == "running"
    state = await _until_ended(site, session)
    assert state["outcome"] == "user" and state["text"] == "The caller hung up."
    assert site.noted(number, "dial-out") == [{"outcome": "answered"}]
    (called,) = (await site.seen("called"))[number]
    assert called["heard_s"] > 1


async def test_a_machine_that_answers_is_told_apart(site: Served):
    number = "+15550302"
    await site.order("called", number=number, does="voicemail")
    state = await _until_ended(site, await _dialled(site, number))
    assert (state["outcome"], state["text"]) == ("voicemail", "A machine answered the call.")
    outcomes = [noted["outcome"] for noted in site.noted(number, "dial-out")]
    assert outcomes == ["answered", "voicemail"]


async def _dialled(site: Served, number: str) -> str:
    url = f"{site.server.url}/calls"
    async with aiohttp.ClientSession() as http, http.post(url, json={"to": number}) as answer:
        assert answer.status == 200, await answer.text()
        return (await answer.json())["sessionId"]


async def _state(site: Served, session: str, *, wait_s: float = 0) -> dict[str, str]:
    url = f"{site.server.url}/sessions/{session}?wait_s={wait_s}"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def _until_ended(site: Served, session: str) -> dict[str, str]:
    return await _state(site, session, wait_s=20)


# --- silence, and the server's end -----------------------------------------------------------------


async def test_who_is_silent_is_asked_and_then_told_goodbye(short_folder: Path):
    caller = "+15550401"
    with served(short_folder, SALON_PHONE_SILENCE_S="3") as site:
        call = await site.connected(caller)
        silent_s = time.monotonic()
        await call.until(lambda: call.state == "ended", within_s=25)
        assert await site.end(caller) == ("idle", "Nobody is heard on the line.")
        said_s = sound(call, since_s=silent_s).size / LINE_HZ
        await site.hang_up()
        await site.no_room_is_left()
    both_s = seconds(Announcement.STILL_THERE) + seconds(Announcement.NO_ANSWER_FROM_YOU)
    assert abs(said_s - both_s) < 0.5


async def test_who_is_on_the_line_when_the_server_closes_hears_a_goodbye(short_folder: Path):
    caller = "+15550402"
    with served(short_folder) as site:
        call = await site.connected(caller)
        closed_s = time.monotonic()
        site.server.process.send_signal(signal.SIGINT)
        await call.until(lambda: call.state == "ended", within_s=5)
        said_s = sound(call, since_s=closed_s).size / LINE_HZ
        assert await site.end(caller) == ("closing", "The server is closing.")
        assert await asyncio.to_thread(site.server.process.wait, 10) == 0
        await site.hang_up()
    assert said_s > seconds(Announcement.ENDING) - 0.1
