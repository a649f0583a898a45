"""The link to the model: when to connect, resume, begin anew, move away and give up. Pure.

Events and the time come in, decisions go out; `LiveService` carries them out. It decides by what
the service said (`Refusal.verdict`), not by the close code: 1011 may be a passing fault or a
used-up quota, and 1007 a bad key, a stale resumption handle or a full context.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.refusals import Refusal, Verdict

STABLE_S = 10.0
"""A connection that lived so long was a good one; Pipecat 1.14.0 counts the same."""
HASTY_S = 1.0
"""Connections that are left so soon, one after another, are followed by pauses: a service that says
goAway to each is not to be called a hundred times a minute."""
MAX_DROPS = 5
"""How many connections in a row may end within `STABLE_S`: with the pauses between them that takes
4 to 8 s. Counting anything else than life, such
as messages, makes a service that greets and drops be called for ever (LiveKit 1.8.9 does)."""
MAX_HANDLE_REFUSALS = 2
"""How often a handle may be refused for a reason that passes, such as that the connection which was
given it is still open (1011), before a new session is begun without it."""
MAX_HANDLE_DROPS = 2
"""How many connections in a row may end within `STABLE_S` before the same is done: a handle can be
accepted and dead."""
MAX_CHANGE_REFUSALS = 2
"""How often a connection with other settings may be refused for a reason that passes before they are
blamed for it."""
LATER_BUDGET_S = 60.0
"""How long a conversation that has begun waits for the service to come back."""
ATTEMPT_S = 6.0
"""How long one attempt may take; the service takes 0.5 to 2 s. Pipecat waits for a setup that is
never answered without end."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
DEGRADED_AFTER_S = 3.0
"""A gap longer than this is told to somebody who can't see the page."""
LEAVE_BEFORE_S = 10.0
"""How long before the deadline of a goAway a connection is left even in the middle of a turn."""

_LASTING = (Verdict.UNACCEPTABLE, Verdict.STALE)


