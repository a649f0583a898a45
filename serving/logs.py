"""What the server logs: to standard error, without secrets and without chatter."""

import sys
from typing import TYPE_CHECKING

from loguru import logger

from pipeline.settings import Settings

if TYPE_CHECKING:
    from loguru import Record

_CHATTER = (
    "Timeout: No video frame received",  # every two seconds while a camera is off
    "ᓚᘏᗢ Pipecat",  # on every import
)


def log_to_stderr(settings: Settings) -> None:
    """Log from the level that the settings name."""
    logger.remove()
    # `diagnose` would print the values of variables with a traceback, a key's among them.
    logger.add(sys.stderr, level=settings.log_level, filter=_is_news, diagnose=False)


def _is_news(record: "Record") -> bool:
    return not record["message"].startswith(_CHATTER)
