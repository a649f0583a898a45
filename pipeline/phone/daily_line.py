"""The line of a call in a Daily room, whether it came in or went out."""

import re
from collections.abc import Awaitable
from typing import Any

from pipecat.transports.daily.transport import DailyTransport

from pipeline.phone.line import LineError


class DailyLine:
    """Transfers and presses keys through the room.

    A number is called by Daily, which stays in the line; a SIP address is left to the caller's own
    side (REFER), so that Daily is out of the call, and not paid for any more.

    Args:
        transport: The bot's place in the room, with an owner's token.
    """

    def __init__(self, transport: DailyTransport):
        self._transport = transport

    async def transfer(self, target: str) -> None:
        """See `Line`."""
        to = {"toEndPoint": target}
        if re.match(r"sips?:", target, re.IGNORECASE):
            await _done(self._transport.sip_refer(to), "The call can't be transferred")
        else:
            await _done(self._transport.sip_call_transfer(to), "The call can't be transferred")

    async def send_digits(self, digits: str) -> None:
        """See `Line`."""
        await _done(self._transport.send_dtmf({"tones": digits}), "The keys can't be pressed")


async def _done(completion: Awaitable[Any], sentence: str) -> None:
    # With some of daily-python's completions Pipecat 1.14.0 gives a tuple, (result, error).
    error = await completion
    if isinstance(error, tuple):
        error = error[-1]
    if error:
        raise LineError(f"{sentence}: {error}.")
