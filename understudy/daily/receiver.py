"""Gives out what a client receives, at the pace of speech."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from understudy.daily.connection import Connection
from understudy.daily.engine import Caller, Engine
from understudy.daily.renderers import AudioRenderer, video_frame
from understudy.daily.wire import SOUND, Media


class Receiver:
    """What the application wants of whom. Sound and pictures have a thread each.

    Args:
        engine: On whose thread it works.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sounds = Caller("daily-audio")
        self._pictures = Caller("daily-video")
        self._audio: dict[tuple[str, str], AudioRenderer] = {}
        self._video: dict[tuple[str, str], tuple[Callable[..., Any], str]] = {}
        self._ticking: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._connection: Connection | None = None

    def connect(self, connection: Connection) -> None:
        """From now on there is somebody to receive from."""
        self._connection = connection
        self._want()

    def disconnect(self) -> None:
        """Receives nothing more."""
        self._connection = None
        for ticking in self._ticking.values():
            ticking.cancel()
        self._ticking.clear()
        self._audio.clear()
        self._video.clear()

    def close(self) -> None:
        """Ends the threads."""
        self._sounds.close()
        self._pictures.close()

    def hear(
        self,
        participant: str,
        source: str,
        callback: Callable[..., Any],
        *,
        sample_rate: int,
        interval_s: float,
    ) -> None:
        """Gives somebody's sound to a callback; from any thread."""
        renderer = AudioRenderer(callback, sample_rate=sample_rate, interval_s=interval_s)
        self._engine.soon(self._hear, (participant, source), renderer, interval_s)

    def see(
        self, participant: str, source: str, callback: Callable[..., Any], color_format: str
    ) -> None:
        """Gives somebody's pictures to a callback; from any thread."""
        self._engine.soon(self._see, (participant, source), callback, color_format)

    def forget(self, participant: str) -> None:
        """They are gone."""
        for key in [key for key in self._audio if key[0] == participant]:
            del self._audio[key]
            self._ticking.pop(key).cancel()
        for key in [key for key in self._video if key[0] == participant]:
            del self._video[key]

    def take(self, media: Media) -> None:
        """Takes what came."""
        key = (media.sender, media.source)
        if media.kind == SOUND:
            if (renderer := self._audio.get(key)) is not None:
                renderer.take(media)
        elif (wanted := self._video.get(key)) is not None:
            self._pictures.call_unless_late(self._picture, media, *wanted)

    def _hear(self, key: tuple[str, str], renderer: AudioRenderer, interval_s: float) -> None:
        if self._connection is None:
            return
        self._audio[key] = renderer
        if (ticking := self._ticking.pop(key, None)) is not None:
            ticking.cancel()
        self._ticking[key] = asyncio.create_task(
            self._tick(key, renderer, interval_s), name="daily-audio-renderer"
        )

    def _see(self, key: tuple[str, str], callback: Callable[..., Any], color_format: str) -> None:
        self._video[key] = callback, color_format
        self._want()

    def _want(self) -> None:
        if self._connection is not None:
            self._connection.tell(do="want", pictures=[list(key) for key in self._video])

    async def _tick(self, key: tuple[str, str], renderer: AudioRenderer, interval_s: float) -> None:
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        while True:
            next_s += interval_s
            await asyncio.sleep(next_s - loop.time())
            self._sounds.call_unless_late(self._sound, key, renderer.next(), renderer.callback)

    def _sound(self, key: tuple[str, str], sound: Any, callback: Callable[..., Any]) -> None:
        if self._connection is not None:
            callback(key[0], sound, key[1])

    def _picture(self, media: Media, callback: Callable[..., Any], color_format: str) -> None:
        frame = video_frame(
            media, color_format=color_format, timestamp_us=time.monotonic_ns() // 1000
        )
        if self._connection is not None:
            callback(media.sender, frame, media.source)
