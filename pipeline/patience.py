"""How long an answer may keep the user waiting before they are told, and before the line is given up.

A connection can be open and dead, and a model can take a question and say nothing. Neither closes
anything, so only the clock tells. Pure.
"""

from enum import Enum, auto

TELL_S = 2.0
"""Silence after which the user is told that the model has not forgotten them."""
GIVE_UP_S = 12.0
"""Silence after which the connection is taken for dead. Pings do not tell: pongs of the service were
seen to take 30 s."""


class Silence(Enum):
    """What silence means."""

    SLOW = auto()
    """Tell the user."""
    DEAD = auto()
    """Try another connection."""
    HOPELESS = auto()
    """Another connection has not helped: tell the user, and wait no longer."""


class Patience:
    """Watches the silence in which something is expected of the model."""

    def __init__(self) -> None:
        self._silent_since_s: float | None = None
        self._has_told = False
        self._has_given_up = False
        self._is_second = False

    def asked(self, now_s: float) -> None:
        """The user has finished asking something; asking more does not make the silence shorter."""
        waits = self._silent_since_s is not None and self._silent_since_s <= now_s
        if not waits or self._has_given_up:
            self._silent_since_s = now_s
            self._has_told = self._has_given_up = self._is_second = False

    def expects(self, now_s: float) -> None:
        """Something is open, whoever began it, and nothing is expected yet: now it is."""
        if self._silent_since_s is None:
            self._silent_since_s = now_s
            self._has_told = False

    def asked_again(self, now_s: float) -> None:
        """A new connection was made, and what is open was asked again."""
        if self._silent_since_s is not None:
            self._silent_since_s = now_s
            self._is_second = self._has_given_up

    def heard(self, until_s: float) -> None:
        """The model has said something, which plays until then."""
        self._silent_since_s = until_s
        self._has_told = False

    def settled(self) -> None:
        """Nothing more is expected."""
        self._silent_since_s = None

    def check(self, now_s: float) -> Silence | None:
        """Returns what to do now, each once for a question."""
        if self._silent_since_s is None:
            return None
        silent_s = now_s - self._silent_since_s
        if silent_s >= GIVE_UP_S and self._has_given_up:
            if not self._is_second:
                return None
            self.settled()
            return Silence.HOPELESS
        if silent_s >= GIVE_UP_S:
            self._has_given_up = True
            return Silence.DEAD
        if silent_s >= TELL_S and not self._has_told:
            self._has_told = True
            return Silence.SLOW
        return None
