"""The fuzzer says the same for the same seed, and notices what it is there to notice."""

import pytest

from bench.understudy_fuzz import Broken, Holdings, InProcess, Tally, check_close
from bench.wrong_messages import WrongMessages


def test_the_same_seed_says_the_same():
    one, other = WrongMessages(1), WrongMessages(1)
    assert [one.next() for _ in range(200)] == [other.next() for _ in range(200)]


def test_two_thousand_wrong_messages_are_refused():
    tally = Tally()
    InProcess(1, tally).say(2_000)
    assert tally.messages == 2_000
    assert tally.closes.total() > 500


def test_what_fails_otherwise_is_told_with_what_was_said(monkeypatch):
    def fails(_frame):
        raise ZeroDivisionError

    monkeypatch.setattr("bench.understudy_fuzz._parsed", fails)
    with pytest.raises(Broken, match="(?s)ZeroDivisionError.*after"):
        InProcess(1, Tally()).say(1)


@pytest.mark.parametrize(
    ("code", "reason"), [(1011, "Internal error encountered."), (1007, ""), (1007, "x" * 124)]
)
def test_only_refusals_that_fit_a_close_frame_are_right(code, reason):
    with pytest.raises(Broken):
        check_close(code, reason)


def test_what_stays_behind_is_told():
    before = Holdings(memory_bytes=0, files=5, threads=1)
    after = Holdings(memory_bytes=1_000, files=6, threads=1)
    with pytest.raises(Broken, match="files 5 -> 6"):
        after.check_since(before, "it", growth_bytes=10_000)
