"""What a model has in its context window, turn by turn, and the window that slides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from understudy.facts import Heard, Seen
from understudy.usage import Usage

MAX_TURNS = 128
"""Exchanges that are counted apart; the oldest are counted as one beyond. Each handle keeps them:
without a limit a client that types as fast as it can takes gigabytes in one connection."""
MAX_TOLD = 8
"""How much is told of what the user asked to be remembered: the latest."""
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
class Exchange:
    """From what the user said to what the model did.

    Attributes:
        usage: What it takes of the window.
        heard: The last thing the user said aloud in it.
        seen: The latest picture of each source.
        told: What the user asked to be remembered.
    """

    usage: Usage = field(default_factory=Usage)
    heard: Heard | None = None
    seen: Mapping[str, Seen] = field(default_factory=dict)
    told: tuple[str, ...] = ()

    def joined(self, later: Exchange) -> Exchange:
        """Returns this exchange and the next as one, with nothing in it that is never told."""
        return Exchange(
            self.usage.plus(later.usage),
            later.heard or self.heard,
            {**self.seen, **later.seen},
            (*self.told, *later.told)[-MAX_TOLD:],
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What is in the window. Immutable, so that a handle keeps its own moment.

    Attributes:
        instruction: Tokens of the system instruction, which is never dropped.
        tools: Tokens of the declared tools, which aren't either.
        turns: The exchanges, oldest first, at most `MAX_TURNS`; the last is the present one.
    """

    instruction: Usage = field(default_factory=Usage)
    tools: Usage = field(default_factory=Usage)
    turns: tuple[Exchange, ...] = (Exchange(),)

    @property
    def usage(self) -> Usage:
        """All of its tokens."""
        return reduce(Usage.plus, (turn.usage for turn in self.turns), self.fixed)

    @property
    def fixed(self) -> Usage:
        """Tokens that stay when the window slides."""
        return self.instruction.plus(self.tools)

    def add(self, *, text: int = 0, audio: int = 0, image: int = 0) -> Context:
        """Returns the context with so many tokens more in the present exchange."""
        return self.note(usage=self.turns[-1].usage.add(text=text, audio=audio, image=image))

    def note(self, **changes: Any) -> Context:
        """Returns the context with other attributes of the present exchange."""
        *before, last = self.turns
        return replace(self, turns=(*before, replace(last, **changes)))

    def begin_turn(self) -> Context:
        """Returns the context in which what follows belongs to a new exchange."""
        if self.turns[-1] == Exchange():
            return self
        turns = (*self.turns, Exchange())
        if len(turns) > MAX_TURNS:
            oldest, next_oldest, *later = turns
            turns = (oldest.joined(next_oldest), *later)
        return replace(self, turns=turns)

    def slid(self, sliding: Sliding) -> Context:
        """Returns the context without its oldest exchanges, if it has reached the trigger.

        The window is cut where a user's turn begins; the present exchange stays whatever its
        size. What was seen, heard and told in those that are dropped is forgotten.
        """
        total = self.usage.total
        if total < sliding.trigger:
            return self
        turns = list(self.turns)
        while len(turns) > 1 and total > sliding.target:
            total -= turns.pop(0).usage.total
        return replace(self, turns=tuple(turns))
