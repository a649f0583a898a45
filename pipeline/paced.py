"""What is told again and again, but not too often: of each kind the latest. Pure."""

import math
from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Paced(Generic[T]):
    """Holds the latest of each kind until its moment has come; what came before it is dropped.

    Args:
        every_s: For each kind, how long after one the next may go out, in seconds.
    """

    def __init__(self, every_s: Mapping[str, float]):
        self._every_s = every_s
        self._latest: dict[str, T] = {}
        self._told_s: dict[str, float] = {}

    def put(self, kind: str, what: T) -> None:
        """Take something that goes out when it may."""
        self._latest[kind] = what

    def due(self, now_s: float) -> list[tuple[str, T]]:
        """What may go out now, which is then taken for told."""
        kinds = [kind for kind in self._latest if self._due_s(kind) <= now_s]
        self._told_s.update(dict.fromkeys(kinds, now_s))
        return [(kind, self._latest.pop(kind)) for kind in kinds]

    def next_due_s(self) -> float | None:
        """When something may go out; None while there is nothing."""
        return min(map(self._due_s, self._latest), default=None)

    def _due_s(self, kind: str) -> float:
        return self._told_s.get(kind, -math.inf) + self._every_s[kind]
