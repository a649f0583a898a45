"""When somebody who had no time, or could not be reached, is asked again."""

import re
from collections.abc import Callable

from tenacity import RetryCallState


class Passing(Exception):
    """It did not work, and may a moment later.

    Args:
        sentence: What went wrong.
        retry_after: The header with which they ask to wait, if they do.
    """

    def __init__(self, sentence: str, *, retry_after: str | None = None):
        super().__init__(sentence)
        is_seconds = re.fullmatch(r"[0-9]{1,4}", retry_after or "")
        self.after_s = float(is_seconds[0]) if is_seconds else 0.0


def as_long_as_asked(
    pause_s: Callable[[RetryCallState], float],
) -> Callable[[RetryCallState], float]:
    """A pause, for tenacity, that is as long as they ask for if that is longer."""

    def longer_s(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(error.after_s if isinstance(error, Passing) else 0.0, pause_s(state))

    return longer_s
