"""When the keys of an OpenID provider are fetched. Pure.

Whoever sends tokens chooses which key they claim to be signed with. That must neither let anybody
make this server call the provider as often as they like, nor keep a new key from being found.
"""

from enum import Enum, auto

FRESH_S = 600.0
"""How long keys are used without asking: a key that was taken back counts no longer than this."""
STALE_S = 3600.0
"""How long keys are used when the provider does not answer."""
UNKNOWN_PAUSE_S = 60.0
"""How long after a fetch a key that was not among them is not asked for."""
FAILED_PAUSE_S = 5.0
"""How long a provider that did not answer is left alone."""


class Keys(Enum):
    """What to do about a token."""

    USE = auto()
    """Look among the keys that are there; one that is not there does not exist."""
    FETCH = auto()
    """Fetch them first."""
    NONE = auto()
    """Whether it counts can't be known, and it is too early to ask again."""


class KeySchedule:
    """Takes what happened, says what to do. Times are monotonic, in seconds."""

    def __init__(self) -> None:
        self._fetched_s: float | None = None
        self._failed_s: float | None = None

    def decide(self, *, is_known: bool, now_s: float) -> Keys:
        """What to do about a token whose key is, or is not, among those that were fetched."""
        age_s = None if self._fetched_s is None else now_s - self._fetched_s
        pause_s = FRESH_S if is_known else UNKNOWN_PAUSE_S
        if age_s is not None and age_s < pause_s:
            return Keys.USE
        if self._failed_s is None or now_s - self._failed_s >= FAILED_PAUSE_S:
            return Keys.FETCH
        is_usable = is_known and age_s is not None and age_s < STALE_S
        return Keys.USE if is_usable else Keys.NONE

    def fetched(self, now_s: float) -> None:
        """The provider has answered."""
        self._fetched_s, self._failed_s = now_s, None

    def failed(self, now_s: float) -> None:
        """It has not."""
        self._failed_s = now_s
