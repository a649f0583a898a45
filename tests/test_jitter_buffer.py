"""What an audio jitter buffer does with each way in which packets come, on a clock the test moves."""

import math
import random
from dataclasses import dataclass, field

import pytest
from aiortc.jitterbuffer import JitterBuffer as AiortcJitterBuffer
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from pipeline.jitter_buffer import (
    HALVED_AFTER_S,
    LEAST_WAIT_S,
    MARGIN,
    MOST_WAIT_S,
    RESTART,
    JitterBuffer,
)

PACKET_S = 0.02
TRANSIT_S = 0.05
EVERY = 250
"""Packets of a usual test: 5 s."""


def packet(number: int, *, ssrc: int = 7, timestamp: int | None = None) -> RtpPacket:
    """The packet that has the sequence number `number`, past the wrap-around."""
    made = RtpPacket(
        payload_type=111,
        sequence_number=number % 65536,
        timestamp=(number * 960 if timestamp is None else timestamp) % (1 << 32),
        ssrc=ssrc,
    )
    made._data = b"any"  # pyright: ignore
    return made


@dataclass
class Left:
    """A packet that left, when, and how many were given up before it."""

    number: int
    at_s: float
    lost: int

    @property
    def delay_s(self) -> float:
        """How much later than on a line on which every packet goes on as it comes."""
        return self.at_s - (self.number * PACKET_S + TRANSIT_S)


@dataclass
class Line:
    """Packets that come at given times, and a shell that calls `due` when it is time."""

    buffer: JitterBuffer = field(default_factory=JitterBuffer)
    left: list[Left] = field(default_factory=list)
    came_s: dict[int, float] = field(default_factory=dict)
    most_held: int = 0

    def carry(self, arrivals: list[tuple[float, int]]) -> None:
        """Let packets come, each at its time in seconds, and wait until nothing is left to do."""
        for at_s, number in sorted(arrivals):
            self._wait(at_s)
            self.came_s.setdefault(number, at_s)
            self._take(self.buffer.put(packet(number), at_s), at_s, number)
            self.most_held = max(self.most_held, self.buffer.held)
        self._wait(math.inf)

    def _wait(self, until_s: float) -> None:
        now_s = -math.inf
        while (due_s := self.buffer.due_s(max(now_s, 0.0))) < until_s:
            now_s = due_s
            self._take(self.buffer.due(now_s), now_s, max(self.came_s))

    def _take(self, turns, at_s: float, near: int) -> None:
        for turn, lost in turns:
            # The sequence number as it was before it wrapped.
            number = near + (turn.sequence_number - near + 32768) % 65536 - 32768
            self.left.append(Left(number, at_s, lost))

    def numbers(self) -> list[int]:
        return [left.number for left in self.left]

    def delays(self) -> list[float]:
        return [left.delay_s for left in self.left]

    def lost(self) -> int:
        return sum(left.lost for left in self.left)


def sent(numbers, *, late_s=lambda number: 0.0) -> list[tuple[float, int]]:
    return [(round(n * PACKET_S + TRANSIT_S + late_s(n), 6), n) for n in numbers]


def carried(numbers, *, late_s=lambda number: 0.0) -> Line:
    line = Line()
    line.carry(sent(numbers, late_s=late_s))
    return line


def without(*lost: int, count: int = EVERY) -> list[int]:
    return [number for number in range(count) if number not in lost]


# --- aiortc's own ------------------------------------------------------------------------------------


