"""What a session does for the telephone call that it serves."""

from typing import Any, Protocol

from pipeline.announcements import Announcement
from pipeline.endings import Ended


class Host(Protocol):
    """A session, as its telephone sees it."""

    @property
    def is_busy(self) -> bool:
        """Whether the model is at work on an answer or out of reach, or one of its functions runs."""
        ...

    def arrived(self) -> None:
        """Somebody is on the line: greet them."""
        ...

    async def heard(self) -> None:
        """Wait until the caller has heard what the bot has said so far."""
        ...

    async def end_turn(self) -> None:
        """End the model's turn, which waits for the result of a function that it will not get."""
        ...

    async def say(self, announcement: Announcement) -> None:
        """Say something by the local voice, when the bot is silent."""
        ...

    def note(self, event: str, **what: Any) -> None:
        """Write a line into the turn log."""
        ...

    async def end(self, why: str, goodbye: Announcement | None, *, reason: Ended) -> None:
        """End once what the bot is saying and the goodbye, if there is one, have been heard."""
        ...

    async def leave(self, why: str, *, reason: Ended) -> None:
        """End at once: nobody is on the line."""
        ...

    async def caller_left(self) -> None:
        """End at once, for they have hung up."""
        ...
