"""Captures: every message of a session with its time, as JSON lines; media lie beside them."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from understudy.scalars import to_bytes

_logger = logging.getLogger(__name__)

MEDIA = "media"
"""The folder beside the captures; a file in it is named by the SHA-256 of what it holds."""
REFERENCE = "$media"
"""The key of an object that stands for base64 text: hash and length of the bytes."""
_MIN_CHARACTERS = 64
"""Shorter data stays in the line."""


class Capture:
    """Writes one session.

    Each line has `t`, seconds since the session began, and `from`, `client` or `server`; and
    `message`, a JSON message, or `frame`, base64 of a WebSocket message that is no JSON, or
    `close`, with `code` and `reason`. In messages, `data` of 64 characters and more is
    `{"$media": "<sha256>", "bytes": <length>}`, and `media/<sha256>` holds the bytes.

    Args:
        path: The file, which is made anew. Keys are never written.
        clock: Monotonic seconds.

    Raises:
        OSError: The file can't be written.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began_s = clock()
        self._media = path.parent / MEDIA
        self._media.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        path.chmod(0o600)

    def message(self, side: str, frame: str | bytes) -> None:
        """Writes a WebSocket message.

        Args:
            side: Who sent it: `client` or `server`.
            frame: As it was on the wire.
        """
        try:
            value = self._without_media(json.loads(frame))
        except (ValueError, RecursionError):
            data = frame.encode("utf-8", "replace") if isinstance(frame, str) else frame
            self._write(side, frame=base64.b64encode(data).decode())
            return
        self._write(side, message=value)

    def close(self, side: str, code: int | None, reason: str | None) -> None:
        """Writes how and by which side the session was ended, and closes the file."""
        self._write(side, close={"code": code, "reason": reason})
        self._file.close()

    def _write(self, side: str, **fields: Any) -> None:
        line = {"t": round(self._clock() - self._began_s, 3), "from": side, **fields}
        self._file.write(json.dumps(line) + "\n")

    def _without_media(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._without_media(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: self._refer(item)
            if key == "data" and isinstance(item, str) and len(item) >= _MIN_CHARACTERS
            else self._without_media(item)
            for key, item in value.items()
        }

    def _refer(self, text: str) -> Any:
        try:
            data = to_bytes(text)
        except ValueError:
            return text
        name = hashlib.sha256(data).hexdigest()
        path = self._media / name
        if not path.exists():
            path.write_bytes(data)
            path.chmod(0o600)
        return {REFERENCE: name, "bytes": len(data)}
