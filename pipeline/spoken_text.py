"""Where in the model's speech the words of its transcript are said. Pure.

The transcript runs ahead of the speech: by 0.24 to 3.2 s of it, 1.7 s in the median (recorded from
gemini-3.8-live), and comes without times. So the place of a word is estimated from how much has
been said before it.
"""

import re

from pipecat.frames.frames import TTSTextFrame

_USUAL_PER_S = 16.0
_BOUNDS_PER_S = (3.0, 40.0)
_LEAST_S = 1.0
_DIGIT = 5.0
"""A digit takes as long to say as so many letters."""


class SpokenText:
    """Estimates when each piece of a turn's transcript is said, and learns how fast the voice is."""

    def __init__(self) -> None:
        self._per_s = _USUAL_PER_S
        self._before = 0.0

    def began(self) -> None:
        """A turn begins."""
        self._before = 0.0

    def heard_at_s(self, text: str) -> float:
        """How many seconds into the turn's speech half of the next piece has been said."""
        return (self._before + _length(text) / 2) / self._per_s

    def add(self, text: str) -> None:
        """A piece of the transcript; what follows is said after it."""
        self._before += _length(text)

    def ended(self, speech_s: float) -> None:
        """A turn is complete, with so much speech."""
        if speech_s >= _LEAST_S and self._before:
            low, high = _BOUNDS_PER_S
            measured = min(max(self._before / speech_s, low), high)
            self._per_s = (self._per_s + measured) / 2
        self._before = 0.0


def spoken_within(text: str, speech_s: float) -> str:
    """How far a transcript has been said when there is so much speech, in whole words."""
    said, length = "", 0.0
    for word in re.findall(r"\s*\S+", text):
        length += _length(word)
        if length > speech_s * _USUAL_PER_S:
            break
        said += word
    return said


def _length(text: str) -> float:
    return sum(_DIGIT if character.isdigit() else 1.0 for character in text)


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
