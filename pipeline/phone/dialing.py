"""What became of a call that we make: answered, busy, not answered, a machine, or failed. Pure.

Daily tells of a call that is not answered by `dialout-error` with a text, or by `dialout-stopped`
without one; its documentation lists no texts, so words and the SIP status codes of RFC 3261 are
looked for in them.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pipeline.endings import Ended
from pipeline.phone.about import masked

MAX_REASON_CHARACTERS = 200


class Outcome(StrEnum):
    """How a call that we make turned out."""

    ANSWERED = "answered"
    BUSY = "busy"
    """Somebody is on the line already, or declines."""
    NO_ANSWER = "no-answer"
    VOICEMAIL = "voicemail"
    FAILED = "failed"


_SIGNS: list[tuple[Outcome, str]] = [
    (Outcome.BUSY, r"\b(486|600|603)\b|busy|declin|reject"),
    (Outcome.NO_ANSWER, r"\b(408|480|487)\b|no[ _-]?answer|unanswered|timed?[ _-]?out|unavailable"),
]
_WORDS = {
    Outcome.BUSY: (Ended.BUSY, "The line is busy."),
    Outcome.NO_ANSWER: (Ended.NO_ANSWER, "Nobody answered the call."),
    Outcome.VOICEMAIL: (Ended.VOICEMAIL, "A machine answered the call."),
    Outcome.FAILED: (Ended.FAILURE, "The call could not be made."),
}


class Dialing:
    """Follows one call that we make, until somebody answers or nobody does."""

    def __init__(self) -> None:
        self._outcome: Outcome | None = None
        self._reason = ""

    @property
    def outcome(self) -> Outcome | None:
        """What became of it; None while it rings."""
        return self._outcome

    @property
    def ending(self) -> tuple[Ended, str] | None:
        """Why the session ends, and that in a sentence; None while it does not for that."""
        if self._outcome is None or self._outcome is Outcome.ANSWERED:
            return None
        ended, sentence = _WORDS[self._outcome]
        return ended, f"{sentence[:-1]}: {self._reason}" if self._reason else sentence

    def answered(self) -> None:
        """Somebody, or something, has picked up."""
        self._is(Outcome.ANSWERED)

    def not_answered(self) -> None:
        """It has rung for long enough, or who was called is gone without an answer."""
        self._is(Outcome.NO_ANSWER)

    def stopped(self, data: Mapping[str, Any]) -> None:
        """Daily's `dialout-stopped`: the other side is gone.

        Args:
            data: The event, whose fields nobody promises.
        """
        text = reason_of(data)
        self._is(_by_words(text) or Outcome.NO_ANSWER)

    def failed(self, reason: str) -> None:
        """Daily's `dialout-error`, or its refusal to begin."""
        outcome = _by_words(reason)
        self._is(outcome or Outcome.FAILED)
        if self._outcome is Outcome.FAILED:
            self._reason = _cleaned(reason)

    def is_machine(self) -> None:
        """The model hears that a machine has answered."""
        self._outcome = Outcome.VOICEMAIL

    def _is(self, outcome: Outcome) -> None:
        # What comes after an answer is the end of a conversation, and not of the dialing.
        if self._outcome is None:
            self._outcome = outcome


def reason_of(data: object) -> str:
    """What an event of Daily's about a call says went wrong, cleaned; empty when it says nothing."""
    if not isinstance(data, Mapping):
        return _cleaned(str(data or ""))
    named = (data.get(name) for name in ("errorMsg", "error_msg", "error", "reason"))
    return _cleaned(next((str(text) for text in named if text), ""))


def _by_words(text: str) -> Outcome | None:
    found = (outcome for outcome, signs in _SIGNS if re.search(signs, text, re.IGNORECASE))
    return next(found, None)


def _cleaned(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    without_numbers = re.sub(r"\+?[0-9]{7,}", lambda number: masked(number[0]), printable)
    return without_numbers.strip()[:MAX_REASON_CHARACTERS]
