"""From what callers noted down and what the understudy recorded to what it took. Pure.

All times are of one monotonic clock. Uplink is from the last speech sample sent to the message
that brings it to the model; downlink from the first speech sample that the model sent, as it would
play on an ideal line, to that sample heard; added latency is both: the time from question to
answer, less the model's own. A session of the record is the caller's who offered last before it.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.media.conversation import Call, Question
from bench.media.loudness import LOUD_DBFS

Event = dict[str, Any]
_LATEST_S = 8.0
_PAUSE_S = 0.25
"""Silence that ends speech: its own pauses are shorter."""


@dataclass(kw_only=True)
class Figures:
    """What calls have shown; times in milliseconds, of each turn that counts.

    Attributes:
        added: Uplink and downlink together.
        uplink: From the last sample sent to the model's having it.
        downlink: From the first sample that the model sent to its being heard.
        since_loss: For each of them where the line loses one packet: how long ago, in seconds.
        lost: Questions that were not answered.
        barge_in: From the onset of a voice to silence heard.
        barge_in_model: How much of it the model takes to say that it was interrupted.
        start: From the offer to the first audio at the model.
        gaps: By how much longer an answer was heard than it is.
        frames: Pictures that reached the model, each session and minute.
        frame_bytes: Bytes of each.
        late: By how much callers' packets were late in leaving.
    """

    added: list[float] = field(default_factory=list)
    uplink: list[float] = field(default_factory=list)
    downlink: list[float] = field(default_factory=list)
    since_loss: list[float] = field(default_factory=list)
    lost: int = 0
    barge_in: list[float] = field(default_factory=list)
    barge_in_model: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)
    frame_bytes: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Takes in what others have shown."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class UnmatchedError(Exception):
    """A caller has not one session of its own in the record."""


@dataclass(frozen=True)
class _Answer:
    """What the model said: when its speech would begin on an ideal line, and for how long it is."""

    sent_s: float
    begins_s: float
    spoken_s: float


def figures(
    calls: Sequence[Call],
    record: Iterable[Event],
    *,
    since_loss_s: tuple[float, float] | None = None,
) -> Figures:
    """What calls have shown.

    Args:
        calls: Of callers who called one after the other.
        record: Of the understudy, with `t` of the same clock and `audio_sent`.
        since_loss_s: Only turns so long after the one lost packet, from and to.

    Raises:
        UnmatchedError: The record does not show one session for each call.
    """
    sessions: dict[str, list[Event]] = {}
    for event in record:
        sessions.setdefault(event["session"], []).append(event)
    begun = {events[0]["t"]: events for events in sessions.values() if _has_audio(events)}
    offers = [call.offer_s for call in calls] + [float("inf")]
    result = Figures()
    for number, call in enumerate(calls):
        own = [e for t, e in begun.items() if offers[number] <= t < offers[number + 1]]
        if len(own) != 1:
            raise UnmatchedError(f"call {number + 1} has {len(own)} sessions")
        _add_call(result, call, own[0], since_loss_s)
    return result


def _has_audio(events: list[Event]) -> bool:
    return any(event["event"] == "audio" for event in events)


def _add_call(
    result: Figures, call: Call, events: list[Event], since_loss_s: tuple[float, float] | None
) -> None:
    result.start.append(1000 * (_of(events, "audio")[0]["t"] - call.offer_s))
    result.late += call.late_ms
    minutes = (call.ended_s - call.begun_s) / 60
    shown = [e for e in _of(events, "video") if call.begun_s <= e["t"] < call.ended_s]
    result.frames.append(len(shown) / minutes)
    result.frame_bytes += [event["bytes"] for event in shown]
    ends = [question.first_s for question in call.questions[1:]] + [call.ended_s]
    for question, end_s in zip(call.questions, ends, strict=True):
        if question.counts and _is_within(question.since_loss_s, since_loss_s):
            _add_turn(result, question, call, events, end_s)
        elif question.interrupts:
            _add_barge_in(result, question, call, events)


def _is_within(value: float | None, bounds: tuple[float, float] | None) -> bool:
    return bounds is None or (value is not None and bounds[0] <= value < bounds[1])


def _add_turn(
    result: Figures, question: Question, call: Call, events: list[Event], end_s: float
) -> None:
    answer = _answer(events, question.last_s)
    heard = [span for span in _spans(call) if question.last_s <= span[0] < end_s]
    arrived_s = _arrival(events, question.first_s, answer.sent_s) if answer else None
    if answer is None or arrived_s is None or not heard:
        result.lost += 1
        return
    uplink_ms = 1000 * (arrived_s - question.last_s)
    downlink_ms = 1000 * (heard[0][0] - answer.begins_s)
    result.uplink.append(uplink_ms)
    result.downlink.append(downlink_ms)
    result.added.append(uplink_ms + downlink_ms)
    if question.since_loss_s is not None:
        result.since_loss.append(question.since_loss_s)
    result.gaps.append(1000 * (heard[-1][1] - heard[0][0] - answer.spoken_s))


def _add_barge_in(result: Figures, question: Question, call: Call, events: list[Event]) -> None:
    interrupted_s = next((e["t"] for e in _after(events, "interrupted", question.first_s)), None)
    if interrupted_s is None:
        return
    silence_s = question.first_s
    for begins_s, ends_s in _spans(call):
        if ends_s > question.first_s and begins_s < silence_s + _PAUSE_S:
            silence_s = max(silence_s, ends_s)
    result.barge_in.append(1000 * (silence_s - question.first_s))
    arrivals = (e["t"] for e in _after(events, "audio", question.first_s) if _is_loud(e))
    onset_s = next(arrivals, interrupted_s)
    result.barge_in_model.append(1000 * (interrupted_s - onset_s))


def _answer(events: list[Event], since_s: float) -> _Answer | None:
    """What the model first said after a time."""
    sent = _after(events, "audio_sent", since_s)
    if not sent or sent[0]["t"] > since_s + _LATEST_S:
        return None
    ends = (e["t"] for e in _after(events, "audio_out", sent[0]["t"]))
    end_s = next(ends, float("inf"))
    place_s, first_s, last_s = 0.0, None, 0.0
    for piece in sent:
        if piece["t"] > end_s:
            break
        if piece["first_s"] is not None:
            first_s = place_s + piece["first_s"] if first_s is None else first_s
            last_s = place_s + piece["last_s"]
        place_s += piece["s"]
    if first_s is None:
        return None
    return _Answer(sent[0]["t"], sent[0]["t"] + first_s, last_s - first_s)


def _arrival(events: list[Event], first_s: float, until_s: float) -> float | None:
    """When the last loud message came in."""
    loud = [e["t"] for e in _after(events, "audio", first_s) if e["t"] < until_s and _is_loud(e)]
    return loud[-1] if loud else None


def _is_loud(event: Event) -> bool:
    return event["dbfs"] > LOUD_DBFS


def _spans(call: Call) -> list[tuple[float, float]]:
    """From when to when each loud piece was heard."""
    return [
        (begins_s + first_s, begins_s + last_s)
        for begins_s, _, first_s, last_s in call.heard
        if first_s is not None and last_s is not None
    ]


def _of(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["event"] == kind]


def _after(events: list[Event], kind: str, since_s: float) -> list[Event]:
    begin = bisect.bisect_left(events, since_s, key=lambda event: event["t"])
    return _of(events[begin:], kind)
