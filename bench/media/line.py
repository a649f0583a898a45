"""What a bad line does to packets: which are lost, which come late. Decisions are pure."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

_FIRST_RTP, _LAST_RTP = 128, 191
_RTCP_TYPES = range(64, 96)
"""Of the second byte without its first bit (RFC 5761)."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """How bad a line is, from the caller to the server.

    Attributes:
        loss: Share of packets that are lost.
        burst: How many in a row, on average.
        delay_ms: What every packet is late.
        jitter_ms: What a packet is late at most besides, evenly spread; order is kept.
        reorder: Share of packets that come 30 ms late, after those behind them.
        loses_one: Whether one audio packet is lost, in the middle of a question.
        seed: The same line does the same.
    """

    loss: float = 0.0
    burst: float = 1.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    reorder: float = 0.0
    loses_one: bool = False
    seed: int = 1

    def as_dict(self) -> dict[str, Any]:
        """What `Line` takes."""
        return asdict(self)


LINES = {
    "clean": Line(),
    "one packet lost": Line(loses_one=True),
    "1 % lost": Line(loss=0.01),
    "5 % lost": Line(loss=0.05),
    "5 % lost in bursts": Line(loss=0.05, burst=4),
    "jitter to 40 ms": Line(jitter_ms=40),
    "2 % out of order": Line(reorder=0.02),
}

_OVERTAKEN_S = 0.03


class Fate:
    """Decides what becomes of each packet of a line. No clock, no I/O."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._random = random.Random(line.seed)
        self._is_losing = False
        self._last_s = 0.0
        self.lost = 0

    def next(self, now_s: float, *, is_vital: bool = False) -> float | None:
        """When a packet that is sent now arrives; None when it is lost.

        Args:
            now_s: Monotonic seconds.
            is_vital: It may be late, but not lost: what is measured must come.
        """
        line = self._line
        if self._is_lost() and not is_vital:
            self.lost += 1
            return None
        late_s = (line.delay_ms + self._random.uniform(0, line.jitter_ms)) / 1000
        if line.reorder and self._random.random() < line.reorder:
            return now_s + late_s + _OVERTAKEN_S
        self._last_s = max(self._last_s, now_s + late_s)
        return self._last_s

    def _is_lost(self) -> bool:
        """Gilbert's model: a state in which all is lost, left with 1/burst, entered to fit loss."""
        line = self._line
        if not line.loss:
            return False
        leave = 1 / line.burst
        enter = leave * line.loss / (1 - line.loss)
        if line.burst == 1:
            return self._random.random() < line.loss
        chance = 1 - leave if self._is_losing else enter
        self._is_losing = self._random.random() < chance
        return self._is_losing


class Impairment:
    """Puts a line between a caller's ICE transport and the network.

    Args:
        line: How bad it is.
        audio_type: The payload type of audio.
        send: Sends a datagram.

    Attributes:
        loses_next: The next audio packet is lost.
        is_vital: The next audio packets are not.
    """

    def __init__(
        self, line: Line, *, audio_type: int, send: Callable[[bytes], Awaitable[None]]
    ) -> None:
        self._fate = Fate(line)
        self._audio_type = audio_type
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._sending: set[asyncio.Task[None]] = set()
        self.loses_next = False
        self.is_vital = False

    async def send(self, data: bytes) -> None:
        """Sends a datagram as the line has it; what is no RTP is not touched."""
        if not is_rtp(data):
            return await self._send(data)
        is_audio = data[1] & 0x7F == self._audio_type
        if is_audio and self.loses_next:
            self.loses_next = False
            return None
        now_s = self._loop.time()
        at_s = self._fate.next(now_s, is_vital=is_audio and self.is_vital)
        if at_s is None:
            return None
        if at_s <= now_s:
            return await self._send(data)
        self._loop.call_at(at_s, self._begin, data)

    def _begin(self, data: bytes) -> None:
        task = self._loop.create_task(self._late(data))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _late(self, data: bytes) -> None:
        try:
            await self._send(data)
        except ConnectionError:
            pass  # hung up meanwhile


def is_rtp(data: bytes) -> bool:
    """Whether a datagram is RTP, and no RTCP, DTLS or STUN (RFC 7983)."""
    return (
        len(data) > 12 and _FIRST_RTP <= data[0] <= _LAST_RTP and data[1] & 0x7F not in _RTCP_TYPES
    )
