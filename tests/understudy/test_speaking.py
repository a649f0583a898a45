import threading

import numpy as np
import pytest

from understudy.effects import Voice
from understudy.espeak import speak
from understudy.profiles import PROFILES
from understudy.speaking import beats, espeak_voice, pieces

SENTENCE = "Hello, I am the understudy, a local stand-in for Gemini."


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two utterances last equally long; espeak-ng's breath noise is never the same."""
    return abs(len(one) - len(other)) < 0.01 * len(one)


def say(text=SENTENCE, **voice) -> np.ndarray:
    chosen = espeak_voice(Voice(**voice))
    return np.frombuffer(speak(text, voices=chosen.names, pitch=chosen.pitch), np.int16)


def test_speech_is_24_khz_and_as_long_and_loud_as_speech_is():
    samples = say().astype(np.float64)
    assert 2.5 < len(samples) / 24_000 < 5
    assert -30 < 20 * np.log10(np.sqrt(np.mean(samples**2)) / 32768) < -10
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / 24_000)
    voice_band = spectrum[(frequencies > 80) & (frequencies < 4000)].sum()
    assert voice_band / spectrum.sum() > 0.8


def test_a_name_is_always_the_same_voice_and_others_are_others():
    voices = {name: espeak_voice(Voice(name)) for name in ("Puck", "Kore", "Charon", "Nobody")}
    assert len(set(voices.values())) == 4
    assert voices["Puck"] == espeak_voice(Voice("puck")) == espeak_voice(Voice())


@pytest.mark.parametrize("language", ["de", "fr-FR", "es-US", "zh", "cmn-CN", "ja", "hi"])
def test_languages(language):
    assert not same(say("1, 2, 3", language=language), say("1, 2, 3"))


@pytest.mark.parametrize("language", ["tlh", "x" * 300, "../../etc", "\0"])
def test_unknown_languages_are_spoken_in_english(language):
    assert same(say("1, 2, 3", language=language), say("1, 2, 3"))


@pytest.mark.parametrize("text", ["", " ", "\0", "\ud800", "<b>&amp;", "ß" * 50, "🙂"])
def test_any_text_can_be_said(text):
    say(text)


def test_many_threads_at_once_say_what_one_says():
    expected = say("one " * 60)
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(say("one " * 60))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(result, expected) for result in results)


@pytest.mark.parametrize(("text", "is_remembered"), [("Twice.", True), ("Twice. " * 29, False)])
def test_short_speech_is_remembered(text, is_remembered):
    first, second = (speak(text, voices=("en-us",), pitch=50) for _ in range(2))
    assert (first is second) is is_remembered


def test_a_language_of_megabytes_is_not_remembered():
    assert max(map(len, espeak_voice(Voice("Puck", "x" * 8_000_000)).names)) < 50


@pytest.mark.parametrize("name", sorted(PROFILES))
@pytest.mark.parametrize("text", [SENTENCE, "Yes", "", "1, 2, 3.", "«Wörter», 你好 — ok?!"])
def test_beats_say_everything_once_in_order(name, text):
    pcm_bytes = 100_001
    laid_out = beats(text, pcm_bytes, PROFILES[name])
    assert "".join(beat.transcript for beat in laid_out).strip() == text
    covered = [i for beat in laid_out for i in range(*beat.audio.indices(pcm_bytes))]
    assert covered == list(range(pcm_bytes))
    assert [beat.offset_s for beat in laid_out] == sorted(beat.offset_s for beat in laid_out)


def test_nothing_to_say_is_one_empty_beat():
    (beat,) = beats("", 0, PROFILES["3.8"])
    assert beat.transcript == ""


def test_words_are_split_as_recorded():
    assert pieces("Hello, my name", by_word=True) == [" Hello", ",", " my", " name"]
    assert pieces("Hello Marcelo, nice to", by_word=False) == ["Hello Marcelo, nice ", "to"]
