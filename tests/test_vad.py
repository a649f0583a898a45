"""Voice activity: Pipecat's analyzer, and ours that asks the model less often."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipecat.audio.vad import silero
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADAnalyzer, VADState

from pipeline.vad import SharedModel, SparingVADAnalyzer
from tests.support.speech import speech

RATE_HZ = 16_000
PIECE = 320
MODEL = str(Path(silero.__file__).with_name("data") / "silero_vad.onnx")
SENTENCES = ("What is the weather like in Oslo today?", "Stop it, please.", "And then, what?")


def said(noise: float) -> np.ndarray:
    """Sentences with two seconds of a quiet room before, between and after them."""
    random = np.random.default_rng(7)
    pauses = [np.zeros(2 * RATE_HZ)] * (len(SENTENCES) + 1)
    parts = [pauses[0]]
    for sentence in SENTENCES:
        parts += [speech(sentence)[::3].astype(float), pauses[0]]
    sound = np.concatenate(parts)
    return (sound + random.normal(0, noise, sound.size)).clip(-32768, 32767).astype(np.int16)


async def turns(analyzer: VADAnalyzer, sound: np.ndarray) -> list[tuple[bool, float]]:
    """When somebody begins to speak and when they stop, in seconds."""
    analyzer.set_sample_rate(RATE_HZ)
    result, is_speaking = [], False
    for at in range(0, sound.size - PIECE, PIECE):
        state = await analyzer.analyze_audio(sound[at : at + PIECE].tobytes())
        if state in (VADState.QUIET, VADState.SPEAKING) and (
            is_speaking != (state is VADState.SPEAKING)
        ):
            is_speaking = not is_speaking
            result.append((is_speaking, at / RATE_HZ))
    await analyzer.cleanup()
    return result


async def test_what_may_be_a_voice_is_known_before_it_is_one():
    analyzer = SparingVADAnalyzer()
    analyzer.set_sample_rate(RATE_HZ)
    sound = said(60.0)
    hinted_s = begun_s = None
    for at in range(0, sound.size - PIECE, PIECE):
        state = await analyzer.analyze_audio(sound[at : at + PIECE].tobytes())
        if analyzer.may_be_voice and hinted_s is None:
            hinted_s = at / RATE_HZ
        if state is VADState.SPEAKING:
            begun_s = at / RATE_HZ
            break
    await analyzer.cleanup()
    assert hinted_s and begun_s and 2.0 < hinted_s < begun_s - 0.1


async def test_a_quiet_room_is_no_voice():
    analyzer = SparingVADAnalyzer()
    sound = said(60.0)[: 2 * RATE_HZ]
    assert await turns(analyzer, sound) == [] and not analyzer.may_be_voice


@pytest.mark.parametrize("noise", [0.0, 10.0, 60.0, 300.0])
async def test_it_hears_what_pipecats_hears_when_it_hears_it(noise: float):
    sound = said(noise)
    theirs = await turns(SileroVADAnalyzer(), sound)
    ours = await turns(SparingVADAnalyzer(), sound)
    assert [begins for begins, _ in ours] == [begins for begins, _ in theirs]
    assert len(theirs) >= 2 * len(SENTENCES)
    for (begins, our_s), (_, their_s) in zip(ours, theirs, strict=True):
        assert their_s - (0.13 if begins else 0.065) < our_s < their_s + 0.065


async def test_pipecats_asks_its_model_about_silence_and_ours_does_not():
    for analyzer, expected in ((SileroVADAnalyzer(), 62), (SparingVADAnalyzer(), 0)):
        asked = []
        analyzer.voice_confidence = lambda buffer, asked=asked: asked.append(buffer) or 0.0
        await turns(analyzer, np.zeros(2 * RATE_HZ + PIECE, np.int16))
        assert len(asked) == expected


def test_the_weights_are_loaded_once_and_each_has_a_state_of_its_own():
    one, other = SparingVADAnalyzer()._model, SparingVADAnalyzer()._model
    assert one.session is other.session
    assert one._state is not other._state
    (pipecats,) = SharedModel.__bases__
    assert pipecats(MODEL).session is not pipecats(MODEL).session


async def test_no_thread_is_asked(monkeypatch: pytest.MonkeyPatch):
    tasks: list[Any] = []
    loop = asyncio.get_running_loop()
    run = loop.run_in_executor
    monkeypatch.setattr(loop, "run_in_executor", lambda *a: tasks.append(a) or run(*a))
    sound = said(60.0)[RATE_HZ : 3 * RATE_HZ]
    await turns(SileroVADAnalyzer(), sound)
    assert len(tasks) == 99
    tasks.clear()
    await turns(SparingVADAnalyzer(), sound)
    assert tasks == []