class LinkState(StrEnum):
    """Where the link stands.

    `CONNECTING` until the model was reached for the first time. Then `READY`; `DRAINING` when the
    service has said goAway, or other settings are wanted, and the turn under way may still end;
    `RESUMING` with a handle, or
    `RESEEDING` without one, between two connections; `DEGRADED` when that takes long; `FAILED` for
    good.
    """

    CONNECTING = "connecting"
    READY = "ready"
    DRAINING = "draining"
    RESUMING = "resuming"
    RESEEDING = "reseeding"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A connection to try.

    Parameters:
        at_s: When.
        until_s: When it has failed if it is not there yet.
        handle: The resumption handle; None for a new session, which knows nothing.
    """

    at_s: float
    until_s: float
    handle: str | None


class Link:
    """Decides what becomes of one conversation's connection.

    Args:
        first_budget_s: How long reaching the model may take at first, all attempts together.
        later_budget_s: The same, when a connection was lost.
        spread: Random numbers from 0 to 1, so that a thousand clients do not call at once.

    Attributes:
        state: Where the link stands.
        handle: What brings the conversation back; None before the service has sent one.
        refusal: Why the last connection or attempt ended.
    """

    def __init__(
        self,
        *,
        first_budget_s: float,
        later_budget_s: float = LATER_BUDGET_S,
        spread: Callable[[], float] = random.random,
    ):
        self.state = LinkState.CONNECTING
        self.handle: str | None = None
        self.refusal: Refusal | None = None
        self._first_budget_s = first_budget_s
        self._later_budget_s = later_budget_s
        self._spread = spread
        self._has_been_ready = False
        self._down_since_s = 0.0
        self._opened_s: float | None = None
        self._handle_in_use: str | None = None
        self._handle_refusals = 0
        self._failures = 0
        self._drops = 0
        self._hasty = 0
        self._leave_by_s: float | None = None
        self._is_change_wanted = False
        self._is_change_tried = False
        self._change_refusals = 0

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._opened_s is not None

    @property
    def degrades_at_s(self) -> float | None:
        """When `tick` has something to do; None if nothing is to be expected."""
        waits = self.state in (LinkState.RESUMING, LinkState.RESEEDING)
        return self._down_since_s + DEGRADED_AFTER_S if waits else None

    def begin(self, now_s: float) -> Attempt:
        """Plans the first attempt."""
        self._go_down(now_s)
        return self._attempt(now_s)

    def opened(self, now_s: float) -> bool:
        """Takes note that the attempt was accepted.

        Returns:
            Whether the session knows the conversation. One that does is never told of it again:
            it would take all of it for new.
        """
        self.state = LinkState.DRAINING if self._is_change_wanted else LinkState.READY
        self._is_change_tried, self._change_refusals = False, 0
        self._has_been_ready = True
        self._opened_s = now_s
        self._failures = 0
        self._leave_by_s = None
        return self._handle_in_use is not None

    def remember(self, handle: str) -> None:
        """Takes the handle that would bring back the conversation as it is now."""
        if handle != self.handle:
            self.handle, self._handle_refusals = handle, 0

    def told_to_go(self, time_left_s: float, now_s: float) -> None:
        """Takes a goAway: the service will close the connection."""
        if self.is_up:
            self.state = LinkState.DRAINING
            self._leave_by_s = now_s + max(time_left_s - LEAVE_BEFORE_S, 0.0)

    def change_wanted(self) -> None:
        """Takes note that the next connection is to be set up differently, and soon."""
        self._is_change_wanted = True
        if self.is_up:
            self.state = LinkState.DRAINING

    def setting_up(self) -> None:
        """Takes note that an attempt begins, with the settings that are wanted now."""
        self._is_change_tried |= self._is_change_wanted
        self._is_change_wanted = False

    def is_change_refused(self, refusal: Refusal) -> bool:
        """Whether an attempt has failed because of the settings that were changed.

        Then they are to be taken back, and `left` plans the next attempt.
        """
        if self.is_up or not self._is_change_tried:
            return False
        self._change_refusals += refusal.verdict is Verdict.PASSING
        is_final = refusal.verdict in (Verdict.FORBIDDEN, Verdict.UNACCEPTABLE)
        if not is_final and self._change_refusals < MAX_CHANGE_REFUSALS:
            return False
        self._is_change_tried, self._change_refusals = False, 0
        return True

    def should_leave(self, now_s: float, *, is_busy: bool) -> bool:
        """Whether the connection is to be closed now, for a new one.

        Args:
            now_s: The time.
            is_busy: Whether somebody speaks, or a function runs.
        """
        if self._leave_by_s is not None and now_s >= self._leave_by_s:
            return True
        is_wanted = self._leave_by_s is not None or (self._is_change_wanted and self.is_up)
        return is_wanted and not is_busy

    def left(self, now_s: float) -> Attempt:
        """Plans the next attempt after the connection was closed from here, or a change refused."""
        is_hasty = self._opened_s is not None and now_s - self._opened_s < HASTY_S
        self._hasty = self._hasty + 1 if is_hasty else 0
        self._go_down(now_s)
        self._drops = 0
        return self._attempt(now_s + self._pause_s(max(self._hasty - 1, 0)))

    def ended(self, refusal: Refusal, now_s: float) -> Attempt | None:
        """Plans what follows when an attempt has failed or a connection was lost.

        Args:
            refusal: Why.
            now_s: The time.

        Returns:
            The next attempt; None: it is over, `state` is `FAILED`.
        """
        self.refusal = refusal
        if self._opened_s is not None:
            is_over = self._take_drop(now_s)
            pause_s = self._pause_s(self._drops - 1)
        else:
            self._failures += 1
            is_over = self._handle_in_use is None and refusal.verdict in _LASTING
            loses_handle = self._take_refusal(refusal.verdict)
            pause_s = 0.0 if loses_handle else self._pause_s(self._failures + self._drops)
        attempt_s = now_s + pause_s
        if is_over or refusal.verdict is Verdict.FORBIDDEN or attempt_s >= self._give_up_s:
            self.state = LinkState.FAILED
            return None
        return self._attempt(attempt_s)

    def tick(self, now_s: float) -> bool:
        """Returns whether the gap has become so long that the state is now `DEGRADED`."""
        if self.degrades_at_s is None or now_s < self.degrades_at_s:
            return False
        self.state = LinkState.DEGRADED
        return True

    @property
    def _give_up_s(self) -> float:
        budget_s = self._later_budget_s if self._has_been_ready else self._first_budget_s
        return self._down_since_s + budget_s

    def _go_down(self, now_s: float) -> None:
        self._opened_s, self._leave_by_s = None, None
        self._down_since_s, self._failures = now_s, 0

    def _take_drop(self, now_s: float) -> bool:
        """Takes note that a connection was lost; returns whether that happened too often."""
        lived_s = now_s - (self._opened_s or 0.0)
        self._drops = 1 if lived_s >= STABLE_S else self._drops + 1
        if self._drops > MAX_HANDLE_DROPS:
            self.handle = None
        self._go_down(now_s)
        return self._drops > MAX_DROPS

    def _take_refusal(self, verdict: Verdict) -> bool:
        """Takes note that an attempt was refused; returns whether that was the handle's fault."""
        if self._handle_in_use is None:
            return False
        self._handle_refusals += verdict is not Verdict.UNREACHABLE
        if verdict in _LASTING or self._handle_refusals >= MAX_HANDLE_REFUSALS:
            self.handle = None
        return self.handle is None

    def _attempt(self, at_s: float) -> Attempt:
        self._handle_in_use = self.handle
        if self._has_been_ready and self.state is not LinkState.DEGRADED:
            self.state = LinkState.RESUMING if self.handle else LinkState.RESEEDING
        until_s = min(at_s + ATTEMPT_S, max(self._give_up_s, at_s))
        return Attempt(at_s=at_s, until_s=until_s, handle=self.handle)

    def _pause_s(self, number: int) -> float:
        """Nothing before the first attempt; then twice as long each time, with jitter."""
        if number == 0:
            return 0.0
        return min(FIRST_PAUSE_S * 2 ** (number - 1), LONGEST_PAUSE_S) * (1 + self._spread()) / 2
