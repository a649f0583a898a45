"""What the server logs: to standard error, without secrets and without chatter."""

import sys
from typing import TYPE_CHECKING

from loguru import logger

from pipeline.settings import Settings

if TYPE_CHECKING:
    from loguru import Record

_CHATTER = (
    "ᓚᘏᗢ Pipecat",  # on every import
    "Timeout: No video frame received",  # every two seconds while a camera is off
    "Media stream error while reading",  # three times at every hang-up
    "is not emitting turn frames",  # advice that is followed: the local VAD emits them
)


def log_to_stderr(settings: Settings) -> None:
    """Log from the level that the settings name."""
    logger.remove()
    # `diagnose` would print the values of variables with a traceback, a key's among them.
    logger.add(sys.stderr, level=settings.log_level, filter=_is_news, diagnose=False)


def _is_news(record: "Record") -> bool:
    return not any(chatter in record["message"] for chatter in _CHATTER)
