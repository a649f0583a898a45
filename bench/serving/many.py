"""Sessions one after another: what the server still holds on to when they are over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import psutil

from bench.media.clips import Spoken
from bench.media.line import Line
from bench.media.webrtc import WebRtcCaller
from bench.serving.figures import Held
from bench.serving.stage import Stage, stage
from serving.supervisor.endings import KEPT_S

AT_A_TIME = 2
_HEARD_S = 10.0
_SPARES = 1


def measure(
    held: list[Held], *, sessions: int, every: int, spoken: Spoken, say: Callable[[str], None]
) -> None:
    """Has callers call, hear something and hang up, again and again.

    Args:
        held: Takes what was seen.
        sessions: How many calls in all.
        every: After so many it is looked at what the server holds.
        spoken: What callers could say.
        say: Is told how it goes.
    """
    with stage(spares=_SPARES) as on:
        done = failed = 0
        while done < sessions:
            batch = min(every, sessions - done)
            failed += asyncio.run(_call(on, batch, spoken))
            done += batch
            on.settle()
            held.append(_look(on, done, failed))
            say(f"  {done} of {sessions}: {held[-1]}")


async def _call(on: Stage, count: int, spoken: Spoken) -> int:
    """So many calls, a few at a time; returns how many came to nothing."""
    left = iter(range(count))
    failed = 0

    async def call_on() -> None:
        nonlocal failed
        for _ in left:
            try:
                await _call_once(on, spoken)
            except Exception as error:
                failed += 1
                print(f"  a call came to nothing: {error!r}", flush=True)

    await asyncio.gather(*(call_on() for _ in range(AT_A_TIME)))
    return failed


async def _call_once(on: Stage, spoken: Spoken) -> None:
    caller = WebRtcCaller(on.server.url, spoken=spoken, line=Line(), is_pipecat=True)
    try:
        await caller.begin()
        async with asyncio.timeout(_HEARD_S):
            while not caller.heard.rows:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
    finally:
        await caller.end()


def _look(on: Stage, sessions: int, failed: int) -> Held:
    server, forks = on.server.process, on.forkserver
    everybody = [server, *server.children(recursive=True)]
    names = [path for path in on.run_folder.iterdir() if path.suffix != ".ended"]
    # Old ones go when the next session ends.
    old_s = max((path.stat().st_mtime for path in on.run_folder.glob("*.ended")), default=0.0)
    old = [p for p in on.run_folder.glob("*.ended") if old_s - p.stat().st_mtime > KEPT_S + 1]
    return Held(
        sessions=sessions,
        failed=failed,
        server_mb=_anonymous_mb(server),
        forkserver_mb=_anonymous_mb(forks),
        processes=len(everybody),
        files=server.num_fds() + forks.num_fds(),
        ports=sum(map(_ports, everybody)),
        threads=server.num_threads() + forks.num_threads(),
        left=len(names),
        old=len(old),
    )


def _ports(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        return len(process.net_connections("inet"))
    return 0


def _anonymous_mb(process: psutil.Process) -> float:
    memory = process.memory_info()
    return (memory.rss - memory.shared) / 1e6
