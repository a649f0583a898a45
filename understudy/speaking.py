"""Mouth: whose voice says something, and in which pieces and at what pace it goes out. Pure."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from understudy.effects import Voice
from understudy.profiles import Profile
from understudy.wire import OUTPUT_RATE_HZ

_BYTES_PER_S = OUTPUT_RATE_HZ * 2
_WORDS_PER_PIECE = 3
DEFAULT_VOICE = "Puck"
DEFAULT_LANGUAGE = "en-US"
_LANGUAGE_CHARACTERS = 35
"""RFC 5646 section 4.4.1: no language tag needs more."""

_VARIANTS = {
    "aoede": "f2",
    "charon": "m3",
    "fenrir": "m7",
    "kore": "f3",
    "leda": "f4",
    "orus": "m4",
    "puck": "m1",
    "zephyr": "f5",
}
"""Live API voice -> espeak-ng variant, so that men's voices are men's and women's are women's."""
_OTHER_VARIANTS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5")
_LANGUAGES = {"zh": "cmn", "no": "nb", "iw": "he", "tl": "en", "fil": "en"}
"""Language subtags that espeak-ng knows by another name."""


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """What espeak-ng is told: voices to try, in order, and a pitch of 0 to 100."""

    names: tuple[str, ...]
    pitch: int


def espeak_voice(voice: Voice) -> EspeakVoice:
    """Chooses a voice; the same name always gives the same one."""
    name = (voice.name or DEFAULT_VOICE).lower()
    digest = zlib.crc32(name.encode("utf-8", "replace"))
    variant = _VARIANTS.get(name, _OTHER_VARIANTS[digest % len(_OTHER_VARIANTS)])
    written = (voice.language or DEFAULT_LANGUAGE)[:_LANGUAGE_CHARACTERS]
    language = re.sub(r"[^a-z0-9-]", "", written.lower())
    primary = language.split("-")[0]
    languages = (language, _LANGUAGES.get(primary, primary), "en-us")
    return EspeakVoice(
        names=tuple(f"{candidate}+{variant}" for candidate in languages if candidate),
        pitch=40 + digest % 21,
    )


@dataclass(frozen=True, slots=True)
class Beat:
    """One step of an answer going out.

    Attributes:
        offset_s: When, counted from the first step.
        audio: Which bytes of the speech go out with it; an empty slice for none.
        transcript: Which text goes out with it; "" for none.
    """

    offset_s: float
    audio: slice
    transcript: str


def beats(text: str, pcm_bytes: int, profile: Profile) -> list[Beat]:
    """Lays out an answer in time.

    Each chunk of audio leaves `pacing` times faster than it plays. A piece of transcript goes
    with the chunk that plays `transcript_lead_s` before the piece is said; where a word is
    said is estimated from its place in the text.

    Args:
        text: What is said.
        pcm_bytes: Length of the speech, 24 kHz 16-bit mono.
        profile: Whose habits to follow.

    Returns:
        One beat per chunk, in order. Their transcripts joined are the text.
    """
    step = int(profile.chunk_s * OUTPUT_RATE_HZ) * 2
    starts = range(0, max(pcm_bytes, 1), step)
    duration_s = pcm_bytes / _BYTES_PER_S
    spoken = [""] * len(starts)
    said = 0
    for piece in pieces(text, by_word=profile.transcribes_words):
        at_s = said / max(len(text), 1) * duration_s - profile.transcript_lead_s
        spoken[min(max(int(at_s / profile.chunk_s), 0), len(spoken) - 1)] += piece
        said += len(piece)
    return [
        Beat(number * profile.chunk_s / profile.pacing, slice(start, start + step), transcript)
        for number, (start, transcript) in enumerate(zip(starts, spoken, strict=True))
    ]


def text_beats(text: str, profile: Profile) -> list[Beat]:
    """Lays out a written answer in time: a piece of text with each step, and no audio."""
    return [
        Beat(number * profile.chunk_s / profile.pacing, slice(0, 0), piece)
        for number, piece in enumerate(pieces(text, by_word=False) or [""])
    ]


def pieces(text: str, *, by_word: bool) -> list[str]:
    """Splits a text as the model's transcripts are split.

    Recorded: "Hello Marcelo, nice " from gemini-3.8-live; " Hello", ",", " my" from 2.5.

    Args:
        text: What is said.
        by_word: Single words and punctuation marks, each word with a leading space.
    """
    if by_word:
        return re.findall(r"\s*[\w'’]+(?:[.,]\d+)*|\s*[^\w\s]|\s+$", f" {text.strip()}")
    words = re.findall(r"\S+\s*", text)
    return [
        "".join(words[start : start + _WORDS_PER_PIECE])
        for start in range(0, len(words), _WORDS_PER_PIECE)
    ]
