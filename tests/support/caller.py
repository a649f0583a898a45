"""A caller over real WebRTC: aiortc, as a page would call."""

import asyncio
import contextlib
import json
import ssl
import time
import uuid
from typing import Any, Protocol, Self

import httpx
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from pipecat.runner.types import SmallWebRTCRunnerArguments
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection

import bot
from pipeline.endings import Ended
from pipeline.ice_servers import ice_servers, own_ice_servers
from pipeline.settings import load_settings
from tests.support.media import Camera, Ear, Microphone


class Door(Protocol):
    """How a caller gets in."""

    async def start(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for a session; the answer is that of `/start`."""
        ...

    async def offer(self, session_id: str, sdp: str, **known: Any) -> dict[str, Any]:
        """Offer a connection; the answer has the server's description of its side, and a name."""
        ...

    async def end(self, session_id: str) -> None:
        """Say goodbye; a call that is over, or never came about, is no error."""
        ...

    async def close(self) -> None:
        """Let go of what the door holds."""
        ...


def http_client(url: str) -> httpx.AsyncClient:
    """For a server on this machine: without certificates, whose reading blocks the loop 50 ms."""
    return httpx.AsyncClient(
        base_url=url, timeout=30, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )


class HttpDoor:
    """The server's own routes."""

    def __init__(self, url: str):
        self.http = http_client(url)

    async def start(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.http.post("/start", json={"transport": "webrtc", "body": body})
        answer.raise_for_status()
        return answer.json()

    async def offer(self, session_id: str, sdp: str, **known: Any) -> dict[str, Any]:
        path = f"/sessions/{session_id}/api/offer"
        answer = await self.http.post(path, json={"sdp": sdp, "type": "offer", **known})
        answer.raise_for_status()
        return answer.json()

    async def end(self, session_id: str) -> None:
        with contextlib.suppress(httpx.TransportError):  # the server may be gone
            await self.http.delete(f"/sessions/{session_id}")

    async def close(self) -> None:
        await self.http.aclose()


class BotDoor:
    """The bot itself, in the test's own process and event loop."""

    def __init__(self):
        self._body: dict[str, Any] = {}
        self.bot: asyncio.Task | None = None

    async def start(self, body: dict[str, Any]) -> dict[str, Any]:
        self._body = body
        session_id = uuid.uuid4().hex
        servers = ice_servers(load_settings(), session_id=session_id, now_s=time.time())
        return {"sessionId": session_id, "iceConfig": {"iceServers": servers}}

    async def offer(self, session_id: str, sdp: str, **known: Any) -> dict[str, Any]:
        servers = own_ice_servers(load_settings(), session_id=session_id, now_s=time.time())
        connection = SmallWebRTCConnection([RTCIceServer(**server) for server in servers])
        await connection.initialize(sdp=sdp, type="offer")
        args = SmallWebRTCRunnerArguments(
            webrtc_connection=connection, body=self._body, session_id=session_id
        )
        self.bot = asyncio.create_task(bot.bot(args))
        answer = connection.get_answer()
        assert answer
        return answer

    async def end(self, session_id: str) -> None:
        for session in list(bot.SESSIONS):
            await session.hang_up("The call was ended.", reason=Ended.USER)

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
        choices: dict[str, Any] | None = None,
        relay_only: bool = False,
    ):
        self.door = HttpDoor(door) if isinstance(door, str) else door
        self._choices = {**({"persona": persona} if persona else {}), **(choices or {})}
        self._camera, self._screen = camera, screen
        self._relay_only = relay_only
        self.microphone = Microphone()
        self.ear = Ear()
        self.messages: list[dict[str, Any]] = []
        self.session: dict[str, Any] = {}
        self.pc_id = ""
        self.packets: list[tuple[float, float]] = []
        """Arrival (monotonic seconds) and timestamp (seconds) of each packet of sound."""
        self._lags: list[tuple[float, float]] = []
        """When this process's own loop ticked (monotonic seconds), and how late (seconds)."""
        self.hung_up = asyncio.Event()
        self._arrived = asyncio.Event()
        self._open = asyncio.Event()
        self._tasks: list[asyncio.Task] = []

    async def __aenter__(self) -> Self:
        self._tasks.append(asyncio.create_task(self._note_own_lag()))
        self.session = await self.door.start(self._choices)
        await self._connect()
        return self

    async def _connect(self, **known: Any) -> None:
        self._open.clear()
        self._pc = RTCPeerConnection(self._configuration())
        self._pc.addTransceiver(self.microphone)
        for video in (self._camera, self._screen):
            self._pc.addTransceiver(video or "video")
        self._channel = self._pc.createDataChannel("chat", ordered=True)
        self._channel.on("open", self._open.set)
        self._channel.on("message", self._on_message)
        self._pc.on("track", self._on_track)
        self._pc.on("connectionstatechange", self._on_state)
        await self._negotiate(**known)
        async with asyncio.timeout(15):
            await self._open.wait()
        self._tasks.append(asyncio.create_task(self._ping()))
        self._send("client-ready", {"version": "2.2.0", "about": {"library": "salon-tests"}})
        await self.hears("bot-ready")

    async def __aexit__(self, *_: object) -> None:
        """Say goodbye as a page does, and hang up."""
        if self.session:
            await self.door.end(self.session["sessionId"])
        await self.goes_away()
        await self.door.close()

    async def goes_away(self) -> None:
        """Be gone without a word, as a page that is loaded anew."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._pc.close()

    async def comes_back(self) -> None:
        """Take up the call again, as a page that knows nothing but its name."""
        self.messages.clear()
        self.hung_up.clear()
        self.microphone = Microphone()
        self._camera = self._camera and Camera(color=self._camera.color)
        self._tasks.append(asyncio.create_task(self._note_own_lag()))
        await self._connect(pc_id=self.pc_id, restart_pc=True)

    # --- what the caller does -------------------------------------------------------------------

    def types(self, text: str) -> None:
        """Send a typed message."""
        self._send("send-text", {"content": text, "options": {"run_immediately": True}})

    def measures(self, **stats: Any) -> None:
        """Say how the line is, as a page does every two seconds."""
        self._send("client-message", {"t": "network-stats", "d": stats})

    async def uploads(self, data: bytes, *, name: str, caption: str, mime: str = "image/png"):
        """Upload a file and send it, as the page does."""
        files = {"file": (name, data, mime)}
        assert isinstance(self.door, HttpDoor)
        answer = await self.door.http.post(self.session["fileUploadUrl"], files=files)
        answer.raise_for_status()
        self._send("send-file", {"file": answer.json(), "content": caption})

    async def is_told_the_end(self, *, within_s: float = 15) -> dict[str, Any]:
        """Wait until the server says that the session has ended, and why."""
        assert isinstance(self.door, HttpDoor)
        async with asyncio.timeout(within_s):
            while True:
                url = f"/sessions/{self.session['sessionId']}"
                state = (await self.door.http.get(url, params={"wait_s": 10})).json()
                if state["state"] == "ended":
                    return state

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

    def _configuration(self) -> RTCConfiguration:
        """Callers are on this machine, and need no server to be reached unless they ask for one."""
        configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        if self._relay_only:
            servers = self.session["iceConfig"]["iceServers"]
            configuration.iceServers = [RTCIceServer(**server) for server in servers]
            configuration.iceTransportPolicy = RTCIceTransportPolicy.RELAY
        return configuration

    async def _negotiate(self, **known: Any) -> None:
        await self._pc.setLocalDescription(await self._pc.createOffer())
        offer = self._pc.localDescription
        answer = await self.door.offer(self.session["sessionId"], offer.sdp, **known)
        self.pc_id = answer["pc_id"]
        description = RTCSessionDescription(sdp=answer["sdp"], type="answer")
        await self._pc.setRemoteDescription(description)

    def _on_track(self, track) -> None:
        if track.kind == "audio":
            self._note_packets()
            self._tasks.append(asyncio.create_task(self.ear.listen(track)))

    def _note_packets(self) -> None:
        (receiver,) = (r for r in self._pc.getReceivers() if r.track and r.track.kind == "audio")
        take = receiver._handle_rtp_packet

        async def noting(packet, arrival_time_ms: int) -> None:
            self.packets.append((time.monotonic(), packet.timestamp / 48_000))
            await take(packet, arrival_time_ms)

        receiver._handle_rtp_packet = noting

    def lateness_s(self, *, since: float, until: float) -> float:
        """By how much the sound's packets of a time came late, at most, beside one another.

        What the test's own loop was late, blocked or on a busy machine, is not the packets' fault,
        and left out.
        """
        delays = [at - said for at, said in self.packets if since <= at <= until]
        assert delays, "no packet of sound came"
        own_s = max((late for at, late in self._lags if since <= at <= until + 1), default=0.0)
        return max(delays) - min(delays) - own_s

    async def _note_own_lag(self) -> None:
        while True:
            due = time.monotonic() + 0.02
            await asyncio.sleep(0.02)
            self._lags.append((time.monotonic(), time.monotonic() - due))

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
