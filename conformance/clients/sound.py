"""A microphone that says a sentence, and what is heard in return.

The standard library only, since each client runs in an environment of its own.
"""

from __future__ import annotations

import asyncio
import math
import re
import wave
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

from harness import Seen, expect

INPUT_RATE_HZ = 16_000
OUTPUT_RATE_HZ = 24_000

_SPEECH = Path(__file__).parents[1] / "speech.wav"
"""A sentence spoken by espeak-ng, 16 kHz mono."""
_CHUNK_MS = 20
_LEAD_S = 0.3
_TRAIL_S = 1.2
"""Silence after the sentence: the Live API hears an end only in audio that keeps coming."""
_AUDIBLE_DBFS = -40.0
_LENGTH_TOLERANCE_S = 0.25
_LEVEL_TOLERANCE_DB = 3.0
_INTERRUPTED_WITHIN_S = 1.0
"""From the first sound; 160 ms of speech are an interruption, the rest is the way there and back."""


class Microphone:
    """Says a sentence once, between silences, in real time."""

    def __init__(self) -> None:
        with wave.open(str(_SPEECH)) as file:
            self._spoken = file.readframes(file.getnframes())
        self._voice_s = math.inf

    @property
    def seconds(self) -> float:
        """How long the sentence is."""
        return len(self._spoken) / 2 / INPUT_RATE_HZ

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yields 16-bit PCM in pieces of 20 ms, each when it is due."""
        pcm = _silence(_LEAD_S) + self._spoken + _silence(_TRAIL_S)
        step = INPUT_RATE_HZ * 2 * _CHUNK_MS // 1000
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        self._voice_s = begun_s + _LEAD_S
        for number in range(math.ceil(len(pcm) / step)):
            yield pcm[number * step : (number + 1) * step]
            await asyncio.sleep(max(0, begun_s + (number + 1) * _CHUNK_MS / 1000 - loop.time()))

    def check_transcript(self, text: str) -> Seen:
        """Returns what was understood; raises if that is not the sentence.

        The understudy knows no words: its transcript tells how long and how loud they were.
        """
        match = re.fullmatch(r"\[(\d+\.\d) seconds of speech, (-\d+) dBFS\]", text.strip())
        if match is None:
            raise AssertionError(f"no such transcript: {text}")
        self._check_length(match[1], text)
        off_db = abs(float(match[2]) - dbfs(self._spoken))
        expect(off_db <= _LEVEL_TOLERANCE_DB, f"{off_db:.0f} dB from what was spoken: {text}")
        return Seen(f"input transcript: {text.strip()}")

    def check_answer(self, heard: Answer) -> Seen:
        """Returns what was answered; raises unless that is an answer to the sentence, all of it."""
        seen = heard.check()
        match = re.match(r"you spoke for (\d+\.\d) seconds", heard.said.strip(), re.IGNORECASE)
        if match is None:
            raise AssertionError(f"it answers something else: {seen.note}")
        self._check_length(match[1], seen.note)
        return seen

    def check_interruption(self, heard: Answer, *, at_s: float) -> str:
        """Returns how an answer was interrupted; raises if it was not in time.

        Args:
            heard: What had come of it.
            at_s: When the client was told, by the event loop's clock.
        """
        took_s = at_s - self._voice_s
        note = f"interrupted {took_s:.2f} s after the voice began, {heard.seconds:.1f} s in"
        expect(bool(heard.audio), f"nothing was under way: {note}")
        expect(0 < took_s <= _INTERRUPTED_WITHIN_S, f"not in time: {note}")
        return note

    def _check_length(self, said: str, where: str) -> None:
        off_s = abs(float(said) - self.seconds)
        expect(off_s <= _LENGTH_TOLERANCE_S, f"{self.seconds:.1f} s were spoken: {where}")


class Answer:
    """Speech that comes back.

    Attributes:
        audio: 24 kHz 16-bit mono PCM.
        said: Its transcript.
    """

    def __init__(self) -> None:
        self.audio = bytearray()
        self.said = ""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.audio) / 2 / OUTPUT_RATE_HZ

    def check(self, *contains: str) -> Seen:
        """Returns what was heard; raises if it can't be heard or hasn't these words in it."""
        level_dbfs = dbfs(self.audio)
        heard = f'{self.seconds:.1f} s of speech at {level_dbfs:.0f} dBFS: "{self.said.strip()}"'
        expect(self.seconds >= 0.5, f"too little audio: {heard}")
        expect(level_dbfs > _AUDIBLE_DBFS, f"too quiet: {heard}")
        expect(bool(self.said.strip()), f"no transcript: {heard}")
        for words in contains:
            expect(words.lower() in self.said.lower(), f'no "{words}" in {heard}')
        return Seen(heard, heard_ms=round(self.seconds * 1000))


def dbfs(pcm: bytes | bytearray) -> float:
    """Returns the level of 16-bit PCM; minus infinity for silence."""
    samples = array("h", bytes(pcm[: len(pcm) // 2 * 2]))
    power = sum(sample * sample for sample in samples) / max(len(samples), 1)
    return 10 * math.log10(power / 32768**2) if power else -math.inf


def _silence(seconds: float) -> bytes:
    return bytes(round(seconds * INPUT_RATE_HZ) * 2)
