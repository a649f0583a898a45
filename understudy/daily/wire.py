"""What goes over a WebSocket of the stand-in: JSON as text, sound and pictures as bytes. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass

SOUND = 1
PICTURE = 2
PIECE_S = 0.02
"""How much sound is in one message."""
MAX_MESSAGE_BYTES = 32_000_000
"""A picture of 3840 by 2160 pixels, and then some."""
_HEAD = struct.Struct("<BBBII")


@dataclass(frozen=True, slots=True)
class Media:
    """A piece of sound or a picture.

    Parameters:
        kind: `SOUND` or `PICTURE`.
        source: Which track of the sender's, such as `microphone`, `camera`, `screenVideo`.
        first: The sound's rate in Hz, or the picture's width in pixels.
        second: The sound's channels, or the picture's height in pixels.
        payload: Interleaved int16 samples, or rows of RGB.
        sender: The participant's id; the server sets it.
    """

    kind: int
    source: str
    first: int
    second: int
    payload: bytes
    sender: str = ""

    def pack(self, sender: str = "") -> bytes:
        """As bytes for the line, with the sender's id when the server passes it on."""
        name, track = sender.encode(), self.source.encode()
        head = _HEAD.pack(self.kind, len(name), len(track), self.first, self.second)
        return b"".join((head, name, track, self.payload))


def unpack(data: bytes) -> Media:
    """Reads what `Media.pack` wrote.

    Raises:
        ValueError: It is something else.
    """
    try:
        kind, names, tracks, first, second = _HEAD.unpack_from(data)
    except struct.error:
        raise ValueError("This is no piece of sound and no picture.") from None
    at = _HEAD.size
    sender, source = data[at : at + names], data[at + names : at + names + tracks]
    payload = data[at + names + tracks :]
    return Media(kind, source.decode(), first, second, payload, sender.decode())
