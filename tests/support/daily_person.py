"""A person in a Daily room, with daily-python as it is, or with the understudy's stand-in for it."""

import asyncio
import threading
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import httpx
import numpy as np
from daily import EventHandler

from tests.support.server import Server

RATE_HZ = 48_000
_LOUD = 300


class DailyPerson:
    """Joins a room, speaks, and hears who else is there.

    Args:
        library: `daily`, or `understudy.daily.call_client`.
    """

    def __init__(self, library: ModuleType):
        library.Daily.init()
        self.heard: list[tuple[float, int]] = []
        """When something loud came (monotonic seconds), and how loud."""
        self._library = library
        self._source = library.CustomAudioSource(RATE_HZ, 1)
        self._track = library.CustomAudioTrack(self._source)
        self._client = library.CallClient(event_handler=_Events(self))
        self._client.update_subscription_profiles(
            {"base": {"camera": "unsubscribed", "screenVideo": "unsubscribed"}}
        )

    async def join(self, url: str, token: str) -> None:
        """Joins a room.

        Raises:
            ConnectionError: It can't be joined; why is what the library says.
        """
        microphone = {"isEnabled": True, "settings": {"customTrack": {"id": self._track.id}}}
        settings = {
            "inputs": {"camera": False, "microphone": microphone},
            "publishing": {"microphone": {"isPublishing": True}},
        }
        _, error = await self._completed(
            lambda done: self._client.join(url, token, client_settings=settings, completion=done)
        )
        if error:
            raise ConnectionError(error)
        self._hear_all()

    async def say(self, samples_48k: np.ndarray) -> None:
        """Speaks, until it is said."""
        await self._completed(
            lambda done: self._source.write_frames(samples_48k.tobytes(), completion=done)
        )

    async def hears(self, *, within_s: float) -> None:
        """Waits until somebody has spoken and is silent for two seconds.

        Raises:
            TimeoutError: Nobody did.
        """
        since_s = time.monotonic()
        async with asyncio.timeout(within_s):
            while not (self.heard and since_s < self.heard[-1][0] < time.monotonic() - 2):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def leave(self) -> None:
        """Leaves, and lets go of the library's client."""
        await self._completed(lambda done: self._client.leave(completion=done))
        await asyncio.to_thread(self._client.release)

    def _hear_all(self) -> None:
        for participant in self._client.participants():
            if participant != "local":
                self._hear(participant)

    def _hear(self, participant: str) -> None:
        subscribed = {participant: {"media": {"microphone": "subscribed"}}}
        self._client.update_subscriptions(participant_settings=subscribed)
        self._client.set_audio_renderer(participant, self._take)

    def _take(self, participant: str, audio: Any, source: str) -> None:
        loudness = int(np.abs(np.frombuffer(audio.audio_frames, np.int16)).max(initial=0))
        if loudness > _LOUD:
            self.heard.append((time.monotonic(), loudness))

    async def _completed(self, ask: Any) -> tuple[Any, ...]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[Any, ...]] = loop.create_future()
        ask(lambda *answer: loop.call_soon_threadsafe(future.set_result, answer))
        async with asyncio.timeout(30):
            return await future


class _Events(EventHandler):
    def __init__(self, person: DailyPerson):
        super().__init__()
        self._person = person

    def on_participant_joined(self, participant: Mapping[str, Any]) -> None:
        # Not within the library's own call, which would wait for itself.
        threading.Thread(target=self._person._hear, args=[participant["id"]]).start()


async def greeted_and_answered(server: Server, library: ModuleType, question: np.ndarray) -> float:
    """Meets a server's bot in a room that it makes: hears its greeting, asks, and is answered.

    Returns:
        How long the answer was in coming, in seconds.
    """
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        answer = await http.post("/start", json={"transport": "daily"})
        assert answer.status_code == 200, answer.text
        started = answer.json()
        person = DailyPerson(library)
        await person.join(started["dailyRoom"], started["dailyToken"])
        try:
            await person.hears(within_s=30)
            await person.say(question)
            asked_s = time.monotonic()
            await person.hears(within_s=30)
        finally:
            await person.leave()
        first_s = min(at_s for at_s, _ in person.heard if at_s > asked_s)
        await http.delete(f"/sessions/{started['sessionId']}")
        ended = await http.get(f"/sessions/{started['sessionId']}", params={"wait_s": 20})
        assert ended.json()["state"] == "ended"
        return first_s - asked_s
