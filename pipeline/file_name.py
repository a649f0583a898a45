"""What files are called: those of a user, wherever that is shown or logged, and the turn log."""

import re
from datetime import datetime

MAX_NAME_CHARACTERS = 100


def shown_name(name: str | None, otherwise: str) -> str:
    """A file's name without what is not its own: folders, control characters, excess.

    It is for people to read and never leads to a file.

    Args:
        name: As a client gives it.
        otherwise: What to say where nothing is left of it.
    """
    own = (name or "").replace("\\", "/").rpartition("/")[2]
    printable = "".join(letter if letter.isprintable() else " " for letter in own)
    return printable.strip()[:MAX_NAME_CHARACTERS].strip() or otherwise


def turn_log_name(session_id: str, *, begun: datetime) -> str:
    """What a session's turn log is called.

    Args:
        session_id: Comes from outside; it must not choose the folder.
        begun: When the session began, in UTC.
    """
    name = re.sub(r"[^A-Za-z0-9-]", "_", session_id)[:64]
    return f"{begun:%Y%m%dT%H%M%SZ}-{name}.jsonl"
