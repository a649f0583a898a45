"""Pictures that come through a room's app messages, which are small: in pieces. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_PIECES = 1400
MAX_PIECE_CHARACTERS = 3000
"""Of base64; with what is around it a message stays under Daily's 4 KB."""
MAX_WAITING_S = 60.0
MAX_AT_ONCE = 2
"""So many pictures of one person are under way at most."""
MAX_MB = MAX_PIECES * MAX_PIECE_CHARACTERS * 3 / 4 / 1e6


class _Piece(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    id: Annotated[str, Field(min_length=1, max_length=64)]
    piece: Annotated[int, Field(ge=0)]
    of: Annotated[int, Field(ge=1)]
    data: Annotated[str, Field(max_length=MAX_PIECE_CHARACTERS, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
    format: Literal["image/jpeg", "image/png", "image/webp", "image/gif"] = "image/jpeg"
    name: Annotated[str, Field(max_length=200)] = ""
    caption: Annotated[str, Field(max_length=1000)] = ""


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A picture of which all pieces have come.

    Parameters:
        data: Of the file, base64.
        format: Its media type, as the sender has it.
        name: Of the file, likewise.
        caption: What is said about it, or nothing.
    """

    data: str
    format: str
    name: str
    caption: str


class PieceError(Exception):
    """A picture can't be put together; the message is one sentence for who sent it."""


@dataclass
class _Growing:
    of: int
    begun_s: float
    pieces: dict[int, str] = field(default_factory=dict)
    first: _Piece | None = None


class PicturePieces:
    """Puts pictures together; those that are never complete are forgotten after a minute."""

    def __init__(self) -> None:
        self._growing: dict[tuple[str, str], _Growing] = {}
        self._refused: dict[tuple[str, str], float] = {}

    def add(self, sender: str, told: object, now_s: float) -> Whole | None:
        """A piece came; returns the picture when it is whole.

        Args:
            sender: Whose it is.
            told: What came: any JSON.
            now_s: The time, monotonic.

        Raises:
            PieceError: Once for each picture that can't be had.
        """
        self._forget(now_s)
        try:
            piece = _Piece.model_validate(told)
        except (ValidationError, RecursionError):
            raise PieceError(
                "A piece of a picture could not be read: it needs id, piece, of and data."
            ) from None
        key = (sender, piece.id)
        if key in self._refused:
            return None
        try:
            return self._grow(key, piece, now_s)
        except PieceError:
            self._growing.pop(key, None)
            self._refused[key] = now_s
            raise

    def left(self, sender: str) -> None:
        """Somebody is gone, and what they have begun to send."""
        for key in [key for key in self._growing if key[0] == sender]:
            del self._growing[key]

    def _grow(self, key: tuple[str, str], piece: _Piece, now_s: float) -> Whole | None:
        if piece.of > MAX_PIECES:
            raise PieceError(f"The picture is too large: a room carries {MAX_MB:.0f} MB at most.")
        growing = self._growing.get(key)
        if growing is None:
            if sum(1 for sender, _ in self._growing if sender == key[0]) >= MAX_AT_ONCE:
                raise PieceError(f"Please send {MAX_AT_ONCE} pictures at a time at most.")
            growing = self._growing[key] = _Growing(piece.of, now_s)
        if piece.of != growing.of or piece.piece >= growing.of:
            raise PieceError("The pieces of the picture do not fit together; please send it again.")
        growing.pieces.setdefault(piece.piece, piece.data)
        if piece.piece == 0:
            growing.first = piece
        if len(growing.pieces) < growing.of or growing.first is None:
            return None
        del self._growing[key]
        data = "".join(growing.pieces[index] for index in range(growing.of))
        if len(data) % 4:
            raise PieceError("The picture is broken: its pieces make no base64.")
        first = growing.first
        return Whole(data=data, format=first.format, name=first.name, caption=first.caption)

    def _forget(self, now_s: float) -> None:
        for key, growing in list(self._growing.items()):
            if now_s - growing.begun_s > MAX_WAITING_S:
                del self._growing[key]
        for key, at_s in list(self._refused.items()):
            if now_s - at_s > MAX_WAITING_S:
                del self._refused[key]


def refusal(text: str, *, name: str = "The picture") -> Mapping[str, Any]:
    """What the sender of a picture is told, as RTVI server message."""
    data = {"type": "picture", "state": "refused", "name": name, "text": text}
    return {"label": "rtvi-ai", "type": "server-message", "data": data}
