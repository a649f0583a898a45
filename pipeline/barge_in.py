"""What becomes of the bot's speech when the local VAD hears the user: it is held, and goes on. Pure.

Whether the user means to interrupt is the model's to say, about 0.4 s after they began (recorded);
it takes neither a cough nor an "uh-huh" for it. The local VAD knows 0.2 s after the beginning that
there is a voice, or something like one; after 0.1 s it may be one, for which speech pauses too, but
only for a moment.
"""

import math

AFTER_VOICE_S = 0.4
"""How long the model still has to confirm an interruption when the voice is gone again."""
MAX_HOLD_S = 2.5
"""How long speech is held at most: a television does not silence the bot. Shorter than the 3 s after
which Pipecat 1.14.0's output takes the bot to have stopped speaking, and throws a rest away."""
HINT_S = 0.4
"""For how long speech pauses for what may be a voice: until the VAD must have found out."""
HINT_EVERY_S = 1.5
"""How often that may happen when it never is one: a rattle does not make the bot stutter."""
MEANT_S = 1.0
"""A voice that goes on for so long means it. This decides only where the model can't: it has ended
its turn, but because of earlier holds the end of it is still to be played."""


class BargeIn:
    """Follows the user's voice during the bot's speech.

    Attributes:
        until_s: Until when speech is held; in the past, or -inf, when it is not.
        meant_s: When the voice, if it goes on, is taken for an interruption; inf: never.
    """

    def __init__(self) -> None:
        self.until_s = -math.inf
        self.meant_s = math.inf
        self._began_s = -math.inf
        self._hinted_s = -math.inf

    def is_on(self, now_s: float) -> bool:
        """Whether speech is held."""
        return now_s < self.until_s

    def voice_hinted(self, now_s: float) -> None:
        """What the VAD hears while the bot speaks may be a voice."""
        if not self.is_on(now_s) and now_s >= self._hinted_s + HINT_EVERY_S:
            self._began_s = self._hinted_s = now_s
            self.until_s = now_s + HINT_S

    def voice_began(self, now_s: float, *, model_decides: bool) -> None:
        """The local VAD hears the user while the bot speaks.

        Args:
            now_s: When.
            model_decides: Whether the model would say that it is interrupted.
        """
        if not self.is_on(now_s):
            self._began_s = now_s
        self.until_s = self._began_s + MAX_HOLD_S
        self.meant_s = math.inf if model_decides else now_s + MEANT_S

    def voice_ended(self, now_s: float) -> None:
        """It does not hear them any more."""
        self.until_s = min(self.until_s, now_s + AFTER_VOICE_S)
        self.meant_s = math.inf

    def ended(self) -> None:
        """Nothing is left to be held."""
        self.until_s = -math.inf
        self.meant_s = math.inf
