"""The fuzzer says the same for the same seed, and notices what it is there to notice."""

import contextlib
import json
from dataclasses import replace

import pytest

from bench import right_messages
from bench.fuzz_sessions import Broken, InProcess, Tally, check_close
from bench.fuzz_sockets import fuzz_over_sockets
from bench.holdings import Bounds, Holdings, Sample, table
from bench.understudy_fuzz import Part, page
from bench.wrong_messages import WrongMessages
from tests.understudy.support import Client
from understudy.errors import ProtocolError


def test_the_same_seed_says_the_same():
    one, other = WrongMessages(1), WrongMessages(1)
    assert [one.next() for _ in range(200)] == [other.next() for _ in range(200)]


@pytest.mark.parametrize("setup", right_messages.setups())
def test_right_setups_are_right(setup):
    client = Client()
    client.say(**setup)
    assert client.closed is None
    assert client.messages("setupComplete")


@pytest.mark.parametrize("message", right_messages.messages())
def test_right_messages_are_taken_by_some_model(message):
    taken = 0
    for setup in right_messages.setups():
        client = Client(new_number=lambda: 1)
        client.holds_work = True  # the picture is none
        client.say(**setup)
        if "toolResponse" in message:
            client.type("f")
            client.wait(1)
        client.say(**message)
        taken += client.closed is None
    assert taken


def test_three_thousand_wrong_messages_are_refused_and_leave_nothing():
    tally = Tally()
    fuzz = InProcess(1, tally)
    fuzz.say(1_000)
    before = Holdings.here()
    fuzz.say(2_000)
    after = Holdings.here()
    assert tally.messages == 3_000
    assert tally.closes.total() > 500
    assert after.objects - before.objects < 200
    assert after.blocks - before.blocks < 2_000
    assert after.memory_bytes - before.memory_bytes < 1_000_000


async def test_a_few_wrong_messages_over_tls_are_refused_and_leave_nothing():
    tally = Tally()
    first, middle, last = await fuzz_over_sockets(1, 400, tally, looks=2)
    assert tally.messages == last.messages >= 400
    assert tally.closes.total() > 50
    assert (last.held.files, last.held.tasks) == (first.held.files, first.held.tasks)
    assert last.held.objects - middle.held.objects < 500


def test_what_fails_otherwise_is_told_with_what_was_said(monkeypatch):
    def fails(_frame):
        raise ZeroDivisionError

    monkeypatch.setattr("bench.fuzz_sessions._parsed", fails)
    with pytest.raises(Broken, match="(?s)ZeroDivisionError.*after"):
        InProcess(1, Tally()).say(1)


@pytest.mark.parametrize(
    ("code", "reason"), [(1011, "Internal error encountered."), (1007, ""), (1007, "x" * 124)]
)
def test_only_refusals_that_fit_a_close_frame_are_right(code, reason):
    with pytest.raises(Broken):
        check_close(code, reason)


def test_ends_are_counted_by_what_they_have_in_common():
    tally = Tally()
    for name in "xyz":
        tally.close(1008, f"models/{name} is not found for API version v1beta")
        tally.close(1007, f"Invalid value at 'setup.{name}' (TYPE_BOOL), \"{name}\"")
    assert tally.closes == {"1008 models/...": 3, "1007 Invalid value": 3}


# What stays behind

HELD = Holdings(
    found_bytes=50_000_000,
    memory_bytes=40_000_000,
    objects=1_000,
    blocks=7_000,
    tasks=1,
    files=5,
    threads=2,
)
BOUNDS = Bounds(
    above_start_bytes=10_000_000, late_bytes=1_000_000, late_objects=10, late_blocks=20, why="So."
)


def samples(*held: Holdings) -> list[Sample]:
    return [Sample(number * 100, number * 10.0, one) for number, one in enumerate(held)]


def test_growth_that_ends_is_none():
    grown = replace(HELD, found_bytes=60_000_000, memory_bytes=49_000_000, objects=9_000, threads=4)
    late = replace(grown, memory_bytes=50_000_000, objects=9_010)
    assert BOUNDS.complaints(samples(HELD, HELD, grown, grown, late)) == []


@pytest.mark.parametrize(
    ("late", "complaint"),
    [
        ({"memory_bytes": 41_100_000}, "the second half took 1.1 MB, 1.0 MB are allowed"),
        ({"objects": 1_011}, "the second half left 11 objects, 10 are allowed"),
        ({"blocks": 7_021}, "the second half left 21 blocks, 20 are allowed"),
        ({"tasks": 2}, "tasks: 1 half-way, 2 left"),
        ({"files": 6}, "files: 5 half-way, 6 left"),
        ({"threads": 3}, "threads: 2 half-way, 3 left"),
    ],
)
def test_growth_that_goes_on_is_told(late, complaint):
    after = replace(HELD, **late)
    assert BOUNDS.complaints(samples(HELD, HELD, HELD, HELD, after)) == [complaint]


def test_a_peak_is_told():
    peak = replace(HELD, found_bytes=61_000_000)
    said = BOUNDS.complaints(samples(HELD, peak, HELD, HELD, HELD))
    assert said == ["memory rose by 11.0 MB, 10.0 MB are allowed"]


def test_memory_that_is_held_is_seen():
    before = Holdings.here()
    kept = [bytearray(1_000_000) for _ in range(20)], [[] for _ in range(10_000)]
    after = Holdings.here()
    assert len(kept[0]) == 20
    assert 19_000_000 < after.memory_bytes - before.memory_bytes < 25_000_000
    # Other tests of this process may leave something that is let go of in between.
    assert 9_900 < after.objects - before.objects < 10_100
    assert 9_900 < after.blocks - before.blocks < 11_500


def test_the_page_shows_the_middle_and_the_verdict():
    tally = Tally(messages=400, sessions=9)
    tally.close(1007, "a|b")
    part = Part("Somewhere", tally, samples(HELD, HELD, replace(HELD, tasks=0)), BOUNDS)
    text = page([part], seed=7, seconds=90)
    assert "| 100 * | 10 | 40.0 MB | 50.0 MB | 1000 | 7000 | 1 | 5 | 2 |" in table(part.samples)
    assert "400 wrong messages, seed 7, in 1.5 minutes" in text
    assert "| 1 | 1007 a\\|b |" in text
    assert text.endswith("No process ended, and nothing stays behind.\n")
    worse = replace(part, samples=samples(HELD, HELD, replace(HELD, files=6)))
    assert "Somewhere: files: 5 half-way, 6 left." in page([worse], seed=7, seconds=1)


def test_an_odd_function_is_called_with_what_it_declared():
    wrong = WrongMessages(1)
    called = 0
    for _ in range(200):
        message = json.loads(wrong._odd_function())
        client = Client(new_number=lambda: 1)
        if "setup" not in message:
            client.set_up()
        with contextlib.suppress(ProtocolError):  # some of them are refused
            client.say(**message)
        client.type("f")
        client.wait(1)
        called += bool(client.messages("toolCall"))
    assert called > 50
