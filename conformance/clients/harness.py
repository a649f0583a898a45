"""What the Python clients share: the order of the checks, a microphone, a listener, a bad network.

The standard library only, since each client runs in an environment of its own. A client prints one
JSON object a line: its versions first, then each capability with what became of it.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import platform
import wave
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

MODEL = "gemini-3.8-live"
TOOL_NAME = "get_weather"
TOOL_DESCRIPTION = "Tells the weather in a city."
TOOL_RESULT = {"weather": "sunny", "degrees": 21}
SPEECH = Path(__file__).parents[1] / "speech.wav"
"""1.8 s of a sentence, 16 kHz mono, spoken by espeak-ng."""
INPUT_RATE_HZ = 16_000
OUTPUT_RATE_HZ = 24_000

_CHECK_DEADLINE_S = 20
_CHUNK_MS = 20
_POLL_S = 0.02
_LEAD_S = 0.3
_TRAIL_S = 1.2
"""Silence after the sentence: the Live API hears an end only in audio that keeps coming."""
_AUDIBLE_DBFS = -40.0

Check = Callable[[], Awaitable[str]]


class NotByNature(Exception):
    """A client has no such capability, whatever a server does; the text says why."""


async def report(
    packages: tuple[str, ...],
    *,
    connect: Check,
    speak: Check,
    be_answered: Check,
    be_interrupted: Check,
    call_a_tool: Check,
    resume: Check,
    use_a_token: Check,
) -> None:
    """Runs the checks one after the other and prints what becomes of each.

    Args:
        packages: Whose versions to print.
        connect: A session is set up. Like every check: returns a note, or raises.
        speak: Speech sent in real time is heard.
        be_answered: Speech comes back that can be heard, and what it says in words.
        be_interrupted: Speaking into a long answer ends it.
        call_a_tool: A declared function is called, and its result answered.
        resume: A new connection knows what happened in the one before.
        use_a_token: An ephemeral token does instead of a key.
    """
    found = {"Python": platform.python_version(), **{name: version(name) for name in packages}}
    print(json.dumps({"versions": found}), flush=True)
    checks = {
        "connect": connect,
        "speak": speak,
        "be answered": be_answered,
        "be interrupted": be_interrupted,
        "call a tool": call_a_tool,
        "resume": resume,
        "ephemeral token": use_a_token,
    }
    for capability, check in checks.items():
        ok, note = await _outcome(check)
        print(json.dumps({"capability": capability, "ok": ok, "note": note}), flush=True)


async def _outcome(check: Check) -> tuple[bool | None, str]:
    try:
        async with asyncio.timeout(_CHECK_DEADLINE_S):
            return True, await check()
    except NotByNature as reason:
        return None, str(reason)
    except TimeoutError:
        return False, f"not within {_CHECK_DEADLINE_S} s"
    except Exception as error:  # whatever a client raises is its outcome here
        return False, f"{type(error).__name__}: {error}"


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for what a framework has no event for."""
    while not is_so():  # noqa: ASYNC110 - there is nothing to wait for
        await asyncio.sleep(_POLL_S)


async def microphone(*, lead_s: float = _LEAD_S, trail_s: float = _TRAIL_S) -> AsyncIterator[bytes]:
    """Yields a spoken sentence between silences in real time, 16-bit PCM in 20 ms pieces."""
    with wave.open(str(SPEECH)) as file:
        spoken = file.readframes(file.getnframes())
    pcm = _silence(lead_s) + spoken + _silence(trail_s)
    step = INPUT_RATE_HZ * 2 * _CHUNK_MS // 1000
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    for number in range(math.ceil(len(pcm) / step)):
        yield pcm[number * step : (number + 1) * step]
        await asyncio.sleep(max(0, begun_s + (number + 1) * _CHUNK_MS / 1000 - loop.time()))


def _silence(seconds: float) -> bytes:
    return bytes(round(seconds * INPUT_RATE_HZ) * 2)


class Answer:
    """Speech that comes back.

    Attributes:
        audio: 24 kHz 16-bit mono PCM.
        said: Its transcript.
    """

    def __init__(self) -> None:
        self.audio = bytearray()
        self.said = ""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.audio) / 2 / OUTPUT_RATE_HZ

    @property
    def dbfs(self) -> float:
        """How loud it is."""
        samples = array("h", bytes(self.audio[: len(self.audio) // 2 * 2]))
        power = sum(sample * sample for sample in samples) / max(len(samples), 1)
        return 10 * math.log10(power / 32768**2) if power else -math.inf

    def check(self, *, contains: str = "", at_least_s: float = 0.5) -> str:
        """Returns what was heard, for a note; raises if it can't be heard or says something else."""
        heard = f'{self.seconds:.1f} s of speech at {self.dbfs:.0f} dBFS: "{self.said.strip()}"'
        expect(self.seconds >= at_least_s, f"too little audio: {heard}")
        expect(self.dbfs > _AUDIBLE_DBFS, f"too quiet: {heard}")
        expect(bool(self.said.strip()), f"no transcript: {heard}")
        expect(contains.lower() in self.said.lower(), f'no "{contains}" in {heard}')
        return heard


def expect(is_so: bool, otherwise: str) -> None:
    """Raises an AssertionError with a sentence if something is not so."""
    if not is_so:
        raise AssertionError(otherwise)


class Relay:
    """A TCP relay to the understudy whose connections can be cut, as a network cuts them.

    Usage:
        async with Relay() as relay:
            ... HttpOptions(base_url=relay.url) ...
            relay.cut()
    """

    def __init__(self) -> None:
        target = urlsplit(os.environ["GOOGLE_GEMINI_BASE_URL"])
        self._host, self._port = target.hostname or "", target.port or 443
        self._open: set[asyncio.StreamWriter] = set()
        self.connections = 0
        self.url = ""

    async def __aenter__(self) -> Relay:
        """Starts to listen."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.url = f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Cuts what is open and stops listening."""
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Drops every connection, on both sides, without a word."""
        for writer in self._open:
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        onward_reader, onward_writer = await asyncio.open_connection(self._host, self._port)
        ends = {writer, onward_writer}
        self._open |= ends
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pump(reader, onward_writer))
                tasks.create_task(_pump(onward_reader, writer))
        except* OSError:
            pass  # one end is gone, which is what a relay is cut for
        finally:
            self._open -= ends
            for end in ends:
                end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
