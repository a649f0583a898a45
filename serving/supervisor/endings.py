"""How sessions end, and where that is written for whoever asks afterwards.

A caller whose process has died can't be told by it. What became of their session is a small file in
the run folder for a while, so that any server on it can tell.
"""

import json
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

KEPT_S = 120.0
"""How long an ending can be asked for."""


class Reason(StrEnum):
    """Why a session's process ended."""

    FINISHED = "finished"
    CRASHED = "crashed"
    HUNG = "hung"
    MEMORY = "memory"
    TIME = "time"
    FAILED = "failed"
    CLOSED = "closed"


SENTENCES = {
    Reason.FINISHED: "The call is over.",
    Reason.CRASHED: "Something broke in this call, and it ended. Please connect again.",
    Reason.HUNG: "This call stopped responding and was ended. Please connect again.",
    Reason.MEMORY: "This call needed more memory than a call may, and was ended. "
    "Please connect again.",
    Reason.TIME: "This call was as long as a call may be here, and was ended.",
    Reason.FAILED: "The call could not be begun. Please connect again.",
    Reason.CLOSED: "The server is closing.",
}


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What became of a session.

    Parameters:
        reason: For programs.
        text: For people, one sentence.
        outcome: What became of a telephone call (`pipeline.endings.Ended`); None: it was none, or
            nobody knows.
    """

    reason: Reason
    text: str
    outcome: str | None = None


def ending(reason: Reason) -> Ending:
    """The ending for a reason."""
    return Ending(reason=reason, text=SENTENCES[reason])


class Endings:
    """The endings in a run folder.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: Path):
        self._folder = folder

    def write(self, session_id: str, what: Ending) -> None:
        """Keep how a session ended."""
        self._path(session_id).write_text(json.dumps(asdict(what)))

    def read(self, session_id: str) -> Ending | None:
        """How a session ended; None when it has not, or too long ago."""
        try:
            return Ending(**json.loads(self._path(session_id).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def forget_old(self) -> None:
        """Delete those that nobody will ask for any more."""
        for path in self._folder.glob("*.ended"):
            try:
                if time.time() - path.stat().st_mtime > KEPT_S:
                    path.unlink()
            except OSError:
                continue  # another server was faster

    def _path(self, session_id: str) -> Path:
        return self._folder / f"{session_id}.ended"
