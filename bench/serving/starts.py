"""Calls one after another, each over real WebRTC: how long until the model hears its caller."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import httpx

from bench.media.clips import Spoken
from bench.media.line import Line
from bench.media.webrtc import WebRtcCaller
from bench.serving.figures import Start, arrivals
from bench.serving.stage import Stage, stage

REHEARSALS = 2
"""The first calls of a server and of callers are slow ones, and only the first has a spare where
none is wanted."""
_HELD_S = 1.0
_GONE_S = 10.0


def measure(*, spares: int, count: int, spoken: Spoken) -> list[Start]:
    """Starts a server and has so many calls begin.

    Args:
        spares: How many of its processes wait for a call.
        count: Of calls that count.
        spoken: What callers could say.
    """
    with stage(spares=spares) as on:
        return asyncio.run(_call_all(on, count, spoken))


async def _call_all(on: Stage, count: int, spoken: Spoken) -> list[Start]:
    noted = []
    for _ in range(REHEARSALS + count):
        if on.spares:
            await asyncio.to_thread(on.settle)
        noted.append(await _call(on, spoken))
    return _starts(noted, on)[REHEARSALS:]


async def _call(on: Stage, spoken: Spoken) -> tuple[WebRtcCaller, float]:
    """One call; returns the caller, and when the call had its process."""
    caller = WebRtcCaller(on.server.url, spoken=spoken, line=Line(), is_pipecat=True)
    try:
        await caller.begin()
        # The process's socket is given the session's name when it is given the session.
        path = on.run_folder / f"{caller.steps.session.partition('.')[0]}.sock"
        process_s = path.stat().st_ctime - time.time() + time.monotonic()
        await asyncio.sleep(_HELD_S)
    finally:
        await caller.end()
    async with httpx.AsyncClient(base_url=on.server.url, timeout=2 * _GONE_S) as http:
        await http.get(f"/sessions/{caller.steps.session}", params={"wait_s": _GONE_S})
    return caller, process_s


def _starts(noted: list[tuple[WebRtcCaller, float]], on: Stage) -> list[Start]:
    offers = [caller.offer_s for caller, _ in noted] + [float("inf")]
    came = arrivals(on.record())
    starts = []
    for (caller, process_s), (begun_s, next_s) in zip(noted, pairwise(offers), strict=True):
        ((model_s, media_s),) = (both for both in came if begun_s <= both[1] < next_s)
        steps = caller.steps
        starts.append(
            Start(
                accepted=1000 * (steps.accepted_s - begun_s),
                process=1000 * (process_s - begun_s),
                answered=1000 * (steps.answered_s - begun_s),
                connected=1000 * (steps.connected_s - begun_s),
                model=1000 * (model_s - begun_s),
                media=1000 * (media_s - begun_s),
            )
        )
    return starts
