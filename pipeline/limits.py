"""When a session is warned and when it is over: its time, its tokens and its cost. Pure.

How long nobody may speak is measured by Pipecat's worker, which sees the frames.
"""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.persona import Persona

WARN_AT = 0.8
"""At which part of its tokens or its cost a session is warned."""
WARN_BEFORE_S = 60.0
"""How long before its end a session is warned, unless the persona says otherwise ..."""
WARN_PART = 0.1
"""... and unless that is more than this part of the whole."""


class Limit(StrEnum):
    """What a session has only so much of."""

    TIME = "time"
    TOKENS = "tokens"
    COST = "cost"


@dataclass(frozen=True, kw_only=True)
class Due:
    """It is time to warn of a limit, or to end because of it.

    Parameters:
        limit: Which.
        left: What remains of it, in seconds, tokens or US dollars; never negative.
        is_over: Whether the session ends now; otherwise this is the warning.
    """

    limit: Limit
    left: float
    is_over: bool


class Limits:
    """Follows what a session uses; warns once of each limit, and ends it once.

    Args:
        time_limit_s: How long it may last; None: for ever. So with the others.
        warn_before_s: How long before that it is warned; None: a minute, or a tenth of a short one.
        token_limit: How many tokens it may take, the context again with each turn, as billed.
        cost_limit_usd: How many US dollars it may cost.
    """

    def __init__(
        self,
        *,
        time_limit_s: float | None = None,
        warn_before_s: float | None = None,
        token_limit: int | None = None,
        cost_limit_usd: float | None = None,
    ):
        self.time_limit_s = time_limit_s
        self.cost_limit_usd = cost_limit_usd
        self._points: dict[Limit, tuple[float, float]] = {}
        if time_limit_s is not None:
            if warn_before_s is None:
                warn_before_s = min(WARN_BEFORE_S, WARN_PART * time_limit_s)
            self._points[Limit.TIME] = (max(time_limit_s - warn_before_s, 0.0), time_limit_s)
        if token_limit is not None:
            self._points[Limit.TOKENS] = (WARN_AT * token_limit, token_limit)
        if cost_limit_usd is not None:
            self._points[Limit.COST] = (WARN_AT * cost_limit_usd, cost_limit_usd)
        self._warned: set[Limit] = set()
        self._is_over = False

    def check(self, *, elapsed_s: float, tokens: int, cost_usd: float) -> list[Due]:
        """Say what has become due.

        Args:
            elapsed_s: Since the session began, by a clock that nobody sets.
            tokens: All that it has taken so far.
            cost_usd: What it has cost so far, or at least, if not all of it is known.

        Returns:
            Warnings that were not given yet; or only the end, once, and nothing after it.
        """
        if self._is_over:
            return []
        used = {Limit.TIME: elapsed_s, Limit.TOKENS: tokens, Limit.COST: cost_usd}
        due: list[Due] = []
        for limit, (warn_at, end_at) in self._points.items():
            if used[limit] >= end_at:
                self._is_over = True
                return [Due(limit=limit, left=0.0, is_over=True)]
            if used[limit] >= warn_at and limit not in self._warned:
                self._warned.add(limit)
                due.append(Due(limit=limit, left=end_at - used[limit], is_over=False))
        return due

    def seconds_left(self, elapsed_s: float) -> float | None:
        """How long the session may still last; None: for ever."""
        return None if self.time_limit_s is None else max(self.time_limit_s - elapsed_s, 0.0)

    def wait_s(self, elapsed_s: float) -> float | None:
        """How long nothing becomes due by time alone; None: never."""
        if self._is_over or Limit.TIME not in self._points:
            return None
        warn_at, end_at = self._points[Limit.TIME]
        next_s = end_at if Limit.TIME in self._warned else warn_at
        return max(next_s - elapsed_s, 0.0)


def limits_of(persona: Persona, *, max_session_s: float | None) -> Limits:
    """The limits of a session with a persona, none longer than the server allows.

    Args:
        persona: Who answers.
        max_session_s: What holds whatever the persona says, in seconds; None: nothing.
    """
    times = [s for s in (persona.time_limit_s, max_session_s) if s is not None]
    return Limits(
        time_limit_s=min(times, default=None),
        warn_before_s=persona.warn_before_s,
        token_limit=persona.token_limit,
        cost_limit_usd=persona.cost_limit_usd,
    )
