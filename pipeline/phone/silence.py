"""When a caller who says nothing is asked whether they are there, and when the call ends. Pure."""

from enum import StrEnum


class Silent(StrEnum):
    """What is due because nothing is heard of the caller."""

    ASK = "ask"
    """They are asked whether they are still there."""
    GIVE_UP = "give up"
    """They have not answered that either."""


class Silence:
    """Measures how long a call has been silent on both sides.

    Time does not count while somebody speaks, the model is at work on an answer or out of reach, or
    one of its functions runs.

    Args:
        limit_s: How long nothing may happen before the caller is asked; and again before the end.
        now_s: Seconds by any clock that nobody sets, as in each method.
    """

    def __init__(self, *, limit_s: float, now_s: float):
        self._limit_s = limit_s
        self._since_s = now_s
        self._is_asked = False
        self._is_over = False

    def caller_is_there(self, now_s: float) -> None:
        """They spoke, or pressed a key."""
        self._since_s = now_s
        self._is_asked = False

    def check(self, now_s: float, *, is_busy: bool) -> Silent | None:
        """Say what is due now, each once.

        Args:
            now_s: The time.
            is_busy: Whether something goes on for which the caller may be waiting.
        """
        if is_busy:
            self._since_s = now_s
        if self._is_over or now_s - self._since_s < self._limit_s:
            return None
        self._since_s = now_s
        if not self._is_asked:
            self._is_asked = True
            return Silent.ASK
        self._is_over = True
        return Silent.GIVE_UP
