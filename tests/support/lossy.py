"""A line that loses what a test tells it to lose."""

import itertools
from collections.abc import Callable

from aiortc import RTCRtpSender


def lose(sender: RTCRtpSender, is_lost: Callable[[int], bool]) -> None:
    """Let some of a sender's RTP packets get lost, by their number from now on."""
    transport, numbers = sender.transport, itertools.count()
    send = transport._send_rtp

    async def send_the_rest(data: bytes) -> None:
        if int.from_bytes(data[8:12], "big") != sender._ssrc or not is_lost(next(numbers)):
            await send(data)

    transport._send_rtp = send_the_rest
