"""What sessions of their own cost: figures, verdicts and the page, from made-up measurements."""

import json
from dataclasses import replace

import pytest

from bench.media.conversation import Call, Question
from bench.serving.burst import _is_whole, _status
from bench.serving.bursts import only
from bench.serving.figures import (
    Answer,
    Bursts,
    Held,
    Memory,
    Results,
    Start,
    arrivals,
    growth,
)
from bench.serving.page import as_json, page
from bench.serving.plan import PARTS, QUICK, WHOLE
from bench.serving.targets import Target, targets, targets_table

HELD = Held(
    sessions=50,
    server_mb=50.0,
    forkserver_mb=130.0,
    processes=4,
    files=33,
    ports=1,
    threads=9,
    left=4,
    old=0,
)


def start(media: float) -> Start:
    return Start(accepted=5, process=10, answered=50, connected=120, model=150, media=media)


def found(results: Results, words: str) -> Target:
    (target,) = (target for target in targets(results) if words in target.name)
    return target


def burst(*, accepted: int = 2, refused_ms: tuple[float, ...] = (10.0,)) -> list[Answer]:
    return [Answer(200, 5.0)] * accepted + [Answer(503, ms) for ms in refused_ms]


def test_what_was_not_measured_is_not_met_and_not_missed():
    aims = targets(Results())
    assert {target.is_met for target in aims} == {None}
    assert {target.seen for target in aims} == {"-"}
    assert len(targets_table(aims).splitlines()) == len(aims) + 2


@pytest.mark.parametrize(("spares", "limit_ms"), [(1, 400), (2, 400), (0, 900)])
def test_a_start_is_held_to_what_it_has(spares, limit_ms):
    words = "with spares" if spares else "without spares"
    quick = [start(100.0)] * 30 + [start(limit_ms - 1.0)] * 10
    assert found(Results(starts={spares: quick}), words).is_met is True
    slow = [start(100.0)] * 30 + [start(limit_ms + 1.0)] * 10
    assert found(Results(starts={spares: slow}), words).is_met is False


def test_one_slow_start_of_forty_decides_nothing():
    seen = [start(200.0)] * 39 + [start(5000.0)]
    assert found(Results(starts={1: seen}), "with spares").is_met is True


def test_the_greatest_process_counts():
    memory = Memory(greeted=[30.0, 31.0], talked=[38.0, 41.0])
    assert found(Results(memory=memory), "Private memory").is_met is False
    assert found(Results(memory=replace(memory, talked=[38.0])), "Private memory").is_met is True


@pytest.mark.parametrize(
    ("answers", "is_met"),
    [
        ([burst(), burst()], True),
        ([burst(), burst(accepted=3)], False),
        ([burst(), burst(accepted=1)], False),
        ([burst(), [*burst(), Answer(0, 0.0)]], False),
    ],
)
def test_each_burst_takes_exactly_what_is_free(answers, is_met):
    results = Results(bursts=Bursts(free=2, answers=answers))
    assert found(results, "accepted").is_met is is_met


@pytest.mark.parametrize(("slowest_ms", "is_met"), [(49.0, True), (51.0, False)])
def test_every_refusal_counts(slowest_ms, is_met):
    results = Results(
        bursts=Bursts(free=2, answers=[burst(refused_ms=(9.0,) * 99 + (slowest_ms,))])
    )
    assert found(results, "slowest refusal").is_met is is_met


@pytest.mark.parametrize(("during_ms", "is_met"), [(23.9, True), (24.1, False)])
def test_calls_are_held_to_what_they_were_without_bursts(during_ms, is_met):
    results = Results(bursts=Bursts(before=[20.0] * 10, during=[during_ms] * 10))
    assert found(results, "running calls").is_met is is_met


def held(**changes: dict[int, object]) -> list[Held]:
    """Samples after 50, 100, ... sessions, with some of their values changed from then on."""
    samples = [replace(HELD, sessions=sessions) for sessions in (25, 50, 100, 150, 200)]
    for name, values in changes.items():
        for since, value in values.items():
            samples = [
                replace(one, **{name: value}) if one.sessions >= since else one for one in samples
            ]
    return samples


