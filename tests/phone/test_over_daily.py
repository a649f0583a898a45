"""Calls to a number of Daily's, over Pipecat's own transport: from picking up to hanging up."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import numpy as np
from loguru import logger

from pipeline import joining
from pipeline.announcements import Announcement
from pipeline.endings import Ended
from pipeline.phone.call import PhoneCall, Provider
from tests.phone.over_daily import SORRY, Office, office
from tests.phone.support import CALLED, CALLER
from tests.support.speech import speech
from understudy.daily import Guest
from understudy.daily.phone import PhoneCall as Telephone

TARGETS = {"SALON_TRANSFER_TO": "front-desk=+15551234567,help=sip:help@example.com"}


async def connected(taken: Office) -> Telephone:
    """Somebody who was picked up and has heard the greeting."""
    call = await taken.ring()
    await call.until(lambda: call.state == "connected", within_s=8)
    await quiet(call)
    return call


async def quiet(call: Telephone, *, for_s: float = 0.8) -> None:
    """Wait until something was heard, and then nothing for a while."""
    async with asyncio.timeout(30):
        while not call.heard or time.monotonic() - call.heard[-1][0] < for_s:
            await asyncio.sleep(0.05)


async def answered(call: Telephone) -> None:
    """Wait until the answer to what was just asked was heard."""
    asked_s = time.monotonic()
    await call.until(lambda: call.heard[-1][0] > asked_s + 0.2, within_s=15)
    await quiet(call)


async def test_a_call_is_picked_up_greeted_held_and_hung_up_on(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch) as taken:
        call = await taken.ring(sip_headers={"X-Customer": "17"})
        await call.until(lambda: call.heard, within_s=8)
        assert call.picked_up_at_s is not None
        assert call.heard[0][0] - call.picked_up_at_s < 1.5
        await quiet(call)

        call.say(speech("What is the weather like today?"))
        await answered(call)
        call.press("42#")
        await answered(call)
        await call.hang_up()
        await taken.over()

    turns = [line for line in taken.log if "side" in line]
    assert [turn["side"] for turn in turns] == ["bot", "user", "bot", "user", "bot"]
    assert turns[3]["text"] == "(The caller pressed: 4 2 #)"
    (called,) = taken.noted("call")
    assert called == {"provider": "daily", "caller": CALLER, "called": CALLED}
    assert taken.end == ("user", "The caller hung up.")


async def test_daily_may_stumble_before_it_connects_the_caller(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch) as taken:
        taken.daily.fail("POST /dialin/pinlessCallUpdate", status=500, times=2)
        call = await connected(taken)
        await call.hang_up()
        await taken.over()


async def test_who_can_not_be_picked_up_is_told_by_daily_and_the_room_is_gone(
    tmp_path, monkeypatch
):
    async with office(tmp_path, monkeypatch, hold_s=3.0) as taken:
        taken.daily.fail("POST /dialin/pinlessCallUpdate", status=400, times=99)
        call = await taken.ring()
        await call.until(lambda: call.told, within_s=8)
        assert call.told == [SORRY] and call.picked_up_at_s is None
        await taken.over()
        await call.hang_up()
    reason, why = taken.end
    assert reason == "failure" and why.startswith("Daily refuses to connect the call: 400")


async def test_messages_into_the_room_of_a_call_are_passed_over(tmp_path, monkeypatch):
    lines: list[str] = []
    async with office(tmp_path, monkeypatch) as taken:
        call = await connected(taken)
        (room,) = taken.daily.rooms.values()
        somebody = await Guest.join(room.record.url, name="Somebody")
        number = logger.add(lambda line: lines.append(str(line)), level="WARNING")
        for message in ("no object", [1], {"label": "rtvi-ai", "type": "client-ready"}, None):
            await somebody.send(message)
        call.say(speech("What is the weather like today?"))
        await answered(call)
        logger.remove(number)
        assert call.state == "connected" and lines == []
        await call.hang_up()
        await taken.over()
        await somebody.leave()


async def test_a_caller_is_transferred_to_a_number(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch, variables=TARGETS) as taken:
        call = await connected(taken)
        await taken.type("transfer_call to=front-desk")
        await call.until(lambda: call.state == "transferred", within_s=8)
        assert call.transferred_to == "+15551234567"
        await taken.over()
        await call.hang_up()
    assert taken.noted("transfer") == [{"to": "front-desk"}]
    assert taken.end == ("transferred", "The caller was transferred to front-desk.")


async def test_a_caller_is_referred_to_a_sip_address(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch, variables=TARGETS) as taken:
        call = await connected(taken)
        await taken.type("transfer_call to=help")
        await call.until(lambda: call.state == "transferred", within_s=8)
        assert call.transferred_to == "sip:help@example.com"
        await taken.over()
        await call.hang_up()


async def test_a_transfer_that_daily_refuses_leaves_the_caller_here(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch, variables=TARGETS) as taken:
        taken.daily.fail("sip_call_transfer", error="Sip(NoRoute)", times=1)
        call = await connected(taken)
        heard = len(call.heard)
        await taken.type("transfer_call to=front-desk")
        await call.until(lambda: len(call.heard) > heard, within_s=8)
        await quiet(call)
        assert call.state == "connected"
        await call.hang_up()
        await taken.over()
    (transfer,) = taken.noted("transfer")
    assert "Sip(NoRoute)" in transfer["error"]


async def test_keys_that_the_bot_presses_are_heard_at_the_other_end(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch) as taken:
        call = await connected(taken)
        await taken.type("send_digits digits=12#")
        await call.until(lambda: call.digits == "12#", within_s=8)
        await call.hang_up()
        await taken.over()


async def test_a_call_that_the_server_ends_ends_with_a_goodbye(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch) as taken:
        call = await connected(taken)
        heard = len(call.heard)
        await taken.session.hang_up("The server is closing.", reason=Ended.CLOSING)
        await taken.over(within_s=3)
        await call.until(lambda: call.state == "ended", within_s=2)
        await call.hang_up()
        sound = np.concatenate([samples for _, samples in call.heard[heard:]])
        assert 0.2 < sound.size / 8000 < 1.0, "Goodbye."
    assert taken.end == ("closing", "The server is closing.")


async def test_who_finds_no_free_line_is_told_so_and_no_model_is_asked(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch) as taken:
        taken.says = Announcement.BUSY
        call = await taken.ring()
        await call.until(lambda: call.state == "ended", within_s=15)
        await call.hang_up()
        await taken.over(within_s=3)
        seconds = sum(samples.size for _, samples in call.heard) / 8000
        assert 1.5 < seconds < 6
        assert not taken.understudy.records and not taken.log


# --- rooms that can't be joined, or are gone -------------------------------------------------------


async def test_a_room_that_can_not_be_joined_ends_the_session_at_once(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch) as taken:
        taken.daily.fail("join", error="RoomInfoFetchFailed", times=1)
        async with asyncio.timeout(10):  # Pipecat goes on for 300 s
            await taken.begin(await taken.room(), None)
    reason, why = taken.end
    assert reason == "failure" and why.startswith("The Daily room can't be joined: ")


async def test_a_room_whose_server_says_nothing_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "JOIN_S", 0.5)
    async with office(tmp_path, monkeypatch) as taken, mute_server() as url:
        async with asyncio.timeout(10):
            await taken.begin({"url": f"{url}/room", "name": "room", "token": "t"}, None)
    assert taken.end == ("failure", "The Daily room could not be joined within 0.5 seconds.")


@contextlib.asynccontextmanager
async def mute_server() -> AsyncIterator[str]:
    """A server that takes connections, and nothing more."""

    held: list[asyncio.StreamWriter] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        with contextlib.suppress(ConnectionError):
            while await reader.read(4096):
                pass

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for writer in held:  # the server's end does not wait for them
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_room_that_is_closed_ends_the_session(tmp_path, monkeypatch):
    async with office(tmp_path, monkeypatch) as taken:
        room = await taken.room()
        call = PhoneCall(provider=Provider.SIP, call_id="c1")
        taken.bots.append(asyncio.create_task(taken.begin(room, call)))
        async with asyncio.timeout(8):
            while not taken.daily.rooms[room["name"]].live.members:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        taken.daily.domain.delete(room["name"])
        await taken.over(within_s=3)
    assert taken.end == ("closing", "The Daily room was closed.")
