"""A telephone, for tests and for the command line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import numpy as np
import soxr

from understudy.daily.mouth import Mouth
from understudy.daily.narrow import LINE_HZ, to_line
from understudy.daily.until import until
from understudy.daily.wire import MAX_MESSAGE_BYTES, SOUND, Media, unpack
from understudy.g711 import decode, encode

SPOKEN_HZ = 48_000
"""What `PhoneCall.say` takes."""


class PhoneCall:
    """A call that was dialled.

    Attributes:
        heard: What came from the room: monotonic seconds and int16 samples at 8 kHz, without
            silence.
        state: "dialling", "on hold", "connected", "transferred", "ended".
        picked_up_at_s: When it was first connected with a room, monotonic.
        transferred_to: Where to, if it was.
        digits: What was pressed at the other end.
        told: What Daily itself said.
        why: Why it ended.
        session_id: What the room knows the caller by.
    """

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse):
        self.heard: list[tuple[float, np.ndarray]] = []
        self.state = "dialling"
        self.picked_up_at_s: float | None = None
        self.transferred_to: str | None = None
        self.digits = ""
        self.told: list[str] = []
        self.why = ""
        self.session_id = ""
        self._http = http
        self._socket = socket
        self._ears: dict[str, tuple[int, soxr.ResampleStream]] = {}
        self._mouth = Mouth(self._send, rate_hz=LINE_HZ)
        self._reading = asyncio.create_task(self._read(), name="daily-phone")

    def say(self, samples: np.ndarray, rate_hz: int = SPOKEN_HZ) -> None:
        """Says something; it is sent at the pace of speech.

        Args:
            samples: int16, mono.
            rate_hz: Their rate.
        """
        self._mouth.say(to_line(samples, rate_hz))

    async def said(self) -> None:
        """Waits until all of it is said."""
        await self._mouth.silent()

    def press(self, tones: str) -> None:
        """Presses keys: 0 to 9, * and #."""
        self._press = asyncio.create_task(self._socket.send_json({"do": "press", "tones": tones}))

    async def hang_up(self) -> None:
        """Hangs up; also when the other end has."""
        if not self._socket.closed:
            await self._socket.send_json({"do": "hang up"})
        await asyncio.wait([self._reading])
        await self._mouth.close()
        await self._http.close()

    async def until(self, condition: Callable[[], Any], *, within_s: float) -> None:
        """Waits until something is so.

        Args:
            condition: What is to be so.
            within_s: At most so long.

        Raises:
            TimeoutError: It did not become so.
        """
        await until(condition, within_s=within_s)

    async def __aenter__(self) -> PhoneCall:
        """Nothing to do."""
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Hangs up."""
        await self.hang_up()

    async def _send(self, piece: np.ndarray) -> None:
        if self.state == "connected" and not self._socket.closed:
            media = Media(SOUND, "microphone", LINE_HZ, 1, piece.tobytes())
            await self._socket.send_bytes(media.pack())

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self._hear(unpack(message.data))
            elif message.type is aiohttp.WSMsgType.TEXT:
                self._take(message.json())
        if self.state != "ended":
            self.state, self.why = "ended", "the line was cut"

    def _take(self, message: Mapping[str, Any]) -> None:
        match message["event"]:
            case "state":
                self.state = message["state"]
                self.why = message.get("why", self.why)
                self.transferred_to = message.get("to", self.transferred_to)
                self.session_id = message.get("participant", self.session_id)
                if self.state == "connected" and self.picked_up_at_s is None:
                    self.picked_up_at_s = time.monotonic()
            case "told":
                self.told.append(message["text"])
            case "digits":
                self.digits += message["tones"]

    def _hear(self, media: Media) -> None:
        if media.kind != SOUND:
            return
        rate_hz, stream = self._ears.get(media.sender, (0, None))
        if stream is None or rate_hz != media.first:
            stream = soxr.ResampleStream(media.first, LINE_HZ, 1, dtype="int16", quality="QQ")
            self._ears[media.sender] = media.first, stream
        samples = np.frombuffer(media.payload, np.int16)
        if media.second > 1:
            samples = samples.reshape(-1, media.second)[:, 0]
        narrow = decode(encode(stream.resample_chunk(samples)))
        if narrow.any():
            self.heard.append((time.monotonic(), narrow))


class Phone:
    """A telephone.

    Args:
        url: The stand-in's, with or without `/v1`.
    """

    def __init__(self, url: str) -> None:
        self._url = url.removesuffix("/").removesuffix("/v1")

    async def dial(
        self, number: str, *, caller: str, sip_headers: Mapping[str, Any] | None = None
    ) -> PhoneCall:
        """Dials a number.

        Args:
            number: In E.164.
            caller: One's own.
            sip_headers: What comes along.
        """
        return await self._call({"dial": number, "caller": caller, "sip_headers": sip_headers})

    async def dial_sip(
        self, uri: str, *, caller: str, sip_headers: Mapping[str, Any] | None = None
    ) -> PhoneCall:
        """Calls a room's SIP address, as a SIP trunk does."""
        return await self._call({"sip": uri, "caller": caller, "sip_headers": sip_headers})

    async def answer(self, dialled: str, *, caller: str) -> PhoneCall:
        """Picks up a call that a room makes.

        Args:
            dialled: Its id.
            caller: Who is shown to call.
        """
        return await self._call({"answer": dialled, "caller": caller})

    async def _call(self, asked: Mapping[str, Any]) -> PhoneCall:
        http = aiohttp.ClientSession()
        try:
            socket = await http.ws_connect(
                f"{self._url}/telephone", max_msg_size=MAX_MESSAGE_BYTES, compress=0
            )
            await socket.send_json(asked)
        except BaseException:
            await http.close()
            raise
        return PhoneCall(http, socket)
