"""A whole session, from microphone to loudspeaker, without a network between it and the test.

The transport is a stand-in: it gives the pipeline 20 ms of sound at a time and takes 20 ms of speech
at a time, in real time, as WebRTC would. All else is what runs in production, the understudy
included.
"""

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from google.genai.types import HttpOptions
from pipecat.frames.frames import (
    InputAudioRawFrame,
    InputTransportMessageFrame,
    OutputAudioRawFrame,
    StartFrame,
)
from pipecat.runner.types import RunnerArguments
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import BaseTransport, TransportParams

from pipeline import live_service
from pipeline.build import build
from pipeline.choices import Answers
from pipeline.persona import Persona
from pipeline.phone.call import PhoneCall
from pipeline.phone.line import Line
from pipeline.phone.telephone import telephone_of
from pipeline.session import Session
from pipeline.settings import Settings
from understudy import Understudy

IN_HZ, OUT_HZ = 16_000, 24_000
_http_options = live_service.http_options
_TICK_S = 0.02
_ABOUT = {"library": "test"}
EVENTS = ("on_client_connected", "on_client_disconnected")
EVENTS_OF_DAILY = (
    *("on_joined", "on_error", "on_before_leave", "on_call_state_updated"),
    *("on_dialin_ready", "on_dialin_connected", "on_dialin_stopped", "on_dialin_error"),
    *("on_dialout_answered", "on_dialout_stopped", "on_dialout_error"),
)
_OPTIONS: ContextVar[HttpOptions] = ContextVar("options")
"""Where this talk's understudy is: several talks can be held at a time."""


class _Ear(BaseInputTransport):
    """Gives the pipeline what is said, and silence in between."""

    def __init__(self, params: TransportParams):
        super().__init__(params)
        self._said = np.empty(0, np.int16)
        self._hearing: asyncio.Task | None = None
        self.is_muted = False

    async def start(self, frame: StartFrame):
        await super().start(frame)
        await self.set_transport_ready(frame)
        self._hearing = self.create_task(self._hear())

    async def cleanup(self):
        await super().cleanup()
        if self._hearing:
            await self.cancel_task(self._hearing)

    def say(self, samples: np.ndarray):
        self._said = np.concatenate((self._said, samples.astype(np.int16)))

    @property
    def is_speaking(self) -> bool:
        return self._said.size > 0

    async def receive(self, kind: str, data: dict[str, Any]):
        """Takes an RTVI message of the page."""
        message = {"label": "rtvi-ai", "type": kind, "id": str(time.monotonic()), "data": data}
        await self.broadcast_frame(InputTransportMessageFrame, message=message)

    async def _hear(self):
        size = int(IN_HZ * _TICK_S)
        due_s = time.monotonic()
        while True:
            due_s += _TICK_S
            await asyncio.sleep(max(due_s - time.monotonic(), 0))
            if self.is_muted:
                continue
            piece, self._said = self._said[:size], self._said[size:]
            piece = np.pad(piece, (0, size - piece.size))
            await self.push_audio_frame(InputAudioRawFrame(piece.tobytes(), IN_HZ, 1))


class _Mouth(BaseOutputTransport):
    """Takes speech in real time and notes when which sample was heard."""

    def __init__(self, params: TransportParams, transport: "DirectTransport"):
        super().__init__(params)
        self._transport = transport
        self._next_s = 0.0

    async def start(self, frame: StartFrame):
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        now_s = time.monotonic()
        begins_s = max(self._next_s, now_s)
        self._next_s = begins_s + len(frame.audio) / 2 / frame.sample_rate
        samples = np.frombuffer(frame.audio, np.int16)
        if np.abs(samples).max(initial=0) > 200:
            self._transport.heard.append((begins_s, samples))
        await asyncio.sleep(max(self._next_s - now_s - _TICK_S, 0))
        return True

    async def send_message(self, frame: Any):
        self._transport.told.append((time.monotonic(), frame.message))


class DirectTransport(BaseTransport):
    """A way in without a network.

    Attributes:
        heard: When (monotonic seconds) and what was played, silence left out.
        told: When and what the page was told, as RTVI messages.
        dialed: What was to be called.
        refuses_to_dial: Why nothing can be called; None: it can.
    """

    def __init__(self):
        super().__init__()
        params = TransportParams(
            audio_in_enabled=True,
            audio_in_sample_rate=IN_HZ,
            audio_out_enabled=True,
            audio_out_sample_rate=OUT_HZ,
            audio_out_end_silence_secs=0,
        )
        self.heard: list[tuple[float, np.ndarray]] = []
        self.told: list[tuple[float, dict[str, Any]]] = []
        self.dialed: list[Any] = []
        self.refuses_to_dial: str | None = None
        self.ear = _Ear(params)
        self._mouth = _Mouth(params, self)
        for event in (*EVENTS, *EVENTS_OF_DAILY):
            self._register_event_handler(event)

    def input(self) -> _Ear:
        return self.ear

    def output(self) -> _Mouth:
        return self._mouth

    async def connect(self):
        await self._call_event_handler("on_client_connected", object())

    async def tell(self, event: str, *what: Any):
        """Tells the session of an event, as the transport would."""
        await self._call_event_handler(event, *what)

    async def start_dialout(self, settings: Any) -> tuple[str, str | None]:
        """Takes a number to call, as Daily's transport does."""
        self.dialed.append(settings)
        return "dialed", self.refuses_to_dial


