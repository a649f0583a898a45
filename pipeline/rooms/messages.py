"""What people send into the room beside sound and pictures: RTVI messages, chat, pieces of pictures.

Pure. An app message of a room is any JSON that anybody in it likes to send.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processors.image_injector import DEFAULT_CAPTION

RTVI = "rtvi-ai"
PICTURE = "picture"
MAX_CHAT_CHARACTERS = 4000
_SIGNED = ("send-text", "send-file")


@dataclass(frozen=True)
class Chat:
    """A message of the chat of Daily's own page.

    Parameters:
        text: What was written; never empty.
    """

    text: str


@dataclass(frozen=True)
class Rtvi:
    """A message of a page of ours, or of any other client of Pipecat's.

    Parameters:
        message: As it came, with its label.
    """

    message: Mapping[str, Any]

    @property
    def type(self) -> str:
        """Which it is; empty when it does not say."""
        type = self.message.get("type")
        return type if isinstance(type, str) else ""

    @property
    def is_of_a_bot(self) -> bool:
        """Whether only bots say such a thing."""
        return self.type.startswith("bot-")

    @property
    def picture_piece(self) -> object:
        """What it holds of a picture; None when it is something else."""
        data = self.message.get("data")
        if self.type != "client-message" or not isinstance(data, Mapping):
            return None
        return data.get("d", {}) if data.get("t") == PICTURE else None


def read(message: object) -> Chat | Rtvi | None:
    """What an app message is; None for one of somebody else's protocol, or of none."""
    if not isinstance(message, Mapping):
        return None
    if message.get("label") == RTVI:
        return Rtvi(message)
    text = message.get("message")
    if message.get("event") == "chat-msg" and isinstance(text, str) and text.strip():
        return Chat(text.strip()[:MAX_CHAT_CHARACTERS])
    return None


def signed(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An RTVI message with the name of who wrote it before what it says; another as it is.

    Args:
        message: Of a page.
        name: Of the sender; empty when it need not be said.
    """
    data = message.get("data")
    if not name or message.get("type") not in _SIGNED or not isinstance(data, Mapping):
        return message
    content = data.get("content")
    if not isinstance(content, str):
        return message
    if message["type"] == "send-file" and not content.strip():
        content = DEFAULT_CAPTION
    return {**message, "data": {**data, "content": f"{name}: {content}"}}


def typed(text: str, *, id: str) -> dict[str, Any]:
    """Text as a page sends it when somebody types."""
    return {"label": RTVI, "type": "send-text", "id": id, "data": {"content": text}}


def sent_picture(data: str, *, format: str, name: str, caption: str, id: str) -> dict[str, Any]:
    """A picture as a page sends it.

    Args:
        data: Of the file, base64.
        format: Its media type.
        name: Of the file.
        caption: What is said about it, or nothing.
        id: Of the message.
    """
    file = {"name": name, "format": format, "source": {"type": "bytes", "bytes": data}}
    return {
        "label": RTVI,
        "type": "send-file",
        "id": id,
        "data": {"content": caption, "file": file},
    }


def chat_pieces(text: str, *, most: int = 1000) -> list[str]:
    """An answer in pieces that go into an app message, parted between words where there are some."""
    pieces: list[str] = []
    rest = text.strip()
    while len(rest) > most:
        at = rest.rfind(" ", 1, most + 1)
        at = most if at < most // 2 else at
        pieces.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*pieces, rest] if rest else pieces
