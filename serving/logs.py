"""What is logged: to standard error, without secrets and without chatter.

Everybody's lines go the same way: ours and Pipecat's, which log with loguru, and those of the
libraries that log with Python's own module.
"""

import logging
import re
import sys
from typing import TYPE_CHECKING

from loguru import logger

from pipeline.settings import Settings
from serving.log_lines import json_line, text_line
from serving.redaction import Redaction, secrets_of

if TYPE_CHECKING:
    from loguru import Message, Record

_CHATTER = (
    "ᓚᘏᗢ Pipecat",  # on every import
    "Timeout: No video frame received",  # every two seconds while a camera is off
    "Media stream error while reading",  # three times at every hang-up
    "HTTP Request: ",  # httpx, with the whole address, in which accounts are named
    "is not emitting turn frames",  # advice that is followed: the local VAD emits them
)

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access")
_LINES = {"text": text_line, "json": json_line}
_redact = Redaction()


def log_to_stderr(settings: Settings) -> None:
    """Log from the level and in the format that the settings name.

    Python's own logging comes along, from INFO on: below that, libraries write down all that they
    send and receive, what people say among it; only TRACE asks for so much. Uvicorn has to be
    started with `log_config=None`, or it takes its lines back.
    """
    write = _LINES[settings.log_format]
    _redact.add(secrets_of(settings))

    def sink(message: "Message") -> None:
        # What loguru has formatted is the traceback alone: see `format`.
        sys.stderr.write(write(message.record, str(message).strip("\n"), _redact) + "\n")

    logger.remove()
    # `diagnose` would print the values of variables with a traceback, a key's among them.
    logger.add(
        sink,
        level=settings.log_level,
        filter=_is_news,
        format=lambda record: "{exception}",
        diagnose=False,
    )
    _intercept(settings.log_level)


def hide(secret: str) -> None:
    """Keep a secret out of every line from now on; for a process that holds one session."""
    _redact.add([secret])


def log_as(session_id: str) -> None:
    """Have every line of this process say whose it is; for a process that holds one session."""
    logger.configure(extra={"session": plain_id(session_id)})


def plain_id(session_id: str) -> str:
    """A session's identifier without the time and the signature that clients have behind it."""
    return re.sub(r"[^A-Za-z0-9-]", "_", session_id.partition(".")[0])[:64]


def _is_news(record: "Record") -> bool:
    return not any(chatter in record["message"] for chatter in _CHATTER)


def _intercept(level: str) -> None:
    least = {"TRACE": "NOTSET", "DEBUG": "INFO"}.get(level, level)
    logging.basicConfig(handlers=[_Intercept()], level=least, force=True)
    for name in _UVICORN:
        uvicorn = logging.getLogger(name)
        uvicorn.handlers.clear()
        uvicorn.propagate = True
    logging.captureWarnings(True)


class _Intercept(logging.Handler):
    """Hands lines of Python's own logging to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it as if it had come from there."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # a library's own mistake
            message = str(record.msg)
        if record.name == "uvicorn.access":
            message = re.sub(r"\?\S*", "", message)  # whoever asks may put anything in there
        level = record.levelname if record.levelname in _LEVELS else record.levelno

        def as_there(line: "Record") -> None:
            line.update(name=record.name, function=record.funcName, line=record.lineno)

        logger.patch(as_there).opt(exception=record.exc_info).log(level, message)