@dataclass
class Talk:
    """A conversation under way, and what came of it."""

    transport: DirectTransport
    understudy: Understudy
    session: Session
    service: live_service.LiveService
    running: asyncio.Task
    turn_logs: Path

    def say(self, samples_48k: np.ndarray) -> None:
        """Speak; returns at once."""
        self.transport.ear.say(samples_48k[::3])

    async def type(self, text: str) -> None:
        """Type a message, as the page does."""
        await self.transport.ear.receive("send-text", {"content": text})

    @property
    def turns(self) -> list[dict[str, Any]]:
        """The turns that are in the log so far."""
        return [line for line in self.log if "side" in line]

    @property
    def log(self) -> list[dict[str, Any]]:
        """All that is in the log so far, turns and what else became of the session."""
        paths = self.turn_logs.glob("*.jsonl")
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]

    def notices(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        """What the page was told of one kind, and when."""
        found = []
        for at_s, message in self.transport.told:
            data = message.get("data") or {}
            if message.get("type") == "server-message" and data.get("type") == kind:
                found.append((at_s, data))
        return found

    @property
    def states(self) -> list[str]:
        """The states of the link that the page was told."""
        return [data["state"] for _, data in self.notices("link")]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The understudy's events of one name."""
        return [record for record in self.understudy.records if record["event"] == name]

    async def until(self, condition, *, within_s: float = 10.0) -> None:
        """Wait until something is so.

        Raises:
            TimeoutError: It never was.
        """
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.02)

    async def until_quiet(self, *, for_s: float = 0.7, within_s: float = 30.0) -> None:
        """Wait until nothing has been heard for a while."""

        def is_quiet() -> bool:
            heard = self.transport.heard
            return bool(heard) and time.monotonic() - heard[-1][0] > for_s

        await self.until(is_quiet, within_s=within_s)

    def gaps_s(self, since_s: float = 0.0) -> list[float]:
        """The silences between what was heard since then, longest first."""
        times = [at_s for at_s, _ in self.transport.heard if at_s >= since_s]
        return sorted((b - a for a, b in zip(times, times[1:], strict=False)), reverse=True)


@contextlib.asynccontextmanager
async def talk(
    folder: Path,
    *,
    faults: Sequence[str] = (),
    tools: list | None = None,
    greeting: str | None = "Greet the person.",
    model: str = "gemini-3.8-live",
    key: str = "any",
    has_page: bool = True,
    limits: Mapping[str, Any] | None = None,
    prices: Path | None = None,
    answers: Answers = Answers.VOICE,
    has_own_key: bool = False,
    call: PhoneCall | None = None,
    line: Line | None = None,
    variables: Mapping[str, Any] | None = None,
    **understudys: Any,
) -> AsyncIterator[Talk]:
    """Hold a conversation; it is hung up at the end.

    A caller on the telephone (`call`) is connected by the test itself.
    """
    async with Understudy(faults=faults, **understudys) as understudy:
        settings = Settings.model_validate(
            {
                "GOOGLE_API_KEY": key,
                "SALON_MODEL": model,
                "SALON_TURN_LOG_DIR": folder,
                "SALON_PRICES": prices,
                **(variables or {}),
            }
        )
        persona = Persona(
            name="tester",
            title="T",
            summary="S",
            greeting=greeting,
            instruction="Be brief.",
            **(limits or {}),
        )
        transport = DirectTransport()
        point_at(understudy)
        telephone = telephone_of(call, transport=transport, settings=settings, line=line)
        conversation = await build(
            transport,
            persona=persona,
            settings=settings,
            file_storage=None,
            answers=answers,
            has_own_key=has_own_key,
            **telephone.beside(persona) if telephone else {"tools": tools},
        )
        args = RunnerArguments(session_id="talk")
        args.handle_sigint = args.handle_sigterm = False
        session = Session(
            transport=transport,
            conversation=conversation,
            args=args,
            persona=persona,
            settings=settings,
            telephone=telephone,
        )
        running = asyncio.create_task(session.run())
        try:
            await asyncio.sleep(0.05)
            if call is None:
                await transport.connect()
            if has_page and call is None:
                await transport.ear.receive("client-ready", {"version": "1.0.0", "about": _ABOUT})
            yield Talk(transport, understudy, session, conversation.service, running, folder)
        finally:
            if not running.done():
                await session.hang_up("The test is over.")
            async with asyncio.timeout(10):
                await running


def _options_of_this_talk(**given: Any) -> HttpOptions:
    return _OPTIONS.get(None) or _http_options(**given)


live_service.http_options = _options_of_this_talk


def point_at(understudy: Understudy) -> HttpOptions:
    """Have the services that this task makes from now on talk to an understudy; returns how."""
    options = _http_options(connect_timeout_s=8)
    context = ssl.create_default_context(cafile=understudy.cert_path)
    assert options.async_client_args is not None
    options.base_url = understudy.base_url
    options.client_args = {"verify": context}
    options.async_client_args.update(ssl=context, verify=context)
    _OPTIONS.set(options)
    return options
