"""People in a room with the bot: Pipecat's own `DailyTransport`, over the stand-in for Daily."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from pipecat.runner.types import DailyRunnerArguments
from pipecat.transports.daily import transport as daily_transport
from pipecat.transports.daily.utils import DailyRESTHelper, DailyRoomParams

import bot
from tests.support.pictures import quarters, saved
from tests.support.speech import speech
from tests.support.understudies import understudy_in
from understudy import Understudy
from understudy.daily import DailyStandIn, Guest
from understudy.daily.call_client import use_stand_in

STAND_INS = (
    "CallClient",
    "CustomAudioSource",
    "CustomAudioTrack",
    "CustomVideoSource",
    "CustomVideoTrack",
    "Daily",
)
SHORT = "Good morning."
LONG = "I would like to know what you can see in the picture on the wall behind me."


@dataclass
class Meeting:
    """A room with the bot in it, and what came of it."""

    url: str
    daily: DailyStandIn
    understudy: Understudy
    session: asyncio.Task[None]
    logs: Path

    @property
    def log(self) -> list[dict[str, Any]]:
        lines = [path.read_text().splitlines() for path in self.logs.glob("*.jsonl")]
        return [json.loads(line) for of_file in lines for line in of_file]

    @property
    def speakers(self) -> list[list[str]]:
        """Who spoke in each of the users' turns that was spoken."""
        turns = [line for line in self.log if line.get("side") == "user" and line["speaker"]]
        return [[each["name"] for each in turn["speaker"]] for turn in turns]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.understudy.records if event["event"] == name]

    async def until(self, condition, *, within_s: float = 15.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.05)

    async def has_spoken_to(self, guest: Guest, *, since_s: float = 0.0) -> None:
        """Wait until the bot has said something since then, and has ended."""

        def has_ended() -> bool:
            last_s = guest.heard[-1][0] if guest.heard else 0.0
            return last_s > since_s and time.monotonic() - last_s > 1.0

        await self.until(has_ended, within_s=25)

    async def says(self, speaker: Guest, samples: np.ndarray, *, heard_by: Guest) -> None:
        """Somebody says something, and the bot answers."""
        speaker.say(samples)
        await speaker.said()
        await self.has_spoken_to(heard_by, since_s=time.monotonic())


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in STAND_INS:
        monkeypatch.setattr(daily_transport, name, getattr(daily_transport, name))
    use_stand_in()


@contextlib.asynccontextmanager
async def meeting(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, grace_s: float = 1.0, **body: Any
) -> AsyncIterator[Meeting]:
    async with (
        understudy_in(monkeypatch, folder, SALON_ROOM_GRACE_S=str(grace_s)) as understudy,
        DailyStandIn(api_key="any-key-of-daily") as daily,
        aiohttp.ClientSession() as http,
    ):
        rest = DailyRESTHelper(
            daily_api_key=daily.api_key, daily_api_url=daily.url, aiohttp_session=http
        )
        room = await rest.create_room(DailyRoomParams())
        args = DailyRunnerArguments(
            room_url=room.url, token=await rest.get_token(room.url), body=body, session_id="room"
        )
        args.handle_sigint = args.handle_sigterm = False
        session = asyncio.create_task(bot.bot(args))
        try:
            yield Meeting(room.url, daily, understudy, session, folder / "turns")
        finally:
            for held in list(bot.SESSIONS):
                await held.hang_up("The test is over.")
            async with asyncio.timeout(20):
                await session


def told(guest: Guest, kind: str) -> list[dict[str, Any]]:
    """What a guest was told of one kind, by RTVI server messages."""
    messages = [message for message, _ in guest.messages if isinstance(message, dict)]
    data = [message.get("data") for message in messages if message.get("type") == "server-message"]
    return [each for each in data if isinstance(each, dict) and each.get("type") == kind]


