"""A caller over WebRTC that sends what was encoded before and hears each packet as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import json
import time
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any

import httpx
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket
from av import AudioFrame, Packet

from bench.media.clips import FPS, KEYFRAME_EVERY, OPUS_RATE_HZ, PACKET_S, Spoken
from bench.media.heard import Heard
from bench.media.line import Impairment, Line

_OPUS_TYPE = 96
_VITAL = 3
"""Packets at the end of a question that are never lost: by them it is measured."""
_CONNECT_S = 15.0


class Microphone(MediaStreamTrack):
    """Sends a packet each 20 ms: of the question, or of silence."""

    kind = "audio"

    def __init__(self, spoken: Spoken) -> None:
        super().__init__()
        self.line: Impairment | None = None
        self.late_ms: list[float] = []
        self._spoken = spoken
        self._queue: deque[bytes] = deque()
        self._loses_at: int | None = None
        self._said: asyncio.Future[tuple[float, float]] | None = None
        self._first_s = 0.0
        self._began_s: float | None = None
        self._sent = 0

    async def say(self, *, loses_one: bool) -> tuple[float, float]:
        """Says the question; returns when its first and last packet were sent."""
        self._said = asyncio.get_running_loop().create_future()
        self._loses_at = len(self._spoken.pieces) // 2 if loses_one else None
        self._queue.extend(self._spoken.pieces)
        return await self._said

    async def recv(self) -> Packet:
        """The next packet, when it is due."""
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
        due_s = self._began_s + self._sent * PACKET_S
        await asyncio.sleep(max(0.0, due_s - now_s))
        self.late_ms.append((time.monotonic() - due_s) * 1000)
        packet = Packet(self._next())
        packet.pts = round(self._sent * PACKET_S * OPUS_RATE_HZ)
        packet.time_base = fractions.Fraction(1, OPUS_RATE_HZ)
        self._sent += 1
        return packet

    def _next(self) -> bytes:
        if not self._queue:
            if self.line:
                self.line.is_vital = False
            return self._spoken.silence
        left, now_s = len(self._queue), time.monotonic()
        if left == len(self._spoken.pieces):
            self._first_s = now_s
        if self.line:
            self.line.loses_next = left == self._loses_at
            self.line.is_vital = left <= _VITAL
        if left == 1 and self._said and not self._said.done():
            self._said.set_result((self._first_s, now_s))
        return self._queue.popleft()


class Camera(MediaStreamTrack):
    """Sends frames at their rate, over and over; from a keyframe when one is asked for."""

    kind = "video"

    def __init__(self, frames: tuple[bytes, ...]) -> None:
        super().__init__()
        self._frames = frames
        self._next = 0
        self._sent = 0
        self._began_s: float | None = None

    def skip_to_keyframe(self) -> None:
        """The next frame is a keyframe, as a browser's would be after a PLI."""
        self._next = -(-self._next // KEYFRAME_EVERY) * KEYFRAME_EVERY

    async def recv(self) -> Packet:
        """The next frame, when it is due."""
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
        await asyncio.sleep(max(0.0, self._began_s + self._sent / FPS - now_s))
        packet = Packet(self._frames[self._next % len(self._frames)])
        packet.pts, packet.time_base = self._sent, fractions.Fraction(1, FPS)
        self._next = (self._next + 1) % len(self._frames)
        self._sent += 1
        return packet


class _Ear:
    """In the place of a receiver's jitter buffer: hears each packet at once.

    What is to be measured is the server; how long a browser holds what it got is the browser's.
    """

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._decoder = OpusDecoder()

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Takes a packet; there is never anything to decode."""
        now_s = time.monotonic()
        data: bytes = packet._data  # pyright: ignore
        media_s = packet.timestamp / OPUS_RATE_HZ
        for frame in self._decoder.decode(JitterFrame(data, packet.timestamp)):
            assert isinstance(frame, AudioFrame)
            samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
            self._heard.play(samples, rate_hz=frame.sample_rate, at_s=now_s, media_s=media_s)
        return False, None


class _Blind:
    """In the same place: a picture is not looked at."""

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Takes a packet."""
        return False, None


@dataclass
class Steps:
    """How a call began; times in monotonic seconds.

    Attributes:
        session: Its signed identifier, where there is one.
        accepted_s: When it was answered that it may begin, where that is asked.
        answered_s: When the answer to the offer had come.
        connected_s: When the data channel was open.
    """

    session: str = ""
    accepted_s: float = 0.0
    answered_s: float = 0.0
    connected_s: float = 0.0


class WebRtcCaller:
    """Calls as a page does.

    Args:
        url: The server's.
        spoken: The question, as Opus.
        camera: Frames of VP8; none: audio only.
        line: How bad the line is.
        is_pipecat: Whether it is called as Pipecat's runner is, or as FastRTC.
    """

    def __init__(
        self,
        url: str,
        *,
        spoken: Spoken,
        camera: tuple[bytes, ...] = (),
        line: Line,
        is_pipecat: bool,
    ) -> None:
        self.heard = Heard()
        self.offer_s = 0.0
        self.steps = Steps()
        self._url = url
        self._line = line
        self._microphone = Microphone(spoken)
        self._camera = Camera(camera) if camera else None
        self._is_pipecat = is_pipecat
        self._tasks: list[asyncio.Task[None]] = []
        self._is_open = asyncio.Event()

    @property
    def late_ms(self) -> list[float]:
        """By how much each packet was late in leaving."""
        return self._microphone.late_ms

    async def begin(self) -> None:
        """Calls, and waits until there is a connection."""
        self._pc = pc = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        pc.addTransceiver(self._microphone)
        if self._camera:
            sender = pc.addTransceiver(self._camera).sender
            # aiortc 1.16 marks the next frame for its encoder, which ready packets pass by.
            sender._send_keyframe = self._camera.skip_to_keyframe
        if self._is_pipecat:
            # Its runner knows a camera and a screen by their place.
            for _ in range(1 if self._camera else 2):
                pc.addTransceiver("video")
        self._channel = pc.createDataChannel("chat", ordered=True)
        self._channel.on("open", self._is_open.set)
        await pc.setLocalDescription(await pc.createOffer())
        async with httpx.AsyncClient(base_url=self._url, timeout=_CONNECT_S) as http:
            self.offer_s = time.monotonic()
            sdp = await (self._offer_pipecat(http) if self._is_pipecat else self._offer(http))
        self.steps.answered_s = time.monotonic()
        await pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        self._adjust()
        async with asyncio.timeout(_CONNECT_S):
            await self._is_open.wait()
        self.steps.connected_s = time.monotonic()
        if self._is_pipecat:
            self._send("client-ready", {"version": "2.2.0", "about": {"library": "bench"}})
            self._tasks.append(asyncio.create_task(self._ping()))

    async def say(self, *, loses_one: bool = False) -> tuple[float, float]:
        """Says the question; returns when its first and last packet were sent."""
        return await self._microphone.say(loses_one=loses_one)

    async def end(self) -> None:
        """Says goodbye and hangs up."""
        if self._is_pipecat and self.steps.session:
            async with httpx.AsyncClient(base_url=self._url, timeout=_CONNECT_S) as http:
                with contextlib.suppress(httpx.TransportError):
                    await http.delete(f"/sessions/{self.steps.session}")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pc.close()

    async def _offer_pipecat(self, http: httpx.AsyncClient) -> str:
        started = await http.post("/start", json={"transport": "webrtc", "body": {}})
        session = started.raise_for_status().json()["sessionId"]
        self.steps.session, self.steps.accepted_s = session, time.monotonic()
        return await self._post(http, f"/sessions/{session}/api/offer", {})

    async def _offer(self, http: httpx.AsyncClient) -> str:
        return await self._post(http, "/webrtc/offer", {"webrtc_id": uuid.uuid4().hex})

    async def _post(self, http: httpx.AsyncClient, path: str, more: dict[str, Any]) -> str:
        offer = {"sdp": self._pc.localDescription.sdp, "type": "offer", **more}
        answer = await http.post(path, json=offer)
        return answer.raise_for_status().json()["sdp"]

    def _adjust(self) -> None:
        """Puts the line below the sender, and ears in the place of jitter buffers."""
        for transceiver in self._pc.getTransceivers():
            ear = _Ear(self.heard) if transceiver.kind == "audio" else _Blind()
            transceiver.receiver._RTCRtpReceiver__jitter_buffer = ear  # pyright: ignore
        ice = self._pc.getSenders()[0].transport.transport
        self._microphone.line = Impairment(self._line, audio_type=_OPUS_TYPE, send=ice._send)
        ice._send = self._microphone.line.send

    def _send(self, kind: str, data: dict[str, Any]) -> None:
        message = {"label": "rtvi-ai", "type": kind, "id": "1", "data": data}
        self._channel.send(json.dumps(message))

    async def _ping(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                self._channel.send("ping")
                await asyncio.sleep(1)
