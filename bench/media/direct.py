"""Callers without WebRTC: google-genai straight to the model, a relay, Pipecat's plain WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
from google import genai
from google.genai import types
from google.genai.live import AsyncSession
from pipecat.frames.protobufs import frames_pb2
from websockets.asyncio.client import connect

from bench.media.clips import MODEL_RATE_HZ, PACKET_S, Spoken
from bench.media.heard import Heard
from bench.running import MODEL

_protobuf: Any = frames_pb2
"""Its messages are made when it is imported."""
_OUTPUT_RATE_HZ = 24_000
AUDIO, PICTURE = b"\0", b"\1"
"""What a message to the relay begins with."""

Send = Callable[[bytes], Awaitable[None]]


class _Direct:
    """Sends 20 ms of sound and a picture a second; plays what comes."""

    def __init__(self, *, spoken: Spoken, camera: tuple[bytes, ...] = ()) -> None:
        self.heard = Heard()
        self.offer_s = 0.0
        self._late_ms: list[float] = []
        self._spoken = spoken
        self._camera = camera
        self._queue: list[bytes] = []
        self._said: asyncio.Future[tuple[float, float]] | None = None
        self._stack = contextlib.AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def late_ms(self) -> list[float]:
        """By how much each piece was late in leaving."""
        return self._late_ms

    async def say(self, *, loses_one: bool = False) -> tuple[float, float]:
        """Says the question; returns when its first and last piece were sent."""
        self._said = asyncio.get_running_loop().create_future()
        self._queue = list(self._spoken.pieces)
        return await self._said

    async def end(self) -> None:
        """Hangs up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    def _run(self, *, audio: Send, picture: Send, listen: Awaitable[None]) -> None:
        self._tasks = [
            asyncio.ensure_future(self._speak(audio)),
            asyncio.ensure_future(self._show(picture)),
            asyncio.ensure_future(listen),
        ]

    async def _speak(self, send: Send) -> None:
        due_s = time.monotonic()
        first_s = 0.0
        while True:
            now_s = time.monotonic()
            self._late_ms.append((now_s - due_s) * 1000)
            piece = self._queue.pop(0) if self._queue else None
            await send(piece or self._spoken.silence)
            if piece is self._spoken.pieces[0]:
                first_s = now_s
            elif piece and not self._queue and self._said:
                self._said.set_result((first_s, now_s))
            due_s += PACKET_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def _show(self, send: Send) -> None:
        while self._camera:
            for picture in self._camera:
                await send(picture)
                await asyncio.sleep(1)

    def _play(self, pcm: bytes) -> None:
        samples = np.frombuffer(pcm, np.int16)
        self.heard.queue(samples, rate_hz=_OUTPUT_RATE_HZ, at_s=time.monotonic())


class FloorCaller(_Direct):
    """google-genai straight to the model: what cannot be undercut."""

    async def begin(self) -> None:
        """Opens a session; where, is in the environment."""
        config = types.LiveConnectConfig(response_modalities=[types.Modality.AUDIO])
        client = genai.Client()
        self.offer_s = time.monotonic()
        live = await self._stack.enter_async_context(
            client.aio.live.connect(model=MODEL, config=config)
        )

        async def audio(piece: bytes) -> None:
            blob = types.Blob(data=piece, mime_type=f"audio/pcm;rate={MODEL_RATE_HZ}")
            await live.send_realtime_input(audio=blob)

        async def picture(jpeg: bytes) -> None:
            blob = types.Blob(data=jpeg, mime_type="image/jpeg")
            await live.send_realtime_input(video=blob)

        self._run(audio=audio, picture=picture, listen=self._listen(live))

    async def _listen(self, live: AsyncSession) -> None:
        async for message in _messages(live):
            if message.data:
                self._play(message.data)
            if message.server_content and message.server_content.interrupted:
                self.heard.flush(time.monotonic())


async def _messages(live: AsyncSession) -> AsyncIterator[types.LiveServerMessage]:
    while True:  # the client's own iterator ends with each turn
        async for message in live.receive():
            yield message


class RelayCaller(_Direct):
    """A WebSocket that carries raw audio both ways, and pictures there.

    Args:
        url: The relay's.
        spoken: The question, as PCM.
        camera: JPEGs, one a second.
    """

    def __init__(self, url: str, *, spoken: Spoken, camera: tuple[bytes, ...] = ()) -> None:
        super().__init__(spoken=spoken, camera=camera)
        self._url = url.replace("http", "ws", 1)

    async def begin(self) -> None:
        """Connects."""
        self.offer_s = time.monotonic()
        socket = await self._stack.enter_async_context(connect(self._url, compression=None))

        async def audio(piece: bytes) -> None:
            await socket.send(AUDIO + piece)

        async def picture(jpeg: bytes) -> None:
            await socket.send(PICTURE + jpeg)

        async def listen() -> None:
            async for message in socket:
                assert isinstance(message, bytes)
                self._play(message)

        self._run(audio=audio, picture=picture, listen=listen())


class DoorCaller(_Direct):
    """Pipecat's plain WebSocket, which carries sound in frames of Protobuf.

    Args:
        url: The server's.
        spoken: The question, as PCM.
    """

    def __init__(self, url: str, *, spoken: Spoken) -> None:
        super().__init__(spoken=spoken)
        self._url = url.replace("http", "ws", 1) + "/ws-client"

    async def begin(self) -> None:
        """Connects."""
        self.offer_s = time.monotonic()
        socket = await self._stack.enter_async_context(connect(self._url, compression=None))

        async def audio(piece: bytes) -> None:
            sound = _protobuf.AudioRawFrame(audio=piece, sample_rate=MODEL_RATE_HZ, num_channels=1)
            await socket.send(_protobuf.Frame(audio=sound).SerializeToString())

        ready = {"version": "2.2.0", "about": {"library": "bench"}}
        message = {"label": "rtvi-ai", "type": "client-ready", "id": "1", "data": ready}
        text = _protobuf.MessageFrame(data=json.dumps(message))
        await socket.send(_protobuf.Frame(message=text).SerializeToString())

        async def listen() -> None:
            async for message in socket:
                frame = _protobuf.Frame.FromString(message)
                match frame.WhichOneof("frame"):
                    case "audio":
                        self._play(frame.audio.audio)
                    case "interruption":
                        self.heard.flush(time.monotonic())

        self._run(audio=audio, picture=audio, listen=listen())
