"""Two hundred silent and fifty speaking sessions in one understudy: is its speech still on time?

Each chunk of an answer is due a fixed time after the one before. How late it reaches a client is
counted from the punctual line through the earliest of its answer's chunks, so that no lateness is
hidden by a late beginning. The client's own lateness, that of a timer, is measured beside it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from bench.running import SETUP, Running, busy_s, understudy
from understudy.profiles import PROFILES

SILENT, SPEAKING = 200, 50
DEADLINE_S = 58
_PHASE_S = 10.0
_SPREAD_S = 2.0
"""Over which sessions begin to speak and microphones to send: people are not in step."""
_OPENING_AT_A_TIME = 20
_TIMER_S = 0.01
_TARGET_LATE_MS, _TARGET_IDLE_KB = 20, 300
_RESULTS = Path(__file__).with_name("results") / "understudy-load.md"

_PROFILE = PROFILES["3.8"]
_STEP_S = _PROFILE.chunk_s / _PROFILE.pacing
_AGAIN, _ANEW = "count to 40", "count to 100"
"""Half a minute of speech that the understudy remembers; a minute that it synthesises each time."""


def _silence(ms: int) -> str:
    data = base64.b64encode(bytes(16 * 2 * ms)).decode()
    audio = {"data": data, "mimeType": "audio/pcm;rate=16000"}
    return json.dumps({"realtimeInput": {"audio": audio}})


@dataclass
class Talker:
    """A session in which the understudy speaks.

    Attributes:
        websocket: Its connection.
        question: What it is asked whenever an answer has been generated.
        asked_s: When it was last asked something.
        first_s: From the question to the first audio of the answer.
        is_new: Whether the next audio is the first of an answer.
        arrivals_s: When audio came, of the answer that is under way.
        late_s: By how much each chunk of all answers was late.
    """

    websocket: ClientConnection
    question: str = _AGAIN
    asked_s: float = 0.0
    first_s: list[float] = field(default_factory=list)
    is_new: bool = True
    arrivals_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)

    async def ask(self) -> None:
        """Asks for an answer, which interrupts any other."""
        self.asked_s = time.perf_counter()
        await self.websocket.send(json.dumps({"realtimeInput": {"text": self.question}}))

    async def listen(self) -> None:
        """Takes down when audio comes, and reads nothing else."""
        while True:
            frame = await self.websocket.recv(decode=False)
            now_s = time.perf_counter()
            if b'"inlineData"' in frame[:200]:
                if self.is_new:
                    self.first_s.append(now_s - self.asked_s)
                    self.is_new = False
                self.arrivals_s.append(now_s)
            elif b'"interrupted"' in frame[:80]:
                self._count()
                self.is_new = True
            elif b'"generationComplete"' in frame[:80]:
                self._count()
                await self.ask()

    def take(self) -> list[float]:
        """Returns how late chunks have been since the last call, in seconds."""
        self._count()
        late, self.late_s = self.late_s, []
        return late

    def _count(self) -> None:
        offsets = [at_s - number * _STEP_S for number, at_s in enumerate(self.arrivals_s)]
        if offsets:
            self.late_s += [offset - min(offsets) for offset in offsets]
        self.arrivals_s = []


@dataclass(frozen=True)
class Measured:
    """What a phase has shown; times in milliseconds, processor use in cores."""

    title: str
    late_ms: list[float]
    first_ms: list[float]
    timer_ms: list[float]
    understudy_cores: float
    load_cores: float
    other_cores: float


async def measure(running: Running) -> tuple[list[Measured], float, float]:
    """Loads the understudy and returns the phases, and USS and PSS for each idle session in KB."""
    async with contextlib.AsyncExitStack() as stack:
        await _open(running, 2, stack)  # what the first session of all loads is no session's own
        await asyncio.sleep(0.5)
        before = running.memory_bytes
        silent = await _open(running, SILENT, stack)
        await asyncio.sleep(0.5)
        after = running.memory_bytes
        uss_kb, pss_kb = ((a - b) / SILENT / 1000 for a, b in zip(after, before, strict=True))
        talkers = [Talker(socket) for socket in await _open(running, SPEAKING, stack)]

        async with _tasks() as listening:
            for talker in talkers:
                listening.create_task(talker.listen())
            for socket in silent:
                listening.create_task(_discard(socket))
            phases = [
                await _phase("microphones off", running, talkers, {}),
                await _phase(
                    "the 50 who are spoken to send silence, 20 ms a message",
                    running,
                    talkers,
                    {talker.websocket: 20 for talker in talkers},
                ),
                await _phase(
                    "all 250 send silence, 100 ms a message",
                    running,
                    talkers,
                    {socket: 100 for socket in [*silent, *(t.websocket for t in talkers)]},
                ),
                await _phase(
                    "microphones off, every answer synthesised anew",
                    running,
                    talkers,
                    {},
                    question=_ANEW,
                ),
            ]
        await asyncio.gather(*(s.close() for s in [*silent, *(t.websocket for t in talkers)]))
    return phases, uss_kb, pss_kb


async def _open(
    running: Running, count: int, stack: contextlib.AsyncExitStack
) -> list[ClientConnection]:
    slots = asyncio.Semaphore(_OPENING_AT_A_TIME)

    async def one() -> ClientConnection:
        async with slots:
            socket = await stack.enter_async_context(
                connect(
                    running.url,
                    ssl=running.trust,
                    compression=None,
                    ping_interval=None,
                    max_queue=None,
                    close_timeout=0.2,
                )
            )
            await socket.send(SETUP)
            if b"setupComplete" not in await socket.recv(decode=False):
                raise RuntimeError("a session was not set up")
            return socket

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def _phase(
    title: str,
    running: Running,
    talkers: Sequence[Talker],
    microphones_ms: dict[ClientConnection, int],
    *,
    question: str = _AGAIN,
) -> Measured:
    """Has every talker spoken to for a while."""
    print(f"{title} ...", flush=True)
    for talker in talkers:
        talker.question = question
        talker.take()
        talker.first_s.clear()
    timer_ms: list[float] = []
    own_s, theirs_s, all_s = time.process_time(), running.cpu_s, busy_s()
    begun_s = time.perf_counter()
    async with _tasks() as sending:
        for number, (socket, ms) in enumerate(microphones_ms.items()):
            delay_s = number / len(microphones_ms) * _SPREAD_S
            sending.create_task(_microphone(socket, ms, delay_s=delay_s))
        sending.create_task(_timer(timer_ms))
        for talker in talkers:
            await talker.ask()
            await asyncio.sleep(_SPREAD_S / len(talkers))
        await asyncio.sleep(_PHASE_S - _SPREAD_S)
    wall_s = time.perf_counter() - begun_s
    understudy_cores = (running.cpu_s - theirs_s) / wall_s
    load_cores = (time.process_time() - own_s) / wall_s
    return Measured(
        title,
        late_ms=[late_s * 1000 for talker in talkers for late_s in talker.take()],
        first_ms=[first_s * 1000 for talker in talkers for first_s in talker.first_s],
        timer_ms=timer_ms,
        understudy_cores=understudy_cores,
        load_cores=load_cores,
        other_cores=max(0.0, (busy_s() - all_s) / wall_s - understudy_cores - load_cores),
    )


@contextlib.asynccontextmanager
async def _tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose tasks go on until its end."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
            raise _Over
    except* _Over:
        pass


class _Over(Exception):
    """Ends a task group."""


async def _microphone(socket: ClientConnection, ms: int, *, delay_s: float) -> None:
    message = _silence(ms)
    await asyncio.sleep(delay_s)
    due_s = time.perf_counter()
    while True:
        await socket.send(message)
        due_s += ms / 1000
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))


async def _timer(late_ms: list[float]) -> None:
    while True:
        due_s = time.perf_counter() + _TIMER_S
        await asyncio.sleep(_TIMER_S)
        late_ms.append((time.perf_counter() - due_s) * 1000)


async def _discard(socket: ClientConnection) -> None:
    while True:
        await socket.recv(decode=False)


def page(phases: Sequence[Measured], uss_kb: float, pss_kb: float) -> str:
    """Returns the page with the results."""
    lines = [
        "# The understudy under load",
        "",
        f"Written by `make bench-understudy`: {SILENT} silent and {SPEAKING} speaking sessions in "
        "one process, over TLS, the load made by another process on the same cores. Every speaking "
        f"session is sent one long answer after the other, {_STEP_S * 1000:.1f} ms between chunks: "
        "all fifty are spoken to at the same time.",
        "",
        f"Measured with {platform.python_implementation()} {platform.python_version()} on "
        f"{psutil.cpu_count()} cores.",
        "",
        "| | Chunks | Late p50 | p95 | max | Load's own timer p95 | First audio p50 | p95 "
        "| Understudy | Load | Others |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_row(phase) for phase in phases),
        "",
        "Lateness and first audio in milliseconds, the last three columns in cores; others is what "
        "the machine did besides. First audio is due "
        f"{_PROFILE.answer_delay_s * 1000:.0f} ms after a question.",
        "",
        f"An idle session takes {uss_kb:.0f} KB (USS; PSS {pss_kb:.0f} KB).",
        "",
        f"Wanted: late p95 under {_TARGET_LATE_MS} ms, an idle session under {_TARGET_IDLE_KB} KB.",
    ]
    return "\n".join(lines) + "\n"


def _row(phase: Measured) -> str:
    late, first = phase.late_ms, phase.first_ms
    return (
        f"| {phase.title} | {len(late)} | {_percentile(late, 50):.1f} | {_percentile(late, 95):.1f}"
        f" | {max(late):.1f} | {_percentile(phase.timer_ms, 95):.1f} | {_percentile(first, 50):.0f}"
        f" | {_percentile(first, 95):.0f} | {phase.understudy_cores:.2f} | {phase.load_cores:.2f}"
        f" | {phase.other_cores:.2f} |"
    )


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


async def _bounded(running: Running) -> tuple[list[Measured], float, float]:
    async with asyncio.timeout(DEADLINE_S):
        return await measure(running)


def main() -> int:
    """Measures, prints and writes the results.

    Returns:
        0, or 1 when what was wanted was missed.
    """
    with understudy() as running:
        phases, uss_kb, pss_kb = uvloop.run(_bounded(running))
    text = page(phases, uss_kb, pss_kb)
    print(text)
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(text)
    is_on_time = _percentile(phases[0].late_ms, 95) < _TARGET_LATE_MS
    return 0 if is_on_time and uss_kb < _TARGET_IDLE_KB else 1


if __name__ == "__main__":
    sys.exit(main())
