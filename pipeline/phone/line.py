"""What can be done with the line of a telephone call, whoever carries it."""

from typing import Protocol


class LineError(Exception):
    """It could not be done; the message is one sentence for the caller."""


class StreamError(Exception):
    """A media stream can't be used; the message is one sentence."""


class Line(Protocol):
    """The line of one call."""

    async def transfer(self, target: str) -> None:
        """Connect the caller with somebody else, and leave them to it.

        Args:
            target: A telephone number (E.164) or a SIP address.

        Raises:
            LineError: When that can't be done; the caller is still here.
        """
        ...

    async def send_digits(self, digits: str) -> None:
        """Press keys: 0 to 9, * and #.

        Raises:
            LineError: When that can't be done.
        """
        ...
