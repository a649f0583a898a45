"""Who is heard on the line, and whether the caller has had an answer."""

import asyncio
from collections.abc import Callable

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    InputDTMFFrame,
    TTSStartedFrame,
    TTSTextFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed


class Signs(BaseObserver):
    """Watches a session for signs of the caller and of the bot.

    Args:
        on_caller: Called when the caller speaks or presses a key.

    Attributes:
        is_any_heard: Whether the caller or the bot is speaking.
        has_answered: Set when the model has spoken since the caller did.
    """

    def __init__(self, *, on_caller: Callable[[], None]):
        super().__init__(observe_every_push=False)
        self._on_caller = on_caller
        self._is_caller_heard = self._is_bot_heard = False
        self.has_answered = asyncio.Event()

    @property
    def is_any_heard(self) -> bool:  # noqa: D102 - an attribute, see above
        return self._is_caller_heard or self._is_bot_heard

    async def on_push_frame(self, data: FramePushed):
        """Take what a frame tells."""
        match data.frame:
            case TTSStartedFrame() | TTSTextFrame():  # observers are not told of its sound
                self.has_answered.set()
            case VADUserStartedSpeakingFrame():
                self._is_caller_heard = True
                self._caller_is_there()
            case VADUserStoppedSpeakingFrame():
                self._is_caller_heard = False
                self._on_caller()
            case InputDTMFFrame():
                self._caller_is_there()
            case BotStartedSpeakingFrame():
                self._is_bot_heard = True
            case BotStoppedSpeakingFrame():
                self._is_bot_heard = False

    def _caller_is_there(self):
        self.has_answered.clear()
        self._on_caller()
