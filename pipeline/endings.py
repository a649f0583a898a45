"""Why a session ended, for the log; and in which words, where a limit is why. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.announcements import Announcement
from pipeline.limits import Due, Limit


class Ended(StrEnum):
    """Why, as the log has it."""

    USER = "user"
    """The user hung up."""
    TIME = "time"
    IDLE = "idle"
    """Nobody spoke for too long."""
    TOKENS = "tokens"
    COST = "cost"
    FAILURE = "failure"
    """Something broke here, or the model could not be reached."""
    CLOSING = "closing"
    """The server ended it."""
    BOT = "bot"
    """The bot hung up the telephone."""
    TRANSFERRED = "transferred"
    """The caller was connected with somebody else."""
    BUSY = "busy"
    """Who was called is on another line, or declined."""
    NO_ANSWER = "no-answer"
    """Who was called did not pick up."""
    VOICEMAIL = "voicemail"
    """A machine answered the call."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """An end that was meant to come.

    Parameters:
        reason: Why.
        text: The same in a sentence for the user, to read.
        goodbye: The same to hear.
    """

    reason: Ended
    text: str
    goodbye: Announcement


IDLE = Ending(
    reason=Ended.IDLE,
    text="Nobody has spoken for a while.",
    goodbye=Announcement.NOBODY_SPEAKS,
)
BROKEN = Ending(
    reason=Ended.FAILURE,
    text="Something broke in this call; please connect again.",
    goodbye=Announcement.BROKEN,
)
UNWRITTEN = Ending(
    reason=Ended.FAILURE,
    text="What is said here can't be written down any more, so the call ends; "
    "whoever runs the server should look at its disk.",
    goodbye=Announcement.BROKEN,
)
AT_LIMIT = {
    Limit.TIME: Ending(
        reason=Ended.TIME,
        text="The time of this session is over.",
        goodbye=Announcement.TIME_IS_OVER,
    ),
    Limit.TOKENS: Ending(
        reason=Ended.TOKENS,
        text="This session has used all the tokens that it may.",
        goodbye=Announcement.LIMIT_IS_REACHED,
    ),
    Limit.COST: Ending(
        reason=Ended.COST,
        text="This session has cost as much as it may.",
        goodbye=Announcement.LIMIT_IS_REACHED,
    ),
}


def warning(due: Due) -> str:
    """What the user reads before a limit is reached."""
    if due.limit is not Limit.TIME:
        return "This conversation has used most of what it may, and will end soon."
    if due.left < 1.5:
        return "This conversation will end in a second."
    if due.left < 90:
        return f"This conversation will end in {due.left:.0f} seconds."
    return f"This conversation will end in {due.left / 60:.0f} minutes."
