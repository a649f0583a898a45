"""Which audio packets are decoded when, and which are given up. Pure.

Nobody behind it plays by a clock: voice detection and the model count samples. So jitter alone is
no reason to wait: a packet whose turn it is goes on when it comes. Only behind a hole packets
wait, for as long as those that were overtaken of late took to come: next to nothing on a line that
keeps the order.

aiortc 1.16.0 holds each packet for 80 ms, and for 280 ms for the rest of the session after one was
lost: it steps over a hole only when its 16 places are full, and never gets rid of them again.
"""

import math
from typing import NamedTuple

from aiortc.rtp import RtpPacket

LEAST_WAIT_S = 0.01
"""For a packet that was overtaken: neighbours that change places on the way come this close."""
MOST_WAIT_S = 0.08
"""Even where packets come later than that."""
MARGIN = 1.25
"""How much longer than the latest one of late."""
HALVED_AFTER_S = 2.0
"""In this time a wait halves that is not needed any more."""
RESTART = 150
"""A jump by more packets (3 s) is another stream; SRTP lets through none that is later."""

_NUMBERS = 1 << 16


class Turn(NamedTuple):
    """A packet whose turn it is.

    Parameters:
        packet: To be decoded now.
        lost: How many are missing between it and the one before.
    """

    packet: RtpPacket
    lost: int


class JitterBuffer:
    """Puts the packets of an audio stream in order.

    A packet is a frame. Its timestamp is not looked at: where it jumps and the sequence number
    does not, the sender was silent (DTX). Every event brings its time, in seconds.
    """

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._next = 0
        self._newest = 0
        self._lost = 0
        self._held: dict[int, RtpPacket] = {}
        self._overtaken: dict[int, float] = {}  # by number: when it was first overtaken
        self._late_s = 0.0
        self._learnt_s = 0.0

    @property
    def held(self) -> int:
        """How many packets wait."""
        return len(self._held)

    def put(self, packet: RtpPacket, now_s: float) -> list[Turn]:
        """A packet came; returns those whose turn it is now, in their order."""
        number = packet.sequence_number
        ahead = _distance(self._newest, number)
        if packet.ssrc != self._ssrc or abs(ahead) > RESTART:
            rest = self.due(math.inf)
            self._begin(packet)
            return [*rest, Turn(packet, lost=0)]
        if ahead > 0:
            self._leap(number, now_s)
        elif not self._is_awaited(number, now_s):
            return self.due(now_s)
        self._held[number] = packet
        return self.due(now_s)

    def due(self, now_s: float) -> list[Turn]:
        """The packets whose turn it is, also those behind a hole that was waited for enough."""
        turns = []
        while self._held:
            packet = self._held.pop(self._next, None)
            if packet is not None:
                turns.append(Turn(packet, self._lost))
                self._lost = 0
            elif now_s >= self.due_s(now_s) or _distance(self._next, self._newest) > RESTART:
                self._lost += 1
            else:
                break
            self._next = (self._next + 1) % _NUMBERS
        return turns

    def due_s(self, now_s: float) -> float:
        """When `due` has something, if no packet comes; inf: never."""
        if not self._held:
            return math.inf
        return self._overtaken[self._next] + self.wait_s(now_s)

    def wait_s(self, now_s: float) -> float:
        """For how long a packet is waited for that has been overtaken."""
        return min(max(MARGIN * self._lateness_s(now_s), LEAST_WAIT_S), MOST_WAIT_S)

    def _begin(self, packet: RtpPacket) -> None:
        self._ssrc = packet.ssrc
        self._newest = packet.sequence_number
        self._next = (packet.sequence_number + 1) % _NUMBERS
        self._lost = 0
        self._overtaken.clear()

    def _leap(self, number: int, now_s: float) -> None:
        """The newest packet so far came."""
        self._overtaken.pop(number, None)
        for ahead in range(1, _distance(self._newest, number)):
            missing = (self._newest + ahead) % _NUMBERS
            self._overtaken.pop(missing, None)
            self._overtaken[missing] = now_s
        self._newest = number
        while len(self._overtaken) > 2 * RESTART:
            del self._overtaken[next(iter(self._overtaken))]

    def _is_awaited(self, number: int, now_s: float) -> bool:
        """Whether a packet that others overtook has not come before, and does not come too late."""
        overtaken_s = self._overtaken.pop(number, None)
        if overtaken_s is None:
            return False
        late_s = now_s - overtaken_s
        if self._lateness_s(now_s) < late_s <= MOST_WAIT_S:
            self._late_s, self._learnt_s = late_s, now_s
        return _distance(self._next, number) >= 0

    def _lateness_s(self, now_s: float) -> float:
        """How late the latest packet of late was, the less the longer ago."""
        return self._late_s * 0.5 ** ((now_s - self._learnt_s) / HALVED_AFTER_S)


def _distance(of: int, to: int) -> int:
    """From one sequence number to another, past the wrap-around if that is nearer."""
    return (to - of + _NUMBERS // 2) % _NUMBERS - _NUMBERS // 2