def aiortc_delays_ms(numbers: list[int]) -> list[int]:
    """How late each frame leaves the buffer that aiortc's receiver has for audio."""
    buffer = AiortcJitterBuffer(capacity=16, prefetch=4)
    delays = []
    for number in numbers:
        _, frame = buffer.add(packet(number))
        if frame:
            delays.append(number * 20 - frame.timestamp // 48)
    return delays


def test_aiortcs_buffer_holds_80_ms_and_280_ms_for_ever_after_one_lost_packet():
    assert set(aiortc_delays_ms(without())) == {80}
    delays_ms = aiortc_delays_ms(without(50, count=3000))
    assert (delays_ms[0], delays_ms[-1]) == (80, 280)


# --- a clean line ------------------------------------------------------------------------------------


def test_on_a_clean_line_nothing_waits():
    line = carried(range(EVERY))
    assert line.numbers() == list(range(EVERY))
    assert max(line.delays()) == pytest.approx(0)
    assert line.lost() == 0


def test_jitter_that_keeps_the_order_makes_nothing_wait():
    late = random.Random(1)
    arrivals = sent(range(EVERY), late_s=lambda number: late.uniform(0, 0.018))
    line = Line()
    line.carry(arrivals)
    assert [left.at_s for left in line.left] == [at_s for at_s, _ in arrivals]


def test_packets_that_come_in_a_burst_leave_in_it():
    line = carried(range(EVERY), late_s=lambda n: (20 - n % 20) * PACKET_S)
    assert line.numbers() == list(range(EVERY))
    assert all(left.at_s == line.came_s[left.number] for left in line.left)


def test_numbers_wrap():
    line = carried(range(65_536 - 100, 65_536 + 100))
    assert line.numbers() == list(range(65_436, 65_636))
    assert line.lost() == 0


def test_a_hole_at_the_wrap_is_a_hole_of_its_size():
    line = carried([n for n in range(65_500, 65_600) if not 65_533 <= n < 65_538])
    assert line.lost() == 5
    assert [left.number for left in line.left if left.lost] == [65_538]


def test_a_pause_of_the_sender_is_no_loss():
    buffer = JitterBuffer()
    for number in range(20):
        (turn,) = buffer.put(packet(number, timestamp=number * 960 * 20), number * 0.4)
        assert turn.lost == 0


def test_a_pause_behind_a_hole_holds_nothing_up():
    line = Line()
    line.carry(sent([0, 1, 3]))
    assert line.left[-1].delay_s == pytest.approx(LEAST_WAIT_S)


# --- losses ------------------------------------------------------------------------------------------


def test_a_lost_packet_costs_one_short_wait_and_nothing_for_the_next():
    line = carried(without(50))
    assert line.numbers() == without(50)
    assert [left.lost for left in line.left if left.number == 51] == [1]
    delays = {left.number: left.delay_s for left in line.left}
    assert delays.pop(51) == pytest.approx(LEAST_WAIT_S)
    assert max(delays.values()) == pytest.approx(0)


def test_a_lost_burst_costs_no_more():
    line = carried(without(*range(50, 60)))
    assert line.lost() == 10
    assert max(line.delays()) == pytest.approx(LEAST_WAIT_S)
    assert line.delays()[-1] == pytest.approx(0)


def test_random_loss_of_5_percent():
    chance = random.Random(2)
    numbers = [n for n in range(5 * EVERY) if n == 0 or chance.random() >= 0.05]
    line = carried(numbers)
    assert line.numbers() == numbers
    assert line.lost() == numbers[-1] + 1 - len(numbers) > 30
    assert max(line.delays()) == pytest.approx(LEAST_WAIT_S)
    assert sum(delay > 0.001 for delay in line.delays()) <= line.lost()


# --- packets that are overtaken ----------------------------------------------------------------------


def test_neighbours_that_change_places_are_put_in_order():
    late = {50: PACKET_S + LEAST_WAIT_S / 2}
    line = carried(range(EVERY), late_s=lambda n: late.get(n, 0.0))
    assert line.numbers() == list(range(EVERY))
    assert line.lost() == 0


def test_a_packet_that_comes_too_late_is_dropped_and_the_next_one_is_waited_for():
    late_s = PACKET_S + 0.04
    late = {50: late_s, 100: late_s}
    line = carried(range(EVERY), late_s=lambda n: late.get(n, 0.0))
    assert line.numbers() == without(50)


def test_what_comes_later_than_anybody_would_wait_teaches_nothing():
    line = carried(range(EVERY), late_s=lambda n: 0.3 if n == 50 else 0.0)
    assert line.lost() == 1
    assert line.buffer.wait_s(51 * PACKET_S + 0.3) == LEAST_WAIT_S


def test_with_jitter_of_30_ms_nothing_waits_longer_than_it_must():
    late = random.Random(3)
    lateness = {n: late.uniform(0, 0.03) for n in range(10 * EVERY)}
    line = carried(range(10 * EVERY), late_s=lateness.__getitem__)
    assert sorted(line.numbers()) == line.numbers()
    assert line.lost() == 0
    assert max(line.delays()) <= 0.03 + LEAST_WAIT_S
    best, so_far_s = [], 0.0
    for number in range(10 * EVERY):  # on a line that gives up nothing
        so_far_s = max(so_far_s, number * PACKET_S + TRANSIT_S + lateness[number])
        best.append(so_far_s)
    assert [left.at_s for left in line.left] == pytest.approx(best, abs=1e-5)


def test_with_jitter_of_60_ms_it_learns_and_with_less_it_forgets():
    late = random.Random(4)
    line = carried(range(10 * EVERY), late_s=lambda n: late.uniform(0, 0.06))
    now_s = line.left[-1].at_s
    assert line.lost() < 10 * EVERY * 0.002
    assert 0.02 < line.buffer.wait_s(now_s) <= MOST_WAIT_S
    line.carry(sent([n for n in range(10 * EVERY, 11 * EVERY) if n != 11 * EVERY - 1]))
    assert line.buffer.wait_s(now_s + 5.0) < 0.02


def test_the_wait_is_as_long_as_the_latest_was_late_and_halves():
    line = Line()
    late_s = 0.04
    line.carry(sent(range(10), late_s=lambda n: PACKET_S + late_s if n == 5 else 0.0))
    learnt_s = line.came_s[5]
    assert line.buffer.wait_s(learnt_s) == pytest.approx(MARGIN * late_s)
    assert line.buffer.wait_s(learnt_s + HALVED_AFTER_S) == pytest.approx(MARGIN * late_s / 2)
    assert line.buffer.wait_s(learnt_s + 5.0) <= LEAST_WAIT_S


def test_a_packet_that_comes_twice_leaves_once():
    line = Line()
    line.carry([(at_s + n / 1000, n) for at_s, n in sent(without(50)) for _ in range(2)])
    line.carry([(at_s, n) for at_s, n in sent([240, 250, 251])])
    assert line.numbers() == [*without(50), 250, 251]


# --- another stream ----------------------------------------------------------------------------------


def test_another_source_begins_anew_and_what_waits_is_not_lost():
    buffer = JitterBuffer()
    buffer.put(packet(10), 0.0)
    assert buffer.put(packet(12), 0.02) == []
    turns = buffer.put(packet(5000, ssrc=8), 0.021)
    assert [(t.packet.sequence_number, t.lost) for t in turns] == [(12, 1), (5000, 0)]
    assert [t.lost for t in buffer.put(packet(5001, ssrc=8), 0.04)] == [0]


@pytest.mark.parametrize("to", [1000 + RESTART + 1, 1000 - RESTART - 1])
def test_a_jump_begins_anew_and_nothing_is_concealed(to):
    buffer = JitterBuffer()
    buffer.put(packet(1000), 0.0)
    assert [t.lost for t in buffer.put(packet(to), 0.02)] == [0]
    assert [t.lost for t in buffer.put(packet(to + 1), 0.04)] == [0]


def test_a_gap_that_is_just_no_jump_is_concealed():
    buffer = JitterBuffer()
    buffer.put(packet(1000), 0.0)
    assert buffer.put(packet(1000 + RESTART), 0.02) == []
    assert [t.lost for t in buffer.due(0.02 + LEAST_WAIT_S)] == [RESTART - 1]


# --- whatever comes ----------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.integers(-RESTART // 2, RESTART // 2), st.floats(0.0, 0.05)), max_size=200
)


