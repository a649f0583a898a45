"""Where in the model's speech the words of its transcript are said. Pure.

The transcript runs ahead of the speech: by 0.24 to 3.2 s of it, 1.7 s in the median (recorded from
gemini-3.8-live), and comes without times. So the place of a word is estimated from how much is said
before it, and from how fast the voice is: from the turns before, and, since the model sends speech
faster than it is played, from what has come of this one. Of texts whose words were timed, read by
espeak-ng and sent with leads of 0.24 to 3 s, that was right within a word at nine moments of ten; by
the turns before alone at fewer than five.
"""

import re

from pipecat.frames.frames import TTSTextFrame

_USUAL_PER_S = 16.0
_BOUNDS_PER_S = (3.0, 40.0)
_LEAST_S = 1.0
_LEAD_S = 1.0
"""By how much speech the transcript is taken to be ahead."""
_TRUST_S = 2.0
"""What the turns before have taught counts as much as so many seconds of this one."""
_LONG = frozenset("0123456789.!?")
_LONG_LETTERS = 5.0
"""A digit, and the pause after a sentence, take as long as so many letters."""


class SpokenText:
    """Estimates when each piece of a turn's transcript is said, and learns how fast the voice is."""

    def __init__(self) -> None:
        self._per_s = _USUAL_PER_S
        self.began()

    def began(self) -> None:
        """A turn begins."""
        self._before = self._speech_s = self._worded_s = 0.0

    def came(self, speech_s: float) -> None:
        """So many seconds more of the turn's speech have come, played or not."""
        self._speech_s += speech_s

    def place(self, text: str) -> float:
        """Where half of the next piece has been said, for `at_s`."""
        return self._before + _length(text) / 2

    def at_s(self, place: float) -> float:
        """How many seconds into the turn's speech a place is, by what is known now."""
        return place / self._rate_per_s

    def add(self, text: str) -> None:
        """A piece of the transcript; what follows is said after it."""
        self._before += _length(text)
        self._worded_s = self._speech_s

    @property
    def _rate_per_s(self) -> float:
        if not self._speech_s:
            return self._per_s
        covered_s = max(self._worded_s + _LEAD_S, self._speech_s)
        return _bounded((self._per_s * _TRUST_S + self._before) / (_TRUST_S + covered_s))

    def ended(self, speech_s: float) -> None:
        """A turn is complete, with so much speech."""
        if speech_s >= _LEAST_S and self._before:
            self._per_s = (self._per_s + _bounded(self._before / speech_s)) / 2
        self.began()


def spoken_within(text: str, speech_s: float) -> str:
    """How far a transcript has been said when there is so much speech, in whole words."""
    said, length = "", 0.0
    for word in re.findall(r"\s*\S+", text):
        length += _length(word)
        if length > speech_s * _USUAL_PER_S:
            break
        said += word
    return said


def _bounded(per_s: float) -> float:
    low, high = _BOUNDS_PER_S
    return min(max(per_s, low), high)


def _length(text: str) -> float:
    return sum(_LONG_LETTERS if character in _LONG else 1.0 for character in text)


def in_words(frame: TTSTextFrame) -> list[TTSTextFrame]:
    """Cut a piece of a transcript, with its spaces, into its words."""
    texts = re.findall(r"\s*\S+(?:\s+$)?", frame.text)
    if len(texts) < 2 or not frame.includes_inter_frame_spaces:
        return [frame]
    words = [TTSTextFrame(text, text_type=frame.text_type) for text in texts]
    for word in words:
        word.includes_inter_frame_spaces = True
        word.append_to_context = frame.append_to_context
    return words
