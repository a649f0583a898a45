"""A resumption that remembers nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import Fault, handle_of
from understudy.messages import ClientMessage, Setup
from understudy.moments import Moment, Place, Scene
from understudy.usage import text_tokens
from understudy.wire import read_turn


@dataclass(kw_only=True)
class ResumeForgets(Fault):
    """Takes a resumption handle, any, and begins anew without a word.

    With `over_tokens` only if the system instruction is longer than so many tokens.
    """

    imitates = "google-gemini/cookbook#1197: instructions of over 200 tokens"
    moment = Moment(Place.RESUME)
    over_tokens: int = 0

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Takes the handle out of the setup."""
        if isinstance(message, Setup) and handle_of(message) and self._forgets(message):
            return (Setup({**message.fields, "sessionResumption": {}}),)
        return (message,)

    def _forgets(self, setup: Setup) -> bool:
        instruction = read_turn(setup.fields.get("systemInstruction", {})).text
        return not self.over_tokens or text_tokens(instruction) > self.over_tokens
