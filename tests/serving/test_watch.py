"""When a session's process counts as slow, hung, too large or too old."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.supervisor.watch import Bounds, Trouble, Watch

BOUNDS = Bounds(memory_bytes=100, run_s=60.0, hung_s=3.0, slow_s=1.0)


@pytest.fixture
def watch() -> Watch:
    return Watch(BOUNDS, now_s=10.0)


def test_a_process_that_beats_is_well(watch: Watch):
    for now_s in (10.5, 11.0, 11.5):
        watch.beat(now_s=now_s)
        assert watch.trouble(now_s=now_s + 0.5) is None


def test_silence_is_told_once_until_the_next_beat(watch: Watch):
    assert watch.trouble(now_s=11.0) is None
    assert watch.trouble(now_s=11.1) is Trouble.SLOW
    assert watch.trouble(now_s=11.5) is None
    watch.beat(now_s=12.0)
    assert watch.trouble(now_s=13.1) is Trouble.SLOW


def test_a_long_silence_is_a_process_that_hangs_each_time_one_looks(watch: Watch):
    assert watch.silent_s(13.1) == pytest.approx(3.1)
    assert watch.trouble(now_s=13.1) is Trouble.HUNG
    assert watch.trouble(now_s=13.2) is Trouble.HUNG


def test_memory_counts_beyond_what_it_began_with(watch: Watch):
    watch.measured(1000)
    assert watch.memory_bytes == 0
    watch.measured(1100)
    assert watch.trouble(now_s=10.0) is None
    watch.measured(1101)
    assert watch.memory_bytes == 101
    assert watch.trouble(now_s=10.0) is Trouble.MEMORY
    watch.measured(900)
    assert watch.trouble(now_s=10.0) is None


def test_time_counts_from_the_begin_of_the_call(watch: Watch):
    watch.beat(now_s=1000.0)
    assert watch.trouble(now_s=1000.0) is None
    watch.began(now_s=1000.0)
    watch.beat(now_s=1060.0)
    assert watch.trouble(now_s=1060.0) is None
    watch.beat(now_s=1060.1)
    assert watch.trouble(now_s=1060.1) is Trouble.TIME


def test_whoever_hangs_is_hung_whatever_else_is_wrong(watch: Watch):
    watch.measured(0)
    watch.measured(101)
    watch.began(now_s=10.0)
    assert watch.trouble(now_s=100.0) is Trouble.HUNG
    watch.beat(now_s=100.0)
    assert watch.trouble(now_s=100.0) is Trouble.MEMORY


def test_a_watcher_that_was_late_itself_blames_nobody(watch: Watch):
    watch.pardon(5.0)
    assert watch.trouble(now_s=16.0) is None
    assert watch.trouble(now_s=18.1) is Trouble.HUNG


@given(
    beats=st.lists(st.floats(0, BOUNDS.slow_s), max_size=50),
    memory=st.lists(st.integers(0, BOUNDS.memory_bytes), max_size=5),
)
def test_nothing_is_wrong_with_who_beats_and_stays_small(beats: list[float], memory: list[int]):
    now_s = 0.0
    watch = Watch(BOUNDS, now_s=now_s)
    for size in memory:
        watch.measured(size)
    for after_s in beats:
        now_s += after_s
        # As the clock has it: a sum of small numbers is not exact.
        if watch.silent_s(now_s) <= BOUNDS.slow_s:
            assert watch.trouble(now_s=now_s) is None
        watch.beat(now_s=now_s)
