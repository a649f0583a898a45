"""What the understudy says: the truth about what reached it, in a sentence or two. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.context import MAX_TOLD
from understudy.facts import Heard, Seen
from understudy.memory import Gathered, Memory
from understudy.messages import FunctionResult
from understudy.tools import describe

GREETING = (
    "Hello, I am the understudy, a local stand-in for Gemini. "
    "I can tell you what I hear and what I see."
)
MAX_COUNT = 100
_QUOTED_CHARACTERS = 120
_FRAMES = {"camera": "camera frame", "screenVideo": "screen frame", "upload": "uploaded picture"}
"""What a picture is called, by its source; any other is a video frame."""
_LOOK = re.compile(r"\b(see|seen|look|colou?rs?|pictures?|images?|photos?|screen|camera|video)\b")
_REMEMBER = re.compile(r"\b(remember|recall|so far|did i tell you|have i told you)\b")
_KEEP = re.compile(r"^(?:please\s+)?remember\b(?:\s+that\b)?[\s:,]+", re.I)
_COUNT = re.compile(r"\bcount(?: up)? to (\d{1,6})\b")


@dataclass(frozen=True, slots=True)
class Answer:
    """Something to say, and in one word why: for the record.

    Attributes:
        text: What is said.
        why: For the record.
        query: What it was searched for; "" when it was not.
    """

    text: str
    why: str
    query: str = ""


def greeting(gathered: Gathered) -> Answer:
    """Answers the history a conversation begins with."""
    if count := _counting(gathered.texts[-1] if gathered.texts else ""):
        return count
    earlier = gathered.turns - 1
    if earlier > 0:
        turns = "one earlier turn" if earlier == 1 else f"{earlier} earlier turns"
        return Answer(f"{GREETING} I have read {turns}.", "greeting")
    return Answer(GREETING, "greeting")


def spoken(heard: Heard, gathered: Gathered) -> Answer:
    """Answers something said aloud."""
    return Answer(_join(describe_heard(heard), _new_pictures(gathered)), "speech")


def written(text: str, gathered: Gathered, memory: Memory) -> Answer:
    """Answers something typed, or content with pictures in it.

    Args:
        text: What the user typed, all of it.
        gathered: What else came in since the last answer.
        memory: What has been seen before.
    """
    text = " ".join(text.split())
    if count := _counting(text):
        return count
    if gathered.stills:
        asked = f"You asked: {_quote(text)}" if text else ""
        return Answer(_join(_stills(gathered.stills), asked), "picture")
    wanted = text.lower()
    if kept := to_keep(text):
        return Answer(f"I will remember: {_quote(kept)}", "remember")
    if _REMEMBER.search(wanted):
        return Answer(_recollection(memory), "recollection")
    if _LOOK.search(wanted):
        return Answer(_latest_pictures({**memory.latest, **gathered.latest}), "question")
    if not text:
        return Answer(_join("You sent no words.", _new_pictures(gathered)), "content")
    return Answer(_join(f"You typed: {_quote(text)}", _new_pictures(gathered)), "text")


def to_keep(text: str) -> str:
    """Returns what a typed text asks to be remembered ("remember that X"), or ""."""
    text = " ".join(text.split())
    match = _KEEP.match(text)
    if match is None or text.endswith("?"):
        return ""
    return text[match.end() :][:_QUOTED_CHARACTERS]


def thought(answer: Answer) -> str:
    """Returns a thought part in the form of those recorded: a title in bold, then a paragraph."""
    return f"**Answering, because of: {answer.why}**\n\nI will say what is true of it.\n\n\n"


def returned(results: Sequence[FunctionResult]) -> Answer:
    """Answers with what functions returned."""
    return Answer(describe(results), "tool")


def transcript(heard: Heard) -> str:
    """Returns the input transcription: there is no recogniser here, so it says what was heard."""
    level = f"{heard.level_dbfs:.0f} dBFS"
    if heard.speech_s:
        return f"[{heard.speech_s:.1f} seconds of speech, {level}]"
    return f"[{heard.end_s - heard.start_s:.1f} seconds without speech, {level}]"


def describe_heard(heard: Heard) -> str:
    """Says how long and how loud something was."""
    if not heard.speech_s:
        return f"I heard {_seconds(heard.end_s - heard.start_s)} without any speech in it."
    level = round(heard.level_dbfs)
    return f"You spoke for {_seconds(heard.speech_s)}, {_loudness(level)}, minus {-level} decibels."


def describe_seen(seen: Seen) -> str:
    """Says how big and bright a picture is and which colours it has.

    Pure blue has a luma of 29 and pure yellow 226: neither is called dark or bright.
    """
    brightness = "dark, " if seen.brightness < 25 else "bright, " if seen.brightness > 230 else ""
    return f"{seen.width} by {seen.height} pixels, {brightness}{_colours(seen.colours)}"


def _loudness(level_dbfs: int) -> str:
    """Speech at a normal microphone has -38 to -15 dBFS."""
    if level_dbfs < -38:
        return "quietly"
    return "loudly" if level_dbfs > -15 else "at a normal level"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} seconds"


def _colours(colours: tuple[tuple[str, float], ...]) -> str:
    names = [name for name, _ in colours]
    if len(names) == 1 or colours[0][1] >= 0.6:
        return f"mostly {names[0]}"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _stills(stills: Sequence[Seen]) -> str:
    if len(stills) == 1:
        return f"I see the picture you sent, {describe_seen(stills[0])}."
    return f"I see {len(stills)} pictures you sent. The last: {describe_seen(stills[-1])}."


def _new_pictures(gathered: Gathered) -> str:
    said = [
        f"I saw {_frames(source, count)}, {describe_seen(gathered.latest[source])}."
        for source, count in sorted(gathered.frames.items())
    ]
    if gathered.stills:
        said.append(_stills(gathered.stills))
    return " ".join(said)


def _latest_pictures(latest: Mapping[str, Seen]) -> str:
    if not latest:
        return "I have not seen any picture yet."
    return " ".join(
        f"The last {_frame(source)} has {describe_seen(seen)}."
        for source, seen in sorted(latest.items())
    )


def _recollection(memory: Memory) -> str:
    answers = "once" if memory.turns == 1 else f"{memory.turns} times"
    said = [f"I have answered you {answers}."]
    said += [f"You told me: {_quote(told)}" for told in memory.told[-MAX_TOLD:]]
    if memory.heard is not None and memory.heard.speech_s:
        said.append(f"You last spoke for {_seconds(memory.heard.speech_s)}.")
    if memory.latest:
        said.append(_latest_pictures(memory.latest))
    return " ".join(said)


def _frame(source: str) -> str:
    return _FRAMES.get(source, "video frame")


def _frames(source: str, count: int) -> str:
    return f"one {_frame(source)}" if count == 1 else f"{count} {_frame(source)}s"


def _counting(text: str) -> Answer | None:
    match = _COUNT.search(text.lower())
    if match is None or not 1 <= int(match[1]) <= MAX_COUNT:
        return None
    return Answer(", ".join(map(str, range(1, int(match[1]) + 1))) + ".", "count")


def _quote(text: str) -> str:
    short = text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}, and so on"
    return short if short[-1:] in ".!?" else f"{short}."


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def frame_summary(frames: Counter[str]) -> dict[str, int]:
    """Returns the counted frames by source, unnamed ones as `video`, for the record."""
    return {source or "video": count for source, count in frames.items()}
