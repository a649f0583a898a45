"""What reached the understudy, in figures: the only things it ever talks about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heard:
    """One stretch of user audio.

    Attributes:
        start_s: Where it begins, in seconds of the audio stream.
        end_s: Where it ends.
        speech_s: From the first to the last speech in it, in seconds; 0 when there was none.
        level_dbfs: Mean level of the speech, or of everything when there was none.
    """

    start_s: float
    end_s: float
    speech_s: float
    level_dbfs: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture.

    Attributes:
        source: `camera`, `screenVideo` or `upload` if the picture says so, else "".
        width: In pixels.
        height: In pixels.
        brightness: Mean luma, 0 (black) to 255 (white).
        colours: The main colours, most frequent first: at most three (name, share 0..1).
    """

    source: str
    width: int
    height: int
    brightness: int
    colours: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no picture."""

    why: str
