"""What a model has in its context window, turn by turn, and the window that slides. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import reduce

from understudy.usage import Usage

MAX_TURNS = 128
"""Exchanges that are counted apart; the oldest are counted as one beyond. Each handle keeps them:
without a limit a client that types as fast as it can takes gigabytes in one connection."""
TRIGGER_SHARE = 0.8
"""Vendor documentation: compression begins at 80 % of the window unless triggerTokens says."""


@dataclass(frozen=True, slots=True)
class Sliding:
    """When the window slides and what is left, in tokens."""

    trigger: int
    target: int


def read_sliding(trigger: int | None, target: int | None, *, window: int) -> Sliding:
    """Returns the figures asked for, or the documented ones: 80 %, and half of that."""
    trigger = trigger or int(window * TRIGGER_SHARE)
    return Sliding(trigger, trigger // 2 if target is None else target)


@dataclass(frozen=True, slots=True)
class Context:
    """Tokens in the context. Immutable, so that a handle keeps its own moment.

    Attributes:
        instruction: Tokens of the system instruction, which is never dropped.
        turns: Tokens of each exchange, from what the user said to what the model did; at most
            `MAX_TURNS`.
    """

    instruction: Usage = field(default_factory=Usage)
    turns: tuple[Usage, ...] = (Usage(),)

    @property
    def usage(self) -> Usage:
        """All of it."""
        return _sum(self.turns, self.instruction)

    def add(self, *, text: int = 0, audio: int = 0, image: int = 0) -> Context:
        """Returns the context with so much more in the present turn."""
        *before, last = self.turns
        return replace(self, turns=(*before, last.add(text=text, audio=audio, image=image)))

    def begin_turn(self) -> Context:
        """Returns the context in which what follows belongs to a new turn."""
        if self.turns[-1] == Usage():
            return self
        turns = (*self.turns, Usage())
        if len(turns) > MAX_TURNS:
            oldest, next_oldest, *later = turns
            turns = (_sum([next_oldest], oldest), *later)
        return replace(self, turns=turns)

    def slid(self, sliding: Sliding) -> Context:
        """Returns the context with its oldest turns dropped, if it has reached the trigger.

        The window is cut where a user's turn begins; the present turn stays whatever its size.
        """
        total = self.usage.total
        if total < sliding.trigger:
            return self
        turns = list(self.turns)
        while len(turns) > 1 and total > sliding.target:
            total -= turns.pop(0).total
        return replace(self, turns=tuple(turns))


def _sum(turns: Iterable[Usage], start: Usage) -> Usage:
    return reduce(lambda a, b: a.add(text=b.text, audio=b.audio, image=b.image), turns, start)
