"""An understudy whose record counts as CLOCK_MONOTONIC does, and tells when its speech goes out.

On Linux that clock is one for all processes: what a caller notes down can be compared.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.media.loudness import loud_span
from understudy import __main__, server
from understudy.acts import Act
from understudy.connection import Connection
from understudy.effects import Send
from understudy.record import Recorder
from understudy.wire import OUTPUT_RATE_HZ

PACKET_S = 0.02
_GOLDEN = 0.618
"""Its multiples, without what is before the point, are spread evenly however many are taken."""
pauses_s = (number * _GOLDEN % 1 * PACKET_S for number in itertools.count())
"""Before each answer."""


class _Recorder(Recorder):
    """Counts from where the clock does."""

    def __init__(self, *, clock: Callable[[], float], **options: Any) -> None:
        super().__init__(clock=clock, **options)
        self._start_s = 0.0


class _Connection(Connection):
    """Notes each piece of speech as it goes out, as `audio_sent`.

    Answers begin up to a packet later, each by another part of one. Otherwise all answers of a call
    would have to wait equally long for the server's next packet: its luck would be measured.
    """

    _is_answering = False

    async def _carry_out(self, act: Act, tasks: asyncio.TaskGroup) -> None:
        if isinstance(act, Send) and "turnComplete" in act.message.get("serverContent", {}):
            self._is_answering = False
        elif isinstance(act, Send) and (pcm := _speech(act.message)):
            if not self._is_answering:
                self._is_answering = True
                await asyncio.sleep(next(pauses_s))
            first_s, last_s = loud_span(np.frombuffer(pcm, np.int16), rate_hz=OUTPUT_RATE_HZ)
            seconds = len(pcm) / 2 / OUTPUT_RATE_HZ
            self._note("audio_sent", {"s": seconds, "first_s": first_s, "last_s": last_s})
        await super()._carry_out(act, tasks)


def _speech(message: Any) -> bytes:
    parts = message.get("serverContent", {}).get("modelTurn", {}).get("parts", ())
    return b"".join(part["inlineData"]["data"] for part in parts if "inlineData" in part)


if __name__ == "__main__":
    server.Recorder = _Recorder  # pyright: ignore
    server.Connection = _Connection  # pyright: ignore
    sys.exit(__main__.main())
