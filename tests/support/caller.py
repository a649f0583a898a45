"""A caller over real WebRTC: aiortc, as a page would call."""

import asyncio
import contextlib
import json
import uuid
from typing import Any, Protocol, Self

import httpx
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from pipecat.runner.types import SmallWebRTCRunnerArguments
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection

import bot
from tests.support.media import Camera, Ear, Microphone


class Door(Protocol):
    """How a caller gets in."""

    async def start(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for a session; the answer is that of `/start`."""
        ...

    async def offer(self, session_id: str, sdp: str) -> str:
        """Offer a connection; the answer is the server's description of its side."""
        ...

    async def close(self) -> None:
        """Let go of what the door holds."""
        ...


class HttpDoor:
    """The server's own routes."""

    def __init__(self, url: str):
        self.http = httpx.AsyncClient(base_url=url, timeout=30)

    async def start(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.http.post("/start", json={"transport": "webrtc", "body": body})
        answer.raise_for_status()
        return answer.json()

    async def offer(self, session_id: str, sdp: str) -> str:
        path = f"/sessions/{session_id}/api/offer"
        answer = await self.http.post(path, json={"sdp": sdp, "type": "offer"})
        answer.raise_for_status()
        return answer.json()["sdp"]

    async def close(self) -> None:
        await self.http.aclose()


class BotDoor:
    """The bot itself, in the test's own process and event loop."""

    def __init__(self):
        self._body: dict[str, Any] = {}
        self.bot: asyncio.Task | None = None

    async def start(self, body: dict[str, Any]) -> dict[str, Any]:
        self._body = body
        return {"sessionId": uuid.uuid4().hex}

    async def offer(self, session_id: str, sdp: str) -> str:
        connection = SmallWebRTCConnection()
        await connection.initialize(sdp=sdp, type="offer")
        args = SmallWebRTCRunnerArguments(
            webrtc_connection=connection, body=self._body, session_id=session_id
        )
        self.bot = asyncio.create_task(bot.bot(args))
        answer = connection.get_answer()
        assert answer
        return answer["sdp"]

    async def close(self) -> None:
        if self.bot:
            async with asyncio.timeout(10):
                await self.bot


class Caller:
    """Calls, talks, shows, types and listens; leaves nothing behind when it hangs up."""

    def __init__(
        self,
        door: Door | str,
        *,
        persona: str | None = None,
        camera: Camera | None = None,
        screen: Camera | None = None,
    ):
        self.door = HttpDoor(door) if isinstance(door, str) else door
        self._persona = persona
        self._camera, self._screen = camera, screen
        self.microphone = Microphone()
        self.ear = Ear()
        self.messages: list[dict[str, Any]] = []
        self.session: dict[str, Any] = {}
        self.hung_up = asyncio.Event()
        self._arrived = asyncio.Event()
        self._open = asyncio.Event()
        self._tasks: list[asyncio.Task] = []

    async def __aenter__(self) -> Self:
        self._pc = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._pc.addTransceiver(self.microphone)
        for video in (self._camera, self._screen):
            self._pc.addTransceiver(video or "video")
        self._channel = self._pc.createDataChannel("chat", ordered=True)
        self._channel.on("open", self._open.set)
        self._channel.on("message", self._on_message)
        self._pc.on("track", self._on_track)
        self._pc.on("connectionstatechange", self._on_state)
        choice = {"persona": self._persona} if self._persona else {}
        self.session = await self.door.start(choice)
        await self._negotiate()
        async with asyncio.timeout(15):
            await self._open.wait()
        self._tasks.append(asyncio.create_task(self._ping()))
        self._send("client-ready", {"version": "2.2.0", "about": {"library": "salon-tests"}})
        await self.hears("bot-ready")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pc.close()
        await self.door.close()

    # --- what the caller does -------------------------------------------------------------------

    def types(self, text: str) -> None:
        """Send a typed message."""
        self._send("send-text", {"content": text, "options": {"run_immediately": True}})

    async def uploads(self, data: bytes, *, name: str, caption: str, mime: str = "image/png"):
        """Upload a file and send it, as the page does."""
        files = {"file": (name, data, mime)}
        assert isinstance(self.door, HttpDoor)
        answer = await self.door.http.post(self.session["fileUploadUrl"], files=files)
        answer.raise_for_status()
        self._send("send-file", {"file": answer.json(), "content": caption})

    # --- what the caller is told ----------------------------------------------------------------

    async def hears(self, kind: str, /, *, within_s: float = 15, **fields: Any) -> dict[str, Any]:
        """Wait for an RTVI message; server messages are looked for by the fields of their data."""
        async with asyncio.timeout(within_s):
            while True:
                for message in self.messages:
                    data = message.get("data") or {}
                    if message.get("type") == kind and fields.items() <= data.items():
                        return data
                self._arrived.clear()
                await self._arrived.wait()

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The data of all messages of a type so far."""
        return [m.get("data") or {} for m in self.messages if m.get("type") == kind]

    async def bot_said(self, words: str, *, within_s: float = 20) -> str:
        """Wait until the bot's transcript holds some words; the answer is the transcript."""
        async with asyncio.timeout(within_s):
            while words.lower() not in (said := self.transcript()).lower():
                self._arrived.clear()
                await self._arrived.wait()
        return said

    def transcript(self) -> str:
        """All that the bot said so far."""
        return "".join(data.get("text", "") for data in self.told("bot-llm-text"))

    # --- signalling -----------------------------------------------------------------------------

    async def _negotiate(self) -> None:
        await self._pc.setLocalDescription(await self._pc.createOffer())
        offer = self._pc.localDescription
        sdp = await self.door.offer(self.session["sessionId"], offer.sdp)
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))

    def _on_track(self, track) -> None:
        if track.kind == "audio":
            self._tasks.append(asyncio.create_task(self.ear.listen(track)))

    def _on_message(self, text: str) -> None:
        message = json.loads(text)
        if message.get("type") == "signalling":
            if message["message"].get("type") == "peerLeft":
                self.hung_up.set()
            return
        self.messages.append(message)
        self._arrived.set()

    def _on_state(self) -> None:
        if self._pc.connectionState in ("closed", "failed"):
            self.hung_up.set()

    def _send(self, type: str, data: dict[str, Any]) -> None:
        message = {"label": "rtvi-ai", "type": type, "id": f"{len(self.messages)}", "data": data}
        self._channel.send(json.dumps(message))

    async def _ping(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                self._channel.send("ping")
                await asyncio.sleep(1)