@given(first=st.integers(0, 65_535), steps=STEPS)
def test_each_packet_leaves_once_in_order_and_soon(first, steps):
    line, now_s, newest = Line(), 1.0, first
    arrivals = [(now_s, first)]
    for step, after_s in steps:
        now_s += after_s
        number = newest + step
        newest = max(newest, number)
        arrivals.append((now_s, number))
    line.carry(arrivals)
    numbers = line.numbers()
    assert all(before < after for before, after in zip(numbers, numbers[1:], strict=False))
    waits = [left.at_s - line.came_s[left.number] for left in line.left]
    assert max(waits) <= MOST_WAIT_S + 1e-9
    assert line.lost() == numbers[-1] - numbers[0] + 1 - len(numbers)
    assert line.most_held <= RESTART and line.buffer.held == 0
    assert len(line.buffer._overtaken) <= 2 * RESTART


@given(numbers=st.lists(st.integers(0, 65_535), max_size=300))
def test_whatever_comes_memory_is_bounded(numbers):
    buffer = JitterBuffer()
    for number in numbers:  # all at once: nothing is given up in time
        buffer.put(packet(number), 1.0)
        assert buffer.held <= RESTART and len(buffer._overtaken) <= 2 * RESTART


def test_what_was_overtaken_long_ago_is_forgotten():
    buffer = JitterBuffer()
    for hole in range(5):
        buffer.put(packet(101 * hole), 10.0 * hole)
    assert len(buffer._overtaken) == 2 * RESTART
    assert 1 not in buffer._overtaken and 403 in buffer._overtaken