def test_growth_counts_from_when_the_server_was_warm():
    results = Results(held=held(server_mb={25: 40.0, 50: 50.0, 150: 52.0}))
    assert found(results, "Memory of the server").seen == "4.0"
    assert found(results, "Memory of the server").is_met is True
    grown = Results(held=held(forkserver_mb={50: 100.0, 100: 106.0}))
    assert found(grown, "Memory of the forkserver").is_met is False


def test_growth_is_not_one_samples():
    assert growth([100.0, 101.0, 101.0, 130.0]) == pytest.approx(0.01)


@pytest.mark.parametrize("what", ["processes", "files", "ports", "threads", "left", "old"])
def test_whatever_is_left_is_named(what):
    assert found(Results(held=held()), "Left after").is_met is True
    more = Results(held=held(**{what: {200: getattr(HELD, what) + 3}}))
    assert found(more, "Left after").seen == f"3 {what}"
    assert found(more, "Left after").is_met is False


def test_a_call_that_came_to_nothing_is_no_session_that_left_nothing():
    results = Results(held=held(failed={150: 2}))
    assert found(results, "Left after").seen == "2 calls failed"


def test_a_server_that_is_not_warm_is_not_judged():
    results = Results(held=[replace(HELD, sessions=8), replace(HELD, sessions=16, server_mb=99.0)])
    assert found(results, "Memory of the server").is_met is None
    assert found(results, "Left after").is_met is None


def test_a_session_of_the_model_is_known_by_its_first_sound():
    record = [
        {"t": 1.0, "session": "a", "event": "connected"},
        {"t": 2.0, "session": "b", "event": "connected"},
        {"t": 2.5, "session": "b", "event": "audio"},
        {"t": 2.6, "session": "a", "event": "audio"},
        {"t": 2.7, "session": "b", "event": "audio"},
        {"t": 3.0, "session": "nobody speaks", "event": "connected"},
    ]
    assert arrivals(record) == [(1.0, 2.6), (2.0, 2.5)]


def test_a_turn_has_a_burst_or_has_none():
    questions = [Question(first_s=t, last_s=t + 1, counts=t > 0) for t in (0.0, 10.0, 20.0, 30.0)]
    call = Call(questions=questions)
    spans = [(0.1, 0.2), (12.5, 12.6), (29.9, 30.1)]

    def counted(is_during: bool) -> list[float]:
        seen = only(call, spans, is_during=is_during)
        return [question.first_s for question in seen.questions if question.counts]

    assert counted(True) == [10.0, 30.0]
    assert counted(False) == [20.0]


def test_an_answer_is_whole_when_it_holds_what_its_head_announces():
    head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\n"
    assert not _is_whole(head[:-1])
    assert not _is_whole(head + b"123")
    assert _is_whole(head + b"1234")
    assert (_status(head), _status(b"")) == (503, 0)


def test_the_page_has_what_was_measured_and_says_what_was_not():
    results = Results(
        starts={0: [start(500.0)], 1: [start(200.0)]},
        memory=Memory(greeted=[30.0], talked=[35.5], seconds=20.0),
        bursts=Bursts(free=2, answers=[burst()], before=[20.0], during=[21.0]),
        held=held(),
    )
    text = page(results, machine="Measured on a machine.")
    for words in (
        "Measured on a machine.",
        "| 1 | 1 |",
        "35.5 / 35.5",
        "| 200 | 0 |",
        "not measured",
    ):
        assert words in text.replace("Not measured", "not measured")
    assert json.loads(as_json(results, machine="m"))["held"][0]["sessions"] == 25


def test_the_whole_and_the_quick_run_take_as_long_as_they_may():
    assert sum(map(WHOLE.seconds, PARTS)) < 20 * 60
    assert WHOLE.start_rounds * WHOLE.starts >= 40
    assert sum(map(QUICK.seconds, PARTS)) < 3 * 60
