"""Something that the user meant to be answered, on its way to the model."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from google.genai.live import AsyncSession


@dataclass(eq=False)
class Outgoing:
    """A typed message, a picture, or what the model has to be told.

    Parameters:
        send: Sends it over a session.
        then: What to do once it has gone out for the first time; over a new connection it may
            have to go out again.
        words: What was typed; "" if nothing was.
        completes_turn: Whether it is a complete content turn, which sound must not follow at once.
        is_asking: Whether an answer is expected.
    """

    send: Callable[[AsyncSession], Awaitable[None]]
    then: Callable[[], Awaitable[None]] | None = None
    words: str = ""
    completes_turn: bool = False
    is_asking: bool = True