async def test_two_people_and_a_shared_screen_until_the_last_has_left(
    stand_ins, monkeypatch, tmp_path
):
    short, long = speech(SHORT), speech(LONG)
    async with meeting(monkeypatch, tmp_path) as room:
        ana = await Guest.join(room.url, name="Ana")
        ben = await Guest.join(room.url, name="Ben")
        await room.has_spoken_to(ana)
        names = {person["userName"] for person in ana.participants.values()}
        assert names == {"Ben", "Companion"}, "the bot goes by its persona's title"

        await room.says(ana, short, heard_by=ben)
        await room.says(ben, long, heard_by=ana)
        await room.until(lambda: room.speakers == [["Ana"], ["Ben"]])
        turns = [line for line in room.log if line.get("side") == "user" and line["speaker"]]
        for turn, said in zip(turns, (short, long), strict=True):
            (each,) = turn["speaker"]
            assert each["seconds"] == pytest.approx(len(said) / 48_000, abs=1.0)
        await room.until(lambda: len(told(ben, "speaker")) >= 4)
        assert [each["name"] for each in told(ben, "speaker")] == ["Ana", None, "Ben", None]

        ben.show(quarters(), source="screenVideo")
        await room.until(lambda: room.events("video"))

        await ana.leave()
        await room.says(ben, short, heard_by=ben)
        await room.until(lambda: room.speakers[2:] == [["Ben"]])
        assert not room.session.done(), "it goes on without her"

        await ben.leave()
        left_s = time.monotonic()
        await asyncio.wait_for(room.session, 10)
        assert time.monotonic() - left_s >= 1.0, "somebody might have come back"
        assert room.log[-1]["reason"] == "user"
        asked = json.dumps(room.daily.records)
        assert "recording" not in asked.replace("enable_recording", ""), "that is left as it is"
        assert "knock" not in asked


async def test_what_is_written_and_sent_in_the_chat_and_who_comes_back(
    stand_ins, monkeypatch, tmp_path
):
    async with meeting(monkeypatch, tmp_path, grace_s=5.0, answers="text") as room:
        ana = await Guest.join(room.url, name="Ana")
        await room.until(lambda: answers(room) == 1, within_s=25)
        greeting = chat_of(ana)[0]
        assert greeting["message"] and greeting["name"] == "Companion"

        for message in NONSENSE:
            await ana.send(message)
        await ana.chat("What is the time?")
        await room.until(lambda: answers(room) == 2, within_s=25)
        assert told_to(room) == ["What is the time?"]
        assert len(chat_of(ana)) == 2

        ben = await Guest.join(room.url, name="Ben")
        for message in pieces_of(saved(quarters(), "PNG")):
            await ben.send(message)
        await ana.send(picture_piece(id="broken", piece=0, of=1, data="<svg>"))
        await room.until(lambda: told(ana, "picture"))
        assert [each["state"] for each in told(ana, "picture")][:1] == ["refused"]
        await room.until(lambda: answers(room) == 3, within_s=25)
        assert told_to(room)[1:] == ["Ben: Whose flag is this?"]
        assert [each["state"] for each in told(ben, "picture")] == ["seen"]

        await ben.leave()
        await ana.leave()
        back = await Guest.join(room.url, name="Ana")
        await back.chat("I am back.")
        await room.until(lambda: chat_of(back), within_s=25)
        assert told_to(room)[2:] == ["I am back."]
        assert not room.session.done()
        await back.leave()


NONSENSE: list[Any] = [
    "hello",
    17,
    None,
    [],
    [{"label": "rtvi-ai"}],
    {},
    {"label": "rtvi-ai"},
    {"label": "rtvi-ai", "type": "client-ready", "id": "1", "data": [1]},
    {"label": "rtvi-ai", "type": ["send-text"], "id": {}, "data": 3},
    {"label": "rtvi-ai", "type": "send-file", "id": "1", "data": {"content": "x", "file": {}}},
    {"event": "chat-msg", "message": {"text": "x"}},
]


def chat_of(guest: Guest) -> list[dict[str, Any]]:
    """What somebody reads in the chat of Daily's own page."""
    messages = [message for message, _ in guest.messages if isinstance(message, dict)]
    return [message for message in messages if message.get("event") == "chat-msg"]


def answers(room: Meeting) -> int:
    """How many turns of the bot's are over, the greeting included."""
    return sum(1 for turn in room.log if turn.get("side") == "bot")


def told_to(room: Meeting) -> list[str]:
    """What the people have typed, and said about pictures, as the log has it."""
    return [turn["text"] for turn in room.log if turn.get("side") == "user"]


def picture_piece(**fields: Any) -> dict[str, Any]:
    data = {"t": "picture", "d": fields}
    return {"label": "rtvi-ai", "type": "client-message", "id": "p", "data": data}


def pieces_of(file: bytes, *, size: int = 400) -> list[dict[str, Any]]:
    data = base64.b64encode(file).decode()
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    about = {"format": "image/png", "name": "flag.png", "caption": "Whose flag is this?"}
    return [
        picture_piece(id="flag", piece=number, of=len(parts), data=part, **about)
        for number, part in enumerate(parts)
    ]
