"""A page that goes away without a goodbye and comes back: real WebRTC, the server as a user runs it."""

import asyncio
import json
import time

import httpx
import pytest

from tests.support.caller import Caller, HttpDoor, http_client
from tests.support.media import Camera
from tests.support.server import Server, running_server

ONE_SLOT = {"SALON_MAX_SESSIONS": "1"}
"""Somebody holds it, or nobody."""
SHORT_S = 3.0


@pytest.fixture(scope="module")
def one_server(tmp_path_factory):
    """It waits as long as a server does by default."""
    folder = tmp_path_factory.mktemp("resume")
    with running_server(folder, "--offline", SALON_RESUME_S="", **ONE_SLOT) as server:
        yield server


@pytest.fixture
async def server(one_server: Server) -> Server:
    """The server, once the call before is over."""
    await becomes_free(one_server, within_s=10)
    return one_server


async def is_free(server: Server) -> bool:
    """Whether another call would be accepted; it is given up again."""
    async with http_client(server.url) as http:
        answer = await http.post("/start")
        if answer.status_code == 200:
            await http.delete(f"/sessions/{answer.json()['sessionId']}")
        return answer.status_code == 200


async def becomes_free(server: Server, *, within_s: float) -> float:
    """Wait until the slot is free; returns how long that took, in seconds."""
    began_s = time.monotonic()
    async with asyncio.timeout(within_s):
        while not await is_free(server):  # nothing tells who is not in a call
            await asyncio.sleep(0.1)
    return time.monotonic() - began_s


def log_of(server: Server, caller: Caller) -> list[dict]:
    """The one turn log of a session."""
    session = caller.session["sessionId"].partition(".")[0]
    (path,) = (server.folder / "turns").glob(f"*{session}.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


async def refused(caller: Caller, **known) -> tuple[int, str]:
    """How the server refuses an offer."""
    assert isinstance(caller.door, HttpDoor)
    sdp = caller._pc.localDescription.sdp
    with pytest.raises(httpx.HTTPStatusError) as error:
        await caller.door.offer(caller.session["sessionId"], sdp, **known)
    answer = error.value.response
    return answer.status_code, answer.json()["detail"]


def spoken(caller: Caller) -> str:
    """What the page is told that the bot says, as it says it."""
    return "".join(data.get("text", "") for data in caller.told("bot-output"))


async def test_the_conversation_goes_on_where_it_was(server: Server):
    began = len(server.record())
    async with Caller(server.url, camera=Camera(color=(20, 20, 200))) as caller:
        await caller.bot_said("understudy")
        caller.types("remember that the sea is calm")
        await caller.bot_said("I will remember")
        await caller.ear.hears_silence(seconds=1)

        await caller.goes_away()
        assert not await is_free(server)
        await caller.comes_back()
        session = await caller.hears("server-message", type="session")
        assert session["resumed"] is True and session["persona"] == "companion"
        assert (await caller.hears("server-message", type="link"))["state"] == "ready"
        assert not caller.transcript(), "it greets again"

        asked_at = time.monotonic()
        caller.types("What did I tell you? And what do you see?")
        transcript = await caller.bot_said("sea is calm")
        assert "blue" in await caller.bot_said("blue"), transcript
        await caller.ear.hears_voice(seconds=1, since=asked_at)
        await caller.ear.hears_silence(seconds=1)

    setups = [e for e in server.record()[began:] if e["event"] == "setup"]
    assert len(setups) == 1, "the model was connected to again"
    sides = [line["side"] for line in log_of(server, caller) if "side" in line]
    assert sides == ["bot", "user", "bot", "user", "bot"]


async def test_what_the_bot_was_saying_is_heard_after_the_return(server: Server):
    async with Caller(server.url) as caller:
        await caller.bot_said("understudy")
        await caller.ear.hears_silence(seconds=1)
        typed_at = time.monotonic()
        caller.types("count to 20")
        await caller.ear.hears_voice(seconds=2, since=typed_at)
        assert " 20" not in spoken(caller)

        await caller.goes_away()
        await asyncio.sleep(1.5)  # while which it would have said four numbers more
        back_at = time.monotonic()
        await caller.comes_back()
        await caller.ear.hears_voice(seconds=5, since=back_at)
        async with asyncio.timeout(20):
            while " 20" not in spoken(caller):
                await asyncio.sleep(0.1)
        await caller.ear.hears_silence(seconds=1)
    (answer,) = (
        t for t in log_of(server, caller) if " 20" in t.get("text", "") and t["side"] == "bot"
    )
    assert not answer["interrupted"]


async def test_who_says_goodbye_frees_the_slot_at_once(server: Server):
    async with Caller(server.url) as caller:
        await caller.bot_said("understudy")
    await becomes_free(server, within_s=5)
    assert log_of(server, caller)[-1]["reason"] == "user"


async def test_disconnect_bot_is_a_goodbye(server: Server):
    async with Caller(server.url) as caller:
        await caller.bot_said("understudy")
        caller.types("count to 60")
        await caller.ear.hears_voice(seconds=2)
        caller._send("disconnect-bot", {})
        assert (await caller.is_told_the_end(within_s=3))["reason"] == "finished"
    assert log_of(server, caller)[-1]["reason"] == "user"


async def test_who_does_not_come_back_frees_the_slot_after_a_while(tmp_path):
    with running_server(tmp_path, "--offline", SALON_RESUME_S=str(SHORT_S), **ONE_SLOT) as server:
        async with Caller(server.url) as caller:
            await caller.bot_said("understudy")
            await caller.goes_away()
            assert await becomes_free(server, within_s=SHORT_S + 5) > SHORT_S - 0.5
            end = log_of(server, caller)[-1]
            assert (end["reason"], end["text"]) == ("user", "The client hung up.")
            status, sentence = await refused(caller, pc_id=caller.pc_id, restart_pc=True)
    assert (status, sentence) == (410, "This session is over; start another.")


async def test_the_newest_page_has_the_call(server: Server):
    async with Caller(server.url) as caller:
        await caller.bot_said("understudy")
        old, former, connection = caller.pc_id, caller._pc, caller.messages
        tasks, caller._tasks = caller._tasks, []
        await caller.comes_back()  # although it was never away
        assert caller.pc_id != old and connection is caller.messages
        caller.types("the weather is nice")
        await caller.bot_said("weather")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert former.connectionState == "closed"
        status, sentence = await refused(caller, pc_id=old, restart_pc=True)
        assert (status, sentence.count(".")) == (409, 1) and "another page" in sentence
        status, sentence = await refused(caller, pc_id="made-up", restart_pc=True)
        assert status == 409
        status, sentence = await refused(caller)
        assert status == 409 and "begun already" in sentence


async def test_an_answer_that_got_lost_is_asked_for_again(server: Server):
    async with Caller(server.url) as caller:
        await caller.bot_said("understudy")
        kept = caller.pc_id
        await caller.goes_away()
        assert isinstance(caller.door, HttpDoor)
        sdp = caller._pc.localDescription.sdp
        lost = await caller.door.offer(
            caller.session["sessionId"], sdp, pc_id=kept, restart_pc=True
        )
        assert lost["pc_id"] != kept == caller.pc_id
        await caller.comes_back()
        caller.types("the weather is nice")
        await caller.bot_said("weather")
