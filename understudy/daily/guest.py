"""A person in a room, for tests and for the command line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import numpy as np
import soxr
from PIL import Image

from understudy.daily.chat import prebuilt_chat
from understudy.daily.mouth import Mouth
from understudy.daily.until import until
from understudy.daily.wire import MAX_MESSAGE_BYTES, PICTURE, SOUND, Media, unpack

SPOKEN_HZ = 48_000
HEARD_HZ = 24_000


class CannotJoin(Exception):
    """The room can't be joined; the message is what the room says."""


class Guest:
    """A person in a room.

    Attributes:
        id: Of their session.
        heard: What came from others: monotonic seconds and int16 samples at 24 kHz, without
            silence.
        heard_from: The same by the other's id.
        messages: App messages: what and from whom.
        participants: The others by id, as the room tells of them.
        events: All that the room told, such as `active_speaker`.
        is_in: Whether they are still in the room.
        why: Why they are not.
    """

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse):
        self.id = ""
        self.name = ""
        self.heard: list[tuple[float, np.ndarray]] = []
        self.heard_from: dict[str, list[tuple[float, np.ndarray]]] = {}
        self.messages: list[tuple[Any, str]] = []
        self.participants: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.is_in = False
        self.why = ""
        self._http = http
        self._socket = socket
        self._on: list[str] = []
        self._ears: dict[str, tuple[int, soxr.ResampleStream]] = {}
        self._showing: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def join(
        cls, room_url: str, token: str | None = None, *, name: str = "Guest", on: str = "microphone"
    ) -> Guest:
        """Joins a room.

        Args:
            room_url: Of the room.
            token: A meeting token.
            name: What the others see, unless the token has one.
            on: Tracks that are on from the start, with commas between them.

        Raises:
            CannotJoin: The room does not let them in.
        """
        parts = urlsplit(room_url)
        http = aiohttp.ClientSession()
        try:
            socket = await http.ws_connect(
                f"{parts.scheme}://{parts.netloc}/media{parts.path}",
                max_msg_size=MAX_MESSAGE_BYTES,
                compress=0,
            )
            guest = cls(http, socket)
            await guest._enter(token, name, [source for source in on.split(",") if source])
        except BaseException:
            await http.close()
            raise
        return guest

    def say(self, samples: np.ndarray, rate_hz: int = SPOKEN_HZ) -> None:
        """Says something; it is sent at the pace of speech.

        Args:
            samples: int16, mono.
            rate_hz: Their rate.
        """
        if rate_hz != SPOKEN_HZ:
            samples = soxr.resample(samples, rate_hz, SPOKEN_HZ)
        self._mouth.say(samples)

    async def said(self) -> None:
        """Waits until all of it is said."""
        await self._mouth.silent()

    def show(
        self, image: Image.Image | np.ndarray, *, source: str = "camera", fps: float = 5.0
    ) -> asyncio.Task[None]:
        """Shows a picture until another is shown or it is stopped, and switches the track on.

        Args:
            image: A picture, or rows of RGB bytes.
            source: `camera` or `screenVideo`.
            fps: How often it is sent.

        Returns:
            What is done when the first was sent; it need not be awaited.
        """
        rows = np.asarray(image.convert("RGB")) if isinstance(image, Image.Image) else image
        height, width = rows.shape[:2]
        pixels = np.ascontiguousarray(rows, np.uint8).tobytes()
        picture = Media(PICTURE, source, width, height, pixels).pack()
        return self._keep(self._show(picture, source, fps))

    def stop_showing(self, source: str = "camera") -> asyncio.Task[None]:
        """Switches a track of pictures off."""
        if (showing := self._showing.pop(source, None)) is not None:
            showing.cancel()
        return self.switch(source, is_on=False)

    def switch(self, source: str, *, is_on: bool) -> asyncio.Task[None]:
        """Switches a track, such as `microphone`, on or off."""
        self._on = [s for s in self._on if s != source] + ([source] if is_on else [])
        return self._keep(self._ask(do="publish", on=self._on))

    def send(self, message: Any, to: str | None = None) -> asyncio.Task[None]:
        """Sends an app message to all, or to one."""
        return self._keep(self._ask(do="app_message", message=message, to=to))

    def chat(self, text: str) -> asyncio.Task[None]:
        """Writes into the chat of Daily Prebuilt."""
        return self.send(prebuilt_chat(text, self.name))

    async def _show(self, picture: bytes, source: str, fps: float) -> None:
        if source not in self._on:
            await self.switch(source, is_on=True)
        if (showing := self._showing.pop(source, None)) is not None:
            showing.cancel()
        await self._socket.send_bytes(picture)
        self._showing[source] = self._keep(self._repeat(picture, 1 / fps))

    async def _repeat(self, picture: bytes, every_s: float) -> None:
        while not self._socket.closed:
            await asyncio.sleep(every_s)
            await self._socket.send_bytes(picture)

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="daily-guest-work")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def until(self, condition: Callable[[], Any], *, within_s: float) -> None:
        """Waits until something is so.

        Args:
            condition: What is to be so.
            within_s: At most so long.

        Raises:
            TimeoutError: It did not become so.
        """
        await until(condition, within_s=within_s)

    async def leave(self) -> None:
        """Leaves; also when the room has ended."""
        if not self._socket.closed:
            await self._ask(do="leave")
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.wait([self._reading, *tasks])
        await self._mouth.close()
        await self._http.close()

    async def __aenter__(self) -> Guest:
        """Nothing to do."""
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Leaves."""
        await self.leave()

    async def _enter(self, token: str | None, name: str, on: list[str]) -> None:
        await self._ask(token=token, name=name, on=on)
        joined = await self._socket.receive_json()
        if joined["event"] == "refused":
            raise CannotJoin(joined["why"])
        self.id, self.name = joined["participant"]["id"], joined["participant"]["userName"]
        self.participants = {other["id"]: other for other in joined["others"]}
        self.is_in = True
        self._on = on
        self._mouth = Mouth(self._send, rate_hz=SPOKEN_HZ)
        self._reading = asyncio.create_task(self._read(), name="daily-guest")

    async def _ask(self, **asked: Any) -> None:
        await self._socket.send_json(asked)

    async def _send(self, piece: np.ndarray) -> None:
        if "microphone" in self._on and not self._socket.closed:
            media = Media(SOUND, "microphone", SPOKEN_HZ, 1, piece.tobytes())
            await self._socket.send_bytes(media.pack())

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self._hear(unpack(message.data))
            elif message.type is aiohttp.WSMsgType.TEXT:
                self._take(message.json())
        self.is_in = False

    def _take(self, told: dict[str, Any]) -> None:
        self.events.append(told)
        match told["event"]:
            case "participant_joined" | "participant_updated":
                self.participants[told["participant"]["id"]] = told["participant"]
            case "participant_left":
                self.participants.pop(told["participant"]["id"], None)
            case "app_message":
                self.messages.append((told["message"], told["sender"]))
            case "ejected":
                self.is_in, self.why = False, told["why"]

    def _hear(self, media: Media) -> None:
        if media.kind != SOUND:
            return
        samples = np.frombuffer(media.payload, np.int16)
        if media.second > 1:
            samples = samples.reshape(-1, media.second)[:, 0]
        if media.first != HEARD_HZ:
            rate_hz, stream = self._ears.get(media.sender, (0, None))
            if stream is None or rate_hz != media.first:
                stream = soxr.ResampleStream(media.first, HEARD_HZ, 1, dtype="int16", quality="QQ")
                self._ears[media.sender] = media.first, stream
            samples = stream.resample_chunk(samples)
        if samples.any():
            heard = time.monotonic(), samples
            self.heard.append(heard)
            self.heard_from.setdefault(media.sender, []).append(heard)
