"""How hard it is to get anything over the caller's line: counters and time in, pressure out."""

import random

import pytest

from pipeline.frame_schedule import Ease, ease_of
from pipeline.line_quality import FEWEST, HIGHEST, RTT_FORGOTTEN, WINDOW_S, Count, LineQuality

EVERY_S = 2.0
PACKETS = 100
"""Of sound, in that time."""


class Line:
    """A line that is read every two seconds."""

    def __init__(self):
        self.quality = LineQuality()
        self.now_s = 0.0
        self.received, self.sent = Count(0, 0), Count(0, 0)
        self.ssrc = 1
        self.read()

    def read(
        self,
        lost: int = 0,
        *,
        there: int = 0,
        packets: int = PACKETS,
        rtt_s: float | None = 0.05,
        jitter_s: float = 0.004,
    ) -> float:
        """What is told after two seconds in which so many packets were lost, here and there."""
        self.now_s += EVERY_S
        self.received = Count(self.received.expected + packets, self.received.lost + lost)
        self.sent = Count(self.sent.expected + packets, self.sent.lost + there)
        self.quality.measured(
            received={self.ssrc: self.received},
            sent={9: self.sent},
            rtt_s=rtt_s,
            jitter_s=jitter_s,
            now_s=self.now_s,
        )
        return self.quality.pressure

    def reads(self, count: int, lost: int = 0, **measured) -> list[float]:
        return [self.read(lost, **measured) for _ in range(count)]


def test_a_clean_line_has_no_pressure():
    assert set(Line().reads(100)) == {0}


def test_one_packet_in_a_hundred_is_nothing_that_fewer_frames_would_mend():
    line, chance = Line(), random.Random(3)
    pressures = [line.read(sum(chance.random() < 0.01 for _ in range(PACKETS))) for _ in range(200)]
    assert {ease_of(pressure) for pressure in pressures} == {Ease()}


def test_five_in_a_hundred_mean_fewer_frames_of_which_each_is_whole():
    line = Line()
    ease = ease_of(line.reads(5, 5)[-1])
    assert (ease.rate, ease.edge) == (0.5, 1.0)


def test_ten_in_a_hundred_mean_smaller_frames_too_but_never_none():
    line = Line()
    assert line.reads(5, 10)[-1] == HIGHEST < 1
    assert ease_of(line.quality.pressure).edge < 1
    assert line.reads(5, 60)[-1] == HIGHEST


@pytest.mark.parametrize("where", [{"lost": 8}, {"there": 8}])
def test_what_is_lost_in_either_direction_counts(where):
    line = Line()
    line.reads(4, **where)
    assert line.quality.loss == pytest.approx(0.08)
    assert line.quality.pressure > 0.7


def test_a_burst_is_felt_at_once_and_eases_slowly():
    line = Line()
    line.reads(10)
    assert line.read(30) > 0.9
    after = line.reads(20)
    assert after[1] > 0.75
    assert sorted(after, reverse=True) == after, "it does not come and go"
    eased_s = EVERY_S * sum(pressure > 0 for pressure in after)
    assert 15 <= eased_s <= 30, "the window, the time it is held, and the way down"


def test_a_line_that_is_bad_again_as_soon_as_more_is_sent_does_not_flap():
    """Each time pressure is gone the line loses 6 of 100 for a while."""
    line, changes, was = Line(), 0, Ease()
    for _ in range(150):
        ease = ease_of(line.read(6 if line.quality.pressure < 0.25 else 0))
        changes += ease != was
        was = ease
    assert changes <= 2 * 300 / 10


def test_a_round_trip_counts_by_how_much_longer_it_takes_than_it_did():
    far = Line()
    assert set(far.reads(20, rtt_s=0.6)) <= {0.99}, "it was 50 ms at first"
    steady = LineQuality()
    for at_s in range(20):
        steady.measured(received={}, sent={}, rtt_s=0.6, jitter_s=0, now_s=2.0 * at_s)
    assert steady.pressure == 0

    queued = Line()
    queued.reads(5)
    assert queued.read(rtt_s=0.12) == 0
    assert 0.25 < queued.read(rtt_s=0.3) < 0.75
    assert queued.read(rtt_s=0.8) == HIGHEST


def test_another_way_that_is_longer_is_got_used_to():
    line = Line()
    line.reads(5)
    assert line.read(rtt_s=0.25) > 0.2
    line.reads(round(0.2 / RTT_FORGOTTEN / EVERY_S), rtt_s=0.25)
    assert line.quality.pressure == 0


def test_sound_that_comes_unevenly_counts():
    line = Line()
    assert line.reads(3, jitter_s=0.02)[-1] == 0
    assert 0.4 < line.reads(3, jitter_s=0.08)[-1] < 0.7


def test_of_a_handful_of_packets_nothing_is_told():
    line = Line()
    line.read(1, packets=FEWEST // 3)
    for _ in range(round(WINDOW_S / EVERY_S)):
        line.read(0, packets=0)
    assert line.quality.loss == 0


def test_a_round_trip_that_is_not_known_is_none():
    assert set(Line().reads(5, rtt_s=None)) == {0}


def test_a_stream_that_is_new_or_counts_anew_has_lost_nothing_yet():
    line = Line()
    line.reads(5)
    line.received, line.ssrc = Count(5000, 4000), 2
    assert line.read() == 0
    line.received = Count(50, 0)
    assert line.read(9) == 0
    assert line.reads(3, 9)[-1] > 0.75


def test_what_comes_late_was_not_lost():
    line = Line()
    line.reads(5)
    line.read(5)
    line.read(-5)
    assert line.quality.loss == 0
