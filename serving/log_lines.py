"""How a line of the log is written: one for each message, whatever is in it."""

import json
import re
from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loguru import Record

MAX_CHARS = 16_000
"""Of one message, and of one traceback; somebody's upload is not to become the log."""

_SHORT_ID = 8
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""What ends a line, moves a terminal's cursor, or turns the direction of what follows."""
_UNSAFE = re.compile(f"[{_CONTROLS}\ud800-\udfff]")
_UNSAFE_BUT_LINES = re.compile(f"(?!\n)[{_CONTROLS}\ud800-\udfff]")

STACKS = "stacks"
"""`logger.bind(stacks=...)` shows text of several lines, as a traceback is shown."""

Redact = Callable[[str], str]


def text_line(record: "Record", traceback: str, redact: Redact) -> str:
    """A line for people; the lines of a traceback follow, indented, as no message ever is."""
    session = record["extra"].get("session")
    of_whom = f" | {_one_line(str(session))[:_SHORT_ID]}" if session else ""
    line = (
        f"{_time(record)} | {record['level'].name: <8}{of_whom} | {_one_line(_where(record))} - "
        f"{_one_line(_clean(record['message'], redact))}"
    )
    if traceback := traceback or str(record["extra"].get(STACKS, "")):
        safe = _UNSAFE_BUT_LINES.sub(_escaped, _clean(traceback, redact)).rstrip("\n")
        line += "".join(f"\n    {part}" for part in safe.split("\n"))
    return line


def json_line(record: "Record", traceback: str, redact: Redact) -> str:
    """A line for programs."""
    line = {
        "time": _time(record),
        "level": record["level"].name,
        "message": _clean(record["message"], redact),
        "where": _where(record),
    }
    if session := record["extra"].get("session"):
        line["session"] = str(session)
    if traceback := traceback or str(record["extra"].get(STACKS, "")):
        line["exception"] = _clean(traceback, redact).rstrip("\n")
    return json.dumps(line)


def _time(record: "Record") -> str:
    """In UTC, to the millisecond."""
    at = record["time"].astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _where(record: "Record") -> str:
    return f"{record['name']}:{record['function']}:{record['line']}"


def _one_line(text: str) -> str:
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _clean(text: str, redact: Redact) -> str:
    """Without secrets, also where it is cut."""
    rest = len(text) - MAX_CHARS
    if rest <= 0:
        return redact(text)
    return f"{redact(text[: 2 * MAX_CHARS])[:MAX_CHARS]} ... and {rest} characters more"
