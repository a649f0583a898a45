"""What a session's process holds of its own, in conversations with a camera."""

from __future__ import annotations

import time

import psutil

from bench.media.callers import Order
from bench.media.calling import calling
from bench.media.conversation import Talk
from bench.serving.figures import Memory
from bench.serving.stage import Stage, stage

_GREETED_S = 4.0
"""The greeting takes two seconds and a half."""


def measure(memory: Memory, *, sessions: int, turns: int) -> None:
    """Holds conversations at a time, and looks at their processes.

    Args:
        memory: Takes what was seen.
        sessions: How many conversations.
        turns: Questions of each.
    """
    # Without spares each process that there is has a call: the one that waits at first gets one.
    with stage(spares=0) as on:
        order = Order(
            kind="pipecat",
            url=on.server.url,
            sessions=sessions,
            camera=True,
            talk=Talk(turns=turns, barge_ins=0),
        )
        with calling(order, on.model, on.folder) as callers:
            time.sleep(_GREETED_S)
            memory.greeted += _private_mb(on)
            begun_s = time.monotonic()
            callers.begin_to_talk()
            callers.calls()
            memory.seconds = time.monotonic() - begun_s
            memory.talked += _private_mb(on)


def _private_mb(on: Stage) -> list[float]:
    return [_uss_mb(process) for process in on.forkserver.children()]


def _uss_mb(process: psutil.Process) -> float:
    return process.memory_full_info().uss / 1e6
