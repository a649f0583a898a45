"""A caller over real WebRTC: aiortc against the server's own routes, as a page would call."""

import asyncio
import contextlib
import json
from typing import Any, Self

import httpx
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)

from tests.support.media import Camera, Ear, Microphone


class Caller:
    """Calls, talks, shows, types and listens; leaves nothing behind when it hangs up."""

    def __init__(
        self,
        url: str,
        *,
        persona: str | None = None,
        camera: Camera | None = None,
        screen: Camera | None = None,
    ):
        self._url = url
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
        self._http = httpx.AsyncClient(base_url=self._url, timeout=30)
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
        answer = await self._http.post("/start", json={"transport": "webrtc", "body": choice})
        answer.raise_for_status()
        self.session = answer.json()
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
        await self._http.aclose()

    # --- what the caller does -------------------------------------------------------------------

    def types(self, text: str) -> None:
        """Send a typed message."""
        self._send("send-text", {"content": text, "options": {"run_immediately": True}})

    async def uploads(self, data: bytes, *, name: str, caption: str, mime: str = "image/png"):
        """Upload a file and send it, as the page does."""
        files = {"file": (name, data, mime)}
        answer = await self._http.post(self.session["fileUploadUrl"], files=files)
        answer.raise_for_status()
        self._send("send-file", {"file": answer.json(), "content": caption})

    # --- what the caller is told ----------------------------------------------------------------

    async def hears(self, type: str, *, within_s: float = 15, **fields: Any) -> dict[str, Any]:
        """Wait for an RTVI message; server messages are looked for by the fields of their data."""
        async with asyncio.timeout(within_s):
            while True:
                for message in self.messages:
                    data = message.get("data") or {}
                    if message.get("type") == type and fields.items() <= data.items():
                        return data
                self._arrived.clear()
                await self._arrived.wait()

    def told(self, type: str) -> list[dict[str, Any]]:
        """The data of all messages of a type so far."""
        return [m.get("data") or {} for m in self.messages if m.get("type") == type]

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
        answer = await self._http.post(
            f"/sessions/{self.session['sessionId']}/api/offer",
            json={"sdp": offer.sdp, "type": offer.type},
        )
        answer.raise_for_status()
        description = answer.json()
        await self._pc.setRemoteDescription(
            RTCSessionDescription(sdp=description["sdp"], type=description["type"])
        )

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
