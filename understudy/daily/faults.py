"""When Daily's API does not do what it is asked: failures on command and limits of rate. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How often may be asked; more is answered with 429.

    Parameters:
        requests_per_s: Of all kinds.
        deletions_per_30s: Of rooms.
    """

    requests_per_s: int
    deletions_per_30s: int


GENEROUS = Limits(requests_per_s=2_000, deletions_per_30s=10_000)
DOCUMENTED = Limits(requests_per_s=20, deletions_per_30s=50)
"""As Daily's documentation has them."""


class Rates:
    """Counts requests against `Limits`.

    Args:
        limits: What is allowed.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._requests: deque[float] = deque()
        self._deletions: deque[float] = deque()

    def allows(self, request: str, now_s: float) -> bool:
        """Whether one more may be carried out now.

        Args:
            request: Such as `DELETE /rooms/salon`.
            now_s: Monotonic seconds.
        """
        if not _has_room(self._requests, self.limits.requests_per_s, now_s - 1):
            return False
        if request.startswith("DELETE /rooms") and not _has_room(
            self._deletions, self.limits.deletions_per_30s, now_s - 30
        ):
            return False
        self._requests.append(now_s)
        if request.startswith("DELETE /rooms"):
            self._deletions.append(now_s)
        return True


def _has_room(times: deque[float], limit: int, since_s: float) -> bool:
    while times and times[0] <= since_s:
        times.popleft()
    return len(times) < limit


@dataclass(kw_only=True)
class Failure:
    """What goes wrong, and how often.

    Parameters:
        what: A request such as `POST /rooms` (also of what is below it: `DELETE /rooms`), or
            what a client asks a room for, such as `join`, `start_dialout`, `sip_call_transfer`.
        status: It is answered with this; None: as if nothing were wrong.
        retry_after_s: The answer asks to be left alone for so long (`Retry-After`).
        error: What a client is told, for what is no request.
        times: So often; None: until it is taken back.
        delay_s: The answer comes so much later.
        is_done: Whether it is carried out nevertheless: only the answer says otherwise.
        is_cut: The connection is cut in place of an answer.
        skip: So many pass before the first that fails.
    """

    what: str
    status: int | None = None
    retry_after_s: int | None = None
    error: str | None = None
    times: int | None = 1
    delay_s: float = 0.0
    is_done: bool = False
    is_cut: bool = False
    skip: int = 0

    def concerns(self, what: str) -> bool:
        """Whether this is what it is about."""
        mine, given = self.what.strip("/").split("/"), what.strip("/").split("/")
        return given[: len(mine)] == mine


class Failures:
    """What has been ordered to go wrong."""

    def __init__(self) -> None:
        self._ordered: list[Failure] = []

    def order(self, failure: Failure) -> None:
        """Lets something go wrong from now on."""
        self._ordered.append(failure)

    def clear(self) -> None:
        """Lets all go well again."""
        self._ordered.clear()

    def take(self, what: str) -> Failure | None:
        """Returns the failure of this request, the oldest ordered first, and counts it."""
        for failure in self._ordered:
            if not failure.concerns(what):
                continue
            if failure.skip:
                failure.skip -= 1
                return None
            if failure.times is not None:
                failure.times -= 1
                if failure.times <= 0:
                    self._ordered.remove(failure)
            return failure
        return None
