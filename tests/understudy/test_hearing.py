import numpy as np
import pytest
import soxr

from tests.understudy.support import RATE_HZ, noise, silence, speech
from understudy.hearing import (
    ActivityDetection,
    Hearing,
    HearingEvent,
    SpeechEnded,
    SpeechStarted,
    level_dbfs,
)


def pcm(samples: np.ndarray) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def hear(samples, *, rate_hz=RATE_HZ, chunk_bytes=640, **detection) -> list[HearingEvent]:
    hearing = Hearing(ActivityDetection(**detection))
    hearing.tune(rate_hz)
    data = pcm(samples)
    events = []
    for start in range(0, len(data), chunk_bytes):
        events += hearing.feed(data[start : start + chunk_bytes])
    return events


def after_silence(samples, *, pause_s=1.5):
    return np.concatenate([silence(1), samples, silence(pause_s)])


@pytest.mark.parametrize("dbfs", [-15, -25, -40, -50])
def test_speech_is_measured(dbfs):
    said = speech(dbfs=dbfs)
    started, ended = hear(after_silence(said))
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert started.offset_s == pytest.approx(1, abs=0.1)
    assert ended.heard.speech_s == pytest.approx(len(said) / RATE_HZ, abs=0.15)
    assert ended.heard.level_dbfs == pytest.approx(dbfs, abs=2)


def test_one_word_is_speech():
    assert len(hear(after_silence(speech("Yes.")))) == 2


@pytest.mark.parametrize("colour", ["white", "pink", "hum", "clicks"])
@pytest.mark.parametrize("dbfs", [-60, -45, -30])
def test_steady_noise_is_not_speech(colour, dbfs):
    assert hear(after_silence(noise(6, dbfs=dbfs, colour=colour))) == []


@pytest.mark.parametrize("colour", ["white", "pink", "hum"])
@pytest.mark.parametrize("ratio_db", [30, 20, 10])
def test_speech_is_heard_through_noise(colour, ratio_db):
    said = np.concatenate([silence(3), speech(dbfs=-20), silence(3)])
    mixed = said + noise(len(said) / RATE_HZ, dbfs=-20 - ratio_db, colour=colour)
    started, ended = hear(mixed)
    assert isinstance(ended, SpeechEnded)
    assert ended.heard.speech_s == pytest.approx(len(speech()) / RATE_HZ, abs=0.6)


@pytest.mark.parametrize("duration_s", [0.02, 0.08, 0.14])
def test_knocks_and_coughs_are_too_short(duration_s):
    assert hear(after_silence(noise(duration_s, dbfs=-10))) == []
    assert hear(after_silence(speech()[: int(duration_s * RATE_HZ)])) == []


def test_silence_that_does_not_flow_ends_nothing():
    assert len(hear(np.concatenate([silence(1), speech()]))) == 1


@pytest.mark.parametrize(
    ("detection", "silence_s"),
    [
        ({}, 0.5),
        ({"end_is_low": True}, 0.8),
        ({"silence_duration_ms": 200}, 0.2),
        ({"silence_duration_ms": 1200}, 1.2),
    ],
)
def test_how_much_silence_ends_speech(detection, silence_s):
    said = speech()
    _, ended = hear(after_silence(said), **detection)
    assert isinstance(ended, SpeechEnded)
    expected_s = 1 + len(said) / RATE_HZ + silence_s
    assert ended.heard.end_s == pytest.approx(expected_s, abs=0.2)


def test_how_much_speech_begins_an_activity():
    short = speech("Yes.")
    assert hear(after_silence(short), prefix_padding_ms=20)
    assert not hear(after_silence(short), prefix_padding_ms=1000)
    assert hear(after_silence(speech()), start_is_low=True)


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 44_100, 48_000])
def test_any_rate(rate_hz):
    samples = soxr.resample(after_silence(speech()), RATE_HZ, rate_hz)
    _, ended = hear(samples, rate_hz=rate_hz)
    assert isinstance(ended, SpeechEnded)
    assert ended.heard.speech_s == pytest.approx(len(speech()) / RATE_HZ, abs=0.2)


@pytest.mark.parametrize("chunk_bytes", [1, 333, 3200, 1_000_000])
def test_chunks_of_any_size_even_half_samples(chunk_bytes):
    samples = after_silence(speech("Yes.")) if chunk_bytes == 1 else after_silence(speech())
    assert hear(samples, chunk_bytes=chunk_bytes) == hear(samples)


def test_a_stream_has_one_rate():
    hearing = Hearing(ActivityDetection())
    assert hearing.tune(8_000)
    assert hearing.tune(8_000)
    assert not hearing.tune(16_000)


def test_levels():
    assert level_dbfs(b"") == -90
    assert level_dbfs(bytes(100)) == -90
    assert level_dbfs(pcm(np.full(100, 0.5))) == pytest.approx(-6, abs=0.1)
