"""What the model would not know if the connection broke now. Pure.

A resumption handle brings back a conversation as it was when the last turn was complete. What
has been asked since, and half answered, is gone with the connection: it has to be asked again.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic

from pipeline.spoken_text import spoken_within
from pipeline.waiting import Audio, Item

PREROLL_S = 1.0
"""How much of the sound before the local VAD hears somebody is kept; it takes 0.2 s to be sure."""
MAX_QUESTION_S = 30.0
"""Of a monologue the latest half minute is kept."""


@dataclass(frozen=True, kw_only=True)
class Continue:
    """An answer that was cut: what was asked, and how far the answer had come.

    Parameters:
        asked: What the user said.
        answered: What the model had said.
    """

    asked: str
    answered: str


@dataclass(frozen=True, kw_only=True)
class Recall:
    """An answer that was given to the end, in a turn that was not complete: nothing is to be said.

    Parameters:
        asked: What the user said.
        answered: What the model said.
    """

    asked: str
    answered: str


@dataclass
class _Question(Generic[Item]):
    """What was said, typed and shown, and the words of it as far as they are known."""

    entries: list[Audio | Item] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    audio_s: float = 0.0
    dropped_s: float = 0.0
    heard: int = 0
    """How many characters of a transcript the model has sent, and how many of them come again."""
    again: int = 0

    def add(self, entry: Audio | Item) -> None:
        if isinstance(entry, Audio):
            self.audio_s += entry.duration_s
        self.entries.append(entry)
        while self.audio_s > MAX_QUESTION_S:
            oldest = next(n for n, kept in enumerate(self.entries) if isinstance(kept, Audio))
            seconds = self.entries.pop(oldest).duration_s  # pyright: ignore - it is Audio
            self.audio_s -= seconds
            self.dropped_s += seconds

    @property
    def is_only_sound(self) -> bool:
        return all(isinstance(entry, Audio) for entry in self.entries)


class Exchange(Generic[Item]):
    """Follows question and answer until the model's turn is complete."""

    def __init__(self) -> None:
        self._before: deque[Audio] = deque()
        self._before_s = 0.0
        self._question: _Question[Item] | None = None
        self._next: _Question[Item] | None = None
        self._answer: list[str] | None = None
        self._lost_s = 0.0
        self._is_generated = False

    @property
    def is_open(self) -> bool:
        """Whether something was asked, or is being asked, that is not answered to the end."""
        return self._question is not None or self._next is not None

    @property
    def is_passed_over(self) -> bool:
        """Whether something was asked and the model has not begun to answer."""
        return self._question is not None and self._answer is None

    @property
    def is_transcribed(self) -> bool:
        """Whether the words of the question are known."""
        return self._question is not None and bool(self._question.words)

    def user_began(self) -> None:
        """The local VAD hears the user."""
        question = self._asking()
        if question is None:
            question = self._ask()
            for piece in self._before:
                question.add(piece)
        self._before.clear()
        self._before_s = 0.0

    def sent(self, entry: Audio | Item) -> None:
        """Something was sent to the model."""
        question = self._asking()
        if question is not None:
            question.add(entry)
        elif isinstance(entry, Audio):
            self._before.append(entry)
            self._before_s += entry.duration_s
            while self._before_s > PREROLL_S:
                self._before_s -= self._before.popleft().duration_s
        else:
            self._ask().add(entry)

    def typed(self, words: str) -> None:
        """What was sent last has these words."""
        question = self._next or self._question
        if question is not None:
            question.words.append(words)

    def transcribed(self, words: str) -> str:
        """The model has told what it heard; returns what of it is new.

        A question that is repeated is transcribed once more. The same sound need not have the same
        words, so those that are known are counted and not compared.
        """
        question = self._next or self._question
        if question is None:
            return words
        known = min(question.again, len(words))
        question.again -= known
        question.heard += len(words) - known
        if new := words[known:]:
            question.words.append(new)
        return new

    def answered(self, words: str) -> None:
        """The model speaks: the question is complete. `words` may be empty."""
        if self._answer is None:
            self._answer = []
        if words:
            self._answer.append(words)

    def generated(self) -> None:
        """All of the answer is there, though the model still waits for it to be played."""
        self._is_generated = self._answer is not None

    def was_noise(self) -> None:
        """What the local VAD took for speech was none: nobody has asked anything."""
        if self._asking() is self._question and not self.is_transcribed:
            self._question = None

    def was_cut(self, speech_s: float) -> None:
        """The connection broke; of the answer so much speech had come, and more words of it."""
        if self._answer is not None and not self._is_generated:
            self._answer = [spoken_within("".join(self._answer), speech_s)]

    def was_not_interrupted(self) -> None:
        """The model has brought its turn to its end: sound during it was an "uh-huh", no question."""
        if self._next is not None and self._next.is_only_sound:
            self._next = None

    def settled(self) -> None:
        """The model's turn is complete or was interrupted: a new handle comes."""
        self._is_generated = False
        self._question, self._next = self._next, None
        self._answer = None

    def repeat(self, *, can_continue: bool) -> list[Audio | Item | Continue | Recall]:
        """Returns what is to be sent over a new connection, as if it had not been sent before.

        Args:
            can_continue: Whether an answer that has begun may go on where it stopped, instead of
                being given again.
        """
        entries: list[Audio | Item | Continue | Recall] = []
        question = self._question
        asked = " ".join(question.words).strip() if question is not None else ""
        answered = "".join(self._answer or ()).strip()
        if self._is_generated:
            entries += [Recall(asked=asked, answered=answered)] if asked and answered else []
            self._question = None
        elif can_continue and asked and answered:
            entries.append(Continue(asked=asked, answered=answered))
        elif question is not None:
            entries += question.entries
            question.again = question.heard
            self._lost_s += question.dropped_s
            question.dropped_s = 0.0
        if self._next is not None:
            entries += self._next.entries
            self._next.again = self._next.heard
            self._question, self._next = self._next, None
        if self._question is not None:
            self._question.entries, self._question.audio_s = [], 0.0
        else:
            # Somebody may have begun to speak and the local VAD not be sure yet.
            entries += self._before
        self._before.clear()
        self._before_s = 0.0
        self._answer, self._is_generated = None, False
        return entries

    def take_lost_s(self) -> float:
        """Returns how many seconds of what was to be repeated were not kept, since the last call."""
        lost_s, self._lost_s = self._lost_s, 0.0
        return lost_s

    def _asking(self) -> _Question[Item] | None:
        return self._question if self._answer is None else self._next

    def _ask(self) -> _Question[Item]:
        question: _Question[Item] = _Question()
        if self._answer is None:
            self._question = question
        else:
            self._next = question
        return question
