"""The chat of Daily Prebuilt, which is made of app messages. Pure."""

from __future__ import annotations

import time
from typing import Any


def prebuilt_chat(text: str, name: str) -> dict[str, Any]:
    """A message as Daily Prebuilt shows it.

    Args:
        text: What is written.
        name: Whose it is.
    """
    date = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return {
        "date": date,
        "event": "chat-msg",
        "message": text,
        "name": name,
        "room": "main-room",
    }
