"""The record: every event of every session, in memory and as JSON lines."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

_logger = logging.getLogger(__name__)

MAX_RECORDS = 100_000


class Recorder:
    """Keeps events, and writes them to a file if there is one.

    Writing happens in a thread of its own: 200 sessions of 50 messages a second are 10,000
    lines a second. A line is flushed as soon as no other waits behind it.

    Args:
        clock: Monotonic seconds; the record counts from now.
        path: JSON lines are appended here. Opened at once, so a bad path fails at the start.

    Raises:
        OSError: The file can't be opened.
    """

    def __init__(self, *, clock: Callable[[], float], path: Path | None = None) -> None:
        self._clock = clock
        self._start_s = clock()
        self._records: deque[dict[str, Any]] = deque(maxlen=MAX_RECORDS)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._is_writing = path is not None
        if path is not None:
            path.touch(mode=0o600)
            file = path.open("a", encoding="utf-8")
            self._writer = threading.Thread(
                target=self._write, args=(file,), name="understudy-record", daemon=True
            )
            self._writer.start()

    @property
    def records(self) -> list[dict[str, Any]]:
        """The last 100,000 events, oldest first."""
        return list(self._records)

    def add(self, session: str, event: str, fields: Mapping[str, Any]) -> None:
        """Records an event of a session.

        Args:
            session: The session's id.
            event: What happened, such as `turn_complete`.
            fields: JSON values; never a key.
        """
        elapsed_s = round(self._clock() - self._start_s, 3)
        record = {"t": elapsed_s, "session": session, "event": event, **fields}
        self._records.append(record)
        if self._is_writing:
            self._lines.put(json.dumps(record, ensure_ascii=False))

    def close(self) -> None:
        """Writes what is left and closes the file."""
        if self._writer is not None:
            self._lines.put(None)
            self._writer.join()
            self._writer = None

    def _write(self, file: TextIO) -> None:
        try:
            with file:
                while (line := self._lines.get()) is not None:
                    file.write(line + "\n")
                    if self._lines.empty():
                        file.flush()
        except OSError as error:
            _logger.error("the record %s ends here: %s", file.name, error.strerror)
            self._is_writing = False
