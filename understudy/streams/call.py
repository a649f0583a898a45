"""One call over a stand-in for a telephone service: the caller's ear, mouth and keys."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Callable

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from understudy.g711 import decode, encode
from understudy.streams.playback import Playback
from understudy.streams.protocols import PROTOCOLS, Protocol
from understudy.streams.sound import PIECE, SILENCE, narrow

_IDS = {"twilio": "CA{0}", "telnyx": "v3:{0}", "plivo": "{0}"}


class StreamCall:
    """A call, from the caller's side.

    Attributes:
        call_id: What the service calls it.
        state: `ringing`, `connected`, `transferred` or `ended`.
        told: What the service itself said to the caller.
        transferred_to: The number or SIP address that the call was connected with.
        heard: When, by the monotonic clock, and what the caller heard, as int16 samples at 8 kHz;
            where nothing was sent there is nothing.
        connected_at_s: When its stream was open, by the monotonic clock; None: it was not.
        cleared: When the service was told to play nothing more of what it had, and how many seconds
            that was.
        faults: What the server sent that the service would not take.
        status: The HTTP status with which the WebSocket was refused; None: it was not.
        playback: What the service has been sent and has still to play.
    """

    def __init__(self, service: str, account: str, *, call_id: str | None = None):
        self.call_id = call_id or _IDS[service].format(secrets.token_hex(16))
        self.state = "ringing"
        self.told: list[str] = []
        self.transferred_to: str | None = None
        self.heard: list[tuple[float, np.ndarray]] = []
        self.connected_at_s: float | None = None
        self.cleared: list[tuple[float, float]] = []
        self.faults: list[str] = []
        self.status: int | None = None
        self.playback = Playback()
        self._service, self._account = service, account
        self._said = bytearray()
        self._socket: ClientConnection | None = None
        self._protocol: Protocol | None = None
        self.life: asyncio.Task[None] | None = None

    # --- what the caller does -------------------------------------------------------------------

    def say(self, samples: np.ndarray) -> None:
        """Say something; returns at once.

        Args:
            samples: 48 kHz, int16; they are sent at real pace.
        """
        self._said += encode(narrow(samples))

    async def press(self, keys: str) -> None:
        """Press keys."""
        assert self._protocol
        for key in keys:
            await self.send(self._protocol.dtmf(key))

    async def hang_up(self) -> None:
        """End the call."""
        await self._close_stream()
        self.state = "ended"
        if self.life:
            self.life.cancel()
            await asyncio.gather(self.life, return_exceptions=True)

    async def until(self, condition: Callable[[], object], *, within_s: float) -> None:
        """Wait until something is true.

        Raises:
            TimeoutError: When it was not in time.
        """
        try:
            async with asyncio.timeout(within_s):
                while not condition():  # noqa: ASYNC110 - whatever it may be
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise TimeoutError(
                f"it did not come about; {self.state=} {self.told=} {self.faults=} "
                f"{self.status=}, {self.heard_s():.1f} s were heard"
            ) from None

    def heard_s(self, *, since_s: float = 0.0) -> float:
        """How many seconds were heard since then, by the monotonic clock."""
        return sum(len(samples) for at_s, samples in self.heard if at_s >= since_s) / 8000

    # --- what the service does ------------------------------------------------------------------

    async def send(self, message: dict) -> None:
        """Send a message over the stream, if there is one."""
        if self._socket:
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(json.dumps(message))

    async def stream(self, url: str) -> None:
        """Connect the call's sound, until the stream is closed by either side."""
        stream_id = f"MZ{secrets.token_hex(16)}"
        try:
            self._socket = await connect(url, compression=None)
        except InvalidStatus as error:
            self.status = error.response.status_code
            return
        self._protocol = PROTOCOLS[self._service](
            account=self._account, call_id=self.call_id, stream_id=stream_id
        )
        self.state, self.connected_at_s = "connected", time.monotonic()
        for message in self._protocol.opening():
            await self.send(message)
        playing = asyncio.create_task(self._play(self._protocol))
        try:
            with contextlib.suppress(ConnectionClosed):
                async for message in self._socket:
                    await self._take(message, self._protocol)
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            self._socket = None

    async def redirect(self) -> None:
        """End the stream, because the call goes on otherwise."""
        await self._close_stream()

    async def _close_stream(self) -> None:
        if self._socket and self._protocol:
            await self.send(self._protocol.stop())
            if self._socket:
                await self._socket.close()

    async def _take(self, message: str | bytes, protocol: Protocol) -> None:
        try:
            sent = protocol.read(json.loads(message))
        except (LookupError, TypeError, ValueError) as error:
            self.faults.append(f"{error!r}: {message[:200]!r}")
            return
        match sent.kind:
            case "media":
                self.playback.put(decode(sent.sound))
            case "mark":
                self.playback.mark(sent.name)
            case "clear":
                self.cleared.append((time.monotonic(), self.playback.waiting / 8000))
                marks = self.playback.clear()
                if cleared := protocol.cleared():
                    await self.send(cleared)
                else:
                    await self._tell(marks, protocol)

    async def _play(self, protocol: Protocol) -> None:
        """Every 20 ms send what the caller says, and play what was sent."""
        at_s = time.monotonic()
        while True:
            sound = bytes(self._said[:PIECE]).ljust(PIECE, SILENCE[:1])
            del self._said[:PIECE]
            await self.send(protocol.media(sound))
            samples, marks = self.playback.take()
            if len(samples):
                self.heard.append((time.monotonic(), samples))
            await self._tell(marks, protocol)
            at_s += PIECE / 8000
            await asyncio.sleep(at_s - time.monotonic())

    async def _tell(self, marks: list[str], protocol: Protocol) -> None:
        for name in marks:
            await self.send(protocol.played(name))
