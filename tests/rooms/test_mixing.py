"""Several people's sound as one stream."""

import heapq
import time

import numpy as np

from pipeline.rooms.mixing import MOST, Mixer

PIECE = 320
SOFT = 1000


def piece(value: int, samples: int = PIECE) -> bytes:
    return np.full(samples, value, np.int16).tobytes()


def samples_of(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, np.int16)


def mixed(arrivals: list[tuple[float, str, bytes]], mixer: Mixer | None = None) -> np.ndarray:
    """All that comes out when this comes in: when (in seconds), whose, what."""
    mixer = mixer or Mixer()
    return samples_of(b"".join(mixer.add(who, pcm, at_s) for at_s, who, pcm in sorted(arrivals)))


def speech(who: str, value: int, *, of: int, from_s: float = 0.0) -> list[tuple[float, str, bytes]]:
    return [(from_s + 0.02 * n, who, piece(value)) for n in range(of)]


def test_somebody_alone_is_passed_through_untouched():
    mixer = Mixer()
    for at_s, who, pcm in speech("ana", SOFT, of=100):
        assert mixer.add(who, pcm, at_s) is pcm
    assert not mixer.is_mixing


def test_voices_at_the_same_time_are_added_up():
    out = mixed(speech("ana", 1000, of=50) + speech("ben", 300, of=50, from_s=0.005))
    values, counts = np.unique(out, return_counts=True)
    assert counts[values == 1300] > 45 * PIECE
    assert set(values) <= {300, 1000, 1300}


def test_a_sum_that_is_too_loud_is_cut_off_and_does_not_wrap():
    out = mixed(speech("ana", 30_000, of=10) + speech("ben", 30_000, of=10, from_s=0.005))
    assert out.max() == 32_767 and out.min() > 0


def test_nothing_is_lost_of_somebody_who_begins_to_speak_while_another_does():
    ramp = np.arange(1, 20 * PIECE + 1, dtype=np.int16)
    begins = [(0.207 + 0.02 * n, "ben", ramp[PIECE * n :][:PIECE].tobytes()) for n in range(20)]
    out = mixed(speech("ana", 0, of=40) + begins)
    assert np.array_equal(out[out > 0], ramp)


def test_nothing_is_lost_when_another_leaves():
    ramp = np.arange(1, 100 * PIECE + 1, dtype=np.int16)
    goes_on = [(0.02 * n, "ana", ramp[PIECE * n :][:PIECE].tobytes()) for n in range(100)]
    out = mixed(goes_on + speech("ben", 0, of=20, from_s=0.003))
    assert np.array_equal(out[out > 0], ramp)
    mixer = Mixer()
    mixed(goes_on + speech("ben", 0, of=20, from_s=0.003), mixer)
    assert not mixer.is_mixing


def test_the_last_piece_of_who_falls_silent_goes_out():
    out = mixed(speech("ana", 0, of=50) + speech("ben", 700, of=5, from_s=0.103))
    assert np.count_nonzero(out == 700) == 5 * PIECE


def test_a_voice_is_heard_forty_milliseconds_late_at_most():
    arrivals = sorted(speech("ana", 0, of=100) + speech("ben", 500, of=50, from_s=0.613))
    mixer, heard_s = Mixer(), None
    for at_s, who, pcm in arrivals:
        if heard_s is None and (samples_of(mixer.add(who, pcm, at_s)) == 500).any():
            heard_s = at_s
    assert heard_s is not None and heard_s - 0.613 <= 0.04


def test_two_clocks_that_differ_do_not_drift_apart():
    """One sends 0.1 % too much for five minutes, and pauses at times: what waits stays short."""
    mixer, lasts_s = Mixer(), 300.0
    words, silence = piece(500), piece(0)
    fast = (
        (0.02 * 0.999 * n, "fast", words if n % 100 < 50 else silence)
        for n in range(round(lasts_s / 0.02 / 0.999))
    )
    out_bytes = 0
    for at_s, who, pcm in heapq.merge(
        fast, speech("slow", 0, of=round(lasts_s / 0.02), from_s=0.003)
    ):
        out_bytes += len(mixer.add(who, pcm, at_s))
    assert abs(out_bytes / 32_000 - lasts_s) <= 0.1
    assert 0.2 <= mixer.left_out_s <= 0.3


def test_pieces_that_come_in_a_heap_take_no_more_time_than_there_was():
    steady = speech("ana", 100, of=200)
    heap = [(1.0, "ben", piece(40)) for _ in range(100)]
    before = speech("ben", 40, of=10, from_s=0.003)
    mixer = Mixer()
    out = mixed(steady + before + heap, mixer)
    assert len(out) <= 202 * PIECE, "the stream runs ahead of time"
    assert np.count_nonzero(out == 140) <= (10 + MOST) * PIECE
    assert mixer.left_out_s > 1.5


def test_a_burst_after_a_gap_in_the_line_is_caught_up_with_in_the_pauses():
    mixer = Mixer()
    mixed(speech("ana", 0, of=400) + speech("ben", 0, of=20, from_s=0.003), mixer)
    burst = [(0.6, "ben", piece(500)) for _ in range(8)]
    after = speech("ben", 0, of=50, from_s=0.603)
    mixer = Mixer()
    out = mixed(
        speech("ana", 0, of=100) + speech("ben", 0, of=10, from_s=0.003) + burst + after, mixer
    )
    assert np.count_nonzero(out == 500) == 8 * PIECE, "words are not what is left out"
    assert mixer.left_out_s > 0


def test_pieces_of_any_size_are_taken():
    ana = [(0.01 * n, "ana", piece(1000, 160)) for n in range(100)]
    ben = [(0.003 + 0.06 * n, "ben", piece(300, 960)) for n in range(16)]
    out = mixed(ana + ben)
    assert np.count_nonzero(out == 1300) > 40 * PIECE


def test_where_nothing_came_of_anybody_nothing_is_made_up():
    out = mixed(
        speech("ana", 100, of=20)
        + speech("ben", 40, of=20, from_s=0.003)
        + speech("ana", 100, of=20, from_s=0.9)
        + speech("ben", 40, of=20, from_s=0.903)
    )
    assert len(out) <= 42 * PIECE


def test_six_people_take_less_than_a_hundredth_of_a_core():
    rng = np.random.default_rng(1)
    noise = rng.integers(-8000, 8000, PIECE, dtype=np.int16).tobytes()
    arrivals = [(0.02 * n + 0.001 * who, str(who), noise) for n in range(1000) for who in range(6)]
    mixer = Mixer()
    began_s = time.process_time()
    for at_s, who, pcm in arrivals:
        mixer.add(who, pcm, at_s)
    assert time.process_time() - began_s < 0.01 * 20
