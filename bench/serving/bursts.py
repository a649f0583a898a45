"""Bursts of starts against a server whose slots are nearly taken, and the calls that it has."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from bench.media.callers import Order
from bench.media.calling import calling
from bench.media.conversation import Call, Question, Talk
from bench.media.figures import Event, figures
from bench.serving.burst import burst, give_up
from bench.serving.figures import Bursts
from bench.serving.stage import stage

SLOTS, RUNNING, AT_ONCE = 4, 2, 200
_WINDOW_S = 20.0
"""Without bursts, with bursts, and so on: what else the machine does comes and goes too."""
_PAUSE_S = 1.3
"""Between bursts; a turn takes 4.5 s, and nothing is in step."""
_ANSWERED_S = 2.0
"""A turn is not over before its answer has begun."""

Span = tuple[float, float]


def measure(bursts: Bursts, *, turns: int) -> None:
    """Has callers talk, and now and then 200 others ask to be let in.

    Args:
        bursts: Takes what was seen.
        turns: Questions of each caller.
    """
    with stage(spares=1, most=SLOTS) as on:
        order = Order(
            kind="pipecat",
            url=on.server.url,
            sessions=RUNNING,
            camera=True,
            talk=Talk(turns=turns, barge_ins=0),
        )
        bursts.free = SLOTS - RUNNING
        spans: list[Span] = []
        is_over = threading.Event()
        with calling(order, on.model, on.folder) as callers:
            storm = threading.Thread(target=_storm, args=(on.server.url, bursts, spans, is_over))
            callers.begin_to_talk()
            storm.start()
            try:
                calls = callers.calls()
            finally:
                is_over.set()
                storm.join()
        _compare(bursts, calls, on.record(), spans)


def _storm(url: str, bursts: Bursts, spans: list[Span], is_over: threading.Event) -> None:
    for is_calm in itertools.cycle((True, False)):
        until_s = time.monotonic() + _WINDOW_S
        while (now_s := time.monotonic()) < until_s:
            if is_over.wait(min(until_s - now_s, _WINDOW_S if is_calm else _PAUSE_S)):
                return
            if not is_calm:
                begun_s = time.monotonic()
                answers, given = burst(url, AT_ONCE)
                spans.append((begun_s, time.monotonic()))
                bursts.answers.append(answers)
                for session_id in given:
                    give_up(url, session_id)


def _compare(
    bursts: Bursts, calls: Sequence[Call], record: Sequence[Event], spans: Sequence[Span]
) -> None:
    for is_during, latencies in ((False, bursts.before), (True, bursts.during)):
        seen = figures([only(call, spans, is_during=is_during) for call in calls], record)
        latencies += seen.added
        bursts.lost += seen.lost


def only(call: Call, spans: Sequence[Span], *, is_during: bool) -> Call:
    """The call with only those turns counted that had a burst, or none."""

    def has_burst(question: Question) -> bool:
        until_s = question.last_s + _ANSWERED_S
        return any(begun_s < until_s and ended_s > question.first_s for begun_s, ended_s in spans)

    return replace(
        call,
        questions=[
            replace(question, counts=question.counts and has_burst(question) is is_during)
            for question in call.questions
        ],
    )
